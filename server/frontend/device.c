/* Devices as the frontend knows them: found by id, tag or name. */
#include <string.h>

#include "front.h"
#include "server/log.h"

static const char by_id[] =
	"SELECT id, name, enrolment, state, scope, enrolled, last_contact, policy_version"
	" FROM devices WHERE id = ? LIMIT 2";
static const char by_tag[] =
	"SELECT id, name, enrolment, state, scope, enrolled, last_contact, policy_version"
	" FROM devices WHERE tag = ? LIMIT 2";
static const char by_name[] =
	"SELECT id, name, enrolment, state, scope, enrolled, last_contact, policy_version"
	" FROM devices WHERE name = ? LIMIT 2";

static void read_row(struct front_device *ret, const struct db_rows *rows)
{
	snprintf(ret->id, sizeof(ret->id), "%s", db_text(rows, 0));
	snprintf(ret->name, sizeof(ret->name), "%s", db_text(rows, 1));
	snprintf(ret->enrolment, sizeof(ret->enrolment), "%s", db_text(rows, 2));
	snprintf(ret->state, sizeof(ret->state), "%s", db_text(rows, 3));
	snprintf(ret->scope, sizeof(ret->scope), "%s", db_text(rows, 4));
	ret->enrolled = db_number(rows, 5);
	ret->last_contact = db_number(rows, 6);
	ret->policy_version = db_number(rows, 7);
}

static enum err find_one(struct front_device *ret, struct front *f, const char *sql,
			 const char *text)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db, sql, "t", text);

	if (!e)
		e = db_next(&rows);
	if (e)
		return e;
	read_row(ret, &rows);
	e = db_next(&rows);
	return e == ERR_NOT_FOUND ? OK : e ? e : ERR_EXISTS;
}

enum err front_device_find(struct front_device *ret, struct front *f, struct request *r,
			   const char *text)
{
	enum err e = find_one(ret, f, by_id, text);

	if (e == ERR_NOT_FOUND)
		e = find_one(ret, f, by_tag, text);
	if (e == ERR_NOT_FOUND)
		e = find_one(ret, f, by_name, text);
	if (e == ERR_NOT_FOUND)
		return fault_say(&r->fault, FAULT_NOT_FOUND, e,
				 "no device has this id, tag or name");
	if (e == ERR_EXISTS)
		return fault_say(&r->fault, FAULT_AMBIGUOUS, e, "several devices have this name");
	return e;
}

void front_device_seen(struct front *f, const char *device)
{
	uint64_t now = front_now();
	enum err e = db_run(f->db,
			    "UPDATE devices SET last_contact = ? WHERE id = ? AND"
			    " (last_contact < ? OR last_contact > ?)",
			    "ntnn", now, device, now - 30, now);

	if (e)
		log_line("cannot note the last contact of %s: %s. Check free space", device,
			 err_text(e));
}
