/* Shift: how processors share the lanes of a job (workplace.h) without an operating system. A lane is a
 * ticket; tickets are taken in order, and a ticket's work waits until all rounds before are done. Who
 * never arrives takes no ticket, so nobody waits for a processor that does not work. */
#ifndef HOLDFAST_SHIFT_H
#define HOLDFAST_SHIFT_H

#include "workplace.h"

struct shift {
	struct workplace_job job;
	uint32_t total;      /* tickets */
	uint32_t next, done; /* atomic */
	uint32_t helpers;    /* atomic: others that came */
	uint32_t seats;      /* processors that may work; one of them is who began */
};

/* Not while anybody may still be inside shift_help from the time before. */
void shift_begin(struct shift *s, const struct workplace_job *job);
/* Who began works until no ticket is left: rest is called again and again while waiting, fresh before each
 * lane (or NULL). Returns when all tickets are taken, perhaps before they are done. */
void shift_work(struct shift *s, void (*rest)(void), void (*fresh)(void));
/* The others do the same, while there are seats. */
void shift_help(struct shift *s, void (*rest)(void), void (*fresh)(void));
/* Wait until all tickets are done. */
void shift_finish(struct shift *s, void (*rest)(void));

#endif
