#include "downlink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/jws_host.h"
#include "link.h"
#include "time_fetch.h"

#define WAIT_S 50
#define TIMEOUT_MS 70000
#define QUICK_MS 1000 /* a long-poll that ends sooner with nothing new did not wait */

void downlink_init(struct downlink *d, struct site *s)
{
	memset(d, 0, sizeof(*d));
	d->site = s;
	channel_init(&d->channel, s, 0, s->to_downlink.fd);
}

void downlink_drop(struct downlink *d)
{
	channel_drop(&d->channel);
}

static int was_seen(const struct downlink *d, const struct digest *digest)
{
	size_t count = d->seen_count < DOWNLINK_SEEN ? d->seen_count : DOWNLINK_SEEN;

	for (size_t i = 0; i < count; i++)
		if (!memcmp(&d->seen[i], digest, sizeof(*digest)))
			return 1;
	return 0;
}

/* The sequence matters to this thread only as a place in the list; that it is right, volumed checks. */
static void note_handed(struct downlink *d, const struct digest *digest, const char *command)
{
	const char *name = "";
	JSON *payload = NULL;
	uint64_t sequence;

	d->seen[d->seen_count++ % DOWNLINK_SEEN] = *digest;
	if (jws_peek(&payload, NULL, "holdfast-command", command) ||
	    json_get_string(&name, payload, "command") || !strcmp(name, "kill") ||
	    json_get_u64(&sequence, payload, "sequence"))
		return;
	if (sequence > d->after)
		d->after = sequence;
}

/* Refused by volumed is handed over as well: volumed reports it. */
static enum err hand_over(int *ret_fresh, struct downlink *d, const json_t *entry)
{
	struct link l = { .path = d->site->volumed_path };
	struct digest digest;
	TEXT *certs = NULL;
	const char *command;
	json_t *list;
	enum err e;

	if (json_get_string(&command, entry, "command") || json_get_array(&list, entry, "certs"))
		return ERR_FORMAT;
	jws_digest(digest.bytes, command);
	if (was_seen(d, &digest))
		return OK;
	e = json_print(&certs, list);
	if (e)
		return e;
	e = link_command(&l, command, certs);
	if (e && !l.refused && e != ERR_BUSY) {
		snprintf(d->channel.problem, sizeof(d->channel.problem),
			 "a command waits for holdfast-volumed: %s", err_text(e));
		return e;
	}
	note_handed(d, &digest, command);
	*ret_fresh = 1;
	wake_raise(&d->site->to_main);
	return OK;
}

static enum err read_answer(int *ret_fresh, struct downlink *d, const json_t *body)
{
	uint64_t version;
	json_t *commands;
	enum err e = json_get_array(&commands, body, "commands");

	if (e) {
		snprintf(d->channel.problem, sizeof(d->channel.problem),
			 "the server's answer holds no list of commands");
		return e;
	}
	for (size_t i = 0; !e && i < json_array_size(commands); i++)
		e = hand_over(ret_fresh, d, json_array_get(commands, i));
	if (json_get_u64(&version, body, "policy_version"))
		return e;
	if (atomic_exchange(&d->site->policy_heard, version) != version) {
		*ret_fresh = 1;
		wake_raise(&d->site->to_uplink);
	}
	return e;
}

/* The first request, and the first after a failure, does not wait: only an answer shows that the way is free. */
static enum err poll_once(int *ret_fresh, struct downlink *d)
{
	CHANNEL_ANSWER a = { 0 };
	char path[128];
	enum err e = channel_ready(&d->channel);

	if (e)
		return e;
	snprintf(path, sizeof(path), "/v1/commands?after=%" PRIu64 "&wait=%d&policy=%" PRIu64, d->after,
		 d->up ? WAIT_S : 0, (uint64_t)atomic_load(&d->site->policy_heard));
	contact_waiting(&d->site->contact, d->up);
	e = channel_call(&a, &d->channel, "GET", path, NULL, TIMEOUT_MS);
	if (e)
		return e;
	return a.status / 100 == 2 ? read_answer(ret_fresh, d, a.body) : ERR_NETWORK;
}

static int64_t failed(struct downlink *d, enum err e)
{
	int64_t wait = backoff_next_ms(&d->backoff, d->channel.retry_after_s);

	d->up = 0;
	atomic_store(&d->site->down_failing, 1);
	contact_waiting(&d->site->contact, 0);
	contact_problem(&d->site->contact, CONTACT_DOWNLINK,
			d->channel.problem[0] ? d->channel.problem : err_text(e), wait);
	return wait;
}

/* The way to the server works again: the uplink need not wait any longer. */
static void recovered(struct downlink *d)
{
	if (d->backoff.failures) {
		atomic_store(&d->site->up_now, 1);
		wake_raise(&d->site->to_uplink);
	}
	d->backoff.failures = 0;
	d->up = 1;
	atomic_store(&d->site->down_failing, 0);
	contact_solved(&d->site->contact, CONTACT_DOWNLINK);
}

/* When the way is free anyway. That it fails stops nothing: commands count for more. */
static void keep_time(struct downlink *d)
{
	enum err e;

	if (wake_now_ms() < d->time_due_ms)
		return;
	e = time_fetch(&d->channel);
	if (e == ERR_BUSY)
		return;
	d->time_due_ms = wake_now_ms() + (e ? TIME_FETCH_RETRY_MS : TIME_FETCH_INTERVAL_MS);
	wake_raise(&d->site->to_main);
}

int64_t downlink_step(struct downlink *d)
{
	int64_t begun = wake_now_ms();
	struct enrolment n;
	int fresh = !d->up; /* what is asked for next is another thing */
	enum err e;

	if (!site_enrolment(&n, d->site)) {
		contact_waiting(&d->site->contact, 0);
		return -1;
	}
	d->channel.problem[0] = '\0';
	e = poll_once(&fresh, d);
	if (e == ERR_BUSY)
		return 0;
	if (e)
		return failed(d, e);
	recovered(d);
	keep_time(d);
	return fresh || wake_now_ms() - begun >= QUICK_MS ? 0 : QUICK_MS;
}

static void wait_for(struct downlink *d, int64_t ms)
{
	int64_t until = wake_now_ms() + ms;

	/* Woken without a reason to hurry, such as a cancelled poll: the back-off goes on. */
	while (wake_wait(&d->site->to_downlink, ms) && ms > 0) {
		if (atomic_load(&d->site->stop) || atomic_exchange(&d->site->down_now, 0))
			return;
		ms = until - wake_now_ms();
		if (ms < 0)
			return;
	}
}

void *downlink_thread(void *arg)
{
	struct site *s = arg;
	struct downlink d;

	downlink_init(&d, s);
	while (!atomic_load(&s->stop))
		wait_for(&d, downlink_step(&d));
	downlink_drop(&d);
	return NULL;
}
