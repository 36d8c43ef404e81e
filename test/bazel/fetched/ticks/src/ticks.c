#include "ticks/ticks.h"

unsigned ticks_per_hour(unsigned period) {
  const unsigned hour = 60 * 60 * 1000;
  return ticks_in(hour, period);
}
