#ifndef MARTLET_CRC32C_H
#define MARTLET_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B) of `length` bytes, continuing from `crc` (0 to start).
/// Uses the SSE4.2 or ARMv8 instruction when the machine has it.
uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t length);

/// The same by table alone; for the test that compares both.
uint32_t martlet_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

#endif
