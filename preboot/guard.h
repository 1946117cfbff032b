/* Guard: what wrong answers lead to. Counts them in a variable that only boot services see, before the
 * answer is known, so that neither power cuts nor an older store give a guess for free; and keeps the
 * rules of the last verified unlock there too, so that a changed store cannot soften them: until the
 * next store is verified, the stricter of both counts. Table: guard_v1.inc; docs/lockout.md. */
#ifndef HOLDFAST_GUARD_H
#define HOLDFAST_GUARD_H

#include "common/store.h"

/* What is to happen now. */
enum guard_verdict {
	GUARD_GO_ON, /* after guard_delay_s */
	GUARD_LOCK,  /* drop all users' seals; said once a start */
	GUARD_KILL,  /* erase */
};

/* Counts and rules of earlier starts, and those of the store at hand (a hint). What another installation
 * left is forgotten: the store's key is another one, and holdfast-activate has said so (HoldfastOwner), or
 * the generation variable was set back or taken away. A variable that is not ours is forgotten too
 * (PREBOOT_TAMPERED). One that cannot be read is left alone until guard_verified: it counts in memory. After
 * events_start. */
void guard_start(const struct store *s);

/* At the start: are the tries used up by earlier starts? Tries whose answer nobody saw, because the laptop
 * stopped before guard_failed, may all have been right: they lock or erase nothing here. They count when
 * the next failure is told. GUARD_LOCK is said again at every start until somebody unlocks, because the
 * store may have been copied back. */
enum guard_verdict guard_check(void);

/* A try begins: count it. Returns OK, or the error with which the count could not be kept; the try may
 * go on (firmware that keeps no variables must lock nobody out), the count is kept in memory then. */
MUST_CHECK enum err guard_begin(void);

/* It failed: what follows. To be asked before the person is told. Seconds to wait before the next one. */
enum guard_verdict guard_failed(void);
unsigned guard_delay_s(void);

/* It was no guess (a right password without its seal or with a store that is not whole, memory too short):
 * not counted. Earlier tries stay what they are, told or not. */
void guard_take_back(void);

/* Tries that are left before lock or kill, UINT32_MAX: no limit; and which of the two it will be. */
uint32_t guard_left(void);
enum guard_verdict guard_next(void);

/* Does a duress password kill? As the stricter of both rules says. */
int guard_duress(void);

/* The store is verified: its rules count from now on, and the failures are forgiven, whether or not the
 * kernel starts: a right answer in between ends the row. ERR_MISDIRECTED (and PREBOOT_TAMPERED): a store
 * with another key than the last one's, in an installation that was not set up anew. Somebody may have planted
 * it: nothing is forgiven, remembered or to be written for it; that try is not counted. */
MUST_CHECK enum err guard_verified(const struct store *s);

/* What the last verified store said of contact; zeros when there was none. */
struct guard_contact {
	uint16_t warn_days, lock_days;
	uint64_t last_contact;
};
void guard_contact(struct guard_contact *ret);

#endif
