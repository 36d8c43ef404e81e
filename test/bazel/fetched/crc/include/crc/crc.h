#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The CRC-32 (IEEE) of length bytes.
unsigned crc32_of(const void* bytes, unsigned long length);

#ifdef __cplusplus
}
#endif
