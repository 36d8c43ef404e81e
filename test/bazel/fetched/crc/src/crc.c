#include "crc/crc.h"

#include "step.h"

unsigned crc32_of(const void* bytes, unsigned long length) {
  const unsigned char* at = bytes;
  unsigned crc = ~0u;
  for (unsigned long i = 0; i < length; ++i) {
    crc = crc_step(crc, at[i]);
  }
  return ~crc;
}
