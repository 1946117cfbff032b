/* Enrolment: tokens, devices, and the users that a device vouches for. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

#define TYP "holdfast-enrol"
#define USERS_MAX 64

struct enrol {
	const char *jws, *token, *proof, *device, *name;
	json_t *users;
	struct sign_pk attestation;
	uint8_t digest[DIGEST_BYTES]; /* of the JWS: the same request gets the same answer */
};

enum err vault_op_TOKEN_NEW(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			    struct fault *f)
{
	uint64_t expires_in = ask->value[1].number, uses = ask->value[2].number;
	uint8_t secret[KEY_BYTES];
	char id[ID_TEXT];
	TEXT_SECRET *text = NULL;
	struct cert officer;
	enum err e = vault_officer_check(&officer, NULL, v, ask->value[0].text, "tokens", f);

	if (e)
		return e;
	if (expires_in < 60 || expires_in > 2592000 || uses < 1 || uses > 10000)
		return fault_say(f, FAULT_BAD_REQUEST, ERR_RANGE,
				 "expires_in must be 60 to 2592000 seconds, uses 1 to 10000");
	name_new_id(id);
	vault_derive(secret, v, "enrolment token", id);
	e = b64_encode(&text, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	if (!e)
		e = db_run(v->db,
			   "INSERT INTO tokens (id, expires, uses, officer) VALUES (?, ?, ?, ?)",
			   "tnnt", id, vault_now() + expires_in, uses, officer.subject);
	vaultmsg_add_text(reply, id);
	vaultmsg_add_text(reply, text);
	vaultmsg_add_number(reply, vault_now() + expires_in);
	vaultmsg_add_text(reply, v->enterprise);
	return e;
}

enum err vault_device_find(struct vault_device *ret, struct vault *v, const char *id,
			   struct fault *f)
{
	DB_ROWS rows = { 0 };
	struct vault_device d = { .id = "" };
	const void *key;
	enum err e = db_query(&rows, v->db,
			      "SELECT enrolment, name, attestation, command_seq, kill_seq"
			      " FROM devices WHERE id = ?",
			      "t", id);

	if (!e)
		e = db_next(&rows);
	if (e == ERR_NOT_FOUND)
		return fault_say(f, FAULT_NOT_FOUND, e, "no such device");
	if (e)
		return e;
	key = db_bytes(&rows, 2, KEY_BYTES);
	if (!key)
		return ERR_CHANGED;
	memcpy(d.attestation.bytes, key, KEY_BYTES);
	snprintf(d.id, sizeof(d.id), "%s", id);
	snprintf(d.enrolment, sizeof(d.enrolment), "%s", db_text(&rows, 0));
	snprintf(d.name, sizeof(d.name), "%s", db_text(&rows, 1));
	d.command_seq = db_number(&rows, 3);
	d.kill_seq = db_number(&rows, 4);
	*ret = d;
	return OK;
}

/* Ways to be let in at pre-boot. Codes and the recovery key are nobody's. */
static const struct {
	const char *name;
	int is_somebodys, is_login;
} methods[] = {
	{ "password", 1, 1 }, { "tpm-password", 1, 1 },  { "tpm-pin", 1, 1 },
	{ "self-help", 1, 0 }, { "one-time-code", 0, 0 }, { "recovery-key", 0, 0 },
};

/* -1: there is none of this name. */
static int method_find(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (!strcmp(name, methods[i].name))
			return (int)i;
	return -1;
}

int vault_method_is_login(const char *name)
{
	int method = method_find(name);

	return method >= 0 && methods[method].is_login;
}

enum err vault_user_read(struct vault_user *ret, const char *cert,
			 const struct sign_pk *attestation)
{
	struct vault_user u = { .user = "" };
	struct cert c;
	char *method, *credential;
	int known;
	enum err e = cert_verify(&c, cert, "user", attestation, 0);

	if (e)
		return e;
	method = strrchr(c.subject, '/');
	if (!method)
		return ERR_FORMAT;
	*method++ = 0;
	credential = strrchr(c.subject, '/');
	if (!credential)
		return ERR_FORMAT;
	*credential++ = 0;
	known = method_find(method);
	if (known < 0 || !name_is_hex(credential, ID_TEXT - 1) ||
	    strlen(c.subject) >= sizeof(u.user))
		return ERR_FORMAT;
	if ((*c.subject != 0) != methods[known].is_somebodys)
		return ERR_FORMAT;
	strcpy(u.user, c.subject);
	strcpy(u.credential, credential);
	strcpy(u.method, method);
	u.key = c.sign;
	*ret = u;
	return OK;
}

enum err vault_user_put(struct vault *v, const char *device, const char *cert,
			const struct sign_pk *attestation, uint64_t now)
{
	struct vault_user u;
	enum err e = vault_user_read(&u, cert, attestation);

	if (e)
		return e;
	return db_run(v->db,
		      "INSERT INTO users (device, user, credential, method, cert, added)"
		      " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device, credential) DO UPDATE SET"
		      " user = excluded.user, method = excluded.method, cert = excluded.cert,"
		      " added = excluded.added",
		      "tttttn", device, u.user, u.credential, u.method, cert, now);
}

static enum err enrol_read(struct enrol *ret, json_t **ret_payload, const char *jws)
{
	struct enrol r = { .jws = jws };
	JSON *peeked = NULL, *o = NULL;
	struct cert session;
	const char *cert;
	enum err e = jws_peek(&peeked, NULL, TYP, jws);

