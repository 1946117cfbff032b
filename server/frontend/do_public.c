/* Requests without a session: health, claim, sign-in parameters, enrolment; and those that make
 * one. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "handlers.h"
#include "server/log.h"

enum err front_do_health(struct front *f, struct request *r)
{
	r->answer = json_pack("{s:s,s:s?}", "status", "ok", "enterprise",
			      *f->enterprise ? f->enterprise : NULL);
	return r->answer ? OK : ERR_MEMORY;
}

#define TRIES_BYTES 160

/* Whose failures add up. At signing in: this name from this address, so that nobody can lock out an
 * officer from elsewhere, nor laptops that are refused everybody else behind the same proxy. */
static unsigned tries_key(char ret[TRIES_BYTES], const struct request *r, const char *name)
{
	snprintf(ret, TRIES_BYTES, "%s %s", r->address, name ? name : "");
	return name ? LIMIT_NAME : LIMIT_ADDRESS;
}

static enum err may_try(struct front *f, struct request *r, const char *name)
{
	char key[TRIES_BYTES];
	unsigned most = tries_key(key, r, name);
	unsigned wait = limit_wait(&f->limit, key, most, sidmap_now());

	if (!wait)
		return OK;
	r->retry_after_s = wait;
	return fault_say(&r->fault, FAULT_SLOW_DOWN, ERR_BUSY, "too many failures: wait %u seconds",
			 wait);
}

/* A failure that tells of guessing counts, and is on record; but not all of a flood, which would fill
 * the disk. */
static void failed(struct front *f, struct request *r, const char *action, const char *name)
{
	uint64_t now = sidmap_now();
	char key[TRIES_BYTES], actor[80];

	if (fault_status(r->fault.code) != 401 && fault_status(r->fault.code) != 403)
		return;
	tries_key(key, r, name);
	limit_fail(&f->limit, key, now);
	snprintf(actor, sizeof(actor), "address:%s", r->address);
	if (limit_wait(&f->limit, actor, LIMIT_ADDRESS, now))
		return;
	limit_fail(&f->limit, actor, now);
	/* What failed has no effect, recorded or not; front_audit has logged it. */
	(void)!front_audit(f, actor, action, name ? name : "", fault_text(r->fault.code),
			   r->fault.message);
}

enum err front_do_claim(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	const char *bundle, *proof;
	enum err e = may_try(f, r, NULL);

	if (!e)
		e = json_parse(&r->json, r->body ? r->body : "", r->len);
	if (!e)
		e = json_get_string(&bundle, r->json, "bundle");
	if (!e)
		e = json_get_string(&proof, r->json, "proof");
	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_CLAIM);
	vaultmsg_add_text(&ask, bundle);
	vaultmsg_add_text(&ask, proof);
	e = front_ask(&answer, f, r, &ask);
	if (e) {
		failed(f, r, "claim", NULL);
		return e;
	}
	snprintf(f->enterprise, sizeof(f->enterprise), "%s", answer.value[0].text);
	f->tell(FRONT_CLAIMED);
	vaultmsg_start(&ask, VAULT_STATE);
	e = front_ask(&answer, f, r, &ask);
	if (!e)
		e = front_policy_take(f, &answer, 1);
	if (!e)
		e = front_audit(f, "server", "claim", f->enterprise, "ok", "");
	r->status = 201;
	r->answer = json_pack("{s:s}", "enterprise", f->enterprise);
	return e ? e : r->answer ? OK : ERR_MEMORY;
}

enum err front_do_sign_in(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	enum err e;

	if (!name_is_officer(r->param[0]))
		return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_FORMAT,
				 "this cannot be an officer's name");
	vaultmsg_start(&ask, VAULT_SIGN_IN);
	vaultmsg_add_text(&ask, r->param[0]);
	e = front_ask(&answer, f, r, &ask);
	if (e)
		return e;
	r->answer = json_pack("{s:s,s:I,s:I}", "salt", answer.value[0].text, "kdf_memory_kib",
			      (json_int_t)answer.value[1].number, "kdf_passes",
			      (json_int_t)answer.value[2].number);
	return r->answer ? OK : ERR_MEMORY;
}

static enum err device_put(struct front *f, const struct vaultmsg *m)
{
	const struct vaultmsg_value *v = m->value;
	char tag[TAG_DIGITS + 1];

	snprintf(tag, sizeof(tag), "%.*s", TAG_DIGITS, v[1].text);
	return db_run(
		f->db,
		"INSERT INTO devices (id, tag, name, enrolment, attestation, state, enrolled,"
		" last_contact) VALUES (?, ?, ?, ?, ?, 'enrolled', ?, ?) ON CONFLICT (id) DO UPDATE SET"
		" name = excluded.name, enrolment = excluded.enrolment, state = excluded.state,"
		" enrolled = excluded.enrolled, last_contact = excluded.last_contact"
		" WHERE devices.enrolment <> excluded.enrolment",
		"tttttnn", v[1].text, tag, v[2].text, v[3].text, v[4].text, front_now(),
		front_now());
}

/* Row and record together. A repeated request changes nothing (least of all that a device was killed),
 * unless the first one was interrupted before it came here. */
static enum err enrolment_keep(struct front *f, const struct vaultmsg *m)
{
	enum err e = db_begin(f->db);

