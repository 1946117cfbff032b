/* Jobs: what people on agent.sock ask of the uplink's thread, and its answers. */
#ifndef HOLDFAST_JOBS_H
#define HOLDFAST_JOBS_H

#include <pthread.h>
#include <stdint.h>

#include "common/err.h"

#define JOBS_ABOUT_BYTES 320

struct job_result {
	enum err e;
	char about[JOBS_ABOUT_BYTES]; /* for people, when e is not OK */
};

enum job_state { JOB_NONE, JOB_ASKED, JOB_RUNNING, JOB_DONE };

struct jobs {
	pthread_mutex_t lock;
	uint64_t sync_asked, sync_done; /* tickets */
	struct job_result sync_result;
	enum job_state enrol;
	char *token;                    /* wiped when taken */
	struct job_result enrol_result;
};

void jobs_init(struct jobs *j);
void jobs_drop(struct jobs *j);

/* Asking side. */
uint64_t jobs_ask_sync(struct jobs *j); /* a ticket, never 0 */
/* Errors: ERR_BUSY (one is under way), ERR_MEMORY. */
MUST_CHECK enum err jobs_ask_enrol(struct jobs *j, const char *token);
/* 1 and the result when it is done; the result of an enrolment is given once. */
int jobs_sync_result(struct job_result *ret, struct jobs *j, uint64_t ticket);
int jobs_enrol_result(struct job_result *ret, struct jobs *j);

/* Working side. The newest unanswered ticket, or 0. */
uint64_t jobs_sync_pending(struct jobs *j);
void jobs_finish_sync(struct jobs *j, uint64_t ticket, enum err e, const char *about);
/* The token (to be wiped and freed), or NULL. */
char *jobs_take_enrol(struct jobs *j);
void jobs_finish_enrol(struct jobs *j, enum err e, const char *about);

#endif
