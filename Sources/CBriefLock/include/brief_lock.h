#ifndef MARTLET_BRIEF_LOCK_H
#define MARTLET_BRIEF_LOCK_H

/// Takes a lock whose word is 0 while it is free; lets other threads run while it is not.
void martlet_brief_lock(unsigned *word);

/// Frees it.
void martlet_brief_unlock(unsigned *word);

#endif