	if (!e)
		e = jwk_to_sign(&r.attestation, json_object_get(peeked, "jwk"));
	if (!e)
		e = jws_verify(&o, TYP, jws, &r.attestation);
	if (e)
		return e;
	if (json_get_string(&r.token, o, "token") || json_get_string(&r.proof, o, "proof") ||
	    json_get_string(&r.device, o, "device") || json_get_string(&r.name, o, "name") ||
	    json_get_string(&cert, o, "session") || json_get_array(&r.users, o, "users") ||
	    !name_is_hex(r.device, ID_TEXT - 1) || !name_is_device(r.name) ||
	    json_array_size(r.users) > USERS_MAX)
		return ERR_FORMAT;
	e = cert_verify(&session, cert, "session", &r.attestation, 0);
	if (!e && strcmp(session.subject, r.device))
		e = ERR_MISDIRECTED;
	if (e)
		return e;
	jws_digest(r.digest, jws);
	*ret = r;
	*ret_payload = json_incref(o);
	return OK;
}

static enum err proof_check(struct vault *v, const struct enrol *r, struct fault *f)
{
	uint8_t secret[KEY_BYTES];
	char kid[KID_BYTES], text[KID_BYTES + ID_TEXT];
	int holds;

	kid_of_sign(kid, &r->attestation);
	snprintf(text, sizeof(text), "%s.%s", kid, r->device);
	vault_derive(secret, v, "enrolment token", r->token);
	holds = vault_hmac_holds(secret, text, r->proof);
	secret_wipe(secret, sizeof(secret));
	return holds ? OK
		     : fault_say(f, FAULT_PROOF, ERR_AUTH, "the enrolment token is another one");
}

static enum err token_use(struct vault *v, const char *id, struct fault *f)
{
	enum err e = db_run(v->db,
			    "UPDATE tokens SET uses = uses - 1 WHERE id = ? AND uses > 0"
			    " AND expires > ?",
			    "tn", id, vault_now());

	if (!e && !db_changes(v->db))
		return fault_say(f, FAULT_PROOF, ERR_EXPIRED,
				 "the enrolment token is used up or expired: ask for a new one");
	return e;
}

/* The very same request before? Then its answer. ERR_NOT_FOUND: no. */
static enum err answered_before(char **ret, struct vault *v, const struct enrol *r, struct fault *f)
{
	DB_ROWS rows = { 0 };
	const void *key, *request;
	enum err e = db_query(&rows, v->db,
			      "SELECT attestation, request, answer FROM devices WHERE id = ?", "t",
			      r->device);

	if (!e)
		e = db_next(&rows);
	if (e)
		return e;
	key = db_bytes(&rows, 0, KEY_BYTES);
	request = db_bytes(&rows, 1, DIGEST_BYTES);
	if (!key || memcmp(key, r->attestation.bytes, KEY_BYTES))
		return fault_say(f, FAULT_EXISTS, ERR_EXISTS,
				 "this device id is enrolled with another key");
	if (!request || memcmp(request, r->digest, DIGEST_BYTES))
		return ERR_NOT_FOUND;
	*ret = strdup(db_text(&rows, 2));
	return *ret ? OK : ERR_MEMORY;
}

static enum err add_meta(json_t *o, struct vault *v, const char *member)
{
	TEXT *text = NULL;
	enum err e = vault_meta_get(&text, v, member);

	return !e && json_object_set_new(o, member, json_string(text)) ? ERR_MEMORY : e;
}

static enum err add_policy(json_t *o, struct vault *v)
{
	struct vault_policy p = { 0 };
	JSON *certs = NULL;
	enum err e = vault_policy_find(&p, v);

