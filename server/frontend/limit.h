/* Limit: how often somebody may fail at signing in, claiming or enrolling. A bucket of
 * failures a key, which empties with time; a small table that forgets the emptiest. */
#ifndef HOLDFAST_FRONTEND_LIMIT_H
#define HOLDFAST_FRONTEND_LIMIT_H

#include <stdint.h>

#define LIMIT_SLOTS 4096
#define LIMIT_SECONDS 6 /* after which one failure is forgotten */
#define LIMIT_NAME 10    /* at signing in: of a name from one address */
#define LIMIT_ADDRESS 30 /* at claiming and enrolling: of an address; and failures on record */

struct limit {
	uint64_t seed; /* so that nobody can choose colliding names */
	struct {
		uint64_t key;
		uint64_t empty_at; /* s, monotonic */
	} slot[LIMIT_SLOTS];
};

void limit_start(struct limit *l);
void limit_fail(struct limit *l, const char *key, uint64_t now);
/* Seconds to wait until key may try again; 0: now. */
unsigned limit_wait(const struct limit *l, const char *key, unsigned most, uint64_t now);

#endif
