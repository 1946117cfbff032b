#include "agent/volumed/power.h"

#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

static uint64_t monotonic_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

void power_after(struct power *p, enum power_action action, const char *event)
{
	if (p->action == POWER_OFF)
		return;
	p->action = action;
	(void)snprintf(p->event, sizeof(p->event), "%s", event);
	p->deadline = monotonic_s() + POWER_WAIT_S;
}

void power_delivered(struct power *p, const char *event)
{
	if (p->action != POWER_NONE && *p->event && !strcmp(p->event, event))
		p->deadline = 0;
}

int power_wait_ms(const struct power *p)
{
	uint64_t now = monotonic_s();

	if (p->action == POWER_NONE)
		return -1;
	return p->deadline <= now ? 0 : (int)(p->deadline - now) * 1000;
}

static void power_act(enum power_action action)
{
	sync();
	/* A restart lets services end; systemd(1) documents the signal. A killed laptop has nothing
	 * left to end, and must not wait for anybody. */
	if (action == POWER_RESTART && !access("/run/systemd/system", F_OK) &&
	    !kill(1, SIGRTMIN + 5))
		return;
	(void)reboot(action == POWER_OFF ? (int)LINUX_REBOOT_CMD_POWER_OFF
					 : (int)LINUX_REBOOT_CMD_RESTART);
}

void power_run(struct power *p, int pretend)
{
	enum power_action action = p->action;

	if (power_wait_ms(p))
		return;
	p->action = POWER_NONE;
	if (!pretend) {
		power_act(action);
		return;
	}
	printf("%s\n", action == POWER_OFF ? "power off" : "restart");
	fflush(stdout);
}
