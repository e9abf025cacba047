#ifndef MARTLET_BYTE_SEARCH_H
#define MARTLET_BYTE_SEARCH_H

#include <stddef.h>

/// Where `part` first stands in `bytes`; NULL when it does not. Both have at least one byte. Takes linear time.
const void *_Nullable martlet_find_bytes(
    const void *_Nonnull bytes, size_t byte_count, const void *_Nonnull part, size_t part_byte_count);

#endif
