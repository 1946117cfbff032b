/* What the JOSE tests share: cmocka in the right order, keys that stay the same, one certificate. */
#ifndef HOLDFAST_JOSE_FIXTURE_H
#define HOLDFAST_JOSE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cert_host.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define DEVICE "0123456789abcdef0123456789abcdef"
#define ENROLMENT "fedcba9876543210fedcba9876543210"
#define ENTERPRISE "00112233445566778899aabbccddeeff"
#define ANOTHER "ffffffffffffffffffffffffffffffff"
#define ID_1 "11111111111111111111111111111111"
#define ID_2 "22222222222222222222222222222222"

/* A row's reason is what a failure prints. */
#define assert_err(why, got, want)                                                        \
	do {                                                                              \
		enum err got_ = (got), want_ = (want);                                    \
		if (got_ != want_)                                                        \
			fail_msg("%s: got %s, want %s", why, err_name(got_), err_name(want_)); \
	} while (0)
#define assert_ok(call) assert_err(#call, call, OK)

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

static inline struct agree_sk sealer(uint8_t n)
{
	struct agree_sk sk;

	memset(sk.bytes, n, sizeof sk.bytes);
	return sk;
}

static inline struct agree_pk sealer_pk(uint8_t n)
{
	struct agree_sk sk = sealer(n);
	struct agree_pk pk;

	agree_pk_of(&pk, &sk);
	return pk;
}

/* An officer's certificate for signer(n), by signer(issuer). */
static inline char *officer_cert(uint8_t n, uint8_t issuer, const char *permissions)
{
	struct cert c = { .role = "officer", .subject = "anna", .enterprise = ENTERPRISE,
			  .not_before = 1000, .not_after = 2000000000 };
	struct sign_sk sk = signer(issuer);
	char *jws = NULL;

	c.sign = signer_pk(n);
	snprintf(c.permissions, sizeof c.permissions, "%s", permissions);
	assert_ok(cert_sign(&jws, &c, &sk));
	return jws;
}

/* Sign any header and payload text: what jws_sign itself never makes. */
static inline char *jws_forge(const char *header, const char *payload, uint8_t n)
{
	struct sign_sk sk = signer(n);
	TEXT *h = NULL, *p = NULL, *s = NULL;
	char *input = NULL, *jws = NULL;

	assert_ok(b64_encode(&h, header, strlen(header)));
	assert_ok(b64_encode(&p, payload, strlen(payload)));
	assert_true(asprintf(&input, "%s.%s", h, p) > 0);
	assert_ok(jws_signature(&s, input, &sk));
	assert_true(asprintf(&jws, "%s.%s", input, s) > 0);
	free(input);
	return jws;
}

#endif
