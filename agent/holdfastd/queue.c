#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/escrow_host.h"
#include "queue_file.h"

struct queue {
	pthread_mutex_t lock;
	sqlite3 *db;
	char *path;
};

static void unlock(struct queue **q)
{
	pthread_mutex_unlock(&(*q)->lock);
}

#define LOCKED __attribute__((cleanup(unlock))) struct queue

static struct queue *lock(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	return q;
}

void queue_batch_drop(struct queue_batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->items[i].body);
		free(b->items[i].receipt);
	}
	memset(b, 0, sizeof(*b));
}

enum err queue_open(struct queue **ret, char **ret_report, const char *path)
{
	struct queue *q = calloc(1, sizeof(*q));
	char *report = NULL;
	enum err e;

	if (!q || !(q->path = strdup(path))) {
		free(q);
		return ERR_MEMORY;
	}
	pthread_mutex_init(&q->lock, NULL);
	e = queue_file_open(&q->db, path);
	if (e == ERR_CHECKSUM)
		e = queue_file_mend(&q->db, &report, path);
	if (e) {
		queue_drop(&q);
		return e;
	}
	*ret = q;
	*ret_report = report;
	return OK;
}

void queue_drop(struct queue **q)
{
	if (!*q)
		return;
	sqlite3_close((*q)->db);
	pthread_mutex_destroy(&(*q)->lock);
	free((*q)->path);
	free(*q);
	*q = NULL;
}

static enum err prepare(sqlite3_stmt **ret, const struct queue *q, const char *sql)
{
	return queue_file_error(q->db, sqlite3_prepare_v2(q->db, sql, -1, ret, NULL));
}

/* Run a statement that returns no rows, about one id. */
static enum err finish(const struct queue *q, sqlite3_stmt *s)
{
	enum err e = queue_file_error(q->db, sqlite3_step(s));

	if (e)
		return e;
	return sqlite3_changes(q->db) ? OK : ERR_NOT_FOUND;
}

static int id_is_valid(const char *id)
{
	return strlen(id) == QUEUE_ID_TEXT - 1 &&
	       strspn(id, "0123456789abcdef") == QUEUE_ID_TEXT - 1;
}

/* The stored body of an id; ret must be dropped. */
static enum err body_of(char **ret, const struct queue *q, const char *id)
{
	STATEMENT *s = NULL;
	enum err e = prepare(&s, q, "SELECT body FROM events WHERE id = ?");
	int rc;

	if (e)
		return e;
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? ERR_NOT_FOUND : queue_file_error(q->db, rc);
	*ret = strdup((const char *)sqlite3_column_text(s, 0));
	return *ret ? OK : ERR_MEMORY;
}

static enum err insert(const struct queue *q, enum queue_class class, const char *id, const char *body)
{
	STATEMENT *s = NULL;
	enum err e = prepare(&s, q, "INSERT INTO events (id, class, body, queued_at) VALUES (?, ?, ?, ?)");

	if (e)
		return e;
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 2, (int)class);
	sqlite3_bind_text(s, 3, body, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 4, (sqlite3_int64)time(NULL));
	return finish(q, s);
}

enum err queue_put(struct queue *q, enum queue_class class, const char *id, const char *body)
{
	LOCKED *held = lock(q);
	TEXT *present = NULL;
	enum err e;

	if (!id_is_valid(id) || !*body || strlen(body) > QUEUE_BODY_MAX)
		return ERR_RANGE;
	e = body_of(&present, held, id);
	if (!e)
		return strcmp(present, body) ? ERR_EXISTS : OK;
	if (e != ERR_NOT_FOUND)
		return e;
	return insert(held, class, id, body);
}

static char *column_text(sqlite3_stmt *s, int column)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	return text ? strdup((const char *)text) : NULL;
}

static enum err add_row(struct queue_batch *b, sqlite3_stmt *s)
{
	struct queue_item *item = &b->items[b->count];
	const unsigned char *id = sqlite3_column_text(s, 0);

	/* Rows are only as good as the disk: an id of another length is damage. */
	if (!id || strlen((const char *)id) != QUEUE_ID_TEXT - 1)
		return ERR_CHECKSUM;
	memcpy(item->id, id, QUEUE_ID_TEXT);
	item->class = sqlite3_column_int(s, 1) == QUEUE_ESCROW ? QUEUE_ESCROW : QUEUE_EVENT;
	item->body = column_text(s, 2);
	if (!item->body)
		return ERR_MEMORY;
	item->receipt = column_text(s, 3);
	b->count++;
	return OK;
}

