
#include "core/sum.h"
