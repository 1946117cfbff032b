/* Limits on failures. */
#include "limit.h"

#include <sodium.h>
#include <string.h>

#define WAYS 4

void limit_start(struct limit *l)
{
	memset(l, 0, sizeof(*l));
	randombytes_buf(&l->seed, sizeof(l->seed));
}

static uint64_t hash(const struct limit *l, const char *key)
{
	uint8_t seed[crypto_shorthash_KEYBYTES] = { 0 }, out[crypto_shorthash_BYTES];
	uint64_t h;

	memcpy(seed, &l->seed, sizeof(l->seed));
	crypto_shorthash(out, (const uint8_t *)key, strlen(key), seed);
	memcpy(&h, out, sizeof(h));
	return h ? h : 1;
}

static size_t first_way(uint64_t h)
{
	return (size_t)(h % (LIMIT_SLOTS / WAYS)) * WAYS;
}

void limit_fail(struct limit *l, const char *key, uint64_t now)
{
	uint64_t h = hash(l, key);
	size_t at = first_way(h), use = at;

	for (size_t i = at; i < at + WAYS; i++) {
		if (l->slot[i].key == h) {
			use = i;
			break;
		}
		if (l->slot[i].empty_at < l->slot[use].empty_at)
			use = i;
	}
	if (l->slot[use].key != h || l->slot[use].empty_at < now) {
		l->slot[use].key = h;
		l->slot[use].empty_at = now;
	}
	l->slot[use].empty_at += LIMIT_SECONDS;
}

unsigned limit_wait(const struct limit *l, const char *key, unsigned most, uint64_t now)
{
	uint64_t h = hash(l, key), full = now + (uint64_t)most * LIMIT_SECONDS;
	size_t at = first_way(h);

	for (size_t i = at; i < at + WAYS; i++)
		if (l->slot[i].key == h && l->slot[i].empty_at > full)
			return (unsigned)(l->slot[i].empty_at - full);
	return 0;
}
