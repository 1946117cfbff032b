/* Taking over volumed's outbox, against a stand-in for volumed: what is not on the disk is not acknowledged,
 * and what is taken twice is there once. Also agent.sock: who may ask for what. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "agent/holdfastd/intake.h"
#include "agent/holdfastd/service.h"
#include "agent/ipc.h"

#define MESSAGES 5

static char folder[] = "/tmp/intake-test-XXXXXX";
static char socket_path[128], queue_path[128];

/* Serves one connection: hands out messages 1 to MESSAGES; forgets a DONE when told to. */
struct outbox_script {
	int listen_fd;
	unsigned next;      /* what OUTBOX_NEXT gives */
	unsigned hang_up_at; /* close instead of answering the DONE of this one; 0: never */
	const char *body;   /* NULL: "body N" */
};

static void answer_next(const struct outbox_script *s, struct ipc_message *answer)
{
	char id[33], body[32];
	unsigned n = s->next <= MESSAGES ? s->next : 0;

	snprintf(id, sizeof(id), "%032x", n);
	snprintf(body, sizeof(body), "body %u", n);
	ipc_add_number(answer, n);
	ipc_add_number(answer, n == 3 ? IPC_OUTBOX_ESCROW : IPC_OUTBOX_EVENT);
	ipc_add_text(answer, id);
	ipc_add_text(answer, s->body ? s->body : body);
}

static void *play_outbox(void *arg)
{
	struct outbox_script *s = arg;
	struct ipc_peer peer;
	int fd;

	if (ipc_accept(&fd, &peer, s->listen_fd))
		return NULL;
	for (;;) {
		IPC_MESSAGE ask = { 0 }, answer = { 0 };

		if (ipc_receive(&ask, fd, -1))
			break;
		ipc_start(&answer, IPC_OK);
		if (ask.type == IPC_OUTBOX_NEXT) {
			answer_next(s, &answer);
		} else if (s->next == s->hang_up_at) {
			s->hang_up_at = 0;
			break;
		} else {
			s->next++;
		}
		if (ipc_answer(fd, ask.type, &answer))
			break;
	}
	close(fd);
	return NULL;
}

static unsigned drain(struct outbox_script *s, struct queue *q, enum err want)
{
	struct intake in = { .path = socket_path, .fd = -1 };
	unsigned moved = 0;
	pthread_t thread;
	enum err e;

	assert_int_equal(pthread_create(&thread, NULL, play_outbox, s), 0);
	e = intake_drain(&moved, &in, q);
	intake_close(&in);
	pthread_join(thread, NULL);
	if (e != want)
		fail_msg("draining gave %s", err_name(e));
	return moved;
}

static struct queue *open_queue(void)
{
	struct queue *q = NULL;
	char *report = NULL;

	assert_int_equal(queue_open(&q, &report, queue_path), OK);
	return q;
}

static void assert_queue(struct queue *q, unsigned escrow, unsigned events)
{
	struct queue_counts n;

	assert_int_equal(queue_count(&n, q), OK);
	assert_int_equal(n.escrow, escrow);
	assert_int_equal(n.events, events);
}

static int set_up(void **state)
{
	(void)state;
	unlink(queue_path);
	return 0;
}

static void test_everything_is_moved(void **state)
{
	struct outbox_script s = { .next = 1 };
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(ipc_listen(&s.listen_fd, socket_path, 0600), OK);
	assert_int_equal(drain(&s, q, OK), MESSAGES);
	assert_queue(q, 1, MESSAGES - 1);
	queue_drop(&q);
	close(s.listen_fd);
}

/* A crash between our commit and volumed's: the same message comes again. */
static void test_lost_acknowledgement_repeats_nothing(void **state)
{
	struct outbox_script s = { .next = 1, .hang_up_at = 2 };
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(ipc_listen(&s.listen_fd, socket_path, 0600), OK);
	assert_int_equal(drain(&s, q, ERR_NETWORK), 1);
	assert_queue(q, 0, 2);
	assert_int_equal(drain(&s, q, OK), MESSAGES - 1);
	assert_queue(q, 1, MESSAGES - 1);
	queue_drop(&q);
	close(s.listen_fd);
}

static void test_what_does_not_fit_is_not_acknowledged(void **state)
{
	struct outbox_script s = { .next = 1, .body = "" };
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(ipc_listen(&s.listen_fd, socket_path, 0600), OK);
	assert_int_equal(drain(&s, q, ERR_RANGE), 0);
	assert_int_equal(s.next, 1);
	assert_queue(q, 0, 0);
	queue_drop(&q);
	close(s.listen_fd);
}

