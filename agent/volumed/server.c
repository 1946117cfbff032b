#include "agent/volumed/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/footprint.h"
#include "agent/volumed/binding.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/erasure.h"
#include "agent/volumed/requests.h"
#include "agent/volumed/ruleset.h"
#include "agent/volumed/settle.h"
#include "agent/volumed/tss.h"

#define PEERS_MAX 32
#define PEERS_OF_AGENT 24
#define PEERS_OF_OTHERS 16
#define RETRY_S 60
#define IDLE_MS 3000
#define CHECK_S 86400

struct peer {
	int fd;
	struct ipc_peer who;
	int listens; /* asked for the outbox: is told of news */
};

struct loop {
	struct volumed *v;
	int listener;
	size_t count;
	struct peer peers[PEERS_MAX];
	uint64_t next_retry, next_check; /* s */
	int released;                    /* idle, and memory given back */
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static void peer_close(struct loop *l, size_t i)
{
	close(l->peers[i].fd);
	l->peers[i] = l->peers[--l->count];
}

/* Whoever fills what is his leaves room for those who are more than he. */
static size_t peers_allowed(const struct loop *l, uid_t uid)
{
	if (uid == 0)
		return PEERS_MAX;
	return uid == l->v->agent_uid ? PEERS_OF_AGENT : PEERS_OF_OTHERS;
}

/* A peer that asks and does not read must not hold up the others, let alone a kill: its socket does not
 * block, and it is dropped when it is full. One answer always fits. */
static void peer_accept(struct loop *l)
{
	struct pollfd listener = { .fd = l->listener, .events = POLLIN };
	struct peer p = { .fd = -1 };

	/* It may have been accepted in between (command_waits). */
	if (poll(&listener, 1, 0) < 1)
		return;
	if (ipc_accept(&p.fd, &p.who, l->listener))
		return;
	if (l->count >= peers_allowed(l, p.who.uid) || fcntl(p.fd, F_SETFL, O_NONBLOCK)) {
		close(p.fd);
		return;
	}
	l->peers[l->count++] = p;
}

/* A TPM that is slow, or hangs, must not hold up a kill: its work is given up for a command. */
static int command_waits(void *context)
{
	struct loop *l = context;

	if (stopped || l->v->killed)
		return stopped;
	peer_accept(l);
	for (size_t i = 0; i < l->count; i++) {
		uint8_t type[2];

		if (recv(l->peers[i].fd, type, sizeof(type), MSG_PEEK | MSG_DONTWAIT) == sizeof(type) &&
		    (type[0] | type[1] << 8) == IPC_COMMAND &&
		    ipc_permitted(IPC_COMMAND, &l->peers[i].who, l->v->agent_uid))
			return 1;
	}
	return 0;
}

static int peer_serve(struct loop *l, struct peer *p)
{
	IPC_MESSAGE ask = { 0 }, answer = { 0 };

	if (ipc_receive(&ask, p->fd, 0))
		return -1;
	requests_serve(&answer, l->v, &p->who, &ask);
	if (ask.type == IPC_OUTBOX_NEXT && answer.type == IPC_OK)
		p->listens = 1;
	return ipc_answer(p->fd, ask.type, &answer) ? -1 : 0;
}

static void notify_all(struct loop *l)
{
	IPC_MESSAGE news = { 0 };

	if (!l->v->notify)
		return;
	l->v->notify = 0;
	ipc_start(&news, IPC_NOTIFY);
	for (size_t i = l->count; i-- > 0;)
		if (l->peers[i].listens && ipc_send(l->peers[i].fd, &news))
			peer_close(l, i);
}

/* Errors stay in v->unsettled, where STATUS shows them. */
static void timers_run(struct loop *l)
{
	uint64_t now = volumed_now();
	enum err e = OK;

	/* A clock that was set back must not stop the timers. */
	if (l->next_check > now + CHECK_S || l->next_retry > now + RETRY_S)
		l->next_check = l->next_retry = now;
	if (l->v->killed || now < l->next_retry)
		return;
	l->next_retry = now + RETRY_S;
	if (now >= l->next_check) {
		l->next_check = now + CHECK_S;
		e = settle_check(l->v);
	} else if (*l->v->unsettled || ruleset_keyboard_changed(l->v) || binding_is_due(l->v)) {
		e = settle_run(l->v);
	}
	if (e == ERR_MEMORY)
		volumed_log("out of memory", NULL);
}

static int wait_ms(const struct loop *l)
{
	int power = power_wait_ms(&l->v->power), idle = l->released ? RETRY_S * 1000 : IDLE_MS;

	return power >= 0 && power < idle ? power : idle;
}

static void step(struct loop *l)
{
	struct pollfd fds[PEERS_MAX + 1] = { { .fd = l->listener, .events = POLLIN } };
	size_t count = l->count;
	int n;

	for (size_t i = 0; i < count; i++)
		fds[i + 1] = (struct pollfd){ .fd = l->peers[i].fd, .events = POLLIN };
	n = poll(fds, count + 1, wait_ms(l));
	l->released = !n;
	if (!n)
		footprint_release();
	else if (n < 0 && errno != EINTR)
		volumed_log("poll", strerror(errno));
	else
		for (size_t i = count; i-- > 0;)
			if (fds[i + 1].revents && peer_serve(l, &l->peers[i]))
				peer_close(l, i);
	if (fds[0].revents)
		peer_accept(l);
	timers_run(l);
	notify_all(l);
	power_run(&l->v->power, l->v->options.no_power);
}

enum err volumed_serve(struct volumed *v)
{
	struct loop l = { .v = v, .listener = -1, .next_retry = volumed_now() + RETRY_S,
			  .next_check = volumed_now() + CHECK_S };
	const struct sigaction action = { .sa_handler = stop };
	char path[DURABLE_PATH_MAX];
	enum err e = durable_path(path, v->options.run, "volumed.sock");

	/* Anybody may ask for STATUS; SO_PEERCRED decides about the rest. */
	if (!e)
		e = ipc_listen(&l.listener, path, 0666);
	if (e)
		return e;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	(void)sd_notify(0, "READY=1");
	/* With the socket there: who asks now is served after this, and a kill ends waiting for a TPM. */
	tss_watch(command_waits, &l);
	/* What cannot be settled now is told by STATUS, and tried again. */
	if (!erasure_resume(v) && settle_check(v))
		volumed_log("started with work left", v->about);
	while (!stopped)
		step(&l);
	while (l.count)
		peer_close(&l, l.count - 1);
	tss_watch(NULL, NULL);
	close(l.listener);
	(void)unlink(path);
	return OK;
}
