/* Wake: an eventfd by which one thread ends another's poll. */
#ifndef HOLDFAST_WAKE_H
#define HOLDFAST_WAKE_H

#include <stdint.h>

#include "common/err.h"

struct wake {
	int fd;
};

MUST_CHECK enum err wake_new(struct wake *ret);
void wake_drop(struct wake *w);
void wake_raise(struct wake *w);

/* Wait until raised, and take it back. timeout_ms -1: for ever. 1 when it was raised, 0 in time. */
int wake_wait(struct wake *w, int64_t timeout_ms);

/* Monotonic, counts sleep as well: a laptop that wakes up is late, not early. */
int64_t wake_now_ms(void);

#endif
