/* Requests of laptops: commands, events, escrow, policy. */
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "handlers.h"
#include "server/log.h"

#define BATCH_MAX 64
#define COMMANDS_MAX 16

/* Remember until when; 1 when that time has come. */
static int wait_over(struct request *r, uint64_t wait_s)
{
	if (wait_s > REQUEST_WAIT_MAX)
		wait_s = REQUEST_WAIT_MAX;
	if (!r->wait_until_ms)
		r->wait_until_ms = front_now_ms() + wait_s * 1000;
	return r->wait_until_ms == 1 || front_now_ms() >= r->wait_until_ms;
}

static enum err open_commands(json_t *list, json_t *ids, struct front *f, const char *device,
			      uint64_t after)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db,
			      "SELECT id, jws, certs FROM commands WHERE device = ?"
			      " AND state IN ('waiting', 'delivered') AND (is_kill OR sequence > ?)"
			      " ORDER BY is_kill DESC, sequence LIMIT 16",
			      "tn", device, after);

	while (!e && !(e = db_next(&rows))) {
		json_t *certs = NULL;

		e = json_parse(&certs, db_text(&rows, 2), strlen(db_text(&rows, 2)));
		if (!e &&
		    (json_array_append_new(list, json_pack("{s:s,s:o}", "command",
							   db_text(&rows, 1), "certs", certs)) ||
		     json_array_append_new(ids, json_string(db_text(&rows, 0)))))
			e = ERR_MEMORY;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err mark_delivered(struct front *f, const json_t *ids)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < json_array_size(ids); i++)
		e = db_run(
			f->db,
			"UPDATE commands SET state = 'delivered' WHERE id = ? AND state = 'waiting'",
			"t", json_string_value(json_array_get(ids, i)));
	return e;
}

enum err front_do_commands(struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	JSON *list = json_array(), *ids = json_array();
	uint64_t after = 0, wait = 0, heard = 0;
	enum err e = s ? request_number(&after, r, "after", 0) : ERR_STATE;

	if (!e)
		e = request_number(&wait, r, "wait", 0);
	if (!e)
		e = request_number(&heard, r, "policy", f->policy.version);
	if (!e)
		e = open_commands(list, ids, f, s->device, after);
	if (e)
		return e;
	front_device_seen(f, s->device);
	if (!r->seen)
		r->seen = f->policy.version + 1;
	memcpy(r->wait_key, s->device, sizeof(r->wait_key));
	if (!json_array_size(list) && heard == f->policy.version &&
	    r->seen == f->policy.version + 1 && !wait_over(r, wait))
		return OK;
	r->wait_until_ms = 0;
	r->answer = json_pack("{s:O,s:I}", "commands", list, "policy_version",
			      (json_int_t)f->policy.version);
	e = mark_delivered(f, ids);
	return e ? e : r->answer ? OK : ERR_MEMORY;
}

/* What the server learns from an event that it has not seen before. */
static enum err learn(struct front *f, const char *device, const json_t *event, const char *jws)
{
	const char *kind, *id;
	json_t *detail = NULL;
	uint64_t version;

	if (json_get_string(&kind, event, "kind") || json_get_object(&detail, event, "detail"))
		return OK;
	if (!strcmp(kind, "policy-enforced") && !json_get_u64(&version, detail, "version"))
		return db_run(f->db, "UPDATE devices SET policy_version = ? WHERE id = ?", "nt",
			      version, device);
	if (strcmp(kind, "command-done") && strcmp(kind, "command-refused"))
		return OK;
	if (json_get_string(&id, detail, "id"))
		return OK;
	return db_run(f->db,
		      "UPDATE commands SET state = ?, result = ? WHERE id = ? AND device = ?"
		      " AND state IN ('waiting', 'delivered')",
		      "tttt", kind + strlen("command-"), jws, id, device);
}

static enum err learn_kill(struct front *f, const char *device, const json_t *event)
{
	const char *kind, *command;
	json_t *detail = NULL;
	enum err e;

