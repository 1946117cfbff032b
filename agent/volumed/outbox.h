/* Outbox: signed messages on their way to holdfastd's queue, each a file of the folder "outbox", so that
 * neither a power cut nor a crash loses one. Events leave when holdfastd has them in its own queue;
 * escrow messages stay until the server's receipt for them was verified, and are offered again
 * after a restart (the server stores an id once). */
#ifndef HOLDFAST_OUTBOX_H
#define HOLDFAST_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "agent/ipc.h"

#define OUTBOX_ID_BYTES 33
#define OUTBOX_EVENTS_MAX 4096
#define OUTBOX_MESSAGE_MAX ((size_t)200 << 10)

struct outbox_entry {
	uint64_t number;
	enum ipc_outbox_class class;
	char id[OUTBOX_ID_BYTES];
	char *message;
	int handed;   /* holdfastd has it */
	int unsaved; /* kept in memory only: the disk is gone */
};

struct outbox {
	char folder[512];
	int unsaved; /* after a kill: write nothing any more */
	uint64_t next;
	size_t count, room;
	struct outbox_entry *entries; /* by number */
};

/* Open the folder state/outbox, made when absent. Damaged files are skipped and removed.
 * Errors: ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err outbox_open(struct outbox *ret, const char *state);
void outbox_drop(struct outbox *o);

/* Durable when it returns. Errors: ERR_SPACE (OUTBOX_EVENTS_MAX events wait already; disk full),
 * ERR_IO, ERR_EXISTS (id). */
MUST_CHECK enum err outbox_put(struct outbox *o, enum ipc_outbox_class class, const char *id,
			       const char *message);

/* What to hand over next: escrow first, then by number. NULL: nothing. */
const struct outbox_entry *outbox_next(const struct outbox *o);
const struct outbox_entry *outbox_find(const struct outbox *o, const char *id);
size_t outbox_events(const struct outbox *o);

/* holdfastd has it: an event is removed, an escrow message waits for its receipt.
 * Errors: ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err outbox_handed(struct outbox *o, uint64_t number);
/* Errors: ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err outbox_remove(struct outbox *o, const char *id);

/* A kill: forget everything, and keep in memory only what comes now. */
void outbox_detach(struct outbox *o);

#endif
