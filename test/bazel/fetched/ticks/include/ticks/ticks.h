#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// How many ticks of `period` fit into `span`; both in milliseconds, period > 0.
// Compiled into the library by its own builds and into Envoy by Bazel, so the
// debug information knows this line by several names.
static inline unsigned ticks_in(unsigned span, unsigned period) {
  unsigned count = span / period;
  if (span % period != 0) {
    ++count;
  }
  return count;
}

// The ticks of an hour, period in milliseconds.
unsigned ticks_per_hour(unsigned period);

// The ticks of a second, period in milliseconds.
unsigned ticks_rate(unsigned period);

#ifdef __cplusplus
}
#endif
