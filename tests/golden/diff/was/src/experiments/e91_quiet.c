
#include <stdio.h>
