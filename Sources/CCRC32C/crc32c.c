#include "crc32c.h"
#include <pthread.h>
#include <string.h>

// Lengths of the blocks of which three are computed side by side; multiples of 8.
#define LONG_BLOCK 4096
#define SHORT_BLOCK 256

static uint32_t table[8][256];
// What a block of zeros does to a checksum, by its bytes.
static uint32_t long_shift[4][256];
static uint32_t short_shift[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_shift(uint32_t shift[4][256], size_t length) {
    // It is linear: the effect on each bit says it all.
    uint32_t of_bit[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t c = (uint32_t)1 << bit;
        for (size_t i = 0; i < length; i++) c = (c >> 8) ^ table[0][c & 0xFF];
        of_bit[bit] = c;
    }
    for (int k = 0; k < 4; k++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t c = 0;
            for (int bit = 0; bit < 8; bit++)
                if (byte >> bit & 1) c ^= of_bit[8 * k + bit];
            shift[k][byte] = c;
        }
}

static void make_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c & 1) ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xFF];
    make_shift(long_shift, LONG_BLOCK);
    make_shift(short_shift, SHORT_BLOCK);
}

uint32_t martlet_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
    pthread_once(&once, make_tables);
    const uint8_t *p = bytes;
    uint32_t c = ~crc;
    while (length >= 8) {
        uint64_t word = 0;
        for (int k = 7; k >= 0; k--) word = (word << 8) | p[k];
        word ^= c;
        c = table[7][word & 0xFF] ^ table[6][(word >> 8) & 0xFF] ^ table[5][(word >> 16) & 0xFF]
            ^ table[4][(word >> 24) & 0xFF] ^ table[3][(word >> 32) & 0xFF] ^ table[2][(word >> 40) & 0xFF]
            ^ table[1][(word >> 48) & 0xFF] ^ table[0][(word >> 56) & 0xFF];
        p += 8;
        length -= 8;
    }
    while (length--) c = (c >> 8) ^ table[0][(c ^ *p++) & 0xFF];
    return ~c;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#define HARDWARE __attribute__((target("sse4.2")))
#define ADD_WORD(c, word) ((uint32_t)_mm_crc32_u64(c, word))
#define ADD_BYTE(c, byte) _mm_crc32_u8(c, byte)
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define HARDWARE
#define ADD_WORD(c, word) __crc32cd(c, word)
#define ADD_BYTE(c, byte) __crc32cb(c, byte)
#endif

#ifdef HARDWARE
static inline uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static inline uint32_t shifted(uint32_t shift[4][256], uint32_t c) {
    return shift[0][c & 0xFF] ^ shift[1][(c >> 8) & 0xFF] ^ shift[2][(c >> 16) & 0xFF] ^ shift[3][c >> 24];
}

// The instruction takes three cycles, and one can begin in each: three blocks at a time, put together afterwards
// (Gopal et al., Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction, Intel 2011).
HARDWARE static inline uint32_t add_three(uint32_t c, const uint8_t *p, size_t block, uint32_t shift[4][256]) {
    uint32_t second = 0, third = 0;
    for (const uint8_t *end = p + block; p < end; p += 8) {
        c = ADD_WORD(c, word_at(p));
        second = ADD_WORD(second, word_at(p + block));
        third = ADD_WORD(third, word_at(p + 2 * block));
    }
    return shifted(shift, shifted(shift, c) ^ second) ^ third;
}

HARDWARE static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t length) {
    uint32_t c = ~crc;
    if (length >= 3 * SHORT_BLOCK) pthread_once(&once, make_tables);
    for (; length >= 3 * LONG_BLOCK; p += 3 * LONG_BLOCK, length -= 3 * LONG_BLOCK)
        c = add_three(c, p, LONG_BLOCK, long_shift);
    for (; length >= 3 * SHORT_BLOCK; p += 3 * SHORT_BLOCK, length -= 3 * SHORT_BLOCK)
        c = add_three(c, p, SHORT_BLOCK, short_shift);
    for (; length >= 8; p += 8, length -= 8) c = ADD_WORD(c, word_at(p));
    while (length--) c = ADD_BYTE(c, *p++);
    return ~c;
}
#endif

uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_hardware(crc, bytes, length);
#elif defined(HARDWARE)
    return crc32c_hardware(crc, bytes, length);
#endif
    return martlet_crc32c_portable(crc, bytes, length);
}
