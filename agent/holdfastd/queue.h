/* Queue: what waits to be sent to the server, on the disk. Written from volumed's outbox by the daemon,
 * emptied by the uplink. Safe to use from several threads; one process has it open at a time.
 *
 * An item goes queued -> receipted -> removed, each step durable before the call returns:
 * queue_put, (sent), queue_receipt with the server's receipt, (volumed told), queue_remove.
 * What the guarantees are, and how they are kept: docs/queue.md. */
#ifndef HOLDFAST_QUEUE_H
#define HOLDFAST_QUEUE_H

#include "common/err.h"
#include "common/jwk_host.h"

#define QUEUE_ID_TEXT 33                        /* 32 hex digits and NUL */
#define QUEUE_BODY_MAX ((size_t)256 << 10)
#define QUEUE_BATCH_ITEMS 64
#define QUEUE_BATCH_BYTES ((size_t)320 << 10)   /* one item is always taken */
#define QUEUE_FILE_MAX ((size_t)64 << 20)       /* a longer queue is a full disk */

enum queue_class {
	QUEUE_ESCROW = 0, /* goes first */
	QUEUE_EVENT = 1,
};

struct queue_item {
	char id[QUEUE_ID_TEXT];
	enum queue_class class;
	char *body;     /* JWS */
	char *receipt;  /* JWS, NULL while there is none */
};

/* Items of one class in the order in which they were put. */
struct queue_batch {
	struct queue_item items[QUEUE_BATCH_ITEMS];
	size_t count;
};
void queue_batch_drop(struct queue_batch *b);
#define QUEUE_BATCH __attribute__((cleanup(queue_batch_drop))) struct queue_batch

struct queue_counts {
	uint64_t escrow, events; /* without a receipt */
	uint64_t refused;        /* of these, set aside: the server rejects them */
};

/* Who must have signed a receipt, and for whom. */
struct queue_party {
	char device[33], enrolment[33]; /* hex */
	struct sign_pk server;
};

struct queue;

/* Open, or make. A damaged file is renamed, what can be read of it is taken over, and *ret_report is a
 * sentence for people that says so (malloc'ed); otherwise *ret_report is NULL.
 * Errors: ERR_BUSY (another process has it), ERR_SPACE, ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err queue_open(struct queue **ret, char **ret_report, const char *path);
void queue_drop(struct queue **q);

/* On the disk when this returns OK; the same id and body again changes nothing.
 * Errors: ERR_EXISTS (the id with another body), ERR_RANGE (id or body), ERR_SPACE, ERR_IO,
 * ERR_CHECKSUM (the file is damaged: open again). */
MUST_CHECK enum err queue_put(struct queue *q, enum queue_class class, const char *id, const char *body);

/* What is to be sent next: at most max (1 to QUEUE_BATCH_ITEMS) items, escrow before events; empty when
 * there is nothing. Errors: ERR_IO, ERR_MEMORY, ERR_CHECKSUM. */
MUST_CHECK enum err queue_next(struct queue_batch *ret, struct queue *q, size_t max);

/* Keep a receipt for an item, once it is proven to cover the stored body.
 * Errors: as receipt_verify; ERR_NOT_FOUND (not in the queue), ERR_SPACE, ERR_IO, ERR_CHECKSUM. */
MUST_CHECK enum err queue_receipt(struct queue *q, const char *id, const char *receipt,
				  const struct queue_party *party);

/* Items that have a receipt of which volumed may not know yet. */
MUST_CHECK enum err queue_receipted(struct queue_batch *ret, struct queue *q);

/* Errors: ERR_STATE (no verified receipt), ERR_NOT_FOUND, ERR_SPACE, ERR_IO, ERR_CHECKSUM. */
MUST_CHECK enum err queue_remove(struct queue *q, const char *id);

/* Let others pass an item that the server rejects; it is tried again after queue_retry or queue_open. */
MUST_CHECK enum err queue_refuse(struct queue *q, const char *id);
MUST_CHECK enum err queue_retry(struct queue *q);

MUST_CHECK enum err queue_count(struct queue_counts *ret, struct queue *q);

#endif
