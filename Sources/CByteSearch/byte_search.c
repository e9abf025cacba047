// For memmem, which Swift's module of the C library leaves out.
#define _GNU_SOURCE
#include <string.h>

#include "byte_search.h"

const void *martlet_find_bytes(const void *bytes, size_t byte_count, const void *part, size_t part_byte_count) {
    return memmem(bytes, byte_count, part, part_byte_count);
}
