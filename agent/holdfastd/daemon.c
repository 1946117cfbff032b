#include "daemon.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/footprint.h"
#include "agent/ipc.h"
#include "downlink.h"
#include "intake.h"
#include "notify.h"
#include "service.h"
#include "uplink.h"

#define THREAD_STACK_BYTES ((size_t)256 << 10)
#define VOLUMED_RETRY_MS 250
#define VOLUMED_RETRY_LAST_MS 2000
#define FULL_RETRY_MS 5000
#define IDLE_MS 3000

enum { ON_WAKE, ON_VOLUMED, ON_SIGNAL, ON_NETWORK, ON_SERVICE };
#define POLL_COUNT (ON_SERVICE + SERVICE_CLIENTS + 1)

struct daemon {
	struct site *site;
	struct service service;
	struct intake intake;
	int signal_fd, network_fd;
	int64_t intake_retry_ms;  /* -1: by NOTIFY alone */
	int64_t volumed_wait_ms;
	int released;             /* idle, and memory given back */
};

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* Before the threads start, so that they inherit it. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Addresses that come: the moment to try the server again. Works without it, only later. */
static int network_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void network_changed(struct daemon *d)
{
	char buffer[8192];
	int arrived = 0;
	ssize_t len;

	while ((len = recv(d->network_fd, buffer, sizeof(buffer), 0)) > 0) {
		const struct nlmsghdr *h = (const void *)buffer;

		arrived |= (size_t)len >= sizeof(*h) && h->nlmsg_type == RTM_NEWADDR;
	}
	if (arrived)
		site_hurry(d->site);
}

static void intake_failed(struct daemon *d, enum err e)
{
	struct contact *contact = &d->site->contact;

	if (d->intake.fd < 0) {
		d->intake_retry_ms = d->volumed_wait_ms;
		d->volumed_wait_ms *= 2;
		if (d->volumed_wait_ms > VOLUMED_RETRY_LAST_MS)
			d->volumed_wait_ms = VOLUMED_RETRY_LAST_MS;
		contact_problem(contact, CONTACT_OUTBOX, "holdfast-volumed is not running: "
				"systemctl start holdfast-volumed", d->intake_retry_ms);
		return;
	}
	d->intake_retry_ms = FULL_RETRY_MS;
	contact_problem(contact, CONTACT_QUEUE, e == ERR_SPACE ?
			"no space for the event queue: events wait with holdfast-volumed; free some space "
			"under /var/lib/holdfast" : "the event queue cannot be written: check the disk",
			FULL_RETRY_MS);
}

/* Errors: ERR_CHECKSUM alone; all others are tried again. */
static enum err take_in(struct daemon *d)
{
	unsigned moved = 0;
	enum err e = intake_drain(&moved, &d->intake, d->site->queue);

	if (moved)
		wake_raise(&d->site->to_uplink);
	if (e == ERR_CHECKSUM)
		return e;
	if (e) {
		intake_failed(d, e);
		return OK;
	}
	contact_solved(&d->site->contact, CONTACT_OUTBOX);
	contact_solved(&d->site->contact, CONTACT_QUEUE);
	d->volumed_wait_ms = VOLUMED_RETRY_MS;
	d->intake_retry_ms = -1;
	return OK;
}

static void poll_set(const struct daemon *d, struct pollfd *p)
{
	p[ON_WAKE] = (struct pollfd){ .fd = d->site->to_main.fd, .events = POLLIN };
	p[ON_VOLUMED] = (struct pollfd){ .fd = d->intake.fd, .events = POLLIN };
	p[ON_SIGNAL] = (struct pollfd){ .fd = d->signal_fd, .events = POLLIN };
	p[ON_NETWORK] = (struct pollfd){ .fd = d->network_fd, .events = POLLIN };
	service_poll_set(&d->service, &p[ON_SERVICE]);
}

static int wait_ms(const struct daemon *d)
{
	if (d->intake_retry_ms >= 0)
		return (int)d->intake_retry_ms;
	return d->released ? -1 : IDLE_MS;
}

/* One round of events. 1 to go on, 0 to end. */
static int turn(struct daemon *d, enum err *ret_e)
{
	struct pollfd p[POLL_COUNT];
	int n;

	poll_set(d, p);
	n = poll(p, POLL_COUNT, wait_ms(d));
	if (p[ON_SIGNAL].revents)
		return 0;
	if (n == 0 && d->intake_retry_ms < 0) {
		footprint_release();
		d->released = 1;
		return 1;
	}
	d->released = 0;
	if (n > 0 && p[ON_NETWORK].revents)
		network_changed(d);
	if (n > 0 && p[ON_VOLUMED].revents)
		intake_read(&d->intake);
	if (n > 0 && p[ON_WAKE].revents) {
		wake_wait(&d->site->to_main, 0);
		service_answer_jobs(&d->service);
	}
	if (n == 0 || p[ON_VOLUMED].revents || p[ON_WAKE].revents)
		*ret_e = take_in(d);
	if (n > 0)
		service_poll_done(&d->service, &p[ON_SERVICE]);
	return !*ret_e;
}

static enum err start_thread(pthread_t *ret, void *(*run)(void *), struct site *s)
{
	pthread_attr_t attr;
	int failed;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	failed = pthread_create(ret, &attr, run, s);
	pthread_attr_destroy(&attr);
	return failed ? ERR_MEMORY : OK;
}

static enum err run_threads(struct daemon *d)
{
	pthread_t up, down;
	enum err e = start_thread(&up, uplink_thread, d->site);

	if (e)
		return e;
	e = start_thread(&down, downlink_thread, d->site);
	if (!e) {
		notify_systemd("READY=1\nSTATUS=serving");
		e = take_in(d);
		while (!e && turn(d, &e))
			;
	}
	notify_systemd("STOPPING=1");
	site_stop(d->site);
	pthread_join(up, NULL);
	pthread_join(down, NULL);
	return e;
}

enum err daemon_run(struct site *s, const char *agent_path)
{
	struct daemon d = { .site = s, .intake = { .path = s->volumed_path, .fd = -1 },
			    .intake_retry_ms = -1, .volumed_wait_ms = VOLUMED_RETRY_MS };
	enum err e = service_open(&d.service, s, agent_path);

	if (e) {
		fprintf(stderr, "<3>%s cannot be opened: %s\n", agent_path, err_text(e));
		return e;
	}
	d.signal_fd = signals_open();
	d.network_fd = network_open();
	e = run_threads(&d);
	intake_close(&d.intake);
	service_close(&d.service);
	close(d.signal_fd);
	if (d.network_fd >= 0)
		close(d.network_fd);
	unlink(agent_path);
	return e;
}
