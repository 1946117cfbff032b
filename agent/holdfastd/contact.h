/* Contact: what is known about the way to the server, for STATUS and the log. Written by all threads. */
#ifndef HOLDFAST_CONTACT_H
#define HOLDFAST_CONTACT_H

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>

#include "common/err.h"

#define CONTACT_TEXT 320

/* Each part reports its own trouble. */
enum contact_part { CONTACT_UPLINK, CONTACT_DOWNLINK, CONTACT_OUTBOX, CONTACT_QUEUE, CONTACT_REFUSED };
#define CONTACT_PARTS 5

struct contact_problem {
	char text[CONTACT_TEXT];   /* "": none */
	uint64_t since, next_try;  /* s since 1970; next_try 0: not by itself */
};

struct contact {
	pthread_mutex_t lock;
	char server[CONTACT_TEXT];
	char session[16];          /* "user", "device", "recovered", "none" */
	int waiting;               /* a long-poll is up */
	uint64_t last_contact;     /* s since 1970, 0: never since the start */
	const char *activity;      /* static sentence, NULL: none */
	struct contact_problem problem[CONTACT_PARTS];
};

void contact_init(struct contact *c);
void contact_server(struct contact *c, const char *url);
void contact_session(struct contact *c, const char *scope);
void contact_waiting(struct contact *c, int waiting);
void contact_activity(struct contact *c, const char *activity);
/* The server answered. */
void contact_made(struct contact *c);
/* Something stands in the way; logged when the words are new. retry_ms 0: not tried again by itself. */
void contact_problem(struct contact *c, enum contact_part part, const char *text, int64_t retry_ms);
void contact_solved(struct contact *c, enum contact_part part);

/* Members server, session, channel, last_contact, activity, problem, problem_since, next_try.
 * NULL when out of memory. */
json_t *contact_json(struct contact *c);

#endif
