#include "ticks/ticks.h"

unsigned ticks_rate(unsigned period) {
  const unsigned second = 1000;
  return ticks_in(second, period);
}
