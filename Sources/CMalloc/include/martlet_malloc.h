#ifndef MARTLET_MALLOC_H
#define MARTLET_MALLOC_H

#include <malloc.h>

/// Gives memory that was freed back to the operating system.
static inline void martlet_return_free_memory(void) { malloc_trim(0); }

#endif
