#include "twice.h"

int two(int n) { return twice(n); }
