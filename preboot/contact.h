/* Contact: for how long has the laptop not been in touch with its server? Days are counted from the
 * server's signed time in the rules, or the last code, by the clock as far as it is believed: never
 * backwards (the latest time seen is kept in a variable), and not when it jumped years ahead, so that
 * neither an empty CMOS battery nor a changed clock locks anybody out by itself.
 * Table: contact_v1.inc; docs/lockout.md. */
#ifndef HOLDFAST_CONTACT_H
#define HOLDFAST_CONTACT_H

#include "common/rules.h"

enum contact_verdict { CONTACT_FINE, CONTACT_WARN, CONTACT_LOCK };

struct contact {
	enum contact_verdict verdict;
	uint32_t days;      /* since the last contact */
	uint32_t left_days; /* until the lock; 0 without one */
	int clock_doubted;  /* event PREBOOT_CLOCK_DOUBTED */
};

/* By the stricter of r and the rules of the last verified unlock (guard_start comes first), and from the
 * later contact of both. Without any contact so far there is no rule. Adds the events
 * PREBOOT_CONTACT_OVERDUE (value: days) to warning and lock, and PREBOOT_CLOCK_DOUBTED (enum
 * contact_doubt). */
void contact_check(struct contact *ret, const struct rules *r);

enum contact_doubt {
	CONTACT_CLOCK_AHEAD = 1, /* years ahead of the last known time */
	CONTACT_CLOCK_BEHIND,    /* before the last known time, or no clock */
};

/* Somebody of the organisation helped (a one-time code or the recovery key): that is a contact. */
void contact_now(void);

/* Today, as far as it is believed: days since 1970-01-01 UTC. 0 when no time is known. */
uint16_t contact_today(const struct rules *r);

#endif
