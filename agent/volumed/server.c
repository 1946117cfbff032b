#include "agent/volumed/server.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/requests.h"
#include "agent/volumed/settle.h"

#define PEERS_MAX 32
#define RETRY_S 60
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

static void peer_accept(struct loop *l)
{
	struct peer p = { .fd = -1 };

	if (ipc_accept(&p.fd, &p.who, l->listener))
		return;
	/* Full: the oldest of an unprivileged sort would do as well, but refusing is plain. Root and the
	 * agent keep room, as others may fill half of it. */
	if (l->count == PEERS_MAX ||
	    (l->count >= PEERS_MAX / 2 && p.who.uid != 0 && p.who.uid != l->v->agent_uid)) {
		close(p.fd);
		return;
	}
	l->peers[l->count++] = p;
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
	} else if (*l->v->unsettled) {
		e = settle_run(l->v);
	}
	if (e == ERR_MEMORY)
		volumed_log("out of memory", NULL);
}

static int wait_ms(const struct loop *l)
{
	int power = power_wait_ms(&l->v->power);

	return power >= 0 && power < RETRY_S * 1000 ? power : RETRY_S * 1000;
}

static void step(struct loop *l)
{
	struct pollfd fds[PEERS_MAX + 1] = { { .fd = l->listener, .events = POLLIN } };
	size_t count = l->count;

	for (size_t i = 0; i < count; i++)
		fds[i + 1] = (struct pollfd){ .fd = l->peers[i].fd, .events = POLLIN };
	if (poll(fds, count + 1, wait_ms(l)) < 0 && errno != EINTR)
		volumed_log("poll", strerror(errno));
	else
		for (size_t i = count; i-- > 0;)
			if (fds[i + 1].revents && peer_serve(l, &l->peers[i]))
				peer_close(l, i);
	if (fds[0].revents)
		peer_accept(l);
	timers_run(l);
	notify_all(l);
	/* Work comes rarely, and leaves large free blocks behind: this daemon stays small in between. */
	(void)malloc_trim(0);
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
	while (!stopped)
		step(&l);
	while (l.count)
		peer_close(&l, l.count - 1);
	close(l.listener);
	(void)unlink(path);
	return OK;
}
