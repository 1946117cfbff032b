/* Certificates of keys. */
#include "tests/unit/jose_fixture.h"

#define NOW 1700000000u

static struct cert officer(void)
{
	struct cert c = { .role = "officer", .subject = "anna", .enterprise = ENTERPRISE,
			  .not_before = NOW - 1000, .not_after = NOW + 1000,
			  .permissions = "kill lock escrow-help" };

	c.sign = signer_pk(5);
	return c;
}

static char *signed_cert(const struct cert *c)
{
	struct sign_sk root = signer(1);
	char *jws = NULL;

	assert_ok(cert_sign(&jws, c, &root));
	return jws;
}

static void there_and_back(void **state)
{
	struct cert c = officer(), seal = { .role = "officer-seal", .subject = "anna", .agrees = 1,
					    .enterprise = ENTERPRISE };
	struct cert back;
	struct sign_pk root = signer_pk(1);
	TEXT *jws = signed_cert(&c), *seal_jws = NULL;

	(void)state;
	assert_ok(cert_verify(&back, jws, "officer", &root, NOW));
	assert_string_equal(back.subject, "anna");
	assert_string_equal(back.enterprise, ENTERPRISE);
	assert_string_equal(back.permissions, c.permissions);
	assert_memory_equal(&back.sign, &c.sign, sizeof c.sign);
	assert_int_equal(back.not_after, c.not_after);
	assert_false(back.agrees);

	seal.agree = sealer_pk(5);
	seal_jws = signed_cert(&seal);
	assert_ok(cert_verify(&back, seal_jws, "officer-seal", &root, NOW));
	assert_true(back.agrees);
	assert_memory_equal(&back.agree, &seal.agree, sizeof seal.agree);
	assert_string_equal(back.permissions, "");
}

static void verify_refuses(void **state)
{
	static const struct {
		const char *why, *role;
		uint8_t issuer;
		uint64_t now;
		enum err want;
	} rows[] = {
		{ "as it should be", "officer", 1, NOW, OK },
		{ "another issuer", "officer", 2, NOW, ERR_SIGNATURE },
		{ "another role", "server", 1, NOW, ERR_MISDIRECTED },
		{ "a role that its name only begins with", "officer-seal", 1, NOW, ERR_MISDIRECTED },
		{ "the last second", "officer", 1, NOW + 999, OK },
		{ "ended", "officer", 1, NOW + 1000, ERR_EXPIRED },
		{ "ended, but nobody asks", "officer", 1, 0, OK },
		{ "begins within the day that clocks may differ", "officer", 1, NOW - 1000 - 86400, OK },
		{ "begins later than that", "officer", 1, NOW - 1001 - 86400, ERR_EXPIRED },
	};
	struct cert c = officer();
	TEXT *jws = signed_cert(&c);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sign_pk issuer = signer_pk(rows[i].issuer);
		struct cert back = { .subject = "untouched" };

		assert_err(rows[i].why, cert_verify(&back, jws, rows[i].role, &issuer, rows[i].now),
			   rows[i].want);
		if (rows[i].want)
			assert_string_equal(back.subject, "untouched");
	}
}

static void sign_refuses(void **state)
{
	struct sign_sk root = signer(1);
	struct cert c = officer();
	TEXT *jws = NULL;

	(void)state;
	strcpy(c.role, "king");
	assert_err("unknown role", cert_sign(&jws, &c, &root), ERR_RANGE);
	c = officer();
	c.agrees = 1;
	assert_err("an officer's key signs", cert_sign(&jws, &c, &root), ERR_RANGE);
	c = officer();
	c.enterprise[3] = 'x';
	assert_err("enterprise no hex", cert_sign(&jws, &c, &root), ERR_RANGE);
	assert_null(jws);
}

/* Payloads with a good signature that are still no certificates. */
static void payloads_refused(void **state)
{
#define HEAD "{\"subject\":\"a\",\"enterprise\":\"" ENTERPRISE "\","
#define TIMES "\"not_before\":0,\"not_after\":0"
#define KEY "\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
#define ROLE "\"role\":\"officer\","
	static const struct {
		const char *why, *payload;
		enum err want;
	} rows[] = {
		{ "good", HEAD ROLE KEY TIMES "}", OK },
		{ "with members of no concern", HEAD ROLE KEY TIMES ",\"new\":1}", OK },
		{ "permissions", HEAD ROLE KEY TIMES ",\"permissions\":[\"kill\"]}", OK },
		{ "no role", HEAD KEY TIMES "}", ERR_FORMAT },
		{ "no key", HEAD ROLE TIMES "}", ERR_FORMAT },
		{ "no times", HEAD ROLE KEY "\"not_before\":0}", ERR_FORMAT },
		{ "unknown role", HEAD "\"role\":\"king\"," KEY TIMES "}", ERR_FORMAT },
		{ "role of another kind of key", HEAD "\"role\":\"escrow-help\"," KEY TIMES "}",
		  ERR_FORMAT },
		{ "permissions no array", HEAD ROLE KEY TIMES ",\"permissions\":\"kill\"}",
		  ERR_FORMAT },
		{ "two permissions in one", HEAD ROLE KEY TIMES ",\"permissions\":[\"a kill\"]}",
		  ERR_FORMAT },
		{ "an empty permission", HEAD ROLE KEY TIMES ",\"permissions\":[\"\"]}", ERR_FORMAT },
		{ "a permission that is a number", HEAD ROLE KEY TIMES ",\"permissions\":[1]}",
		  ERR_FORMAT },
		{ "enterprise too short", "{\"subject\":\"a\",\"enterprise\":\"00\"," ROLE KEY TIMES "}",
		  ERR_FORMAT },
	};
	struct sign_pk root = signer_pk(1);
	char kid[KID_BYTES], header[256];

	(void)state;
	kid_of_sign(kid, &root);
	snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"holdfast-cert\"}",
		 kid);
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *jws = jws_forge(header, rows[i].payload, 1);
		struct cert c;

		assert_err(rows[i].why, cert_verify(&c, jws, "officer", &root, NOW), rows[i].want);
	}
}

static void too_many_permissions(void **state)
{
	struct cert c = officer(), back;
	struct sign_pk root = signer_pk(1);
	TEXT *jws = NULL;

	(void)state;
	memset(c.permissions, 'a', sizeof c.permissions - 1);
	c.permissions[sizeof c.permissions - 1] = '\0';
	jws = signed_cert(&c);
	assert_err("one name as long as the list", cert_verify(&back, jws, "officer", &root, 0),
		   ERR_FORMAT);
}

static void permits(void **state)
{
	struct cert c = officer();

	(void)state;
	assert_true(cert_permits(&c, "kill"));
	assert_true(cert_permits(&c, "lock"));
	assert_true(cert_permits(&c, "escrow-help"));
	assert_false(cert_permits(&c, "escrow"));
	assert_false(cert_permits(&c, "help"));
	assert_false(cert_permits(&c, "kil"));
	assert_false(cert_permits(&c, "kills"));
	assert_false(cert_permits(&c, "kill lock"));
	assert_false(cert_permits(&c, ""));
	c.permissions[0] = '\0';
	assert_false(cert_permits(&c, "kill"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(verify_refuses),
		cmocka_unit_test(sign_refuses),	  cmocka_unit_test(payloads_refused),
		cmocka_unit_test(too_many_permissions), cmocka_unit_test(permits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
