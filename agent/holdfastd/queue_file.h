/* The file below the queue: SQLite with the settings that the guarantees need, and what happens when it
 * is damaged. Used by queue.c alone. */
#ifndef HOLDFAST_QUEUE_FILE_H
#define HOLDFAST_QUEUE_FILE_H

#include <sqlite3.h>

#include "common/err.h"

void statement_drop(sqlite3_stmt **s);
#define STATEMENT __attribute__((cleanup(statement_drop))) sqlite3_stmt

/* What SQLite said, as an error of ours; OK for OK, ROW and DONE. */
enum err queue_file_error(sqlite3 *db, int rc);

/* Open, check and bring to the present schema. Errors: ERR_CHECKSUM (damaged or no database at all),
 * ERR_VERSION, ERR_BUSY, ERR_SPACE, ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err queue_file_open(sqlite3 **ret, const char *path);

/* Rename a damaged file (and its log), open a fresh one, and take over each row that can still be read.
 * *ret_report: malloc'ed sentence. */
MUST_CHECK enum err queue_file_mend(sqlite3 **ret, char **ret_report, const char *path);

/* A file of some size beside the queue, given up when nothing else lets an item be removed from a full
 * disk. Made again by queue_file_open. */
void queue_file_use_reserve(sqlite3 *db, const char *path);

#endif
