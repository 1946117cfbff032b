/* Database over SQLite. */
#include "db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STATEMENTS_MAX 128

struct db {
	sqlite3 *handle;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} cache[STATEMENTS_MAX];
};

static enum err err_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_CONSTRAINT:
		return ERR_EXISTS;
	case SQLITE_FULL:
		return ERR_SPACE;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	default:
		return ERR_IO;
	}
}

static enum err plain(struct db *db, const char *sql)
{
	return err_of(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static enum err user_version(uint64_t *ret, struct db *db)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? OK : ERR_IO;
}

static enum err migrate(struct db *db, const char *const *migrations, size_t count)
{
	uint64_t version;
	char text[64];
	enum err e = user_version(&version, db);

	if (e)
		return e;
	if (version > count)
		return ERR_VERSION;
	if (version == count)
		return OK;
	e = db_begin(db);
	for (; !e && version < count; version++)
		e = plain(db, migrations[version]);
	snprintf(text, sizeof(text), "PRAGMA user_version = %zu", count);
	if (!e)
		e = plain(db, text);
	if (!e)
		e = db_commit(db);
	if (e)
		db_rollback(db);
	return e;
}

enum err db_open(struct db **ret, const char *path, const char *const *migrations, size_t count)
{
	struct db *db = calloc(1, sizeof(*db));
	enum err e;

	if (!db)
		return ERR_MEMORY;
	e = err_of(sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				   NULL));
	if (!e)
		e = err_of(sqlite3_busy_timeout(db->handle, 5000));
	/* Deleted rows are overwritten: a copy of the file shall not have them. */
	if (!e)
		e = plain(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			      "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
			      "PRAGMA temp_store = MEMORY;");
	if (!e)
		e = migrate(db, migrations, count);
	if (e) {
		db_close(&db);
		return e;
	}
	*ret = db;
	return OK;
}

void db_close(struct db **db)
{
	if (!*db)
		return;
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		sqlite3_finalize((*db)->cache[i].statement);
	sqlite3_close((*db)->handle);
	free(*db);
	*db = NULL;
}

static enum err prepared(sqlite3_stmt **ret, struct db *db, const char *sql)
{
	size_t i;
	int rc;

	for (i = 0; i < STATEMENTS_MAX && db->cache[i].sql; i++) {
		if (db->cache[i].sql == sql) {
			*ret = db->cache[i].statement;
			return OK;
		}
	}
	if (i == STATEMENTS_MAX)
		return ERR_INTERNAL;
	rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
				&db->cache[i].statement, NULL);
	if (rc != SQLITE_OK)
		return err_of(rc);
	db->cache[i].sql = sql;
	*ret = db->cache[i].statement;
	return OK;
}

static enum err bind_all(sqlite3_stmt *s, const char *shape, va_list args)
{
	int rc = SQLITE_OK;

	for (int i = 1; *shape && rc == SQLITE_OK; shape++, i++) {
		if (*shape == 't') {
			rc = sqlite3_bind_text(s, i, va_arg(args, const char *), -1, SQLITE_STATIC);
		} else if (*shape == 'n') {
			rc = sqlite3_bind_int64(s, i, (sqlite3_int64)va_arg(args, uint64_t));
		} else if (*shape == 'b') {
			const void *bytes = va_arg(args, const void *);
			size_t len = va_arg(args, size_t);

			rc = sqlite3_bind_blob64(s, i, bytes, len, SQLITE_STATIC);
		} else {
			return ERR_INTERNAL;
		}
	}
	return err_of(rc);
}

enum err db_run(struct db *db, const char *sql, const char *shape, ...)
{
	DB_ROWS rows = { 0 };
	va_list args;
	enum err e = prepared(&rows.statement, db, sql);

	if (e)
		return e;
	va_start(args, shape);
	e = bind_all(rows.statement, shape, args);
	va_end(args);
	if (e)
		return e;
	return err_of(sqlite3_step(rows.statement));
}

uint64_t db_changes(const struct db *db)
{
	return (uint64_t)sqlite3_changes64(db->handle);
}

void db_rows_drop(struct db_rows *r)
{
	if (!r->statement)
		return;
	sqlite3_reset(r->statement);
	sqlite3_clear_bindings(r->statement);
	r->statement = NULL;
}

enum err db_query(struct db_rows *ret, struct db *db, const char *sql, const char *shape, ...)
{
	va_list args;
	enum err e = prepared(&ret->statement, db, sql);

	if (e)
		return e;
	va_start(args, shape);
	e = bind_all(ret->statement, shape, args);
	va_end(args);
	return e;
}

enum err db_next(struct db_rows *r)
{
	int rc = sqlite3_step(r->statement);

	if (rc == SQLITE_ROW)
		return OK;
	return rc == SQLITE_DONE ? ERR_NOT_FOUND : err_of(rc) ? err_of(rc) : ERR_IO;
}

const char *db_text(const struct db_rows *r, int column)
{
	const char *text = (const char *)sqlite3_column_text(r->statement, column);

	return text ? text : "";
}

uint64_t db_number(const struct db_rows *r, int column)
{
	return (uint64_t)sqlite3_column_int64(r->statement, column);
}

const void *db_bytes(const struct db_rows *r, int column, size_t len)
{
	const void *bytes = sqlite3_column_blob(r->statement, column);

	return (size_t)sqlite3_column_bytes(r->statement, column) == len ? bytes : NULL;
}

int db_is_null(const struct db_rows *r, int column)
{
	return sqlite3_column_type(r->statement, column) == SQLITE_NULL;
}

enum err db_begin(struct db *db)
{
	return db_run(db, "BEGIN IMMEDIATE", "");
}

enum err db_commit(struct db *db)
{
	return db_run(db, "COMMIT", "");
}

void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}
