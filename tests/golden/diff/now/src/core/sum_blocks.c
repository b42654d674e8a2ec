/* behind sum.h too; faster */
#include "core/sum.h"
