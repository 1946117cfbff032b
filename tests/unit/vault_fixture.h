/* A claimed vault in a folder of its own, with one officer who may do everything, and a laptop's
 * keys: signer(1) root, (2) officer, (3) officer's sign-in, (4) attestation, (5) laptop's session
 * key. */
#ifndef HOLDFAST_TEST_VAULT_FIXTURE_H
#define HOLDFAST_TEST_VAULT_FIXTURE_H

#include "jose_fixture.h"

#include <sodium.h>
#include <time.h>

#include "server/vault/vault.h"
#include "server_dir.h"

struct org {
	char dir[64];
	struct vault vault;
	char *officer_cert;
};

static inline char *cert_of(const char *role, const char *subject, const char *enterprise,
			    uint8_t key, uint8_t issuer, const struct sign_pk *pk,
			    const char *permissions)
{
	struct cert c = { .not_before = 1000 };
	struct sign_sk sk = signer(issuer);
	char *jws = NULL;

	snprintf(c.role, sizeof(c.role), "%s", role);
	snprintf(c.subject, sizeof(c.subject), "%s", subject);
	snprintf(c.enterprise, sizeof(c.enterprise), "%s", enterprise);
	snprintf(c.permissions, sizeof(c.permissions), "%s", permissions);
	c.agrees = !strncmp(role, "escrow-", 7) || !strcmp(role, "officer-seal");
	if (c.agrees)
		c.agree = sealer_pk(key);
	else
		c.sign = pk ? *pk : signer_pk(key);
	assert_ok(cert_sign(&jws, &c, &sk));
	return jws;
}

/* text is taken over. */
static inline json_t *owned(char *text)
{
	json_t *j = json_string(text);

	free(text);
	return j;
}

static inline char *hmac_of(const uint8_t key[KEY_BYTES], const char *text)
{
	uint8_t mac[32];
	char *b64 = NULL;

	crypto_auth_hmacsha256(mac, (const uint8_t *)text, strlen(text), key);
	assert_ok(b64_encode(&b64, mac, sizeof(mac)));
	return b64;
}

static inline json_t *officer_object(struct org *o)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:s,s:i,s:i,s:{},s:{}}", "name", "ada", "cert",
			 o->officer_cert, "seal_cert",
			 owned(cert_of("officer-seal", "ada", ENTERPRISE, 6, 1, NULL, "")),
			 "sign_in_cert",
			 owned(cert_of("officer-sign-in", "ada", ENTERPRISE, 3, 2, NULL, "")),
			 "salt", "AAAAAAAAAAAAAAAAAAAAAA", "kdf_memory_kib", 65536, "kdf_passes", 3,
			 "wrapped_keys", "wrapped_escrow_keys");
}

static inline char *policy_text(uint64_t version)
{
	JSON *settings = json_object();
	struct policy p = { .version = version,
			    .issued = (uint64_t)time(NULL),
			    .settings = settings };
	struct sign_sk sk = signer(2);
	char *jws = NULL;

	strcpy(p.enterprise, ENTERPRISE);
	assert_ok(policy_sign(&jws, &p, &sk));
	return jws;
}

static inline char *claim_bundle(struct org *o)
{
	struct sign_pk root = signer_pk(1);
	struct sign_sk sk = signer(1);
	char *jws = NULL;
	JSON *b = json_pack(
		"{s:s,s:o,s:o,s:o,s:o,s:[o],s:o,s:{},s:i}", "enterprise", ENTERPRISE, "root",
		jwk_of_sign(&root), "server",
		owned(cert_of("server", ENTERPRISE, ENTERPRISE, 0, 1, &o->vault.pk, "")),
		"escrow_help", owned(cert_of("escrow-help", "default", ENTERPRISE, 7, 1, NULL, "")),
		"escrow_recovery",
		owned(cert_of("escrow-recovery", "default", ENTERPRISE, 8, 1, NULL, "")),
		"officers", officer_object(o), "policy", owned(policy_text(1)), "recovery_sheet",
		"time", 0);

	assert_non_null(b);
	assert_ok(jws_sign(&jws, "holdfast-claim", b, &sk));
	return jws;
}