static void test_nobody_listens(void **state)
{
	struct intake in = { .path = socket_path, .fd = -1 };
	struct queue *q = open_queue();
	unsigned moved;

	(void)state;
	unlink(socket_path);
	assert_int_equal(intake_drain(&moved, &in, q), ERR_NETWORK);
	assert_int_equal(in.fd, -1);
	queue_drop(&q);
}

/* agent.sock, served for a while in a thread. */
struct served {
	struct site site;
	struct service service;
	int stop[2];
};

static void *serve(void *arg)
{
	struct served *s = arg;
	struct pollfd p[SERVICE_CLIENTS + 2];

	for (;;) {
		service_poll_set(&s->service, p);
		p[SERVICE_CLIENTS + 1] = (struct pollfd){ .fd = s->stop[0], .events = POLLIN };
		poll(p, SERVICE_CLIENTS + 2, -1);
		if (p[SERVICE_CLIENTS + 1].revents)
			return NULL;
		service_poll_done(&s->service, p);
	}
}

static enum err ask(uint16_t type, const char *text, int timeout_ms)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	enum err e;
	int fd;

	if (ipc_connect(&fd, socket_path))
		return ERR_NETWORK;
	ipc_start(&question, type);
	if (text)
		ipc_add_text(&question, text);
	e = ipc_call(&answer, NULL, fd, &question, timeout_ms);
	close(fd);
	return e;
}

/* The same as an unprivileged user. */
static enum err ask_as_nobody(uint16_t type, const char *text)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(setuid(65534) ? 99 : (int)ask(type, text, 300));
	waitpid(child, &status, 0);
	return (enum err)WEXITSTATUS(status);
}

static unsigned connections_of_nobody(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		unsigned held = 0;

		if (setuid(65534))
			_exit(99);
		for (unsigned i = 0; i < 2 * SERVICE_CLIENTS; i++) {
			IPC_MESSAGE question = { 0 }, answer = { 0 };
			int fd;

			ipc_start(&question, IPC_STATUS);
			if (!ipc_connect(&fd, socket_path) &&
			    !ipc_call(&answer, NULL, fd, &question, 1000))
				held++; /* and is kept open */
		}
		_exit((int)held);
	}
	waitpid(child, &status, 0);
	return (unsigned)WEXITSTATUS(status);
}

static void test_who_may_ask_for_what(void **state)
{
	static struct served s;
	pthread_t thread;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(site_init(&s.site, folder, "/nonexistent"), OK);
	s.site.queue = open_queue();
	assert_int_equal(service_open(&s.service, &s.site, socket_path), OK);
	assert_int_equal(pipe(s.stop), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
	assert_int_equal(ask(IPC_STATUS, NULL, 1000), OK);
	assert_int_equal(ask_as_nobody(IPC_STATUS, NULL), OK);
	assert_int_equal(ask_as_nobody(IPC_ENROL, "token"), ERR_DENIED);
	assert_int_equal(ask_as_nobody(IPC_OUTBOX_NEXT, NULL), ERR_DENIED);
	assert_int_equal(ask_as_nobody(IPC_SYNC, NULL), ERR_BUSY); /* taken on: no answer within 300 ms */
	assert_int_equal(ask(IPC_USER_REMOVE, "alice", 1000), ERR_UNSUPPORTED);
	assert_null(s.site.jobs.token);
	assert_int_equal(s.site.jobs.sync_asked, 1);
	assert_int_equal(ask(IPC_ENROL, "token", 100), ERR_BUSY);
	assert_string_equal(s.site.jobs.token, "token");
	assert_int_equal(ask(IPC_ENROL, "token", 1000), ERR_BUSY); /* refused: one is under way */
	assert_int_equal(connections_of_nobody(), SERVICE_CLIENTS_UID);
	assert_int_equal(ask(IPC_STATUS, NULL, 1000), OK);
	close(s.stop[1]);
	pthread_join(thread, NULL);
	close(s.stop[0]);
	service_close(&s.service);
	site_drop(&s.site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_everything_is_moved, set_up),
		cmocka_unit_test_setup(test_lost_acknowledgement_repeats_nothing, set_up),
		cmocka_unit_test_setup(test_what_does_not_fit_is_not_acknowledged, set_up),
		cmocka_unit_test_setup(test_nobody_listens, set_up),
		cmocka_unit_test_setup(test_who_may_ask_for_what, set_up),
	};
	char command[160];
	int failures;

	if (sodium_init() < 0 || !mkdtemp(folder))
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/test.sock", folder);
	snprintf(queue_path, sizeof(queue_path), "%s/queue.db", folder);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : failures;
}
