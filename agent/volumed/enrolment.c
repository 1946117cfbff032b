#include "agent/volumed/enrolment.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/settle.h"
#include "agent/volumed/unlocked.h"

#define TOKEN_PREFIX "holdfast-enrol:"
#define ALLOWED_S 600

struct enrol_token {
	char id[65], root[KID_BYTES], enterprise[33];
	uint8_t secret[64];
	size_t secret_len;
};

static void token_wipe(struct enrol_token *t)
{
	sodium_memzero(t, sizeof(*t));
}
#define TOKEN __attribute__((cleanup(token_wipe))) struct enrol_token

static enum err text_take(char *ret, size_t size, const json_t *o, const char *name)
{
	const char *text;
	enum err e = json_get_string(&text, o, name);

	if (!e && snprintf(ret, size, "%s", text) >= (int)size)
		e = ERR_FORMAT;
	return e;
}

static enum err secret_take(struct enrol_token *ret, const json_t *o)
{
	uint8_t *bytes = NULL;
	const char *text;
	enum err e = json_get_string(&text, o, "secret");

	if (!e)
		e = b64_decode(&bytes, &ret->secret_len, text, strlen(text));
	if (e)
		return e;
	if (ret->secret_len < 16 || ret->secret_len > sizeof(ret->secret))
		e = ERR_FORMAT;
	else
		memcpy(ret->secret, bytes, ret->secret_len);
	sodium_memzero(bytes, ret->secret_len);
	free(bytes);
	return e;
}

static enum err token_fields(struct enrol_token *ret, const json_t *o)
{
	uint8_t enterprise[16];
	enum err e = json_get_hex(enterprise, sizeof(enterprise), o, "enterprise");

	if (!e)
		e = text_take(ret->id, sizeof(ret->id), o, "id");

	if (!e)
		e = text_take(ret->root, sizeof(ret->root), o, "root");
	if (!e)
		e = text_take(ret->enterprise, sizeof(ret->enterprise), o, "enterprise");
	return e ? e : secret_take(ret, o);
}

static enum err token_parse(struct enrol_token *ret, const char *text)
{
	size_t prefix = strlen(TOKEN_PREFIX), len = 0;
	uint8_t *bytes = NULL;
	json_t *o = NULL;
	enum err e;

	if (strncmp(text, TOKEN_PREFIX, prefix))
		return ERR_FORMAT;
	e = b64_decode(&bytes, &len, text + prefix, strlen(text + prefix));
	if (!e)
		e = json_parse(&o, (const char *)bytes, len);
	if (!e)
		e = token_fields(ret, o);
	json_drop(&o);
	if (bytes)
		sodium_memzero(bytes, len);
	free(bytes);
	return e;
}

static void token_digest(char ret[static 65], const char *token)
{
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const uint8_t *)token, strlen(token));
	hex_encode(ret, digest, sizeof(digest));
}

enum err enrolment_allow(struct volumed *v, const char *token)
{
	TOKEN t = { 0 };
	enum err e = token_parse(&t, token);

	if (e)
		return volumed_about(v, e, "enrolment token");
	if (v->trust.enrolled)
		return volumed_about(v, ERR_EXISTS, "the enrolment of this laptop");
	token_digest(v->enrol_token, token);
	v->enrol_allowed = volumed_now() + ALLOWED_S;
	return OK;
}

static enum err begin_check(struct volumed *v, const char *token, int by_root)
{
	char digest[65];

	if (v->trust.enrolled)
		return volumed_about(v, ERR_EXISTS, "the enrolment of this laptop");
	token_digest(digest, token);
	if (by_root || (v->enrol_allowed >= volumed_now() && !strcmp(digest, v->enrol_token)))
		return OK;
	return volumed_about(v, ERR_DENIED, "enrolment was not asked for by root (holdfast enroll)");
}

static enum err proof_make(char **ret, const struct enrol_token *t, const char *kid,
			   const char *device)
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char text[KID_BYTES + 40];
	int n = snprintf(text, sizeof(text), "%s.%s", kid, device);

	crypto_auth_hmacsha256_init(&state, t->secret, t->secret_len);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)text,
				      (unsigned long long)n);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(&state, sizeof(state));
	return b64_encode(ret, mac, sizeof(mac));
}

enum err enrolment_session_cert(char **ret, const struct volumed *v, const char *enterprise,
				const uint8_t session[static KEY_BYTES])
{
	struct cert c = { .role = "session" };

	(void)snprintf(c.subject, sizeof(c.subject), "%s", v->device);
	(void)snprintf(c.enterprise, sizeof(c.enterprise), "%s", enterprise);
	memcpy(c.sign.bytes, session, KEY_BYTES);
	return cert_sign(ret, &c, &v->attestation);
}

static enum err request_sign(char **ret, const struct volumed *v, const struct enrol_token *t,
			     const struct unlocked *u, const char *session_cert)
{
	struct sign_pk attestation;
	char kid[KID_BYTES];
	TEXT *proof = NULL;
	JSON *payload = NULL;
	enum err e;

	sign_pk_of(&attestation, &v->attestation);
	kid_of_sign(kid, &attestation);
	e = proof_make(&proof, t, kid, v->device);
	if (e)
		return e;
	payload = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:I}", "token", t->id, "proof", proof,
			    "device", v->device, "name", v->name, "jwk", jwk_of_sign(&attestation),
			    "session", session_cert, "users",
			    event_user_certs(v, &u->store, t->enterprise), "time",
			    (json_int_t)volumed_now());
	return payload ? jws_sign(ret, "holdfast-enrol", payload, &v->attestation) : ERR_MEMORY;
}

