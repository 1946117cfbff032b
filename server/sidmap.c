/* Map of sessions. */
#include "sidmap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS 16384u

/* Ids are random and chosen by the server: any mixing of their letters spreads them. */
static size_t bucket_of(const char *id)
{
	uint32_t h = 2166136261u;

	for (; *id; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return h % BUCKETS;
}

enum err sidmap_new(struct sidmap *ret, size_t max, void (*drop)(struct sidmap_entry *))
{
	struct sidmap m = { .max = max, .drop = drop };

	m.bucket = calloc(BUCKETS, sizeof(*m.bucket));
	if (!m.bucket)
		return ERR_MEMORY;
	*ret = m;
	return OK;
}

void sidmap_drop(struct sidmap *m)
{
	while (m->oldest)
		sidmap_remove(m, m->oldest);
	free(m->bucket);
	*m = (struct sidmap){ 0 };
}

static void link_newest(struct sidmap *m, struct sidmap_entry *e)
{
	e->newer = NULL;
	e->older = m->newest;
	if (m->newest)
		m->newest->newer = e;
	else
		m->oldest = e;
	m->newest = e;
}

static void unlink_age(struct sidmap *m, struct sidmap_entry *e)
{
	*(e->older ? &e->older->newer : &m->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &m->newest) = e->older;
}

void sidmap_remove(struct sidmap *m, struct sidmap_entry *e)
{
	struct sidmap_entry **at = &m->bucket[bucket_of(e->id)];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_age(m, e);
	m->count--;
	m->drop(e);
}

/* Drop the owner's oldest of a class until fewer than max are left. */
static void trim(struct sidmap *m, const char *owner, int confirmed, size_t max)
{
	struct sidmap_entry *oldest = NULL;
	size_t n = 0;

	for (struct sidmap_entry *e = m->newest; e; e = e->older) {
		if (e->confirmed == confirmed && !strcmp(e->owner, owner)) {
			oldest = e;
			n++;
		}
	}
	if (n >= max)
		sidmap_remove(m, oldest);
}

void sidmap_add(struct sidmap *m, struct sidmap_entry *e, uint64_t now)
{
	size_t bucket = bucket_of(e->id);

	while (m->oldest && (m->count >= m->max || m->oldest->expires <= now))
		sidmap_remove(m, m->oldest);
	e->confirmed = 0;
	trim(m, e->owner, 0, SIDMAP_OPEN_MAX);
	e->chain = m->bucket[bucket];
	m->bucket[bucket] = e;
	link_newest(m, e);
	m->count++;
}

void sidmap_confirm(struct sidmap *m, struct sidmap_entry *e, uint64_t expires)
{
	e->expires = expires;
	if (e->confirmed)
		return;
	trim(m, e->owner, 1, SIDMAP_CONFIRMED_MAX);
	e->confirmed = 1;
	unlink_age(m, e);
	link_newest(m, e);
}

struct sidmap_entry *sidmap_find(struct sidmap *m, const char *id, uint64_t now)
{
	struct sidmap_entry *e = m->bucket[bucket_of(id)];

	while (e && strcmp(e->id, id))
		e = e->chain;
	if (e && e->expires <= now) {
		sidmap_remove(m, e);
		return NULL;
	}
	return e;
}

uint64_t sidmap_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}
