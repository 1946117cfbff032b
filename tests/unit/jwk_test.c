/* OKP keys as JWKs. Vectors: RFC 8037 appendix A, RFC 7517 appendix A.1 (whose keys are refused). */
#include "tests/unit/jose_fixture.h"

#define RFC8037_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define RFC8037_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RFC8037_THUMBPRINT "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define BOB_X "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"

static json_t *parsed(const char *text)
{
	json_t *j = NULL;

	assert_ok(json_parse(&j, text, strlen(text)));
	return j;
}

static void rfc8037_a1_a3(void **state)
{
	JSON *jwk = parsed("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}");
	JSON *secret = parsed("{\"d\":\"" RFC8037_D "\"}");
	struct sign_sk sk;
	struct sign_pk pk, read;
	char kid[KID_BYTES];

	(void)state;
	assert_ok(json_get_b64(sk.seed, sizeof sk.seed, secret, "d"));
	sign_pk_of(&pk, &sk);
	assert_ok(jwk_to_sign(&read, jwk));
	assert_memory_equal(&pk, &read, sizeof pk);
	kid_of_sign(kid, &pk);
	assert_string_equal(kid, RFC8037_THUMBPRINT);
}

static void parse_refuses(void **state)
{
	static const struct {
		const char *why, *text;
		enum err sign, agree;
	} rows[] = {
		{ "Ed25519", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}", OK,
		  ERR_FORMAT },
		{ "X25519", "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" BOB_X "\"}", ERR_FORMAT,
		  OK },
		{ "members of no concern (RFC 7517 section 4)",
		  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"Bob\",\"use\":\"sig\",\"x\":\"" RFC8037_X
		  "\"}", OK, ERR_FORMAT },
		{ "a private key where a public one is wanted",
		  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"d\":\"" RFC8037_D "\"}",
		  ERR_FORMAT, ERR_FORMAT },
		{ "RFC 7517 A.1: an EC key",
		  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
		  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"}",
		  ERR_FORMAT, ERR_FORMAT },
		{ "an oct key", "{\"kty\":\"oct\",\"k\":\"" RFC8037_X "\"}", ERR_FORMAT, ERR_FORMAT },
		{ "31 bytes", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", ERR_FORMAT, ERR_FORMAT },
		{ "33 bytes", "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
		  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", ERR_FORMAT, ERR_FORMAT },
		{ "no x", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", ERR_FORMAT, ERR_FORMAT },
		{ "x is a number", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":1}", ERR_FORMAT,
		  ERR_FORMAT },
		{ "no kty", "{\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}", ERR_FORMAT, ERR_FORMAT },
		{ "an array", "[]", ERR_FORMAT, ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *jwk = parsed(rows[i].text);
		struct sign_pk sign;
		struct agree_pk agree;

		assert_err(rows[i].why, jwk_to_sign(&sign, jwk), rows[i].sign);
		assert_err(rows[i].why, jwk_to_agree(&agree, jwk), rows[i].agree);
	}
	assert_err("absent", jwk_to_sign(&(struct sign_pk){ { 0 } }, NULL), ERR_FORMAT);
}

static void there_and_back(void **state)
{
	struct sign_sk sign_sk;
	struct agree_sk agree_sk;
	struct sign_pk sign, sign_back;
	struct agree_pk agree, agree_back;
	JSON *sign_jwk = NULL, *agree_jwk = NULL;
	char kid_1[KID_BYTES], kid_2[KID_BYTES];

	(void)state;
	sign_sk_new(&sign_sk);
	sign_pk_of(&sign, &sign_sk);
	sign_jwk = jwk_of_sign(&sign);
	assert_ok(jwk_to_sign(&sign_back, sign_jwk));
	assert_memory_equal(&sign, &sign_back, sizeof sign);
	agree_sk_new(&agree_sk);
	agree_pk_of(&agree, &agree_sk);
	agree_jwk = jwk_of_agree(&agree);
	assert_ok(jwk_to_agree(&agree_back, agree_jwk));
	assert_memory_equal(&agree, &agree_back, sizeof agree);
	memcpy(sign.bytes, agree.bytes, sizeof sign.bytes);
	kid_of_sign(kid_1, &sign);
	kid_of_agree(kid_2, &agree);
	assert_string_not_equal(kid_1, kid_2);
}

static void private_keys_are_wiped(void **state)
{
	static const uint8_t zeros[KEY_BYTES];
	struct sign_sk sign = signer(7);
	struct agree_sk agree = sealer(7);

	(void)state;
	sign_sk_wipe(&sign);
	agree_sk_wipe(&agree);
	assert_memory_equal(sign.seed, zeros, sizeof zeros);
	assert_memory_equal(agree.bytes, zeros, sizeof zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc8037_a1_a3),
		cmocka_unit_test(parse_refuses),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(private_keys_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