	if (json_get_string(&kind, event, "kind") || strcmp(kind, "command-done") ||
	    json_get_object(&detail, event, "detail") ||
	    json_get_string(&command, detail, "command") || strcmp(command, "kill"))
		return OK;
	e = db_run(f->db, "UPDATE devices SET state = 'killed' WHERE id = ?", "t", device);
	return e ? e : front_audit(f, device, "killed", device, "ok", "proof received");
}

struct event {
	const char *id, *jws, *kind;
	uint64_t time;
	json_t *payload;
};

static enum err event_store(struct front *f, const char *device, const struct event *v)
{
	enum err e = db_run(f->db,
			    "INSERT INTO events (id, device, kind, time, received, jws)"
			    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device, id) DO NOTHING",
			    "tttnnt", v->id, device, v->kind, v->time, front_now(), v->jws);

	if (e || db_changes(f->db) != 1)
		return e;
	e = learn(f, device, v->payload, v->jws);
	return e ? e : learn_kill(f, device, v->payload);
}

static enum err event_check(struct event *ret, const json_t *text,
			    const struct sign_pk *attestation, const char *device)
{
	const char *named;
	enum err e = ERR_FORMAT;

	ret->jws = json_string_value(text);
	if (ret->jws)
		e = jws_verify(&ret->payload, "holdfast-event", ret->jws, attestation);
	if (!e && (json_get_string(&ret->id, ret->payload, "id") ||
		   json_get_string(&ret->kind, ret->payload, "kind") ||
		   json_get_u64(&ret->time, ret->payload, "time") ||
		   json_get_string(&named, ret->payload, "device") ||
		   !name_is_hex(ret->id, ID_TEXT - 1) || strlen(ret->kind) > 64))
		e = ERR_FORMAT;
	if (!e && strcmp(named, device))
		e = ERR_MISDIRECTED;
	return e;
}

static enum err attestation_of(struct sign_pk *ret, struct front *f, const char *device)
{
	DB_ROWS rows = { 0 };
	JSON *jwk = NULL;
	enum err e = db_query(&rows, f->db, "SELECT attestation FROM devices WHERE id = ?", "t",
			      device);

	if (!e)
		e = db_next(&rows);
	if (!e)
		e = json_parse(&jwk, db_text(&rows, 0), strlen(db_text(&rows, 0)));
	return e ? e : jwk_to_sign(ret, jwk);
}

/* Is each event there as it was sent? After the commit: what is receipted is what the file holds.
 * *ret_newest makes the receipt of a repeated request the same. */
static enum err events_read_back(uint64_t *ret_newest, struct front *f, struct request *r,
				 const char *device, const json_t *array)
{
	uint64_t newest = 0;
	enum err e = OK;

	for (size_t i = 0; !e && i < json_array_size(array); i++) {
		const char *jws = json_string_value(json_array_get(array, i));
		DB_ROWS rows = { 0 };
		JSON *o = NULL;
		const char *id;

		e = jws_peek(&o, NULL, "holdfast-event", jws);
		if (!e)
			e = json_get_string(&id, o, "id");
		if (!e)
			e = db_query(&rows, f->db,
				     "SELECT jws, received FROM events WHERE device = ? AND id = ?",
				     "tt", device, id);
		if (!e)
			e = db_next(&rows);
		if (!e && strcmp(db_text(&rows, 0), jws))
			e = fault_say(&r->fault, FAULT_EXISTS, ERR_EXISTS,
				      "event %zu: the id is there with other bytes", i);
		if (!e && db_number(&rows, 1) > newest)
			newest = db_number(&rows, 1);
	}
	*ret_newest = newest;
	return e;
}

