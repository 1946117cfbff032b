/* Requests of officers, but for commands. What the vault decides is asked there; here it is put on
 * record and passed on. */
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "handlers.h"

#define DEVICES_PAGE 500
#define AUDIT_PAGE 500
#define REASON_MAX 500

/* An answer that is the vault's JSON text, whole or as a member. */
static enum err pass_on(struct request *r, const char *text, const char *member)
{
	JSON *o = NULL;
	enum err e = json_parse(&o, text, strlen(text));

	if (e)
		return e;
	r->answer = member ? json_pack("{s:O}", member, o) : json_incref(o);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err ask_simple(struct front *f, struct request *r, uint16_t type, const char *member)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	enum err e;

	vaultmsg_start(&ask, type);
	vaultmsg_add_text(&ask, r->sid);
	e = front_ask(&answer, f, r, &ask);
	return e ? e : pass_on(r, answer.value[0].text, member);
}

enum err front_do_me(struct front *f, struct request *r)
{
	return ask_simple(f, r, VAULT_ME, NULL);
}

enum err front_do_trust(struct front *f, struct request *r)
{
	return ask_simple(f, r, VAULT_TRUST, NULL);
}

enum err front_do_officers(struct front *f, struct request *r)
{
	return ask_simple(f, r, VAULT_OFFICERS, "officers");
}

enum err front_do_officer_add(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	TEXT *text = NULL;
	enum err e = json_is_object(r->json) ? json_print(&text, r->json) : ERR_FORMAT;

	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_OFFICER_ADD);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, text);
	e = front_ask(&answer, f, r, &ask);
	if (e)
		return e;
	snprintf(r->detail, sizeof(r->detail), "%s", answer.value[0].text);
	r->status = 201;
	r->answer = json_pack("{s:s}", "name", answer.value[0].text);
	return r->answer ? OK : ERR_MEMORY;
}

static json_t *summary(const struct front_device *d)
{
	char tag[TAG_DIGITS + 1];

	snprintf(tag, sizeof(tag), "%.*s", TAG_DIGITS, d->id);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "device", d->id, "name", d->name,
			 "tag", tag, "enrolment", d->enrolment, "state", d->state, "enrolled",
			 (json_int_t)d->enrolled, "last_contact", (json_int_t)d->last_contact,
			 "policy_version", (json_int_t)d->policy_version);
}

static enum err list_ids(json_t *ids, struct front *f, const char *after)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db,
			      "SELECT id FROM devices WHERE id > ? ORDER BY id LIMIT 501", "t",
			      after);

	while (!e && !(e = db_next(&rows)))
		if (json_array_append_new(ids, json_string(db_text(&rows, 0))))
			e = ERR_MEMORY;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err front_do_devices(struct front *f, struct request *r)
{
	JSON *ids = json_array(), *list = json_array();
	char after[ID_TEXT];
	struct front_device d;
	size_t n;
	enum err e = request_text(after, sizeof(after), r, "after");

	if (!e)
		e = list_ids(ids, f, after);
	n = json_array_size(ids);
	for (size_t i = 0; !e && i < n && i < DEVICES_PAGE; i++) {
		e = front_device_find(&d, f, r, json_string_value(json_array_get(ids, i)));
		if (!e && json_array_append_new(list, summary(&d)))
			e = ERR_MEMORY;
	}
	if (e)
		return e;
	r->answer = json_pack("{s:O,s:b}", "devices", list, "more", n > DEVICES_PAGE);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err ask_device(json_t **ret, struct front *f, struct request *r, uint16_t type,
			   const char *device)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	enum err e;

	vaultmsg_start(&ask, type);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, device);
	e = front_ask(&answer, f, r, &ask);
	return e ? e : json_parse(ret, answer.value[0].text, answer.value[0].len);
}

/* Detail of the newest event "status"; null when there is none. */
static enum err add_status(json_t *o, struct front *f, const char *device)
{
	DB_ROWS rows = { 0 };
	JSON *event = NULL;
	enum err e = db_query(&rows, f->db,
			      "SELECT jws FROM events WHERE device = ? AND kind = 'status'"
			      " ORDER BY n DESC LIMIT 1",
			      "t", device);

	if (!e)
		e = db_next(&rows);
	if (!e)
		e = jws_peek(&event, NULL, "holdfast-event", db_text(&rows, 0));
	if (e && e != ERR_NOT_FOUND)
		return e;
	return json_object_set_new(o, "status",
				   e ? json_null() : json_incref(json_object_get(event, "detail")))
		       ? ERR_MEMORY
		       : OK;
}

static enum err add_kill_proof(json_t *o, struct front *f, const char *device)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db,
			      "SELECT result FROM commands WHERE device = ? AND is_kill"
			      " AND state = 'done' ORDER BY sequence DESC LIMIT 1",
			      "t", device);

	if (!e)
		e = db_next(&rows);
	if (e && e != ERR_NOT_FOUND)
		return e;
	return json_object_set_new(o, "kill_proof",
				   e ? json_null() : json_string(db_text(&rows, 0)))
		       ? ERR_MEMORY
		       : OK;
}

