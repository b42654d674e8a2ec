/* behind sum.h too */
#include "core/sum.h"
