/* Database: migrations, statements, transactions. */
#include "jose_fixture.h"

#include "server/db.h"
#include "server_dir.h"

static const char *const migrations[] = {
	"CREATE TABLE pairs (name TEXT PRIMARY KEY, value INTEGER, bytes BLOB);",
	"ALTER TABLE pairs ADD COLUMN more TEXT NOT NULL DEFAULT 'preset';",
	"CREATE TABLE broken (",
};
static char dir[64], path[80];

static int setup(void **state)
{
	(void)state;
	server_dir_make(dir);
	snprintf(path, sizeof(path), "%s/x.db", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_dir_remove(dir);
	return 0;
}

static uint64_t count(struct db *db)
{
	DB_ROWS rows = { 0 };

	assert_ok(db_query(&rows, db, "SELECT COUNT(*) FROM pairs", ""));
	assert_ok(db_next(&rows));
	return db_number(&rows, 0);
}

static void values_come_back(void **state)
{
	struct db *db = NULL;
	DB_ROWS rows = { 0 };
	uint8_t bytes[4] = { 0, 1, 2, 255 };

	(void)state;
	assert_ok(db_open(&db, path, migrations, 1));
	assert_ok(db_run(db, "INSERT INTO pairs VALUES (?, ?, ?)", "tnb", "a", (uint64_t)INT64_MAX,
			 (void *)bytes, (size_t)4));
	assert_ok(db_run(db, "INSERT INTO pairs VALUES (?, ?, ?)", "tnb", NULL, (uint64_t)0,
			 (void *)bytes, (size_t)0));
	assert_err("the same key twice",
		   db_run(db, "INSERT INTO pairs VALUES (?, ?, ?)", "tnb", "a", (uint64_t)1,
			  (void *)bytes, (size_t)4),
		   ERR_EXISTS);
	assert_ok(db_query(&rows, db, "SELECT name, value, bytes FROM pairs WHERE name = ?", "t",
			   "a"));
	assert_ok(db_next(&rows));
	assert_string_equal(db_text(&rows, 0), "a");
	assert_true(db_number(&rows, 1) == INT64_MAX);
	assert_memory_equal(db_bytes(&rows, 2, 4), bytes, 4);
	assert_null(db_bytes(&rows, 2, 5));
	assert_err("after the last row", db_next(&rows), ERR_NOT_FOUND);
	db_rows_drop(&rows);
	assert_ok(db_run(db, "DELETE FROM pairs", ""));
	assert_true(db_changes(db) == 2);
	db_close(&db);
	db_close(&db);
}

static void migrations_run_once(void **state)
{
	struct db *db = NULL;
	DB_ROWS rows = { 0 };

	(void)state;
	assert_ok(db_open(&db, path, migrations, 1));
	assert_ok(db_run(db, "INSERT INTO pairs (name) VALUES (?)", "t", "kept"));
	db_close(&db);
	assert_ok(db_open(&db, path, migrations, 2));
	assert_ok(db_query(&rows, db, "SELECT more FROM pairs", ""));
	assert_ok(db_next(&rows));
	assert_string_equal(db_text(&rows, 0), "preset");
	db_rows_drop(&rows);
	db_close(&db);
	assert_ok(db_open(&db, path, migrations, 2));
	db_close(&db);
	assert_err("a newer program's file", db_open(&db, path, migrations, 1), ERR_VERSION);
	assert_err("a migration that fails", db_open(&db, path, migrations, 3), ERR_IO);
	assert_null(db);
	assert_ok(db_open(&db, path, migrations, 2));
	assert_true(count(db) == 1);
	db_close(&db);
}

static void transactions_are_all_or_nothing(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_ok(db_open(&db, path, migrations, 1));
	assert_ok(db_begin(db));
	assert_ok(db_run(db, "INSERT INTO pairs (name) VALUES (?)", "t", "gone"));
	db_rollback(db);
	db_rollback(db);
	assert_true(count(db) == 0);
	assert_ok(db_begin(db));
	assert_ok(db_run(db, "INSERT INTO pairs (name) VALUES (?)", "t", "kept"));
	assert_ok(db_commit(db));
	assert_true(count(db) == 1);
	db_close(&db);
}

static void other_files_are_refused(void **state)
{
	struct db *db = NULL;
	FILE *f = fopen(path, "w");

	(void)state;
	for (int i = 0; i < 400; i++)
		fputs("no database", f);
	fclose(f);
	assert_err("a file of another kind", db_open(&db, path, migrations, 1), ERR_IO);
	assert_err("a folder that is not there", db_open(&db, "/nowhere/x.db", migrations, 1),
		   ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(migrations_run_once, setup, teardown),
		cmocka_unit_test_setup_teardown(transactions_are_all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(other_files_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