enum err front_do_device(struct front *f, struct request *r)
{
	struct front_device d;
	JSON *o = NULL, *vault = NULL, *escrow = NULL;
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (!e)
		e = ask_device(&vault, f, r, VAULT_DEVICE, d.id);
	if (!e)
		e = ask_device(&escrow, f, r, VAULT_ESCROW_LIST, d.id);
	if (e)
		return e;
	o = summary(&d);
	if (!o || json_object_update(o, vault) || json_object_set(o, "escrow", escrow) ||
	    json_object_set_new(o, "scope", json_string(d.scope)))
		return ERR_MEMORY;
	e = add_status(o, f, d.id);
	if (!e)
		e = add_kill_proof(o, f, d.id);
	if (!e)
		r->answer = json_incref(o);
	return e;
}

enum err front_do_escrow_list(struct front *f, struct request *r)
{
	struct front_device d;
	JSON *list = NULL;
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (!e)
		e = ask_device(&list, f, r, VAULT_ESCROW_LIST, d.id);
	if (e)
		return e;
	r->answer = json_pack("{s:O}", "records", list);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err ask_release(struct front *f, struct request *r, const char *device,
			    const char *reason)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	JSON *jwk = NULL;
	enum err e;

	vaultmsg_start(&ask, VAULT_ESCROW_RELEASE);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, device);
	vaultmsg_add_text(&ask, r->param[1]);
	vaultmsg_add_text(&ask, reason);
	e = front_ask(&answer, f, r, &ask);
	if (!e)
		e = json_parse(&jwk, answer.value[1].text, answer.value[1].len);
	if (e)
		return e;
	r->answer = json_pack("{s:s,s:O}", "record", answer.value[0].text, "attestation", jwk);
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_release(struct front *f, struct request *r)
{
	struct front_device d;
	const char *reason = "";
	char detail[REASON_MAX + 80];
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (e)
		return e;
	if (json_get_string(&reason, r->json, "reason") || !*reason || strlen(reason) > REASON_MAX)
		return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_RANGE,
				 "reason: 1 to %d bytes are needed", REASON_MAX);
	snprintf(r->detail, sizeof(r->detail), "record %s", r->param[1]);
	snprintf(detail, sizeof(detail), "record %s: %s", r->param[1], reason);
	/* On record before anything is handed out. */
	e = front_audit(f, r->actor, "release", d.id, "asked", detail);
	return e ? e : ask_release(f, r, d.id, reason);
}

enum err front_do_token(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	uint64_t expires_in, uses;
	enum err e = json_get_u64(&expires_in, r->json, "expires_in");

	if (!e)
		e = json_get_u64(&uses, r->json, "uses");
	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_TOKEN_NEW);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_number(&ask, expires_in);
	vaultmsg_add_number(&ask, uses);
	e = front_ask(&answer, f, r, &ask);
	if (e)
		return e;
	snprintf(r->detail, sizeof(r->detail), "token %s", answer.value[0].text);
	r->status = 201;
	r->answer = json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "id", answer.value[0].text, "secret",
			      answer.value[1].text, "expires", (json_int_t)answer.value[2].number,
			      "uses", (json_int_t)uses, "url", f->url, "enterprise",
			      answer.value[3].text);
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_policy_draft(struct front *f, struct request *r)
{
	r->answer = json_pack("{s:I,s:s,s:O,s:O}", "version", (json_int_t)f->policy.version,
			      "policy", f->policy.jws, "certs", f->policy.certs, "settings",
			      f->policy.settings);
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_policy_put(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	const char *jws;
	enum err e = json_get_string(&jws, r->json, "policy");

	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_POLICY_PUT);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, jws);
	e = front_ask(&answer, f, r, &ask);
	if (!e)
		e = front_policy_take(f, &answer, 0);
	if (e)
		return e;
	front_wake(f, NULL);
	snprintf(r->detail, sizeof(r->detail), "version %llu",
		 (unsigned long long)f->policy.version);
	r->answer = json_pack("{s:I}", "version", (json_int_t)f->policy.version);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err audit_page(json_t *list, int *ret_more, struct front *f, uint64_t after)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, f->db,
			      "SELECT n, entry, hash FROM audit WHERE n > ? ORDER BY n LIMIT 501",
			      "n", after);

	while (!e && !(e = db_next(&rows))) {
		TEXT *hash = NULL;
		const void *bytes = db_bytes(&rows, 2, DIGEST_BYTES);

		if (json_array_size(list) == AUDIT_PAGE) {
			*ret_more = 1;
			return OK;
		}
		e = bytes ? b64_encode(&hash, bytes, DIGEST_BYTES) : ERR_CHANGED;
		if (!e &&
		    json_array_append_new(list, json_pack("{s:I,s:s,s:s}", "n",
							  (json_int_t)db_number(&rows, 0), "entry",
							  db_text(&rows, 1), "hash", hash)))
			e = ERR_MEMORY;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err front_do_audit(struct front *f, struct request *r)
{
	JSON *list = json_array();
	uint64_t after = 0;
	int more = 0;
	enum err e = request_number(&after, r, "after", 0);

	if (e)
		return e;
	front_checkpoint(f);
	e = audit_page(list, &more, f, after);
	if (e)
		return e;
	r->answer = json_pack("{s:O,s:b,s:s?}", "entries", list, "more", more, "checkpoint",
			      f->checkpoint);
	return r->answer ? OK : ERR_MEMORY;
}
