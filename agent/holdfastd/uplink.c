#include "uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/command_host.h"
#include "common/secret.h"
#include "enrol.h"
#include "policy_fetch.h"
#include "sender.h"

void uplink_init(struct uplink *u, struct site *s)
{
	memset(u, 0, sizeof(*u));
	u->site = s;
	u->interval_s = POLICY_FETCH_INTERVAL_S;
	channel_init(&u->channel, s, 1, s->stopped.fd);
}

void uplink_drop(struct uplink *u)
{
	channel_drop(&u->channel);
}

static void run_enrolment(struct uplink *u, char *token)
{
	char about[JOBS_ABOUT_BYTES];
	struct site *s = u->site;
	enum err e = enrol_run(about, s, token);

	secret_wipe(token, strlen(token));
	free(token);
	if (!e) {
		u->next_try_ms = 0;
		u->policy_due_ms = 0;
		wake_raise(&s->to_downlink);
	}
	jobs_finish_enrol(&s->jobs, e, about);
	wake_raise(&s->to_main);
}

static enum err fetch_policy(struct uplink *u)
{
	struct policy_fetched got = { .interval_s = u->interval_s };
	enum err e = policy_fetch(&got, &u->channel);

	if (e)
		return e;
	u->interval_s = got.interval_s;
	u->policy_seen = got.version;
	atomic_store(&u->site->policy_heard, got.version);
	u->policy_due_ms = wake_now_ms() + (int64_t)u->interval_s * 1000;
	return OK;
}

static int policy_wanted(const struct uplink *u, int asked)
{
	return asked || wake_now_ms() >= u->policy_due_ms ||
	       atomic_load(&u->site->policy_heard) != u->policy_seen;
}

/* Nobody has authenticated: policies are denied until the next start, except that a user's key that the
 * server has only now been told of makes another try worth while. */
static enum err without_user(struct uplink *u)
{
	enum err e;

	if (u->channel.proof_refused) {
		channel_close(&u->channel);
		e = channel_ready(&u->channel);
		if (e)
			return e;
		if (strcmp(u->channel.scope, "device"))
			return fetch_policy(u);
	}
	u->policy_seen = atomic_load(&u->site->policy_heard);
	u->policy_due_ms = wake_now_ms() + (int64_t)u->interval_s * 1000;
	return OK;
}

static enum err exchange(struct uplink *u, int asked)
{
	enum err e;

	if (asked)
		e = queue_retry(u->site->queue);
	else
		e = OK;
	if (!e)
		e = channel_ready(&u->channel);
	if (!e)
		e = sender_run(&u->channel);
	if (e || !policy_wanted(u, asked))
		return e;
	return strcmp(u->channel.scope, "device") ? fetch_policy(u) : without_user(u);
}

static int64_t failed(struct uplink *u, enum err e)
{
	int64_t wait = backoff_next_ms(&u->backoff, u->channel.retry_after_s);

	contact_problem(&u->site->contact, CONTACT_UPLINK,
			u->channel.problem[0] ? u->channel.problem : err_text(e), wait);
	u->next_try_ms = wake_now_ms() + wait;
	return wait;
}

static int64_t succeeded(struct uplink *u)
{
	int64_t left = u->policy_due_ms - wake_now_ms();

	contact_solved(&u->site->contact, CONTACT_UPLINK);
	/* The server is there: the long-poll need not wait any longer. */
	if (atomic_exchange(&u->site->down_failing, 0)) {
		atomic_store(&u->site->down_now, 1);
		wake_raise(&u->site->to_downlink);
	}
	u->backoff.failures = 0;
	u->next_try_ms = 0;
	return left > 0 ? left : 0;
}

static int64_t try_exchange(struct uplink *u, uint64_t ticket)
{
	int64_t wait = u->next_try_ms - wake_now_ms();
	enum err e;

	if (atomic_exchange(&u->site->up_now, 0) || ticket)
		wait = 0;
	if (u->next_try_ms && wait > 0)
		return wait;
	u->channel.problem[0] = '\0';
	e = exchange(u, ticket != 0);
	wait = e ? failed(u, e) : succeeded(u);
	if (ticket)
		jobs_finish_sync(&u->site->jobs, ticket, e, u->channel.problem);
	wake_raise(&u->site->to_main);
	return wait;
}

int64_t uplink_step(struct uplink *u)
{
	struct site *s = u->site;
	struct enrolment n;
	uint64_t ticket;
	char *token = jobs_take_enrol(&s->jobs);

	if (token)
		run_enrolment(u, token);
	ticket = jobs_sync_pending(&s->jobs);
	if (site_enrolment(&n, s))
		return try_exchange(u, ticket);
	if (ticket) {
		jobs_finish_sync(&s->jobs, ticket, ERR_STATE, "this laptop is not enrolled: "
				 "ask an officer for a token, then: holdfast enroll TOKEN");
		wake_raise(&s->to_main);
	}
	return -1;
}

void *uplink_thread(void *arg)
{
	struct site *s = arg;
	struct uplink u;

	uplink_init(&u, s);
	while (!atomic_load(&s->stop))
		wake_wait(&s->to_uplink, uplink_step(&u));
	uplink_drop(&u);
	return NULL;
}
