/* Compact JWS. Vectors: RFC 8037 appendices A.4 and A.5. */
#include "tests/unit/jose_fixture.h"

#define TYP "holdfast-event"
#define RFC8037_INPUT "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define RFC8037_SIGNATURE \
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static struct sign_sk rfc8037_key(void)
{
	struct sign_sk sk;

	assert_ok(hex_decode(sk.seed, sizeof sk.seed,
			     "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
	return sk;
}

static void rfc8037_a4_a5(void **state)
{
	struct sign_sk sk = rfc8037_key();
	struct sign_pk pk;
	TEXT *signature = NULL;

	(void)state;
	sign_pk_of(&pk, &sk);
	assert_ok(jws_signature(&signature, RFC8037_INPUT, &sk));
	assert_string_equal(signature, RFC8037_SIGNATURE);
	assert_ok(jws_signature_check(RFC8037_INPUT "." RFC8037_SIGNATURE, &pk));
	pk = signer_pk(1);
	assert_err("another key", jws_signature_check(RFC8037_INPUT "." RFC8037_SIGNATURE, &pk),
		   ERR_SIGNATURE);
}

/* Its header lacks kid and typ: a good signature, yet none of our messages. */
static void rfc8037_a4_is_no_message_of_ours(void **state)
{
	struct sign_sk sk = rfc8037_key();
	struct sign_pk pk;
	JSON *payload = NULL;

	(void)state;
	sign_pk_of(&pk, &sk);
	assert_err("RFC 8037 A.4", jws_verify(&payload, TYP, RFC8037_INPUT "." RFC8037_SIGNATURE, &pk),
		   ERR_FORMAT);
}

static char *good(void)
{
	JSON *payload = json_pack("{s:i}", "n", 42);
	struct sign_sk sk = signer(1);
	char *jws = NULL;

	assert_ok(jws_sign(&jws, TYP, payload, &sk));
	return jws;
}

static void there_and_back(void **state)
{
	TEXT *jws = good();
	struct sign_pk pk = signer_pk(1), other = signer_pk(2);
	char kid[KID_BYTES], want[KID_BYTES];
	JSON *payload = NULL, *peeked = NULL, *none = NULL;
	uint64_t n;

	(void)state;
	assert_ok(jws_verify(&payload, TYP, jws, &pk));
	assert_ok(json_get_u64(&n, payload, "n"));
	assert_int_equal(n, 42);
	assert_ok(jws_peek(&peeked, kid, TYP, jws));
	kid_of_sign(want, &pk);
	assert_string_equal(kid, want);
	assert_err("another typ", jws_verify(&none, "holdfast-command", jws, &pk), ERR_MISDIRECTED);
	assert_err("another typ", jws_peek(&none, NULL, "holdfast-command", jws), ERR_MISDIRECTED);
	assert_err("another key", jws_verify(&none, TYP, jws, &other), ERR_SIGNATURE);
	assert_null(none);
}

/* Headers that other libraries would obey, each over a good signature. KID is replaced. */
static void headers_refused(void **state)
{
	static const struct {
		const char *why, *header;
		enum err want;
	} rows[] = {
		{ "ours", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"" TYP "\"}", OK },
		{ "other order", "{\"typ\":\"" TYP "\",\"alg\":\"EdDSA\",\"kid\":\"KID\"}", OK },
		{ "alg none", "{\"alg\":\"none\",\"kid\":\"KID\",\"typ\":\"" TYP "\"}", ERR_FORMAT },
		{ "alg HS256", "{\"alg\":\"HS256\",\"kid\":\"KID\",\"typ\":\"" TYP "\"}", ERR_FORMAT },
		{ "alg in another case", "{\"alg\":\"eddsa\",\"kid\":\"KID\",\"typ\":\"" TYP "\"}",
		  ERR_FORMAT },
		{ "crit", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"" TYP "\",\"crit\":[\"b64\"]}",
		  ERR_FORMAT },
		{ "a key in the header", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"" TYP
		  "\",\"jwk\":{}}", ERR_FORMAT },
		{ "no kid", "{\"alg\":\"EdDSA\",\"typ\":\"" TYP "\"}", ERR_FORMAT },
		{ "no typ", "{\"alg\":\"EdDSA\",\"kid\":\"KID\"}", ERR_FORMAT },
		{ "another member instead of typ", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"cty\":\"x\"}",
		  ERR_FORMAT },
		{ "kid is a number", "{\"alg\":\"EdDSA\",\"kid\":1,\"typ\":\"" TYP "\"}", ERR_FORMAT },
		{ "short kid", "{\"alg\":\"EdDSA\",\"kid\":\"x\",\"typ\":\"" TYP "\"}", ERR_FORMAT },
		{ "kid of another key",
		  "{\"alg\":\"EdDSA\",\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"typ\":\"" TYP
		  "\"}", ERR_SIGNATURE },
		{ "typ twice", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"" TYP "\",\"typ\":\"" TYP
		  "\"}", ERR_FORMAT },
		{ "wrong typ", "{\"alg\":\"EdDSA\",\"kid\":\"KID\",\"typ\":\"JWT\"}", ERR_MISDIRECTED },
		{ "an array", "[\"EdDSA\",\"KID\",\"x\"]", ERR_FORMAT },
		{ "no JSON", "EdDSA", ERR_FORMAT },
	};
	struct sign_pk pk = signer_pk(1);
	char kid[KID_BYTES], header[512];

	(void)state;
	kid_of_sign(kid, &pk);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = strstr(rows[i].header, "KID");
		JSON *payload = NULL;
		TEXT *jws = NULL;

		snprintf(header, sizeof header, "%.*s%s%s",
			 at ? (int)(at - rows[i].header) : (int)strlen(rows[i].header),
			 rows[i].header, at ? kid : "", at ? at + 3 : "");
		jws = jws_forge(header, "{}", 1);
		assert_err(rows[i].why, jws_verify(&payload, TYP, jws, &pk), rows[i].want);
	}
}

static void payloads_refused(void **state)
{
	static const struct {
		const char *why, *payload;
	} rows[] = {
		{ "an array", "[]" }, { "text", "hello" }, { "empty", "" },
		{ "a member twice", "{\"a\":1,\"a\":2}" },
	};
	struct sign_pk pk = signer_pk(1);
	char kid[KID_BYTES], header[256];

	(void)state;
	kid_of_sign(kid, &pk);
	snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"" TYP "\"}", kid);
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *jws = jws_forge(header, rows[i].payload, 1);
		JSON *payload = NULL;

		assert_err(rows[i].why, jws_verify(&payload, TYP, jws, &pk), ERR_FORMAT);
		assert_err(rows[i].why, jws_peek(&payload, NULL, TYP, jws), ERR_FORMAT);
	}
}

