/* Compact JWE and its key derivation. Vectors: RFC 7516 appendix A.1 (content encryption), RFC 7518
 * appendix C (Concat KDF), RFC 8037 appendix A.6 (X25519), RFC 5869 appendix A.1 (HKDF). */
#include "tests/unit/jose_fixture.h"

#include <sodium.h>

#include "common/gcm_host.h"
#include "common/jwe_host.h"
#include "common/kdf_host.h"

static const uint8_t rfc7516_key[KEY_BYTES] = {
	177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246,
	138, 7, 110, 91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
};
static const uint8_t rfc7516_iv[GCM_IV_BYTES] = { 227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77,
						  219 };

static void rfc7516_a1_content(void **state)
{
	static const char header[] = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
	static const char plain[] = "The true sign of intelligence is not knowledge but imagination.";
	static const char want[] =
		"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ..48V1_ALb6US04U3b."
		"5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A."
		"XFBoMYUZodetZdvTiFvSkQ";
	TEXT *jwe = NULL;

	(void)state;
	assert_ok(jwe_compact(&jwe, header, rfc7516_key, rfc7516_iv, plain, strlen(plain)));
	assert_string_equal(jwe, want);
}

static void rfc7518_c_concat_kdf(void **state)
{
	static const uint8_t z[] = { 158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66,
				     131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128,
				     106, 72, 246, 218, 167, 121, 140, 254, 144, 196 };
	const struct concat_info info = { "A128GCM", "Alice", "Bob", 5, 3 };
	uint8_t key[16], too_much[33];
	TEXT *text = NULL;

	(void)state;
	assert_ok(concat_kdf(key, sizeof key, z, sizeof z, &info));
	assert_ok(b64_encode(&text, key, sizeof key));
	assert_string_equal(text, "VqqN6vgjbSBcIijNcacQGg");
	assert_err("a second round would be needed",
		   concat_kdf(too_much, sizeof too_much, z, sizeof z, &info), ERR_RANGE);
}