	if (!e)
		e = json_parse(&certs, p.certs, strlen(p.certs));
	if (!e && (json_object_set_new(o, "policy", json_string(p.jws)) ||
		   json_object_set(o, "officer", json_array_get(certs, 0))))
		e = ERR_MEMORY;
	vault_policy_drop(&p);
	return e;
}

static enum err answer_make(char **ret, struct vault *v, const struct enrol *r,
			    const char *enrolment)
{
	TEXT *digest = NULL;
	JSON *o = NULL;
	enum err e = b64_encode(&digest, r->digest, sizeof(r->digest));

	if (e)
		return e;
	o = json_pack("{s:s,s:s,s:s,s:o,s:I,s:s}", "device", r->device, "enrolment", enrolment,
		      "enterprise", v->enterprise, "root", jwk_of_sign(&v->root), "time",
		      (json_int_t)vault_now(), "request", digest);
	if (!o)
		return ERR_MEMORY;
	e = add_meta(o, v, "server");
	if (!e)
		e = add_meta(o, v, "escrow_help");
	if (!e)
		e = add_meta(o, v, "escrow_recovery");
	if (!e)
		e = add_policy(o, v);
	if (!e)
		e = jws_sign(ret, "holdfast-enrolled", o, &v->key);
	return e;
}

static enum err device_put(struct vault *v, const struct enrol *r, const char *enrolment,
			   const char *answer, struct fault *f)
{
	char tag[TAG_DIGITS + 1];
	enum err e;

	snprintf(tag, sizeof(tag), "%.*s", TAG_DIGITS, r->device);
	e = db_run(
		v->db,
		"INSERT INTO devices (id, tag, name, enrolment, attestation, request, answer,"
		" enrolled) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
		" name = excluded.name, enrolment = excluded.enrolment, request = excluded.request,"
		" answer = excluded.answer, enrolled = excluded.enrolled",
		"ttttbbtn", r->device, tag, r->name, enrolment, (const void *)r->attestation.bytes,
		(size_t)KEY_BYTES, (const void *)r->digest, (size_t)DIGEST_BYTES, answer,
		vault_now());
	if (e == ERR_EXISTS)
		return fault_say(f, FAULT_TAG_TAKEN, e, "another device has this tag");
	return e;
}

static enum err users_put(struct vault *v, const struct enrol *r, struct fault *f)
{
	enum err e = db_run(v->db, "DELETE FROM users WHERE device = ?", "t", r->device);

	for (size_t i = 0; !e && i < json_array_size(r->users); i++) {
		const char *cert = json_string_value(json_array_get(r->users, i));

		e = cert ? vault_user_put(v, r->device, cert, &r->attestation, vault_now())
			 : ERR_FORMAT;
		if (e)
			(void)fault_say(f, FAULT_REFUSED, e, "user certificate %zu: %s", i,
					err_text(e));
	}
	return e;
}

static enum err enrol_new(char **ret_answer, struct vault *v, const struct enrol *r,
			  struct fault *f)
{
	char enrolment[ID_TEXT];
	TEXT *answer = NULL;
	enum err e;

	name_new_id(enrolment);
	e = db_begin(v->db);
	if (!e)
		e = token_use(v, r->token, f);
	if (!e)
		e = answer_make(&answer, v, r, enrolment);
	if (!e)
		e = device_put(v, r, enrolment, answer, f);
	if (!e)
		e = users_put(v, r, f);
	if (!e)
		e = db_commit(v->db);
	if (e)
		return e;
	*ret_answer = answer;
	answer = NULL;
	return OK;
}

static enum err reply_device(struct vaultmsg *reply, struct vault *v, const struct enrol *r,
			     const char *answer, int is_new, struct fault *f)
{
	struct vault_device d;
	JSON *jwk = jwk_of_sign(&r->attestation);
	TEXT *jwk_text = NULL;
	enum err e = vault_device_find(&d, v, r->device, f);

	if (!e)
		e = jwk ? json_print(&jwk_text, jwk) : ERR_MEMORY;
	if (e)
		return e;
	vaultmsg_add_text(reply, answer);
	vaultmsg_add_text(reply, d.id);
	vaultmsg_add_text(reply, d.name);
	vaultmsg_add_text(reply, d.enrolment);
	vaultmsg_add_text(reply, jwk_text);
	vaultmsg_add_number(reply, (uint64_t)is_new);
	return OK;
}

enum err vault_op_ENROL(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			struct fault *f)
{
	struct enrol r;
	JSON *payload = NULL;
	TEXT *answer = NULL;
	int is_new = 0;
	enum err e;

	if (!v->claimed)
		return fault_say(f, FAULT_NOT_CLAIMED, ERR_STATE, "this server is not set up yet");
	e = enrol_read(&r, &payload, ask->value[0].text);
	if (e)
		return fault_say(f, e == ERR_FORMAT ? FAULT_BAD_REQUEST : FAULT_REFUSED, e,
				 "the enrolment request: %s", err_text(e));
	e = proof_check(v, &r, f);
	if (!e)
		e = answered_before(&answer, v, &r, f);
	if (e == ERR_NOT_FOUND) {
		is_new = 1;
		e = enrol_new(&answer, v, &r, f);
	}
	return e ? e : reply_device(reply, v, &r, answer, is_new, f);
}
