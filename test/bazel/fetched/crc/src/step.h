#pragma once

// Takes one more byte into the checksum.
static inline unsigned crc_step(unsigned crc, unsigned char byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; ++bit) {
    crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return crc;
}
