/* Session: ephemeral exchange. The sealed bodies are in session_body_host.c. */
#include "session_host.h"

#include <sodium.h>
#include <string.h>

#include "kdf_host.h"

#define TYP_OPEN "holdfast-session-open"
#define TYP_ACCEPT "holdfast-session-accept"
#define TYP_CONFIRM "holdfast-session-confirm"
#define TYP_USER_PROOF "holdfast-user-proof"
#define NONCE_BYTES 16
#define SESSION_ID_BYTES 16
#define CLOCK_SLACK_S 86400u

static const char info_c2s[] = "holdfast/1 client to server";
static const char info_s2c[] = "holdfast/1 server to client";

void session_drop(struct session *s)
{
	secret_wipe(s, sizeof *s);
}

static void b64_fixed(char *ret, size_t size, const uint8_t *bytes, size_t len)
{
	sodium_bin2base64(ret, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum err session_open(char **ret_jws, struct agree_sk *ret_esk, const char *sub,
		      const char *server_kid, const json_t *certs, uint64_t now,
		      const struct sign_sk *signer)
{
	uint8_t nonce[NONCE_BYTES];
	char nonce_text[KID_BYTES];
	struct agree_pk epk;
	AGREE_SK esk;
	JSON *payload = NULL;
	enum err e;

	agree_sk_new(&esk);
	agree_pk_of(&epk, &esk);
	randombytes_buf(nonce, sizeof nonce);
	b64_fixed(nonce_text, sizeof nonce_text, nonce, sizeof nonce);
	payload = json_pack("{s:s, s:o, s:s, s:s, s:o, s:I}", "sub", sub, "epk", jwk_of_agree(&epk),
			    "nonce", nonce_text, "server", server_kid, "certs",
			    certs ? json_deep_copy(certs) : json_array(), "time", (json_int_t)now);
	if (!payload)
		return ERR_MEMORY;
	e = jws_sign(ret_jws, TYP_OPEN, payload, signer);
	if (!e)
		*ret_esk = esk;
	return e;
}

static void transcript_of(uint8_t ret[static DIGEST_BYTES], const char *open_jws,
			  const char *accept_jws)
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, (const uint8_t *)open_jws, strlen(open_jws));
	crypto_hash_sha256_update(&h, (const uint8_t *)".", 1);
	crypto_hash_sha256_update(&h, (const uint8_t *)accept_jws, strlen(accept_jws));
	crypto_hash_sha256_final(&h, ret);
}

/* Both sides: the shared secret and what it is for. ERR_FORMAT: the other's key is of small order. */
static enum err keys_derive(struct session *ret, const struct agree_sk *esk,
			    const struct agree_pk *epk)
{
	uint8_t prk[KDF_BLOCK_BYTES];
	AGREE_SK z;

	if (crypto_scalarmult(z.bytes, esk->bytes, epk->bytes))
		return ERR_FORMAT;
	hkdf_extract(prk, ret->transcript, sizeof ret->transcript, z.bytes, sizeof z.bytes);
	hkdf_expand(ret->c2s, prk, info_c2s, sizeof info_c2s - 1);
	hkdf_expand(ret->s2c, prk, info_s2c, sizeof info_s2c - 1);
	secret_wipe(prk, sizeof prk);
	return OK;
}

static enum err session_new(struct session *ret, const uint8_t id[static SESSION_ID_BYTES],
			    const char *open_jws, const char *accept_jws,
			    const struct agree_sk *esk, const struct agree_pk *epk)
{
	SESSION s = { 0 };
	enum err e;

	b64_fixed(s.id, sizeof s.id, id, SESSION_ID_BYTES);
	transcript_of(s.transcript, open_jws, accept_jws);
	e = keys_derive(&s, esk, epk);
	if (!e)
		*ret = s;
	return e;
}

enum err session_accepted(struct session *ret, const char *open_jws, const char *accept_jws,
			  const struct agree_sk *esk, const struct sign_pk *server)
{
	uint8_t id[SESSION_ID_BYTES], digest[DIGEST_BYTES], want[DIGEST_BYTES];
	struct agree_pk epk;
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP_ACCEPT, accept_jws, server);
	if (e)
		return e == ERR_MISDIRECTED ? ERR_FORMAT : e;
	if (json_get_b64(id, sizeof id, payload, "session") ||
	    json_get_b64(digest, sizeof digest, payload, "open") ||
	    jwk_to_agree(&epk, json_object_get(payload, "epk")))
		return ERR_FORMAT;
	jws_digest(want, open_jws);
	if (sodium_memcmp(digest, want, sizeof want))
		return ERR_CHANGED;
	return session_new(ret, id, open_jws, accept_jws, esk, &epk);
}

enum err session_confirm(char **ret, const struct session *s, const struct sign_sk *signer)
{
	char transcript[KID_BYTES];
	JSON *payload = NULL;

	b64_fixed(transcript, sizeof transcript, s->transcript, sizeof s->transcript);
	payload = json_pack("{s:s}", "transcript", transcript);
	return payload ? jws_sign(ret, TYP_CONFIRM, payload, signer) : ERR_MEMORY;
}

