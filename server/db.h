/* Database: a thin layer over SQLite (WAL, synchronous=FULL, each statement prepared once).
 *
 *     DB_ROWS rows = { 0 };
 *     e = db_query(&rows, db, "SELECT jws FROM policies WHERE version = ?", "n", version);
 *     while (!e && !(e = db_next(&rows)))
 *             … db_text(&rows, 0) …
 *     if (e != ERR_NOT_FOUND) …
 *
 * Shapes, a letter a parameter: t text (const char *, NULL: null), n number (uint64_t),
 * b bytes (const void *, size_t). SQL texts must be string literals: they are found by their
 * address. */
#ifndef HOLDFAST_SERVER_DB_H
#define HOLDFAST_SERVER_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct db;

/* Open or create; runs the migrations that this file has not had (their count is its user_version),
 * all in one transaction. Errors: ERR_IO, ERR_MEMORY, ERR_VERSION (file of a newer program). */
MUST_CHECK enum err db_open(struct db **ret, const char *path, const char *const *migrations,
			    size_t count);
/* Accepts NULL and a dropped one. */
void db_close(struct db **db);

/* Run a statement that gives no rows. Errors: ERR_EXISTS (a constraint), ERR_SPACE, ERR_IO. */
MUST_CHECK enum err db_run(struct db *db, const char *sql, const char *shape, ...);
/* Rows that the last db_run changed. */
uint64_t db_changes(const struct db *db);

struct db_rows {
	sqlite3_stmt *statement;
};
void db_rows_drop(struct db_rows *r);
#define DB_ROWS __attribute__((cleanup(db_rows_drop))) struct db_rows

/* ret zeroed or dropped. Parameters must live as long as the rows. */
MUST_CHECK enum err db_query(struct db_rows *ret, struct db *db, const char *sql, const char *shape,
			     ...);
/* Errors: ERR_NOT_FOUND after the last row, ERR_IO. */
MUST_CHECK enum err db_next(struct db_rows *r);
/* Columns of the present row, from 0; borrowed until the next step. db_text never gives NULL. */
const char *db_text(const struct db_rows *r, int column);
uint64_t db_number(const struct db_rows *r, int column);
const void *db_bytes(const struct db_rows *r, int column, size_t len);
int db_is_null(const struct db_rows *r, int column);

/* Transactions do not nest. db_rollback is harmless outside of one. */
MUST_CHECK enum err db_begin(struct db *db);
MUST_CHECK enum err db_commit(struct db *db);
void db_rollback(struct db *db);

#endif
