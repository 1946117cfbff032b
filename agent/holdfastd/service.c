#include "service.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

enum err service_open(struct service *ret, struct site *site, const char *path)
{
	memset(ret, 0, sizeof(*ret));
	ret->site = site;
	for (size_t i = 0; i < SERVICE_CLIENTS; i++)
		ret->clients[i].fd = -1;
	return ipc_listen(&ret->listen_fd, path, 0666);
}

static void client_close(struct service_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

void service_close(struct service *s)
{
	for (size_t i = 0; i < SERVICE_CLIENTS; i++)
		client_close(&s->clients[i]);
	close(s->listen_fd);
}

void service_poll_set(const struct service *s, struct pollfd *p)
{
	p[0] = (struct pollfd){ .fd = s->listen_fd, .events = POLLIN };
	for (size_t i = 0; i < SERVICE_CLIENTS; i++)
		p[i + 1] = (struct pollfd){ .fd = s->clients[i].fd, .events = POLLIN };
}

static struct service_client *place_for(struct service *s, uid_t uid)
{
	struct service_client *free_place = NULL;
	size_t same = 0;

	for (size_t i = 0; i < SERVICE_CLIENTS; i++) {
		if (s->clients[i].fd < 0)
			free_place = &s->clients[i];
		else if (s->clients[i].peer.uid == uid)
			same++;
	}
	return uid != 0 && same >= SERVICE_CLIENTS_UID ? NULL : free_place;
}

/* A peer that does not read its answers must not hold up the others: its socket does not block, and it is
 * dropped when it is full. */
static void take_client(struct service *s)
{
	struct service_client *c;
	struct ipc_peer peer;
	int fd;

	if (ipc_accept(&fd, &peer, s->listen_fd))
		return;
	c = place_for(s, peer.uid);
	if (!c || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->peer = peer;
}

static void answer(struct service_client *c, uint16_t request, const struct ipc_message *m)
{
	if (ipc_answer(c->fd, request, m))
		client_close(c);
}

static void answer_result(struct service_client *c, uint16_t request, enum err e, const char *about)
{
	IPC_MESSAGE m = { 0 };

	if (e)
		ipc_start_error(&m, e, about);
	else
		ipc_start(&m, IPC_OK);
	answer(c, request, &m);
}

static void answer_status(struct service *s, struct service_client *c)
{
	IPC_MESSAGE m = { 0 };
	TEXT *text = NULL;
	enum err e = report_make(&text, s->site);

	if (e) {
		answer_result(c, IPC_STATUS, e, NULL);
		return;
	}
	ipc_start(&m, IPC_OK);
	ipc_add_text(&m, text);
	answer(c, IPC_STATUS, &m);
}

static void begin_sync(struct service *s, struct service_client *c)
{
	c->waits = IPC_SYNC;
	c->ticket = jobs_ask_sync(&s->site->jobs);
	wake_raise(&s->site->to_uplink);
}

static void begin_enrol(struct service *s, struct service_client *c, const char *token)
{
	enum err e = jobs_ask_enrol(&s->site->jobs, token);

	if (e) {
		answer_result(c, IPC_ENROL, e, "another enrolment is under way");
		return;
	}
	c->waits = IPC_ENROL;
	wake_raise(&s->site->to_uplink);
}

static void serve(struct service *s, struct service_client *c)
{
	IPC_MESSAGE m = { 0 };

	if (ipc_receive(&m, c->fd, 0) || c->waits) {
		client_close(c);
		return;
	}
	if (!ipc_permitted(m.type, &c->peer, getuid())) {
		answer_result(c, m.type, ERR_DENIED, "only root may do this: use sudo");
		return;
	}
	switch (m.type) {
	case IPC_STATUS:
		answer_status(s, c);
		break;
	case IPC_SYNC:
		begin_sync(s, c);
		break;
	case IPC_ENROL:
		begin_enrol(s, c, m.value[0].text);
		break;
	default:
		answer_result(c, m.type, ERR_UNSUPPORTED, "ask holdfast-volumed for this");
	}
}

void service_poll_done(struct service *s, const struct pollfd *p)
{
	for (size_t i = 0; i < SERVICE_CLIENTS; i++)
		if (p[i + 1].fd >= 0 && p[i + 1].revents)
			serve(s, &s->clients[i]);
	if (p[0].revents)
		take_client(s);
}

void service_answer_jobs(struct service *s)
{
	struct job_result enrolled, synced;
	int has_enrolled = jobs_enrol_result(&enrolled, &s->site->jobs);

	for (size_t i = 0; i < SERVICE_CLIENTS; i++) {
		struct service_client *c = &s->clients[i];

		if (c->waits == IPC_ENROL && has_enrolled) {
			c->waits = 0;
			answer_result(c, IPC_ENROL, enrolled.e, enrolled.about);
		} else if (c->waits == IPC_SYNC && jobs_sync_result(&synced, &s->site->jobs, c->ticket)) {
			c->waits = 0;
			answer_result(c, IPC_SYNC, synced.e, synced.about);
		}
	}
}
