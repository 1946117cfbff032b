/* Sessions: the handshake, and who is at the other end. docs/protocol.md, "Sessions". */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

#define DEVICE_SECONDS 86400
#define OFFICER_SECONDS 3600

enum err vault_session_find(struct vault_session **ret, struct vault *v, const char *id,
			    int want_device, struct fault *f)
{
	struct vault_session *s = (struct vault_session *)sidmap_find(&v->sessions, id,
								      sidmap_now());

	if (!s || !s->entry.confirmed)
		return fault_say(f, FAULT_NO_SESSION, ERR_STATE,
				 "this session is not known, or not confirmed");
	if (want_device ? !*s->device : !*s->officer)
		return fault_say(f, FAULT_NOT_ALLOWED, ERR_DENIED, "not for this kind of session");
	*ret = s;
	return OK;
}

enum err vault_device_batch(struct vault_device *ret, json_t **ret_array, struct vault *v,
			    const char *session, const char *array, struct fault *f)
{
	struct vault_session *s;
	enum err e = vault_session_find(&s, v, session, 1, f);

	if (!e)
		e = vault_device_find(ret, v, s->device, f);
	return e ? e : json_parse(ret_array, array, strlen(array));
}

/* The laptop's session key, certified by its attestation key. Its clock may be wrong, so the times
 * in its own certificate and message do not count: the ephemeral keys make the session new. */
static enum err device_key(struct vault_session *s, struct vault *v, const char *id,
			   const json_t *certs)
{
	struct vault_device d;
	struct fault ignored = { 0 };
	struct cert c;
	const char *jws = json_string_value(json_array_get(certs, 0));
	enum err e = name_is_hex(id, ID_TEXT - 1) && jws ? OK : ERR_FORMAT;

	if (!e)
		e = vault_device_find(&d, v, id, &ignored);
	if (!e)
		e = cert_verify(&c, jws, "session", &d.attestation, 0);
	if (!e && strcmp(c.subject, id))
		e = ERR_MISDIRECTED;
	if (e)
		return e;
	s->client = c.sign;
	memcpy(s->device, d.id, sizeof(s->device));
	return OK;
}

/* What is on file counts, not what was sent along. */
static enum err officer_key(struct vault_session *s, struct vault *v, const char *name)
{
	DB_ROWS rows = { 0 };
	struct cert officer, sign_in;
	enum err e = name_is_officer(name) ? OK : ERR_FORMAT;

	if (!strcmp(name, VAULT_ROOT)) {
		s->client = v->root;
		strcpy(s->officer, name);
		return OK;
	}
	if (!e)
		e = db_query(&rows, v->db, "SELECT cert, sign_in_cert FROM officers WHERE name = ?",
			     "t", name);
	if (!e)
		e = db_next(&rows);
	if (!e)
		e = cert_verify(&officer, db_text(&rows, 0), "officer", &v->root, vault_now());
	if (!e)
		e = cert_verify(&sign_in, db_text(&rows, 1), "officer-sign-in", &officer.sign,
				vault_now());
	if (e)
		return e;
	s->client = sign_in.sign;
	strcpy(s->officer, name);
	return OK;
}

static enum err client_key(struct vault_session *s, struct vault *v, const char *jws)
{
	JSON *o = NULL;
	json_t *certs = NULL;
	const char *sub;
	enum err e = jws_peek(&o, NULL, "holdfast-session-open", jws);

	if (!e)
		e = json_get_string(&sub, o, "sub");
	if (!e)
		e = json_get_array(&certs, o, "certs");
	if (!e && strlen(sub) >= sizeof(s->entry.owner))
		e = ERR_FORMAT;
	if (e)
		return e;
	if (!strncmp(sub, "device:", 7))
		e = device_key(s, v, sub + 7, certs);
	else if (!strncmp(sub, "officer:", 8))
		e = officer_key(s, v, sub + 8);
	else
		e = ERR_FORMAT;
	if (!e)
		strcpy(s->entry.owner, sub);
	return e;
}

static enum err open_session(struct vault_session *s, char **ret_accept, uint32_t *ret_seconds,
			     struct vault *v, const char *jws)
{
	enum err e = client_key(s, v, jws);

	if (e)
		return e;
	*ret_seconds = *s->device ? DEVICE_SECONDS : OFFICER_SECONDS;
	return session_accept(&s->session, ret_accept, jws, &s->client,
			      *s->device ? 0 : vault_now(), *ret_seconds, &v->key);
}

enum err vault_op_SESSION_OPEN(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			       struct fault *f)
{
	struct vault_session *s = calloc(1, sizeof(*s));
	TEXT *accept = NULL;
	uint32_t seconds = 0;
	enum err e;

