/* Audit log: the chain holds, and every change of it is noticed. */
#include "jose_fixture.h"

#include <sodium.h>

#include "server/audit.h"
#include "server_dir.h"

static const char *const migrations[] = { AUDIT_TABLE };
static char dir[64];
static struct db *db;

static int setup(void **state)
{
	char path[80];

	(void)state;
	server_dir_make(dir);
	snprintf(path, sizeof(path), "%s/x.db", dir);
	return db_open(&db, path, migrations, 1) != OK;
}

static int teardown(void **state)
{
	(void)state;
	db_close(&db);
	server_dir_remove(dir);
	return 0;
}

static void fill(unsigned n)
{
	const struct audit_entry entry = { "officer:anna", "lock", DEVICE, "ok",
					   "\"quoted\" and ü" };

	while (n--)
		assert_ok(audit_append(NULL, db, &entry, 1000 + n));
}

static void an_empty_log_holds(void **state)
{
	struct audit_head head;
	uint64_t n;

	(void)state;
	assert_ok(audit_head(&head, db));
	assert_true(head.n == 0);
	assert_ok(audit_verify(&n, db));
}

/* From docs/protocol.md, "Audit", by hand. */
static void the_hash_is_the_documented_one(void **state)
{
	const struct audit_entry entry = { "a", "b", "c", "d", "e" };
	static const char text[] =
		"{\"n\":1,\"time\":7,\"actor\":\"a\",\"action\":\"b\",\"object\":\"c\","
		"\"outcome\":\"d\",\"detail\":\"e\"}";
	uint8_t bytes[DIGEST_BYTES + sizeof(text) - 1] = { 0 }, want[DIGEST_BYTES];
	struct audit_head head;

	(void)state;
	memcpy(bytes + DIGEST_BYTES, text, sizeof(text) - 1);
	crypto_hash_sha256(want, bytes, sizeof(bytes));
	assert_ok(audit_append(&head, db, &entry, 7));
	assert_memory_equal(head.hash, want, DIGEST_BYTES);
}

static void every_change_is_noticed(void **state)
{
	static const struct {
		const char *why, *damage;
		uint64_t at;
	} rows[] = {
		{ "a word changed",
		  "UPDATE audit SET entry = replace(entry, 'anna', 'eve') WHERE n = 4", 4 },
		{ "its hash made to fit, so the next one does not",
		  "UPDATE audit SET entry = 'x', hash = zeroblob(32) WHERE n = 2", 2 },
		{ "one entry cut out", "DELETE FROM audit WHERE n = 5", 5 },
		{ "a hash cut short", "UPDATE audit SET hash = x'00' WHERE n = 1", 1 },
		{ "the first entry gone", "DELETE FROM audit WHERE n = 1", 1 },
		{ "two exchanged",
		  "UPDATE audit SET n = CASE n WHEN 6 THEN -7 WHEN 7 THEN -6 ELSE n END;", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t n = 0;

		assert_ok(db_run(db, "DELETE FROM audit", ""));
		fill(8);
		assert_ok(audit_verify(&n, db));
		assert_ok(db_run(db, rows[i].damage, ""));
		assert_err(rows[i].why, audit_verify(&n, db), ERR_CHANGED);
		if (n != rows[i].at)
			fail_msg("%s: found at %d", rows[i].why, (int)n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_log_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hash_is_the_documented_one, setup, teardown),
		cmocka_unit_test_setup_teardown(every_change_is_noticed, setup, teardown),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
