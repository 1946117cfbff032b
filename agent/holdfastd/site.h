/* Site: what the three threads of holdfastd share. The main thread serves the local sockets and moves
 * the outbox into the queue; the uplink sends; the downlink waits for commands. Threads tell each other
 * by wakes; nothing is called across. */
#ifndef HOLDFAST_SITE_H
#define HOLDFAST_SITE_H

#include <pthread.h>
#include <stdatomic.h>

#include "contact.h"
#include "enrolment.h"
#include "jobs.h"
#include "queue.h"
#include "wake.h"

struct site {
	const char *state_dir;
	const char *volumed_path;
	struct queue *queue;
	struct contact contact;
	struct jobs jobs;
	struct sign_sk session_key;       /* new at each start, certified by volumed */
	struct wake to_main, to_uplink, to_downlink;
	struct wake stopped;              /* raised for good by site_stop */
	atomic_int stop;
	atomic_int up_now, down_now;      /* end a back-off: the network has changed, or works again */
	atomic_int down_failing;          /* the long-poll is in its back-off */
	atomic_uint_least64_t policy_heard; /* newest version that the server has told of */
	pthread_mutex_t enrolment_lock;
	int enrolled;
	struct enrolment enrolment;
};

/* Errors: as wake_new. */
MUST_CHECK enum err site_init(struct site *s, const char *state_dir, const char *volumed_path);
void site_drop(struct site *s);

/* 1 and a copy when the laptop is enrolled. */
int site_enrolment(struct enrolment *ret, struct site *s);
void site_enrolled(struct site *s, const struct enrolment *n);
void site_unenrolled(struct site *s);

/* Try again at once. */
void site_hurry(struct site *s);
/* Ask all threads to end. */
void site_stop(struct site *s);

#endif