	if (!e)
		e = device_put(f, m);
	if (!e && db_changes(f->db))
		e = front_audit(f, "server", "enrol", m->value[1].text, "ok", m->value[2].text);
	if (!e)
		e = db_commit(f->db);
	if (e)
		db_rollback(f->db);
	return e;
}

enum err front_do_enrol(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	enum err e = may_try(f, r, NULL);

	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_ENROL);
	vaultmsg_add_text(&ask, r->body);
	e = front_ask(&answer, f, r, &ask);
	if (e) {
		failed(f, r, "enrol", NULL);
		return e;
	}
	e = enrolment_keep(f, &answer);
	if (e)
		return e;
	r->jose = strdup(answer.value[0].text);
	return r->jose ? OK : ERR_MEMORY;
}

/* "device:…" or "officer:…" for the limits, as far as the message can be read. */
static void claimed_name(char *ret, size_t size, const struct request *r)
{
	JSON *o = NULL;

	*ret = 0;
	if (!jws_peek(&o, NULL, "holdfast-session-open", r->body ? r->body : ""))
		if (json_copy_string(ret, size, o, "sub"))
			*ret = 0;
}

static enum err session_keep(struct front *f, const struct vaultmsg *m)
{
	struct front_session *s = calloc(1, sizeof(*s));
	const char *owner = m->value[6].text;

	if (!s)
		return ERR_MEMORY;
	snprintf(s->entry.id, sizeof(s->entry.id), "%s", m->value[1].text);
	snprintf(s->entry.owner, sizeof(s->entry.owner), "%s", owner);
	memcpy(s->session.id, s->entry.id, sizeof(s->session.id));
	memcpy(s->session.c2s, m->value[2].key, KEY_BYTES);
	memcpy(s->session.s2c, m->value[3].key, KEY_BYTES);
	memcpy(s->session.transcript, m->value[4].key, KEY_BYTES);
	s->seconds = m->value[5].number;
	s->entry.expires = sidmap_now() + SIDMAP_OPEN_SECONDS;
	if (!strncmp(owner, "device:", 7))
		snprintf(s->device, sizeof(s->device), "%s", owner + 7);
	else
		snprintf(s->officer, sizeof(s->officer), "%s", owner + 8);
	sidmap_add(&f->sessions, &s->entry, sidmap_now());
	return OK;
}

enum err front_do_session(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	char name[80];
	enum err e;

	claimed_name(name, sizeof(name), r);
	e = may_try(f, r, name);
	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_SESSION_OPEN);
	vaultmsg_add_text(&ask, r->body);
	e = front_ask(&answer, f, r, &ask);
	if (e) {
		failed(f, r, "sign-in", name);
		return e;
	}
	e = session_keep(f, &answer);
	if (!e)
		r->jose = strdup(answer.value[0].text);
	return e ? e : r->jose ? OK : ERR_MEMORY;
}

static void token_new(struct front_session *s)
{
	uint8_t bytes[KEY_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(s->token, sizeof(s->token), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	secret_wipe(bytes, sizeof(bytes));
}

static enum scope scope_of(const struct front_session *s, const char *text)
{
	/* No officer's name has capitals. */
	if (!strcmp(text, "officer"))
		return strcmp(s->officer, "ROOT") ? SCOPE_OFFICER : SCOPE_APPOINTER;
	return strcmp(text, "device") ? SCOPE_USER : SCOPE_DEVICE;
}

static enum err confirmed(struct front *f, struct front_session *s, const struct vaultmsg *m,
			  uint64_t policy_version)
{
	const char *scope = m->value[0].text;
	int first = !s->entry.confirmed;

	s->scope = scope_of(s, scope);
	s->recovered = !strcmp(scope, "recovered");
	s->token_policy = f->policy.version;
	snprintf(s->permissions, sizeof(s->permissions), "%s", m->value[2].text);
	token_new(s);
	if (first)
		sidmap_confirm(&f->sessions, &s->entry, sidmap_now() + s->seconds);
	if (*s->device) {
		enum err e = db_run(
			f->db,
			"UPDATE devices SET last_contact = ?, scope = ?, policy_version = ?"
			" WHERE id = ?",
			"ntnt", front_now(), scope, policy_version, s->device);

		if (e)
			return e;
	}
	return first ? front_audit(f, s->entry.owner, "sign-in", m->value[1].text, "ok", scope)
		     : OK;
}

enum err front_do_confirm(struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	VAULTMSG ask = { 0 }, answer = { 0 };
	const char *confirm, *user = NULL;
	uint64_t version = 0;
	enum err e = json_get_string(&confirm, r->json, "confirm");

	if (!e && json_is_string(json_object_get(r->json, "user")))
		e = json_get_string(&user, r->json, "user");
	if (!e)
		e = json_get_u64(&version, r->json, "policy_version");
	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_SESSION_CONFIRM);
	vaultmsg_add_text(&ask, s->entry.id);
	vaultmsg_add_text(&ask, confirm);
	vaultmsg_add_text(&ask, user);
	e = front_ask(&answer, f, r, &ask);
	if (e) {
		failed(f, r, "sign-in", s->entry.owner);
		return e;
	}
	e = confirmed(f, s, &answer, version);
	if (e)
		return e;
	r->answer = json_pack("{s:s,s:s,s:I}", "token", s->token, "scope", answer.value[0].text,
			      "policy_version", (json_int_t)f->policy.version);
	return r->answer ? OK : ERR_MEMORY;
}
