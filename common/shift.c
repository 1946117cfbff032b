#include "shift.h"

/* For workplace_progress and workplace_processors: the last shift that began. */
static struct {
	uint32_t total, done, present, limit;
} shown;

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELEASE)
#define ADD(x) __atomic_fetch_add(&(x), 1, __ATOMIC_ACQ_REL)

void shift_begin(struct shift *s, const struct workplace_job *job)
{
	uint32_t limit = LOAD(shown.limit);

	s->job = *job;
	s->total = job->rounds * job->lanes;
	s->seats = limit && limit < job->lanes ? limit : job->lanes;
	STORE(s->helpers, 0);
	STORE(s->done, 0);
	STORE(shown.done, 0);
	STORE(shown.present, 0);
	STORE(shown.total, s->total);
	STORE(s->next, 0); /* last: who waits for it finds all the rest */
}

void shift_work(struct shift *s, void (*rest)(void), void (*fresh)(void))
{
	const struct workplace_job *job = &s->job;
	uint32_t ticket, worked = 0;

	while ((ticket = ADD(s->next)) < s->total) {
		uint32_t lane = ticket % job->lanes;

		while (LOAD(s->done) < ticket - lane)
			rest();
		if (fresh)
			fresh();
		job->work(job->context, ticket / job->lanes, lane);
		if (!worked++)
			ADD(shown.present);
		ADD(shown.done);
		ADD(s->done);
	}
}

void shift_help(struct shift *s, void (*rest)(void), void (*fresh)(void))
{
	if (ADD(s->helpers) + 1 < s->seats)
		shift_work(s, rest, fresh);
}

void shift_finish(struct shift *s, void (*rest)(void))
{
	while (LOAD(s->done) < s->total)
		rest();
}

unsigned workplace_progress(void)
{
	uint32_t total = LOAD(shown.total), done = LOAD(shown.done);

	return done >= total ? 100 : (unsigned)((uint64_t)done * 100 / total);
}

unsigned workplace_processors(void)
{
	return LOAD(shown.present);
}

void workplace_limit(unsigned processors)
{
	STORE(shown.limit, processors);
}
