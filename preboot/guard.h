/* Guard: what wrong answers lead to. Counts them in a variable that only boot services see, before the
 * answer is known, so that neither power cuts nor an older store give a guess for free; and keeps the
 * failure rule of the last verified unlock there too, so that a changed store cannot soften it. */
#ifndef HOLDFAST_GUARD_H
#define HOLDFAST_GUARD_H

#include "common/rules.h"

/* What is to happen now. */
enum guard_verdict {
	GUARD_GO_ON, /* after guard_delay_s */
	GUARD_LOCK,  /* drop all users' seals */
	GUARD_KILL,  /* erase */
};

/* Counts and rule of earlier starts. hint: the store's rules, which count until a rule was verified. */
void guard_start(const struct rules *hint);

/* At the start: are the tries used up by earlier starts? */
enum guard_verdict guard_check(void);

/* A try begins: count it. Returns OK, or the error with which the count could not be kept; the try may
 * go on (firmware that keeps no variables must lock nobody out), the count is kept in memory then. */
MUST_CHECK enum err guard_begin(void);

/* It failed: what follows. Seconds to wait before the next one. */
enum guard_verdict guard_failed(void);
unsigned guard_delay_s(void);

/* It was neither wrong nor right (a right password without its seal, memory too short): not counted. */
void guard_take_back(void);

/* Tries that are left before lock or kill; UINT32_MAX: no limit. */
uint32_t guard_left(void);

/* The store is verified: its rules count from now on. The tries since the last success are forgiven
 * when the hand-off has been delivered (guard_forgive). */
void guard_verified(const struct rules *r);
void guard_forgive(void);

#endif
