/* An experiment of the golden tests; never compiled. */
#include "core/sum.h"

#include <stdio.h>