static enum err request_note(struct volumed *v, const struct enrol_token *t, const char *request)
{
	uint8_t digest[DIGEST_BYTES];
	TEXT *text = NULL;
	enum err e;

	jws_digest(digest, request);
	e = b64_encode(&text, digest, sizeof(digest));
	if (e)
		return e;
	return vstate_commit(&v->state, "enrolling",
			     json_pack("{s:s, s:s, s:s}", "root_kid", t->root, "enterprise", t->enterprise,
				       "request", text));
}

enum err enrolment_begin(char **ret, struct volumed *v, const char *token,
			 const uint8_t session[static KEY_BYTES], int by_root)
{
	UNLOCKED u = { 0 };
	TOKEN t = { 0 };
	TEXT *cert = NULL, *request = NULL;
	enum err e = volumed_about(v, token_parse(&t, token), "enrolment token");

	if (!e)
		e = begin_check(v, token, by_root);
	/* Without the unlock key no recovery key could be made: better to say so before enrolment. */
	if (!e)
		e = unlocked_open(&u, v);
	if (!e)
		e = enrolment_session_cert(&cert, v, t.enterprise, session);
	if (!e)
		e = request_sign(&request, v, &t, &u, cert);
	if (!e)
		e = request_note(v, &t, request);
	if (e)
		return e;
	*ret = request;
	request = NULL;
	return OK;
}

/* The server's signature, by the key that the root certified: the certificate is inside, so it is read
 * before it can be trusted, and nothing else is. */
static enum err answer_verify(struct trust *ret, json_t **ret_payload, struct volumed *v,
			      const char *jws, const json_t *note)
{
	const char *what = "answer", *request = NULL, *root_kid = vstate_text(note, "root_kid");
	JSON *hint = NULL, *payload = NULL;
	struct trust t = { 0 };
	enum err e = jws_peek(&hint, NULL, "holdfast-enrolled", jws);

	if (!e)
		e = root_kid ? trust_read(&t, &what, hint, root_kid, volumed_now()) : ERR_STATE;
	if (!e)
		e = jws_verify(&payload, "holdfast-enrolled", jws, &t.server);
	if (!e)
		e = json_get_string(&request, payload, "request");
	if (!e && strcmp(t.device, v->device)) {
		what = "device";
		e = ERR_MISDIRECTED;
	} else if (!e && strcmp(t.enterprise, vstate_text(note, "enterprise"))) {
		what = "enterprise";
		e = ERR_MISDIRECTED;
	} else if (!e && strcmp(request, vstate_text(note, "request"))) {
		what = "request";
		e = ERR_CHANGED;
	}
	if (e)
		return volumed_about(v, e, what);
	*ret = t;
	*ret_payload = payload;
	payload = NULL;
	return OK;
}

static enum err policy_keep(struct volumed *v, const struct trust *t, const json_t *payload)
{
	JSON *certs = json_array();
	const char *policy, *officer;
	enum err e = json_get_string(&policy, payload, "policy");

	if (!e)
		e = json_get_string(&officer, payload, "officer");
	if (!e && (!certs || json_array_append_new(certs, json_string(officer))))
		e = ERR_MEMORY;
	return e ? volumed_about(v, e, "bootstrap policy") : enforce_take(v, t, policy, certs);
}

static enum err enrolment_keep(struct volumed *v, const struct trust *t, json_t *payload,
			       const char *root_kid)
{
	enum err e = vstate_commit(&v->state, "enrolment",
				   json_pack("{s:s, s:O}", "root_kid", root_kid, "enrolled", payload));

	if (e)
		return volumed_about(v, e, "saving the enrolment");
	/* From here on without effect: it goes with the next save. */
	vstate_remove(&v->state, "enrolling");
	v->trust = *t;
	return OK;
}

enum err enrolment_finish(struct volumed *v, const char *jws)
{
	JSON *payload = NULL, *note = json_incref(vstate_find(&v->state, "enrolling"));
	struct espstore_found found;
	struct trust t = { 0 };
	STORE s = { 0 };
	enum err e;

	if (v->trust.enrolled || !note)
		return volumed_about(v, ERR_STATE, "no enrolment is under way");
	/* Of an enrolment that was cut short: no policy holds before there is one. */
	vstate_remove(&v->state, "policy");
	e = answer_verify(&t, &payload, v, jws, note);
	if (!e)
		e = policy_keep(v, &t, payload);
	if (!e)
		e = enrolment_keep(v, &t, payload, vstate_text(note, "root_kid"));
	if (e)
		return e;
	v->enrol_allowed = 0;
	event_tell(v, "enrolled", json_pack("{s:s}", "name", v->name));
	if (!espstore_load(&s, &found, &v->esp))
		event_more_users(v, &s);
	/* Enrolled it is: what cannot be done at once is shown as waiting, and tried again. */
	if (settle_run(v))
		volumed_log("enrolled with work left", v->about);
	return OK;
}
