/* Events as officers see them: what a laptop told, newest first. */
#include <string.h>

#include "front.h"
#include "handlers.h"

#define EVENTS_PAGE 100
#define EVENTS_PAGE_BYTES ((size_t)256 << 10) /* one is always told */

struct page {
	json_t *list;
	size_t bytes;
	int more;
};

static enum err page_add(struct page *p, const struct db_rows *rows)
{
	size_t count = json_array_size(p->list), len = strlen(db_text(rows, 3));

	p->more = count == EVENTS_PAGE || (count && p->bytes + len > EVENTS_PAGE_BYTES);
	if (p->more)
		return ERR_NOT_FOUND;
	p->bytes += len;
	return json_array_append_new(p->list, json_pack("{s:I,s:s,s:I,s:s}", "n",
							(json_int_t)db_number(rows, 0), "kind",
							db_text(rows, 1), "received",
							(json_int_t)db_number(rows, 2), "event",
							db_text(rows, 3)))
		       ? ERR_MEMORY
		       : OK;
}

static enum err page_read(struct page *p, struct front *f, const char *device, uint64_t before)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db,
			      "SELECT n, kind, received, jws FROM events WHERE device = ? AND n < ?"
			      " ORDER BY n DESC LIMIT 101",
			      "tn", device, before);

	while (!e && !(e = db_next(&rows)))
		e = page_add(p, &rows);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err front_do_event_list(struct front *f, struct request *r)
{
	JSON *list = json_array();
	struct page p = { .list = list };
	struct front_device d;
	uint64_t before = INT64_MAX;
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (!e)
		e = request_number(&before, r, "before", INT64_MAX);
	if (!e)
		e = page_read(&p, f, d.id, before);
	if (e)
		return e;
	r->answer = json_pack("{s:O,s:b}", "events", list, "more", p.more);
	return r->answer ? OK : ERR_MEMORY;
}
