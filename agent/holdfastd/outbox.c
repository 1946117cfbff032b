#include "outbox.h"

#include <unistd.h>

#include "agent/ipc.h"

#define ANSWER_MS 15000

void outbox_close(struct outbox *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

/* A question that failed without an answer leaves the connection out of step: close it. */
static enum err ask(struct ipc_message *ret, struct outbox *o, const struct ipc_message *question)
{
	enum err e = ipc_call(ret, NULL, o->fd, question, ANSWER_MS);

	if (e && !ret->type)
		outbox_close(o);
	return e;
}

static enum err done(struct outbox *o, uint64_t number)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_OUTBOX_DONE);
	ipc_add_number(&question, number);
	return ask(&answer, o, &question);
}

/* One message. *ret_number 0: there was none. */
static enum err move(uint64_t *ret_number, struct outbox *o, struct queue *q)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	enum queue_class class;
	enum err e;

	ipc_start(&question, IPC_OUTBOX_NEXT);
	e = ask(&answer, o, &question);
	if (e)
		return e;
	*ret_number = answer.value[0].number;
	if (!*ret_number)
		return OK;
	class = answer.value[1].number == IPC_OUTBOX_ESCROW ? QUEUE_ESCROW : QUEUE_EVENT;
	e = queue_put(q, class, answer.value[2].text, answer.value[3].text);
	return e ? e : done(o, *ret_number);
}

enum err outbox_drain(unsigned *ret_moved, struct outbox *o, struct queue *q)
{
	uint64_t number = 0;
	enum err e = o->fd < 0 ? ipc_connect(&o->fd, o->path) : OK;

	*ret_moved = 0;
	while (!e) {
		e = move(&number, o, q);
		if (e || !number)
			break;
		++*ret_moved;
	}
	return e;
}

void outbox_read(struct outbox *o)
{
	IPC_MESSAGE m = { 0 };

	if (ipc_receive(&m, o->fd, 0) || m.type != IPC_NOTIFY)
		outbox_close(o);
}
