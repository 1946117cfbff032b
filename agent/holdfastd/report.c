#include "report.h"

#include <string.h>

#include "link.h"

#define VOLUMED_MS 2500

static json_t *without_volumed(const struct link *l, enum err e)
{
	const char *problem = e == ERR_BUSY ? "holdfast-volumed is busy" :
			      l->refused && *l->about ? l->about :
			      "holdfast-volumed is not running: systemctl start holdfast-volumed";

	return json_pack("{s:s, s:s}", "state", e == ERR_BUSY ? "busy" : "unknown", "problem", problem);
}

static json_t *ask_volumed(struct site *s)
{
	struct link l = { .path = s->volumed_path };
	TEXT *text = NULL;
	json_t *o = NULL;
	enum err e = link_status(&text, &l, VOLUMED_MS);

	if (!e)
		e = json_parse(&o, text, strlen(text));
	if (!e && json_is_object(o))
		return o;
	json_decref(o);
	return without_volumed(&l, e);
}

static json_t *queue_json(struct queue *q)
{
	struct queue_counts n = { 0 };

	if (queue_count(&n, q))
		return json_null();
	return json_pack("{s:I, s:I, s:I}", "escrow", (json_int_t)n.escrow, "events",
			 (json_int_t)n.events, "kept_back", (json_int_t)n.refused);
}

enum err report_make(char **ret, struct site *s)
{
	JSON *o = ask_volumed(s);
	json_t *network = contact_json(&s->contact);

	if (!o || !network || json_object_set_new(network, "queue", queue_json(s->queue))) {
		json_decref(network);
		return ERR_MEMORY;
	}
	if (json_object_set_new(o, "network", network))
		return ERR_MEMORY;
	return json_print(ret, o);
}
