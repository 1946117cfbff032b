#include "contact.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void contact_init(struct contact *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	snprintf(c->session, sizeof(c->session), "none");
}

void contact_server(struct contact *c, const char *url)
{
	pthread_mutex_lock(&c->lock);
	snprintf(c->server, sizeof(c->server), "%s", url);
	pthread_mutex_unlock(&c->lock);
}

void contact_session(struct contact *c, const char *scope)
{
	pthread_mutex_lock(&c->lock);
	snprintf(c->session, sizeof(c->session), "%s", *scope ? scope : "none");
	pthread_mutex_unlock(&c->lock);
}

void contact_waiting(struct contact *c, int waiting)
{
	pthread_mutex_lock(&c->lock);
	c->waiting = waiting;
	pthread_mutex_unlock(&c->lock);
}

void contact_activity(struct contact *c, const char *activity)
{
	pthread_mutex_lock(&c->lock);
	c->activity = activity;
	pthread_mutex_unlock(&c->lock);
}

void contact_made(struct contact *c)
{
	pthread_mutex_lock(&c->lock);
	c->last_contact = (uint64_t)time(NULL);
	pthread_mutex_unlock(&c->lock);
}

void contact_problem(struct contact *c, enum contact_part part, const char *text, int64_t retry_ms)
{
	struct contact_problem *p = &c->problem[part];
	uint64_t now = (uint64_t)time(NULL);
	int is_new;

	pthread_mutex_lock(&c->lock);
	is_new = strncmp(p->text, text, sizeof(p->text) - 1) != 0;
	if (!p->text[0])
		p->since = now;
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->next_try = retry_ms > 0 ? now + (uint64_t)(retry_ms + 999) / 1000 : 0;
	pthread_mutex_unlock(&c->lock);
	if (is_new)
		fprintf(stderr, "<4>%s\n", text);
}

void contact_solved(struct contact *c, enum contact_part part)
{
	pthread_mutex_lock(&c->lock);
	memset(&c->problem[part], 0, sizeof(c->problem[part]));
	pthread_mutex_unlock(&c->lock);
}

/* The long-poll and the uplink mostly fail for the same reason: said once. */
static const struct contact_problem *first_problem(const struct contact *c)
{
	static const enum contact_part order[CONTACT_PARTS] = {
		CONTACT_QUEUE, CONTACT_OUTBOX, CONTACT_UPLINK, CONTACT_DOWNLINK, CONTACT_REFUSED,
	};

	for (size_t i = 0; i < CONTACT_PARTS; i++)
		if (c->problem[order[i]].text[0])
			return &c->problem[order[i]];
	return NULL;
}

static json_t *number_or_null(uint64_t n)
{
	return n ? json_integer((json_int_t)n) : json_null();
}

json_t *contact_json(struct contact *c)
{
	const struct contact_problem *p;
	json_t *o;

	pthread_mutex_lock(&c->lock);
	p = first_problem(c);
	o = json_pack("{s:s?, s:s, s:s, s:o, s:s?, s:s?, s:o, s:o}",
		      "server", c->server[0] ? c->server : NULL, "session", c->session,
		      "channel", c->waiting ? "long-poll" : "none",
		      "last_contact", number_or_null(c->last_contact), "activity", c->activity,
		      "problem", p ? p->text : NULL,
		      "problem_since", number_or_null(p ? p->since : 0),
		      "next_try", number_or_null(p ? p->next_try : 0));
	pthread_mutex_unlock(&c->lock);
	return o;
}