/* One request with text fields only; the answer's error. */
static inline enum err ask(struct org *o, struct vaultmsg *answer, uint16_t type, const char *a,
			   const char *b, const char *c, const char *d)
{
	const char *texts[] = { a, b, c, d };
	VAULTMSG m = { 0 };

	vaultmsg_start(&m, type);
	for (size_t i = 0; i < COUNT(texts) && texts[i]; i++)
		vaultmsg_add_text(&m, texts[i]);
	vault_answer(&o->vault, &m, answer);
	return answer->type == VAULT_ERROR ? (enum err)answer->value[0].number : OK;
}

static inline void org_make(struct org *o)
{
	VAULTMSG answer = { 0 };
	TEXT *bundle = NULL, *proof = NULL;
	uint8_t secret[KEY_BYTES];

	memset(o, 0, sizeof(*o));
	server_dir_make(o->dir);
	assert_ok(vault_open(&o->vault, o->dir));
	o->officer_cert = cert_of(
		"officer", "ada", ENTERPRISE, 2, 1, NULL,
		"kill lock reset rotate-recovery policy escrow-help escrow-recovery officers tokens "
		"audit");
	bundle = claim_bundle(o);
	vault_derive(secret, &o->vault, "claim", "");
	proof = hmac_of(secret, bundle);
	assert_ok(ask(o, &answer, VAULT_CLAIM, bundle, proof, NULL, NULL));
}

static inline void org_drop(struct org *o)
{
	vault_close(&o->vault);
	server_dir_remove(o->dir);
	free(o->officer_cert);
}

/* A confirmed session; its id in ret. */
static inline void sign_in(char ret[SESSION_ID_TEXT], struct org *o, const char *sub, uint8_t key,
			   const char *cert)
{
	VAULTMSG answer = { 0 };
	struct sign_sk sk = signer(key);
	JSON *certs = json_pack("[s*]", cert);
	char kid[KID_BYTES];
	TEXT *open = NULL, *confirm = NULL;
	struct agree_sk esk;
	struct session s;

	kid_of_sign(kid, &o->vault.pk);
	assert_ok(session_open(&open, &esk, sub, kid, certs, (uint64_t)time(NULL), &sk));
	assert_ok(ask(o, &answer, VAULT_SESSION_OPEN, open, NULL, NULL, NULL));
	assert_ok(session_accepted(&s, open, answer.value[0].text, &esk, &o->vault.pk));
	assert_memory_equal(s.c2s, answer.value[2].key, KEY_BYTES);
	assert_ok(session_confirm(&confirm, &s, &sk));
	strcpy(ret, s.id);
	assert_ok(ask(o, &answer, VAULT_SESSION_CONFIRM, ret, confirm, "", NULL));
}

static inline void token_new(char ret_id[ID_TEXT], uint8_t ret_secret[KEY_BYTES], struct org *o,
			     const char *session, uint64_t uses)
{
	VAULTMSG m = { 0 }, answer = { 0 };
	uint8_t *secret = NULL;
	size_t len;

	vaultmsg_start(&m, VAULT_TOKEN_NEW);
	vaultmsg_add_text(&m, session);
	vaultmsg_add_number(&m, 600);
	vaultmsg_add_number(&m, uses);
	vault_answer(&o->vault, &m, &answer);
	assert_int_equal(answer.type, VAULT_OK);
	strcpy(ret_id, answer.value[0].text);
	assert_ok(b64_decode(&secret, &len, answer.value[1].text, answer.value[1].len));
	assert_int_equal(len, KEY_BYTES);
	memcpy(ret_secret, secret, len);
	free(secret);
}

static inline char *enrol_request(const char *token, const uint8_t secret[KEY_BYTES],
				  const char *device, const char *nonce)
{
	struct sign_pk attestation = signer_pk(4);
	struct sign_sk sk = signer(4);
	char kid[KID_BYTES], text[KID_BYTES + ID_TEXT], *jws = NULL;
	JSON *o = NULL;

	kid_of_sign(kid, &attestation);
	snprintf(text, sizeof(text), "%s.%s", kid, device);
	o = json_pack("{s:s,s:o,s:s,s:s,s:o,s:o,s:[],s:i,s:s}", "token", token, "proof",
		      owned(hmac_of(secret, text)), "device", device, "name", "laptop", "jwk",
		      jwk_of_sign(&attestation), "session",
		      owned(cert_of("session", device, "", 5, 4, NULL, "")), "users", "time", 0,
		      "nonce", nonce);
	assert_ok(jws_sign(&jws, "holdfast-enrol", o, &sk));
	return jws;
}

#endif