static void refused(const char *why, const char *jws)
{
	struct sign_pk pk = signer_pk(1);
	JSON *payload = NULL;

	if (!jws_verify(&payload, TYP, jws, &pk))
		fail_msg("%s was accepted: %s", why, jws);
}

static void every_truncation_and_change(void **state)
{
	TEXT *jws = good();
	size_t len = strlen(jws);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		TEXT *cut = strndup(jws, i), *changed = strdup(jws);

		refused("cut", cut);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		refused("one character changed", changed);
	}
}

/* h, b and s in a form stand for header, body and signature. */
static void form_write(char *ret, const char *form, char *parts[3])
{
	static const char letters[] = "hbs";

	for (; *form; form++) {
		const char *at = strchr(letters, *form);

		if (at)
			ret = stpcpy(ret, parts[at - letters]);
		else
			*ret++ = *form;
	}
	*ret = '\0';
}

static void parts_refused(void **state)
{
	static const char *const forms[] = { "b.h.s", "h.s.b", "h.b", "h.b.", "h..s", ".b.s", "h.b.s.",
					     "h.b.s.s", "h.b.s=", " h.b.s", "h=.b.s", "h.b==.s",
					     "h.b.s\n", "hb.s", "", "..", "...." };
	TEXT *jws = good(), *other = NULL;
	JSON *payload = json_pack("{s:i}", "n", 43);
	struct sign_sk sk = signer(1);
	char *parts[3], *rest, text[1024];

	(void)state;
	assert_ok(jws_sign(&other, TYP, payload, &sk));
	for (int i = 0; i < 3; i++)
		parts[i] = strtok_r(i ? NULL : jws, ".", &rest);
	for (size_t i = 0; i < COUNT(forms); i++) {
		form_write(text, forms[i], parts);
		refused(forms[i], text);
	}
	parts[2] = strrchr(other, '.') + 1;
	form_write(text, "h.b.s", parts);
	refused("another message's signature", text);
}

static void too_long(void **state)
{
	char *text = malloc(JWS_BYTES_MAX + 2);
	struct sign_pk pk = signer_pk(1);
	JSON *payload = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'A', JWS_BYTES_MAX + 1);
	text[JWS_BYTES_MAX + 1] = '\0';
	text[4] = text[8] = '.';
	assert_err("a character too long", jws_verify(&payload, TYP, text, &pk), ERR_FORMAT);
	free(text);
}

/* FIPS 180-2: SHA-256("abc"). */
static void digest_is_of_the_text(void **state)
{
	uint8_t digest[DIGEST_BYTES];
	char hex[2 * DIGEST_BYTES + 1];

	(void)state;
	jws_digest(digest, "abc");
	hex_encode(hex, digest, sizeof digest);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc8037_a4_a5),
		cmocka_unit_test(rfc8037_a4_is_no_message_of_ours),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(headers_refused),
		cmocka_unit_test(payloads_refused),
		cmocka_unit_test(every_truncation_and_change),
		cmocka_unit_test(parts_refused),
		cmocka_unit_test(too_long),
		cmocka_unit_test(digest_is_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
