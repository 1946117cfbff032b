#include "queue_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

#define PAGE_BYTES 4096
/* Room for the log and for what a checkpoint of it adds to the file, each at most one body and 64 pages. */
#define RESERVE_BYTES (1 << 20)
#define SCHEMA_VERSION 1

/* Exclusive locking keeps a second daemon out and the index of the log in memory instead of a file. */
static const char settings[] =
	"PRAGMA page_size = 4096;"
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA wal_autocheckpoint = 64;"
	"PRAGMA cache_size = -128;"
	"PRAGMA temp_store = MEMORY;";

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS events ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT," /* order of arrival */
	" id TEXT NOT NULL UNIQUE,"
	" class INTEGER NOT NULL CHECK (class IN (0, 1)),"
	" body TEXT NOT NULL,"
	" queued_at INTEGER NOT NULL,"               /* s since 1970 */
	" refused INTEGER NOT NULL DEFAULT 0,"
	" receipt TEXT);"
	"CREATE INDEX IF NOT EXISTS events_order ON events (class, number);"
	"UPDATE events SET refused = 0 WHERE refused;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

void statement_drop(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
	*s = NULL;
}

/* A limit on the size of files (EFBIG) and a quota are full disks as well. */
static enum err io_error(int os)
{
	return os == ENOSPC || os == EFBIG || os == EDQUOT ? ERR_SPACE : ERR_IO;
}

enum err queue_file_error(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_FULL:
		return ERR_SPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CHECKSUM;
	case SQLITE_CONSTRAINT:
		return ERR_EXISTS;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return io_error(db ? sqlite3_system_errno(db) : 0);
	default:
		return ERR_IO;
	}
}

static enum err run(sqlite3 *db, const char *sql)
{
	return queue_file_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static enum err first_text(char ret[16], sqlite3 *db, const char *sql)
{
	STATEMENT *s = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
	const unsigned char *text;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? ERR_CHECKSUM : queue_file_error(db, rc);
	text = sqlite3_column_text(s, 0);
	snprintf(ret, 16, "%s", text ? (const char *)text : "");
	return OK;
}

static enum err check(sqlite3 *db)
{
	char version[16], verdict[16];
	enum err e = first_text(version, db, "PRAGMA user_version");

	if (e)
		return e;
	if (atoi(version) > SCHEMA_VERSION)
		return ERR_VERSION;
	e = first_text(verdict, db, "PRAGMA integrity_check(1)");
	if (e)
		return e;
	return strcmp(verdict, "ok") ? ERR_CHECKSUM : OK;
}

static void reserve_path(char *ret, size_t len, const char *path)
{
	snprintf(ret, len, "%s.reserve", path);
}

void queue_file_use_reserve(sqlite3 *db, const char *path)
{
	char reserve[4096];

	reserve_path(reserve, sizeof(reserve), path);
	unlink(reserve);
	sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* Without room for it the queue works all the same, so a failure only takes the file away again. */
static void make_reserve(const char *path)
{
	char reserve[4096];
	int fd;

	reserve_path(reserve, sizeof(reserve), path);
	fd = open(reserve, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, RESERVE_BYTES))
		unlink(reserve);
	close(fd);
}

static enum err prepare_file(sqlite3 *db)
{
	char limit[64];
	enum err e = run(db, settings);

	if (e)
		return e;
	snprintf(limit, sizeof(limit), "PRAGMA max_page_count = %zu;", QUEUE_FILE_MAX / PAGE_BYTES);
	e = run(db, limit);
	if (e)
		return e;
	e = check(db);
	if (e)
		return e;
	return run(db, schema);
}

enum err queue_file_open(sqlite3 **ret, const char *path)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW;
	enum err e = queue_file_error(NULL, sqlite3_open_v2(path, &db, flags, NULL));

	if (!e)
		sqlite3_extended_result_codes(db, 1);
	if (!e)
		e = prepare_file(db);
	if (e) {
		sqlite3_close(db);
		return e;
	}
	make_reserve(path);
	*ret = db;
	return OK;
}

/* Copy rows until the damage is met, first upwards, then downwards from the end. */
static uint64_t rescue(sqlite3 *to, const char *damaged, const char *order)
{
	char sql[128];
	sqlite3 *from = NULL;
	uint64_t rows = 0;

	if (sqlite3_open_v2(damaged, &from, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		STATEMENT *get = NULL;
		STATEMENT *put = NULL;

		snprintf(sql, sizeof(sql), "SELECT id, class, body, queued_at, receipt, number "
			 "FROM events NOT INDEXED ORDER BY number %s", order);
		if (!sqlite3_prepare_v2(from, sql, -1, &get, NULL) &&
		    !sqlite3_prepare_v2(to, "INSERT OR IGNORE INTO events "
					"(id, class, body, queued_at, receipt, number) "
					"VALUES (?, ?, ?, ?, ?, ?)", -1, &put, NULL))
			while (sqlite3_step(get) == SQLITE_ROW) {
				for (int i = 0; i < 6; i++)
					sqlite3_bind_value(put, i + 1, sqlite3_column_value(get, i));
				if (sqlite3_step(put) == SQLITE_DONE)
					rows += (uint64_t)sqlite3_changes(to);
				sqlite3_reset(put);
			}
	}
	sqlite3_close(from);
	return rows;
}

static enum err set_aside(char *ret, size_t len, const char *path)
{
	char from[4096], to[4096];
	enum err e = OK;

	snprintf(ret, len, "%s.damaged-%lld", path, (long long)time(NULL));
	if (rename(path, ret))
		e = ERR_IO;
	snprintf(from, sizeof(from), "%s-wal", path);
	snprintf(to, sizeof(to), "%s-wal", ret);
	if (rename(from, to) && errno != ENOENT)
		e = ERR_IO;
	return e;
}

enum err queue_file_mend(sqlite3 **ret, char **ret_report, const char *path)
{
	char aside[4000];
	sqlite3 *db = NULL;
	uint64_t rows;
	enum err e = set_aside(aside, sizeof(aside), path);

	if (!e)
		e = queue_file_open(&db, path);
	if (e)
		return e;
	rows = rescue(db, aside, "ASC");
	rows += rescue(db, aside, "DESC");
	if (asprintf(ret_report, "the event queue was damaged: %llu events were taken over, the damaged "
		     "file is kept as %s", (unsigned long long)rows, aside) < 0) {
		sqlite3_close(db);
		return ERR_MEMORY;
	}
	*ret = db;
	return OK;
}
