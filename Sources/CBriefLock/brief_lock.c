#include "brief_lock.h"
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// Not inline on purpose: a call that the caller's optimiser cannot look into keeps it from moving what belongs between
// locking and unlocking, such as counting a reference, to the other side.

// U. Drepper, "Futexes Are Tricky" (2011), mutex 2, behind some tries without sleeping. Whoever comes while the lock is free
// takes it, also before one that has just been woken.
enum { is_free = 0, is_taken = 1, is_awaited = 2 };

static const int spin_count_maximum = 64;
static const int yield_count_maximum = 256;

static int try_to_take(unsigned *word) {
  unsigned expected = is_free;
  return __atomic_compare_exchange_n(word, &expected, is_taken, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void wait_for(unsigned *word) {
  for (int count = 0; count < yield_count_maximum; count++) {
    if (__atomic_load_n(word, __ATOMIC_RELAXED) == is_free && try_to_take(word)) return;
    if (count >= spin_count_maximum) sched_yield();
  }
  // Its holder was put aside by the scheduler: sleep until it frees the lock.
  while (__atomic_exchange_n(word, is_awaited, __ATOMIC_ACQUIRE) != is_free)
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, is_awaited, NULL, NULL, 0);
}

void martlet_brief_lock(unsigned *word) {
  if (!try_to_take(word)) wait_for(word);
}

void martlet_brief_unlock(unsigned *word) {
  if (__atomic_exchange_n(word, is_free, __ATOMIC_RELEASE) == is_awaited)
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
