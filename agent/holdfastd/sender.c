#include "sender.h"

#include <stdio.h>
#include <string.h>

#include "link.h"

#define POST_TIMEOUT_MS 60000

static const struct route {
	const char *path, *member;
} routes[] = {
	[QUEUE_ESCROW] = { "/v1/escrow", "records" },
	[QUEUE_EVENT] = { "/v1/events", "events" },
};

static enum err say(struct channel *c, enum err e, const char *what)
{
	snprintf(c->problem, sizeof(c->problem), "%s: %s", what, err_text(e));
	return e;
}

/* Volumed learns of an escrow receipt as a whole, of an event by its id. */
static enum err tell_volumed(struct link *l, const struct queue_item *item)
{
	return item->class == QUEUE_ESCROW ? link_receipt(l, item->receipt) : link_sent(l, item->id);
}

/* What has a receipt leaves the queue once volumed knows. An item that volumed does not want to know of
 * is safe with the server all the same. */
static enum err settle(struct channel *c)
{
	struct link l = { .path = c->site->volumed_path };
	enum err e = OK;

	for (;;) {
		QUEUE_BATCH b = { 0 };

		e = queue_receipted(&b, c->site->queue);
		if (e || !b.count)
			return e ? say(c, e, "the event queue") : OK;
		for (size_t i = 0; i < b.count; i++) {
			e = tell_volumed(&l, &b.items[i]);
			if (e && !link_is_final(&l, e))
				return say(c, e, "holdfast-volumed does not take a receipt");
			e = queue_remove(c->site->queue, b.items[i].id);
			if (e)
				return say(c, e, "the event queue");
		}
	}
}

static json_t *body_of(const struct queue_batch *b)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < b->count; i++)
		if (json_array_append_new(list, json_string(b->items[i].body))) {
			json_decref(list);
			return NULL;
		}
	return list ? json_pack("{s:o}", routes[b->items[0].class].member, list) : NULL;
}

static enum err keep_receipts(struct channel *c, const struct queue_batch *b, const json_t *answer)
{
	const char *receipt;
	enum err e = json_get_string(&receipt, answer, "receipt");

	for (size_t i = 0; !e && i < b->count; i++)
		e = queue_receipt(c->site->queue, b->items[i].id, receipt, &c->party);
	return e ? say(c, e, "the server's receipt does not hold, the events stay in the queue") : OK;
}

/* A status by which the server says that this very request will never do. */
static int is_rejection(int status)
{
	return status == 400 || status == 409 || status == 413 || status == 422;
}

static enum err post(int *ret_rejected, struct channel *c, const struct queue_batch *b)
{
	CHANNEL_ANSWER a = { 0 };
	JSON *body = body_of(b);
	enum err e;

	if (!body)
		return say(c, ERR_MEMORY, "sending");
	e = channel_call(&a, c, "POST", routes[b->items[0].class].path, body, POST_TIMEOUT_MS);
	if (e)
		return e;
	*ret_rejected = is_rejection(a.status);
	if (*ret_rejected)
		return OK;
	return a.status / 100 == 2 ? keep_receipts(c, b, a.body) : ERR_NETWORK;
}

static enum err set_aside(struct channel *c, const struct queue_item *item)
{
	char text[CONTACT_TEXT];
	enum err e = queue_refuse(c->site->queue, item->id);

	if (e)
		return say(c, e, "the event queue");
	snprintf(text, sizeof(text), "an event is kept back (%s): %.200s; tried again by: holdfast sync",
		 item->id, c->problem);
	contact_problem(&c->site->contact, CONTACT_REFUSED, text, 0);
	return OK;
}

/* A rejected batch is sent again item by item, so that one bad item holds up nothing. */
enum err sender_run(struct channel *c)
{
	size_t max = QUEUE_BATCH_ITEMS;
	enum err e;

	for (;;) {
		QUEUE_BATCH b = { 0 };
		int rejected = 0;

		e = settle(c);
		if (e)
			return e;
		e = queue_next(&b, c->site->queue, max);
		if (e || !b.count)
			return e ? say(c, e, "the event queue") : OK;
		e = post(&rejected, c, &b);
		if (!e && rejected && b.count == 1)
			e = set_aside(c, &b.items[0]);
		if (e)
			return e;
		max = rejected && b.count > 1 ? 1 : 2 * max;
		if (max > QUEUE_BATCH_ITEMS)
			max = QUEUE_BATCH_ITEMS;
	}
}
