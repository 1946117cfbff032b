/* Limits on failures, and the bounds of the session map. */
#include "jose_fixture.h"

#include <sodium.h>

#include "server/frontend/limit.h"
#include "server/sidmap.h"

static struct limit limit;
static int dropped;

static void failures_add_up_and_fade(void **state)
{
	(void)state;
	limit_start(&limit);
	for (int i = 0; i < LIMIT_NAME; i++) {
		assert_int_equal(limit_wait(&limit, "ada", LIMIT_NAME, 1000), 0);
		limit_fail(&limit, "ada", 1000);
	}
	limit_fail(&limit, "ada", 1000);
	assert_int_equal(limit_wait(&limit, "ada", LIMIT_NAME, 1000), LIMIT_SECONDS);
	assert_int_equal(limit_wait(&limit, "bob", LIMIT_NAME, 1000), 0);
	assert_int_equal(limit_wait(&limit, "ada", LIMIT_NAME, 1000 + LIMIT_SECONDS), 0);
}

/* A flood of names must not make the table forget who fails most. */
static void a_flood_does_not_push_out_the_worst(void **state)
{
	char name[32];

	(void)state;
	limit_start(&limit);
	for (int i = 0; i < 40; i++)
		limit_fail(&limit, "worst", 1000);
	for (int i = 0; i < 4 * LIMIT_SLOTS; i++) {
		snprintf(name, sizeof(name), "flood-%d", i);
		limit_fail(&limit, name, 1000);
	}
	assert_true(limit_wait(&limit, "worst", LIMIT_NAME, 1000) > 0);
}

static void drop(struct sidmap_entry *e)
{
	dropped++;
	free(e);
}

static struct sidmap_entry *add(struct sidmap *m, const char *id, const char *owner, uint64_t now)
{
	struct sidmap_entry *e = calloc(1, sizeof(*e));

	snprintf(e->id, sizeof(e->id), "%s", id);
	snprintf(e->owner, sizeof(e->owner), "%s", owner);
	e->expires = now + 60;
	sidmap_add(m, e, now);
	return e;
}

/* An opening message can be replayed: that must not end the sessions of the one who sent it first.
 */
static void unconfirmed_sessions_push_out_no_confirmed_one(void **state)
{
	struct sidmap m;
	char id[SESSION_ID_TEXT];

	(void)state;
	assert_ok(sidmap_new(&m, 100, drop));
	sidmap_confirm(&m, add(&m, "real", "device:a", 1), 5000);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "replay-%u", i);
		add(&m, id, "device:a", 1);
	}
	assert_non_null(sidmap_find(&m, "real", 2));
	assert_int_equal(m.count, 1 + SIDMAP_OPEN_MAX);
	for (unsigned i = 0; i < SIDMAP_CONFIRMED_MAX; i++) {
		snprintf(id, sizeof(id), "next-%u", i);
		sidmap_confirm(&m, add(&m, id, "device:a", 1), 5000);
	}
	assert_null(sidmap_find(&m, "real", 2));
	sidmap_drop(&m);
}

static void sessions_end(void **state)
{
	struct sidmap m;
	char id[SESSION_ID_TEXT];

	(void)state;
	dropped = 0;
	assert_ok(sidmap_new(&m, 10, drop));
	add(&m, "x", "device:a", 1);
	assert_non_null(sidmap_find(&m, "x", 60));
	assert_null(sidmap_find(&m, "x", 61));
	assert_int_equal(dropped, 1);
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%d", i);
		add(&m, id, id, 1);
	}
	assert_int_equal(m.count, 10);
	assert_non_null(sidmap_find(&m, "29", 1));
	assert_null(sidmap_find(&m, "19", 1));
	sidmap_remove(&m, sidmap_find(&m, "25", 1));
	assert_null(sidmap_find(&m, "25", 1));
	sidmap_drop(&m);
	assert_int_equal(dropped, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_add_up_and_fade),
		cmocka_unit_test(a_flood_does_not_push_out_the_worst),
		cmocka_unit_test(unconfirmed_sessions_push_out_no_confirmed_one),
		cmocka_unit_test(sessions_end),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