static void rfc8037_a6_agreement(void **state)
{
	struct agree_sk esk;
	struct agree_pk epk, bob;
	JSON *bob_jwk = json_pack("{s:s, s:s, s:s, s:s}", "kty", "OKP", "crv", "X25519", "kid", "Bob",
				  "x", "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08");
	JSON *epk_jwk = NULL;
	const char *x;
	uint8_t z[32];
	char hex[65];

	(void)state;
	assert_ok(hex_decode(esk.bytes, sizeof esk.bytes,
			     "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
	agree_pk_of(&epk, &esk);
	epk_jwk = jwk_of_agree(&epk);
	assert_ok(json_get_string(&x, epk_jwk, "x"));
	assert_string_equal(x, "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo");
	assert_ok(jwk_to_agree(&bob, bob_jwk));
	assert_int_equal(crypto_scalarmult(z, esk.bytes, bob.bytes), 0);
	hex_encode(hex, z, sizeof z);
	assert_string_equal(hex, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

static void rfc5869_a1_hkdf(void **state)
{
	uint8_t ikm[22], salt[13], info[10], prk[32], okm[32];
	char hex[65];

	(void)state;
	memset(ikm, 0x0b, sizeof ikm);
	for (uint8_t i = 0; i < sizeof salt; i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof info; i++)
		info[i] = (uint8_t)(0xf0 + i);
	hkdf_extract(prk, salt, sizeof salt, ikm, sizeof ikm);
	hex_encode(hex, prk, sizeof prk);
	assert_string_equal(hex, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	hkdf_expand(okm, prk, info, sizeof info);
	hex_encode(hex, okm, sizeof okm);
	assert_string_equal(hex, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

static void seal_and_unseal_lengths(void **state)
{
	struct agree_sk sk = sealer(1), other = sealer(2);
	struct agree_pk pk = sealer_pk(1);
	uint8_t plain[64];

	(void)state;
	memset(plain, 0x5a, sizeof plain);
	for (size_t len = 0; len <= sizeof plain; len++) {
		SECRET struct secret back = { 0 };
		TEXT *jwe = NULL;

		assert_err("length", jwe_seal(&jwe, &pk, plain, len), len ? OK : ERR_RANGE);
		if (!len)
			continue;
		assert_ok(jwe_unseal(&back, jwe, &sk));
		assert_int_equal(back.len, len);
		assert_memory_equal(back.bytes, plain, len);
		secret_drop(&back);
		assert_err("another key", jwe_unseal(&back, jwe, &other), ERR_AUTH);
		assert_null(back.bytes);
	}
}

static void sealing_never_repeats(void **state)
{
	struct agree_pk pk = sealer_pk(1);
	TEXT *a = NULL, *b = NULL;

	(void)state;
	assert_ok(jwe_seal(&a, &pk, (const uint8_t *)"x", 1));
	assert_ok(jwe_seal(&b, &pk, (const uint8_t *)"x", 1));
	assert_string_not_equal(a, b);
}

/* Points of small order make the shared secret all zeros, whatever the private key. */
static void small_order_refused(void **state)
{
	static const uint8_t points[][KEY_BYTES] = {
		{ 0 }, { 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
		  0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
		  0x5f, 0x49, 0xb8, 0x00 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(points); i++) {
		struct agree_pk pk;
		TEXT *jwe = NULL;

		memcpy(pk.bytes, points[i], sizeof pk.bytes);
		assert_err("small order", jwe_seal(&jwe, &pk, (const uint8_t *)"x", 1), ERR_FORMAT);
	}
}

static char *sealed(void)
{
	struct agree_pk pk = sealer_pk(1);
	char *jwe = NULL;

	assert_ok(jwe_seal(&jwe, &pk, (const uint8_t *)"hello", 5));
	return jwe;
}

static void unseal_refused(const char *why, const char *jwe)
{
	struct agree_sk sk = sealer(1);
	SECRET struct secret back = { 0 };

	if (!jwe_unseal(&back, jwe, &sk))
		fail_msg("%s was accepted: %s", why, jwe);
	assert_null(back.bytes);
}

static void every_truncation_and_change(void **state)
{
	TEXT *jwe = sealed();
	size_t len = strlen(jwe);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		TEXT *cut = strndup(jwe, i), *changed = strdup(jwe);

		unseal_refused("cut", cut);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		unseal_refused("one character changed", changed);
	}
}

static void parts_exchanged(void **state)
{
	TEXT *a = sealed(), *b = sealed();
	char *pa[5], *pb[5];

	(void)state;
	pa[0] = a;
	pb[0] = b;
	for (int i = 1; i < 5; i++) {
		pa[i] = strchr(pa[i - 1], '.');
		*pa[i]++ = '\0';
		pb[i] = strchr(pb[i - 1], '.');
		*pb[i]++ = '\0';
	}
	for (int swap = 0; swap < 5; swap++) {
		TEXT *text = NULL;
		const char *p[5];

		for (int i = 0; i < 5; i++)
			p[i] = i == swap ? pb[i] : pa[i];
		assert_true(asprintf(&text, "%s.%s.%s.%s.%s", p[0], p[1], p[2], p[3], p[4]) > 0);
		if (swap != 1)
			unseal_refused("a part of another message", text);
	}
	for (int extra = 0; extra < 2; extra++) {
		TEXT *text = NULL;

		assert_true(asprintf(&text, "%s.%s.%s.%s.%s%s", pa[0], extra ? "AAAA" : "", pa[2],
				     pa[3], pa[4], extra ? "" : ".") > 0);
		unseal_refused(extra ? "an encrypted key" : "a sixth part", text);
	}
}

/* Headers that other libraries would obey. EPK is replaced by the ephemeral key, KID by the recipient's. */
static char *header_fill(const char *form, const struct agree_pk *epk, const struct agree_pk *to)
{
	char kid[KID_BYTES], *at, *text = calloc(1, 1024);
	JSON *jwk = jwk_of_agree(epk);
	TEXT *epk_text = NULL;

	assert_non_null(text);
	kid_of_agree(kid, to);
	assert_ok(json_print(&epk_text, jwk));
	at = text;
	while (*form) {
		if (!strncmp(form, "EPK", 3) || !strncmp(form, "KID", 3)) {
			at = stpcpy(at, *form == 'E' ? epk_text : kid);
			form += 3;
		} else {
			*at++ = *form++;
		}
	}
	return text;
}

static char *sealed_under(const char *form)
{
	const struct concat_info info = { .algorithm = "A256GCM" };
	struct agree_sk esk = sealer(9);
	struct agree_pk epk = sealer_pk(9), to = sealer_pk(1);
	TEXT *text = header_fill(form, &epk, &to), *header = NULL;
	uint8_t z[32], key[32], iv[12] = { 0 };
	char *jwe = NULL;

	assert_int_equal(crypto_scalarmult(z, esk.bytes, to.bytes), 0);
	assert_ok(concat_kdf(key, sizeof key, z, sizeof z, &info));
	assert_ok(b64_encode(&header, text, strlen(text)));
	assert_ok(jwe_compact(&jwe, header, key, iv, "hello", 5));
	return jwe;
}

static void headers_refused(void **state)
{
	static const struct {
		const char *why, *header;
		enum err want;
	} rows[] = {
		{ "ours", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", OK },
		{ "alg dir", "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "alg none", "{\"alg\":\"none\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "enc A128GCM", "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "another typ", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"JWE\"}", ERR_FORMAT },
		{ "zip", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\",\"zip\":\"DEF\"}", ERR_FORMAT },
		{ "crit", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\",\"crit\":[\"x\"]}", ERR_FORMAT },
		{ "apu", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\",\"apu\":\"QQ\"}", ERR_FORMAT },
		{ "no kid", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,\"x\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "no epk", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"ekp\":EPK,\"kid\":\"KID\","
		  "\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "epk of small order", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"OKP\","
		  "\"crv\":\"X25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
		  "\"kid\":\"KID\",\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "a member twice", "{\"alg\":\"ECDH-ES\",\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\","
		  "\"epk\":EPK,\"kid\":\"KID\",\"typ\":\"holdfast-sealed\"}", ERR_FORMAT },
		{ "sealed for another", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":EPK,"
		  "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"typ\":\"holdfast-sealed\"}",
		  ERR_AUTH },
	};
	struct agree_sk sk = sealer(1);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *jwe = sealed_under(rows[i].header);
		SECRET struct secret back = { 0 };

		assert_err(rows[i].why, jwe_unseal(&back, jwe, &sk), rows[i].want);
	}
}

static void dir_there_and_back(void **state)
{
	JSON *header = json_pack("{s:s, s:i}", "typ", "holdfast-request", "ctr", 1);
	JSON *peeked = NULL, *read = NULL, *none = NULL;
	SECRET struct secret plain = { 0 }, no = { 0 };
	uint8_t iv[12] = { 0 }, other_iv[12] = { 1 }, other_key[KEY_BYTES] = { 1 };
	TEXT *jwe = NULL;

	(void)state;
	assert_ok(jwe_dir_encrypt(&jwe, header, rfc7516_key, iv, "hello", 5));
	assert_ok(jwe_peek(&peeked, jwe));
	assert_string_equal(json_string_value(json_object_get(peeked, "typ")), "holdfast-request");
	assert_ok(jwe_dir_decrypt(&plain, &read, jwe, rfc7516_key, iv));
	assert_int_equal(plain.len, 5);
	assert_memory_equal(plain.bytes, "hello", 5);
	assert_true(json_equal(peeked, read));
	assert_err("another key", jwe_dir_decrypt(&no, &none, jwe, other_key, iv), ERR_AUTH);
	assert_err("another IV", jwe_dir_decrypt(&no, &none, jwe, rfc7516_key, other_iv), ERR_AUTH);
	assert_null(none);
	assert_null(no.bytes);
}

static void dir_headers_refused(void **state)
{
	static const struct {
		const char *why, *header;
	} rows[] = {
		{ "alg none", "{\"alg\":\"none\",\"enc\":\"A256GCM\"}" },
		{ "alg ECDH-ES", "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"}" },
		{ "enc A256CBC-HS512", "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}" },
		{ "zip", "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}" },
		{ "crit", "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"crit\":[]}" },
		{ "no enc", "{\"alg\":\"dir\"}" },
		{ "an array", "[]" },
	};
	const uint8_t iv[12] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *header = NULL, *jwe = NULL;
		SECRET struct secret plain = { 0 };
		JSON *read = NULL;

		assert_ok(b64_encode(&header, rows[i].header, strlen(rows[i].header)));
		assert_ok(jwe_compact(&jwe, header, rfc7516_key, iv, "x", 1));
		assert_err(rows[i].why, jwe_peek(&read, jwe), ERR_FORMAT);
		assert_err(rows[i].why, jwe_dir_decrypt(&plain, &read, jwe, rfc7516_key, iv),
			   ERR_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7516_a1_content),
		cmocka_unit_test(rfc7518_c_concat_kdf),
		cmocka_unit_test(rfc8037_a6_agreement),
		cmocka_unit_test(rfc5869_a1_hkdf),
		cmocka_unit_test(seal_and_unseal_lengths),
		cmocka_unit_test(sealing_never_repeats),
		cmocka_unit_test(small_order_refused),
		cmocka_unit_test(every_truncation_and_change),
		cmocka_unit_test(parts_exchanged),
		cmocka_unit_test(headers_refused),
		cmocka_unit_test(dir_there_and_back),
		cmocka_unit_test(dir_headers_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