/* Rows of the first row's class, bounded by count and bytes. */
static enum err collect(struct queue_batch *b, const struct queue *q, sqlite3_stmt *s)
{
	size_t bytes = 0;
	int rc;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		size_t len = (size_t)sqlite3_column_bytes(s, 2);
		enum err e;

		if (b->count && (bytes + len > QUEUE_BATCH_BYTES ||
				 sqlite3_column_int(s, 1) != (int)b->items[0].class))
			return OK;
		bytes += len;
		e = add_row(b, s);
		if (e)
			return e;
	}
	return queue_file_error(q->db, rc);
}

static enum err select_batch(struct queue_batch *ret, const struct queue *q, const char *sql, size_t max)
{
	QUEUE_BATCH b = { 0 };
	STATEMENT *s = NULL;
	enum err e = prepare(&s, q, sql);

	if (e)
		return e;
	sqlite3_bind_int(s, 1, (int)(max > QUEUE_BATCH_ITEMS ? QUEUE_BATCH_ITEMS : max));
	e = collect(&b, q, s);
	if (e)
		return e;
	*ret = b;
	memset(&b, 0, sizeof(b));
	return OK;
}

enum err queue_next(struct queue_batch *ret, struct queue *q, size_t max)
{
	LOCKED *held = lock(q);

	return select_batch(ret, held, "SELECT id, class, body, receipt FROM events "
			    "WHERE receipt IS NULL AND NOT refused ORDER BY class, number LIMIT ?", max);
}

enum err queue_receipted(struct queue_batch *ret, struct queue *q)
{
	LOCKED *held = lock(q);

	return select_batch(ret, held, "SELECT id, class, body, receipt FROM events "
			    "WHERE receipt IS NOT NULL ORDER BY class, number LIMIT ?",
			    QUEUE_BATCH_ITEMS);
}

/* Writing a receipt or a removal on a full disk still needs room in the log: give up the reserve. */
static enum err finish_when_full(const struct queue *q, sqlite3_stmt *s)
{
	enum err e = finish(q, s);

	if (e != ERR_SPACE)
		return e;
	sqlite3_reset(s);
	queue_file_use_reserve(q->db, q->path);
	return finish(q, s);
}

enum err queue_receipt(struct queue *q, const char *id, const char *receipt,
		       const struct queue_party *party)
{
	LOCKED *held = lock(q);
	STATEMENT *s = NULL;
	TEXT *body = NULL;
	enum err e = body_of(&body, held, id);

	if (e)
		return e;
	e = receipt_verify(receipt, party->device, party->enrolment, id, body, &party->server);
	if (e)
		return e;
	e = prepare(&s, held, "UPDATE events SET receipt = ? WHERE id = ?");
	if (e)
		return e;
	sqlite3_bind_text(s, 1, receipt, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
	return finish_when_full(held, s);
}

enum err queue_remove(struct queue *q, const char *id)
{
	LOCKED *held = lock(q);
	STATEMENT *s = NULL;
	TEXT *body = NULL;
	enum err e = prepare(&s, held, "DELETE FROM events WHERE id = ? AND receipt IS NOT NULL");

	if (e)
		return e;
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	e = finish_when_full(held, s);
	if (e != ERR_NOT_FOUND)
		return e;
	e = body_of(&body, held, id);
	return e ? e : ERR_STATE;
}

enum err queue_refuse(struct queue *q, const char *id)
{
	LOCKED *held = lock(q);
	STATEMENT *s = NULL;
	enum err e = prepare(&s, held, "UPDATE events SET refused = 1 WHERE id = ?");

	if (e)
		return e;
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	return finish_when_full(held, s);
}

enum err queue_retry(struct queue *q)
{
	LOCKED *held = lock(q);
	STATEMENT *s = NULL;
	enum err e = prepare(&s, held, "UPDATE events SET refused = 0 WHERE refused");

	if (e)
		return e;
	e = finish_when_full(held, s);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err queue_count(struct queue_counts *ret, struct queue *q)
{
	LOCKED *held = lock(q);
	STATEMENT *s = NULL;
	enum err e = prepare(&s, held, "SELECT count(*) FILTER (WHERE class = 0),"
			     " count(*) FILTER (WHERE class = 1), count(*) FILTER (WHERE refused)"
			     " FROM events WHERE receipt IS NULL");
	int rc;

	if (e)
		return e;
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return queue_file_error(held->db, rc);
	ret->escrow = (uint64_t)sqlite3_column_int64(s, 0);
	ret->events = (uint64_t)sqlite3_column_int64(s, 1);
	ret->refused = (uint64_t)sqlite3_column_int64(s, 2);
	return OK;
}
