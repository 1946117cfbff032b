/* Sessions from both sides: the messages of the exchange and the sealed bodies, mutated, then signed and sealed. */
#include "jose_fuzz.h"

#include "common/session_host.h"

#define NOW 1700000000u
#define PATH "/v1/policy"

enum { MODE_REQUEST, MODE_RESPONSE, MODE_OPEN, MODE_ACCEPT, MODE_PROOF, MODE_TEXT, MODES };

static struct session session = { .id = "AAAAAAAAAAAAAAAAAAAAAA", .c2s = { 1 }, .s2c = { 2 } };
static struct agree_sk esk;
static char *opening;

/* Header and plaintext, sealed under the counter that the header names. */
static char *sealed(char *text, const uint8_t key[static KEY_BYTES])
{
	const char *plain = text_part(text);
	uint64_t counter = 0;
	uint8_t iv[12] = { 0 };
	TEXT *header = NULL;
	JSON *j = NULL;
	char *jwe = NULL;

	if (!*plain)
		return NULL;
	if (!json_parse(&j, text, strlen(text)) && json_get_u64(&counter, j, "ctr"))
		counter = 0;
	for (int i = 0; i < 8; i++)
		iv[4 + i] = (uint8_t)(counter >> (56 - 8 * i));
	sample_must(b64_encode(&header, text, strlen(text)));
	sample_must(jwe_compact(&jwe, header, key, iv, plain, strlen(plain)));
	return jwe;
}

/* What was taken once is not taken again, and the window stays in order. */
static int take(const char *jwe)
{
	struct session s = session, before = session;
	JSON *body = NULL, *none = NULL;
	TEXT *token = NULL, *no_token = NULL;
	uint64_t ctr;

	if (session_request_open(&body, &token, &ctr, &s, jwe, "GET", PATH)) {
		if (memcmp(&s, &before, sizeof s))
			abort();
		return 0;
	}
	if (!body || s.counter != ctr ||
	    session_request_open(&none, &no_token, &ctr, &s, jwe, "GET", PATH) != ERR_REPLAY)
		abort();
	compact_check(jwe);
	return 1;
}

static int try_request(char *text)
{
	TEXT *jwe = sealed(text, session.c2s);

	return jwe && take(jwe);
}

static int try_response(char *text)
{
	TEXT *jwe = sealed(text, session.s2c);
	JSON *body = NULL;

	return jwe && !session_unseal(&body, &session, jwe, 1, 200);
}

static int try_open(const char *payload)
{
	TEXT *jws = jws_of("holdfast-session-open", payload, 1), *accept = NULL;
	struct sign_pk client = signer_pk(1);
	struct sign_sk server = signer(2);
	SESSION s = { 0 };

	return !session_accept(&s, &accept, jws, &client, NOW, 600, &server);
}

static int try_accept(const char *payload)
{
	TEXT *jws = jws_of("holdfast-session-accept", payload, 2);
	struct sign_pk server = signer_pk(2);
	SESSION s = { 0 };

	return !session_accepted(&s, opening, jws, &esk, &server);
}

static int try_proof(const char *payload)
{
	TEXT *proof = jws_of("holdfast-user-proof", payload, 3);
	TEXT *confirm = jws_of("holdfast-session-confirm", payload, 3);
	struct sign_pk pk = signer_pk(3);
	JSON *read = NULL;

	if (session_confirm_verify(&session, confirm, &pk))
		return 0;
	return !session_user_proof_verify(&read, &session, proof, &pk);
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_REQUEST:
		return try_request(text);
	case MODE_RESPONSE:
		return try_response(text);
	case MODE_OPEN:
		return try_open(text);
	case MODE_ACCEPT:
		return try_accept(text);
	case MODE_PROOF:
		return try_proof(text);
	default:
		return take(text);
	}
}

#define EPK "\"epk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":" X25519_NINE "}"

static void seeds_exchange(char **argv)
{
	struct sign_pk server = signer_pk(2);
	uint8_t digest[DIGEST_BYTES];
	char kid[KID_BYTES];
	TEXT *open = NULL, *digest_text = NULL, *accept = NULL;

	kid_of_sign(kid, &server);
	if (asprintf(&open, "{\"sub\":\"device:" DEVICE "\"," EPK ",\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\","
		     "\"server\":\"%s\",\"certs\":[],\"time\":1700000000}", kid) < 0)
		abort();
	opening = jws_of("holdfast-session-open", open, 1);
	jws_digest(digest, opening);
	sample_must(b64_encode(&digest_text, digest, sizeof digest));
	if (asprintf(&accept, "{\"session\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"open\":\"%s\"," EPK ","
		     "\"expires_in\":600,\"time\":1700000000}", digest_text) < 0)
		abort();
	jose_seed(argv, "open", MODE_OPEN, open, try);
	jose_seed(argv, "accept", MODE_ACCEPT, accept, try);
}

static void seeds_bodies(char **argv)
{
	struct session client = session;
	JSON *body = json_object();
	TEXT *jwe = NULL;
	uint64_t ctr;

	sample_must(session_seal(&jwe, &ctr, &client, "GET", PATH, "token", body));
	jose_seed(argv, "text", MODE_TEXT, jwe, try);
	jose_seed(argv, "request", MODE_REQUEST,
		  "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"typ\":\"holdfast-request\","
		  "\"sid\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"dir\":\"c2s\",\"ctr\":1,\"method\":\"GET\","
		  "\"path\":\"" PATH "\"}\n{\"token\":\"t\",\"body\":{}}", try);
	jose_seed(argv, "response", MODE_RESPONSE,
		  "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"typ\":\"holdfast-response\","
		  "\"sid\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"dir\":\"s2c\",\"ctr\":1,\"status\":200}\n"
		  "{\"body\":{}}", try);
	jose_seed(argv, "proof", MODE_PROOF,
		  "{\"transcript\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"user\":\"anna\","
		  "\"credential\":\"" ID "\",\"method\":\"password\",\"device\":\"" DEVICE "\"}", try);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	memset(esk.bytes, 5, sizeof esk.bytes);
	seeds_exchange(*argv);
	seeds_bodies(*argv);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
