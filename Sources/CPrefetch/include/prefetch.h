#ifndef MARTLET_PREFETCH_H
#define MARTLET_PREFETCH_H

/// Asks for the cache line of an address that will be read soon. Never faults, whatever the address.
static inline void martlet_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
