/* What follows once an event has been delivered: the machine is restarted or switched off. */
#ifndef HOLDFAST_POWER_H
#define HOLDFAST_POWER_H

#include <stdint.h>

enum power_action { POWER_NONE, POWER_RESTART, POWER_OFF };

struct power {
	enum power_action action;
	char event[33];      /* wait for its delivery, */
	uint64_t deadline;   /* s, monotonic: but no longer than this */
};

#define POWER_WAIT_S 20

/* A later POWER_OFF takes the place of a restart, never the other way round. */
void power_after(struct power *p, enum power_action action, const char *event);
void power_delivered(struct power *p, const char *event);
/* Milliseconds until something has to be done; -1: nothing waits. */
int power_wait_ms(const struct power *p);
/* Carry out what is due. pretend: a line on standard output instead. */
void power_run(struct power *p, int pretend);

#endif
