/* Intake: moves volumed's outbox into the queue. One connection, kept, on which NOTIFY also comes.
 * A message's number is given back to volumed only when the queue has it on the disk, so a full disk
 * leaves it, and what comes after it, with volumed. */
#ifndef HOLDFAST_INTAKE_H
#define HOLDFAST_INTAKE_H

#include "queue.h"

struct intake {
	const char *path; /* volumed.sock */
	int fd;           /* -1: not connected; poll it for POLLIN */
};

/* Connect if needed, and move all there is. *ret_moved counts. On an error of the connection fd is -1.
 * Errors: ERR_NETWORK, ERR_BUSY, ERR_FORMAT (volumed); ERR_SPACE, ERR_IO, ERR_CHECKSUM (queue);
 * ERR_EXISTS (an id that came back with another body). */
MUST_CHECK enum err intake_drain(unsigned *ret_moved, struct intake *in, struct queue *q);
/* Take in a NOTIFY, or notice that volumed has gone, after POLLIN. */
void intake_read(struct intake *in);
void intake_close(struct intake *in);

#endif
