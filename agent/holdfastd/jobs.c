#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

void jobs_init(struct jobs *j)
{
	memset(j, 0, sizeof(*j));
	pthread_mutex_init(&j->lock, NULL);
}

void jobs_drop(struct jobs *j)
{
	if (j->token)
		secret_wipe(j->token, strlen(j->token));
	free(j->token);
	j->token = NULL;
	pthread_mutex_destroy(&j->lock);
}

static void set_result(struct job_result *r, enum err e, const char *about)
{
	r->e = e;
	snprintf(r->about, sizeof(r->about), "%s", e && !*about ? err_text(e) : about);
}

uint64_t jobs_ask_sync(struct jobs *j)
{
	uint64_t ticket;

	pthread_mutex_lock(&j->lock);
	ticket = ++j->sync_asked;
	pthread_mutex_unlock(&j->lock);
	return ticket;
}

enum err jobs_ask_enrol(struct jobs *j, const char *token)
{
	enum err e = OK;

	pthread_mutex_lock(&j->lock);
	if (j->enrol == JOB_ASKED || j->enrol == JOB_RUNNING) {
		e = ERR_BUSY;
	} else {
		j->token = strdup(token);
		if (j->token)
			j->enrol = JOB_ASKED;
		else
			e = ERR_MEMORY;
	}
	pthread_mutex_unlock(&j->lock);
	return e;
}

int jobs_sync_result(struct job_result *ret, struct jobs *j, uint64_t ticket)
{
	int done;

	pthread_mutex_lock(&j->lock);
	done = j->sync_done >= ticket;
	if (done)
		*ret = j->sync_result;
	pthread_mutex_unlock(&j->lock);
	return done;
}

int jobs_enrol_result(struct job_result *ret, struct jobs *j)
{
	int done;

	pthread_mutex_lock(&j->lock);
	done = j->enrol == JOB_DONE;
	if (done) {
		*ret = j->enrol_result;
		j->enrol = JOB_NONE;
	}
	pthread_mutex_unlock(&j->lock);
	return done;
}

uint64_t jobs_sync_pending(struct jobs *j)
{
	uint64_t ticket;

	pthread_mutex_lock(&j->lock);
	ticket = j->sync_asked > j->sync_done ? j->sync_asked : 0;
	pthread_mutex_unlock(&j->lock);
	return ticket;
}

void jobs_finish_sync(struct jobs *j, uint64_t ticket, enum err e, const char *about)
{
	pthread_mutex_lock(&j->lock);
	j->sync_done = ticket;
	set_result(&j->sync_result, e, about);
	pthread_mutex_unlock(&j->lock);
}

char *jobs_take_enrol(struct jobs *j)
{
	char *token = NULL;

	pthread_mutex_lock(&j->lock);
	if (j->enrol == JOB_ASKED) {
		token = j->token;
		j->token = NULL;
		j->enrol = JOB_RUNNING;
	}
	pthread_mutex_unlock(&j->lock);
	return token;
}

void jobs_finish_enrol(struct jobs *j, enum err e, const char *about)
{
	pthread_mutex_lock(&j->lock);
	set_result(&j->enrol_result, e, about);
	j->enrol = JOB_DONE;
	pthread_mutex_unlock(&j->lock);
}
