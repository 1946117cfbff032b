/* For the fuzzers of the JOSE messages. The first byte of an input chooses what the rest is; the rest may be two
 * texts, parted by the first line end. Signatures and tags are made here over whatever was mutated, so that the
 * fuzzer gets past them. */
#ifndef HOLDFAST_JOSE_FUZZ_H
#define HOLDFAST_JOSE_FUZZ_H

#include "core_fuzz.h"

#include "common/cert_host.h"

#define DEVICE "0123456789abcdef0123456789abcdef"
#define ENROLMENT "fedcba9876543210fedcba9876543210"
#define ENTERPRISE "00112233445566778899aabbccddeeff"
#define ID "11111111111111111111111111111111"
#define X25519_NINE "\"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"" /* the base point */

static inline struct sign_sk signer(uint8_t n)
{
	struct sign_sk sk;

	memset(sk.seed, n, sizeof sk.seed);
	return sk;
}

static inline struct sign_pk signer_pk(uint8_t n)
{
	struct sign_sk sk = signer(n);
	struct sign_pk pk;

	sign_pk_of(&pk, &sk);
	return pk;
}

static inline char *text_copy(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		abort();
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* The text behind the first line end, which becomes the end of the first text; "" when there is none. */
static inline const char *text_part(char *text)
{
	char *end = strchr(text, '\n');

	if (!end)
		return "";
	*end = '\0';
	return end + 1;
}

/* Sign any header and payload. */
static inline char *jws_repair(const char *header, const char *payload, uint8_t n)
{
	struct sign_sk sk = signer(n);
	TEXT *h = NULL, *p = NULL, *s = NULL, *input = NULL;
	char *jws = NULL;

	sample_must(b64_encode(&h, header, strlen(header)));
	sample_must(b64_encode(&p, payload, strlen(payload)));
	if (asprintf(&input, "%s.%s", h, p) < 0)
		abort();
	sample_must(jws_signature(&s, input, &sk));
	if (asprintf(&jws, "%s.%s", input, s) < 0)
		abort();
	return jws;
}

/* The header that signer(n) writes for a typ. */
static inline char *jws_header(const char *typ, uint8_t n)
{
	struct sign_pk pk = signer_pk(n);
	char kid[KID_BYTES], *header = NULL;

	kid_of_sign(kid, &pk);
	if (asprintf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"%s\"}", kid, typ) < 0)
		abort();
	return header;
}

static inline char *jws_of(const char *typ, const char *payload, uint8_t n)
{
	TEXT *header = jws_header(typ, n);

	return jws_repair(header, payload, n);
}

/* Base64url has one form, so the parts of a compact text that was accepted encode to themselves. */
static inline void compact_check(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "."), got;
		BLOB *bytes = NULL;
		TEXT *again = NULL;

		sample_must(b64_decode(&bytes, &got, text, len));
		sample_must(b64_encode(&again, bytes, got));
		if (strlen(again) != len || memcmp(again, text, len))
			abort();
		text += len + (text[len] == '.');
	}
}

/* A seed must be accepted, else the fuzzer would run in vain. */
static inline void jose_seed(char **argv, const char *name, uint8_t mode, const char *text,
			     int (*try)(const uint8_t *data, size_t len))
{
	size_t len = strlen(text) + 1;
	uint8_t *bytes = malloc(len);

	if (!bytes)
		abort();
	bytes[0] = mode;
	memcpy(bytes + 1, text, len - 1);
	if (!try(bytes, len)) {
		fprintf(stderr, "the seed %s is not accepted\n", name);
		abort();
	}
	fuzz_seed(argv, name, bytes, len);
	free(bytes);
}

#endif
