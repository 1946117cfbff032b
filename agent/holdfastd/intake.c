#include "intake.h"

#include <unistd.h>

#include "agent/ipc.h"

#define ANSWER_MS 15000

void intake_close(struct intake *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

/* A question that failed without an answer leaves the connection out of step: close it. */
static enum err ask(struct ipc_message *ret, struct intake *in, const struct ipc_message *question)
{
	enum err e = ipc_call(ret, NULL, in->fd, question, ANSWER_MS);

	if (e && !ret->type)
		intake_close(in);
	return e;
}

static enum err done(struct intake *in, uint64_t number)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_OUTBOX_DONE);
	ipc_add_number(&question, number);
	return ask(&answer, in, &question);
}

/* One message. *ret_number 0: there was none. */
static enum err move(uint64_t *ret_number, struct intake *in, struct queue *q)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	enum queue_class class;
	enum err e;

	ipc_start(&question, IPC_OUTBOX_NEXT);
	e = ask(&answer, in, &question);
	if (e)
		return e;
	*ret_number = answer.value[0].number;
	if (!*ret_number)
		return OK;
	class = answer.value[1].number == IPC_OUTBOX_ESCROW ? QUEUE_ESCROW : QUEUE_EVENT;
	e = queue_put(q, class, answer.value[2].text, answer.value[3].text);
	return e ? e : done(in, *ret_number);
}

enum err intake_drain(unsigned *ret_moved, struct intake *in, struct queue *q)
{
	uint64_t number = 0;
	enum err e = in->fd < 0 ? ipc_connect(&in->fd, in->path) : OK;

	*ret_moved = 0;
	while (!e) {
		e = move(&number, in, q);
		if (e || !number)
			break;
		++*ret_moved;
	}
	return e;
}

void intake_read(struct intake *in)
{
	IPC_MESSAGE m = { 0 };

	if (ipc_receive(&m, in->fd, 0) || m.type != IPC_NOTIFY)
		intake_close(in);
}
