/* Signed messages: nothing that was not signed passes; what passes is canonical, and peek agrees with verify. */
#include "jose_fuzz.h"

#define TYP "holdfast-event"

enum { MODE_TEXT, MODE_SIGNED, MODE_CERT, MODES };

static int try_text(const char *jws)
{
	struct sign_pk pk = signer_pk(1);
	char kid[KID_BYTES];
	JSON *payload = NULL, *peeked = NULL;

	(void)jws_peek(&peeked, kid, TYP, jws);
	if (jws_verify(&payload, TYP, jws, &pk))
		return 0;
	if (!peeked || !json_equal(payload, peeked))
		abort();
	compact_check(jws);
	return 1;
}

/* Header and payload are mutated, then signed: only the strictness of the parsers is left. */
static int try_signed(char *text)
{
	const char *payload = text_part(text);
	TEXT *jws = jws_repair(text, payload, 1);

	return try_text(jws);
}

/* Certificates that are accepted can be made again, with the same meaning. */
static int try_cert(const char *payload)
{
	struct sign_sk sk = signer(1);
	struct sign_pk pk = signer_pk(1);
	struct cert c = { 0 }, again = { 0 };
	TEXT *jws = jws_of("holdfast-cert", payload, 1), *signed_again = NULL;

	if (cert_verify(&c, jws, "officer", &pk, 0))
		return 0;
	sample_must(cert_sign(&signed_again, &c, &sk));
	sample_must(cert_verify(&again, signed_again, "officer", &pk, 0));
	if (strcmp(c.subject, again.subject) || strcmp(c.permissions, again.permissions) ||
	    memcmp(&c.sign, &again.sign, sizeof c.sign) || c.not_after != again.not_after)
		abort();
	return 1;
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_TEXT:
		return try_text(text);
	case MODE_SIGNED:
		return try_signed(text);
	default:
		return try_cert(text);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	TEXT *jws = NULL, *header = NULL, *both = NULL;

	(void)argc;
	fuzz_begin();
	jws = jws_of(TYP, "{\"n\":1}", 1);
	header = jws_header(TYP, 1);
	if (asprintf(&both, "%s\n{\"n\":1}", header) < 0)
		abort();
	jose_seed(*argv, "text", MODE_TEXT, jws, try);
	jose_seed(*argv, "signed", MODE_SIGNED, both, try);
	jose_seed(*argv, "cert", MODE_CERT,
		  "{\"role\":\"officer\",\"subject\":\"anna\",\"enterprise\":\"" ENTERPRISE "\","
		  "\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		  "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
		  "\"not_before\":1,\"not_after\":0,\"permissions\":[\"kill\",\"lock\"]}", try);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
