#include "brief_lock.h"
#include <sched.h>
#include <time.h>

// Not inline on purpose: a call that the caller's optimiser cannot look into keeps it from moving what belongs between
// locking and unlocking, such as counting a reference, to the other side.

static const int spin_count_maximum = 64;
// Then its holder is one of lower priority, perhaps: yielding would never let that run.
static const int yield_count_maximum = 256;

static void wait_for(unsigned *word) {
  for (int count = 1;; count++) {
    if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 && __atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE) == 0) return;
    if (count < spin_count_maximum) continue;
    if (count < yield_count_maximum) {
      sched_yield();
    } else {
      struct timespec pause = {0, 20000};
      nanosleep(&pause, 0);
    }
  }
}

void martlet_brief_lock(unsigned *word) {
  if (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE) != 0) wait_for(word);
}

void martlet_brief_unlock(unsigned *word) { __atomic_store_n(word, 0, __ATOMIC_RELEASE); }