enum err session_user_proof(char **ret, const uint8_t transcript[static DIGEST_BYTES],
			    const char *user, const char *credential_hex, const char *method,
			    const char *device, const struct user_key *key)
{
	char text[KID_BYTES];
	SIGN_SK signer;
	JSON *payload = NULL;

	memcpy(signer.seed, key->seed, sizeof signer.seed);
	b64_fixed(text, sizeof text, transcript, DIGEST_BYTES);
	payload = json_pack("{s:s, s:s, s:s, s:s, s:s}", "transcript", text, "user", user,
			    "credential", credential_hex, "method", method, "device", device);
	return payload ? jws_sign(ret, TYP_USER_PROOF, payload, &signer) : ERR_MEMORY;
}

static enum err transcript_check(const json_t *payload, const uint8_t want[static DIGEST_BYTES])
{
	uint8_t transcript[DIGEST_BYTES];

	if (json_get_b64(transcript, sizeof transcript, payload, "transcript"))
		return ERR_FORMAT;
	return sodium_memcmp(transcript, want, DIGEST_BYTES) ? ERR_CHANGED : OK;
}

enum err session_confirm_verify(const struct session *s, const char *jws,
				const struct sign_pk *client)
{
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP_CONFIRM, jws, client);
	return e ? e : transcript_check(payload, s->transcript);
}

enum err session_user_proof_verify(json_t **ret, const struct session *s, const char *jws,
				   const struct sign_pk *user)
{
	JSON *payload = NULL;
	const char *text;
	enum err e;

	e = jws_verify(&payload, TYP_USER_PROOF, jws, user);
	if (!e)
		e = transcript_check(payload, s->transcript);
	if (e)
		return e;
	if (json_get_string(&text, payload, "user") || json_get_string(&text, payload, "method") ||
	    json_get_string(&text, payload, "credential") || hex_check(text, 16) ||
	    json_get_string(&text, payload, "device") || hex_check(text, DEVICE_ID_BYTES))
		return ERR_FORMAT;
	*ret = json_incref(payload);
	return OK;
}

static int clocks_agree(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= CLOCK_SLACK_S;
}

static enum err open_check(struct agree_pk *ret_epk, const char *open_jws,
			   const struct sign_pk *client, uint64_t now, const struct sign_pk *server)
{
	char kid[KID_BYTES];
	uint8_t nonce[NONCE_BYTES];
	const char *sub, *want;
	uint64_t time;
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP_OPEN, open_jws, client);
	if (e)
		return e == ERR_MISDIRECTED ? ERR_FORMAT : e;
	if (json_get_string(&sub, payload, "sub") || json_get_string(&want, payload, "server") ||
	    json_get_u64(&time, payload, "time") ||
	    json_get_b64(nonce, sizeof nonce, payload, "nonce") ||
	    jwk_to_agree(ret_epk, json_object_get(payload, "epk")))
		return ERR_FORMAT;
	kid_of_sign(kid, server);
	if (strcmp(kid, want) != 0)
		return ERR_MISDIRECTED;
	return now && !clocks_agree(now, time) ? ERR_EXPIRED : OK;
}

static enum err accept_sign(char **ret, const uint8_t id[static SESSION_ID_BYTES],
			    const char *open_jws, const struct agree_pk *epk, uint64_t now,
			    uint32_t expires_in_s, const struct sign_sk *server)
{
	uint8_t digest[DIGEST_BYTES];
	char id_text[SESSION_ID_TEXT], digest_text[KID_BYTES];
	JSON *payload = NULL;

	jws_digest(digest, open_jws);
	b64_fixed(id_text, sizeof id_text, id, SESSION_ID_BYTES);
	b64_fixed(digest_text, sizeof digest_text, digest, sizeof digest);
	payload = json_pack("{s:s, s:s, s:o, s:I, s:I}", "session", id_text, "open", digest_text,
			    "epk", jwk_of_agree(epk), "expires_in", (json_int_t)expires_in_s,
			    "time", (json_int_t)now);
	return payload ? jws_sign(ret, TYP_ACCEPT, payload, server) : ERR_MEMORY;
}

enum err session_accept(struct session *ret, char **ret_jws, const char *open_jws,
			const struct sign_pk *client, uint64_t now, uint32_t expires_in_s,
			const struct sign_sk *server)
{
	uint8_t id[SESSION_ID_BYTES];
	struct agree_pk epk, their_epk;
	struct sign_pk server_pk;
	TEXT *accept = NULL;
	AGREE_SK esk;
	enum err e;

	sign_pk_of(&server_pk, server);
	e = open_check(&their_epk, open_jws, client, now, &server_pk);
	if (e)
		return e;
	randombytes_buf(id, sizeof id);
	agree_sk_new(&esk);
	agree_pk_of(&epk, &esk);
	e = accept_sign(&accept, id, open_jws, &epk, now, expires_in_s, server);
	if (!e)
		e = session_new(ret, id, open_jws, accept, &esk, &their_epk);
	if (e)
		return e;
	*ret_jws = accept;
	accept = NULL;
	return OK;
}