	if (!s)
		return ERR_MEMORY;
	e = v->claimed
		    ? open_session(s, &accept, &seconds, v, ask->value[0].text)
		    : fault_say(f, FAULT_NOT_CLAIMED, ERR_STATE, "this server is not set up yet");
	if (e) {
		v->sessions.drop(&s->entry);
		/* One text for every reason: names and devices cannot be guessed by it. */
		return fault_say(f, FAULT_SIGN_IN, e, "sign-in refused");
	}
	vaultmsg_add_text(reply, accept);
	vaultmsg_add_text(reply, s->session.id);
	vaultmsg_add_key(reply, s->session.c2s);
	vaultmsg_add_key(reply, s->session.s2c);
	vaultmsg_add_key(reply, s->session.transcript);
	vaultmsg_add_number(reply, seconds);
	vaultmsg_add_text(reply, s->entry.owner);
	secret_wipe(s->session.c2s, sizeof(s->session.c2s));
	secret_wipe(s->session.s2c, sizeof(s->session.s2c));
	memcpy(s->entry.id, s->session.id, sizeof(s->entry.id));
	s->entry.expires = sidmap_now() + SIDMAP_OPEN_SECONDS;
	sidmap_add(&v->sessions, &s->entry, sidmap_now());
	return OK;
}

/* The proof is by a key that the device's attestation key has certified for this very credential. */
static enum err user_proof(struct vault_user *ret, struct vault *v, const struct vault_session *s,
			   const char *jws)
{
	struct fault ignored = { 0 };
	struct vault_device d;
	DB_ROWS rows = { 0 };
	JSON *peeked = NULL, *o = NULL;
	const char *user, *credential, *method, *device;
	enum err e = jws_peek(&peeked, NULL, "holdfast-user-proof", jws);

	if (!e)
		e = json_get_string(&credential, peeked, "credential");
	if (!e)
		e = vault_device_find(&d, v, s->device, &ignored);
	if (!e)
		e = db_query(&rows, v->db,
			     "SELECT cert FROM users WHERE device = ? AND credential = ?", "tt",
			     s->device, credential);
	if (!e)
		e = db_next(&rows);
	if (!e)
		e = vault_user_read(ret, db_text(&rows, 0), &d.attestation);
	if (!e)
		e = session_user_proof_verify(&o, &s->session, jws, &ret->key);
	if (e)
		return e;
	if (json_get_string(&user, o, "user") || json_get_string(&credential, o, "credential") ||
	    json_get_string(&method, o, "method") || json_get_string(&device, o, "device"))
		return ERR_FORMAT;
	return strcmp(user, ret->user) || strcmp(credential, ret->credential) ||
			       strcmp(method, ret->method) || strcmp(device, s->device)
		       ? ERR_MISDIRECTED
		       : OK;
}

static enum err confirm_device(struct vaultmsg *reply, struct vault *v,
			       const struct vault_session *s, const char *proof, struct fault *f)
{
	struct vault_user u = { .user = "" };
	char text[sizeof(u.user) + sizeof(u.credential) + sizeof(u.method) + 2] = "";
	const char *scope = "device";
	enum err e = *proof ? user_proof(&u, v, s, proof) : OK;

	if (e)
		return fault_say(f, FAULT_PROOF, e, "the user's proof: %s", err_text(e));
	if (*proof) {
		scope = vault_method_is_login(u.method) ? "user" : "recovered";
		snprintf(text, sizeof(text), "%s/%s/%s", u.user, u.credential, u.method);
	}
	vaultmsg_add_text(reply, scope);
	vaultmsg_add_text(reply, text);
	vaultmsg_add_text(reply, "");
	return OK;
}

static enum err confirm_officer(struct vaultmsg *reply, struct vault *v,
				const struct vault_session *s, struct fault *f)
{
	struct cert officer;
	enum err e = vault_officer_check(&officer, NULL, v, s->entry.id, NULL, f);

	vaultmsg_add_text(reply, "officer");
	vaultmsg_add_text(reply, s->officer);
	vaultmsg_add_text(reply, e ? "" : officer.permissions);
	return e;
}

enum err vault_op_SESSION_CONFIRM(struct vault *v, const struct vaultmsg *ask,
				  struct vaultmsg *reply, struct fault *f)
{
	struct vault_session *s = (struct vault_session *)sidmap_find(
		&v->sessions, ask->value[0].text, sidmap_now());
	enum err e;

	if (!s)
		return fault_say(f, FAULT_NO_SESSION, ERR_STATE, "this session is not known");
	e = session_confirm_verify(&s->session, ask->value[1].text, &s->client);
	if (e)
		return fault_say(f, FAULT_PROOF, e, "the confirmation: %s", err_text(e));
	if (!s->entry.confirmed)
		sidmap_confirm(&v->sessions, &s->entry,
			       sidmap_now() + (*s->device ? DEVICE_SECONDS : OFFICER_SECONDS));
	return *s->device ? confirm_device(reply, v, s, ask->value[2].text, f)
			  : confirm_officer(reply, v, s, f);
}