static enum err events_store(struct front *f, struct request *r, const char *device,
			     const json_t *array)
{
	struct sign_pk attestation;
	uint64_t newest;
	enum err e = attestation_of(&attestation, f, device);

	if (!e)
		e = db_begin(f->db);
	for (size_t i = 0; !e && i < json_array_size(array); i++) {
		struct event v = { 0 };

		e = event_check(&v, json_array_get(array, i), &attestation, device);
		if (e)
			(void)fault_say(&r->fault, FAULT_REFUSED, e, "event %zu: %s", i,
					err_text(e));
		else
			e = event_store(f, device, &v);
		json_decref(v.payload);
	}
	/* All or nothing, also when an id is there with other bytes. */
	if (!e)
		e = events_read_back(&newest, f, r, device, array);
	if (!e)
		e = db_commit(f->db);
	if (e)
		db_rollback(f->db);
	return e;
}

static enum err ask_receipt(struct front *f, struct request *r, const json_t *array,
			    const uint64_t *time)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	TEXT *text = NULL;
	enum err e = json_print(&text, array);

	if (e)
		return e;
	vaultmsg_start(&ask, time ? VAULT_EVENTS : VAULT_ESCROW_PUT);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, text);
	if (time)
		vaultmsg_add_number(&ask, *time);
	e = front_ask(&answer, f, r, &ask);
	if (e)
		return e;
	r->answer = json_pack("{s:s}", "receipt", answer.value[0].text);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err batch_of(json_t **ret, struct request *r, const char *member)
{
	if (json_get_array(ret, r->json, member) || !json_array_size(*ret) ||
	    json_array_size(*ret) > BATCH_MAX)
		return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_FORMAT, "%s: 1 to %d are needed",
				 member, BATCH_MAX);
	return OK;
}

enum err front_do_events(struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	json_t *array = NULL;
	uint64_t newest;
	enum err e = batch_of(&array, r, "events");

	if (!e)
		e = events_store(f, r, s->device, array);
	if (!e)
		e = events_read_back(&newest, f, r, s->device, array);
	if (!e)
		e = ask_receipt(f, r, array, &newest);
	front_device_seen(f, s->device);
	front_wake(f, s->device);
	return e;
}

enum err front_do_escrow(struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	char detail[48];
	json_t *array = NULL;
	enum err e = batch_of(&array, r, "records");

	if (!e)
		e = ask_receipt(f, r, array, NULL);
	snprintf(detail, sizeof(detail), "%zu records", json_array_size(array));
	if (!e)
		e = front_audit(f, s->entry.owner, "escrow", s->device, "ok", detail);
	return e;
}

enum err front_do_time(struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	VAULTMSG ask = { 0 }, answer = { 0 };
	enum err e;

	vaultmsg_start(&ask, VAULT_TIME);
	vaultmsg_add_text(&ask, r->sid);
	e = front_ask(&answer, f, r, &ask);
	if (e)
		return e;
	front_device_seen(f, s->device);
	r->answer = json_pack("{s:s}", "time", answer.value[0].text);
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_policy(struct front *f, struct request *r)
{
	r->answer = json_pack("{s:s,s:O,s:I}", "policy", f->policy.jws, "certs", f->policy.certs,
			      "version", (json_int_t)f->policy.version);
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_command_wait(struct front *f, struct request *r)
{
	struct front_device d;
	DB_ROWS rows = { 0 };
	uint64_t wait = 0;
	const char *state;
	enum err e = request_number(&wait, r, "wait", 0);

	if (!e)
		e = front_device_find(&d, f, r, r->param[0]);
	if (!e)
		e = db_query(&rows, f->db,
			     "SELECT state, result FROM commands WHERE id = ? AND device = ?", "tt",
			     r->param[1], d.id);
	if (!e)
		e = db_next(&rows);
	if (e)
		return e == ERR_NOT_FOUND
			       ? fault_say(&r->fault, FAULT_NOT_FOUND, e, "no such command")
			       : e;
	state = db_text(&rows, 0);
	memcpy(r->wait_key, d.id, sizeof(r->wait_key));
	if (strcmp(state, "done") && strcmp(state, "refused") && !wait_over(r, wait))
		return OK;
	r->wait_until_ms = 0;
	r->answer = json_pack("{s:s,s:s?}", "state", state, "result",
			      db_is_null(&rows, 1) ? NULL : db_text(&rows, 1));
	return r->answer ? OK : ERR_MEMORY;
}
