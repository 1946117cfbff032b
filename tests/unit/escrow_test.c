/* Escrow messages and receipts. Keys: 1 laptop, 2 stranger, 3 server; escrow key 4. */
#include "tests/unit/jose_fixture.h"

#include "common/escrow_host.h"

#define CODE "BCDEF-GHJKL-NPRST"

static struct escrow record(void)
{
	return (struct escrow){ .id = ID_1, .device = DEVICE, .enrolment = ENROLMENT,
				.purpose = ESCROW_HELP, .kind = ESCROW_ONE_TIME_CODE,
				.number = 7, .created = 1700000000 };
}

static enum err seal(char **ret, const struct escrow *e, const char *code_text)
{
	SECRET struct secret code = { 0 };
	struct agree_pk pk = sealer_pk(4);
	struct sign_sk laptop = signer(1);

	assert_ok(secret_copy(&code, code_text, strlen(code_text)));
	return escrow_seal(ret, e, &code, &pk, &laptop);
}

static void there_and_back(void **state)
{
	struct escrow e = record(), seen = { 0 }, opened = { 0 };
	SECRET struct secret code = { 0 };
	struct sign_pk laptop = signer_pk(1);
	struct agree_sk sk = sealer(4);
	JSON *keyslots = json_pack("{s:s}", "uuid", "00ff");
	TEXT *jws = NULL;

	(void)state;
	strcpy(e.purpose, ESCROW_RECOVERY);
	strcpy(e.kind, ESCROW_RECOVERY_KEY);
	e.keyslots = keyslots;
	assert_ok(seal(&jws, &e, CODE));
	assert_null(strstr(jws, CODE));
	assert_ok(escrow_verify(&seen, jws, &laptop));
	assert_string_equal(seen.kind, ESCROW_RECOVERY_KEY);
	assert_true(json_equal(seen.keyslots, keyslots));
	assert_ok(escrow_open(&code, &opened, jws, &laptop, &sk));
	assert_int_equal(code.len, strlen(CODE));
	assert_memory_equal(code.bytes, CODE, code.len);
	assert_string_equal(opened.id, ID_1);
	assert_int_equal(opened.number, 7);
	assert_int_equal(opened.created, 1700000000);
	escrow_drop(&seen);
	escrow_drop(&opened);
	escrow_drop(&opened);
}

static void open_needs_the_right_keys(void **state)
{
	struct escrow e = record(), out = { 0 };
	SECRET struct secret code = { 0 };
	struct sign_pk laptop = signer_pk(1), stranger = signer_pk(2);
	struct agree_sk sk = sealer(4), other = sealer(5);
	TEXT *jws = NULL;

	(void)state;
	assert_ok(seal(&jws, &e, CODE));
	assert_err("another laptop's key", escrow_verify(&out, jws, &stranger), ERR_SIGNATURE);
	assert_err("another laptop's key", escrow_open(&code, &out, jws, &stranger, &sk),
		   ERR_SIGNATURE);
	assert_err("another escrow key", escrow_open(&code, &out, jws, &laptop, &other), ERR_AUTH);
	assert_null(code.bytes);
	assert_string_equal(out.id, "");
}

static void seal_refuses(void **state)
{
	static const struct {
		const char *why, *id, *purpose, *kind, *code;
	} rows[] = {
		{ "id is no hex", "xyz", ESCROW_HELP, ESCROW_ONE_TIME_CODE, CODE },
		{ "upper-case id", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", ESCROW_HELP,
		  ESCROW_ONE_TIME_CODE, CODE },
		{ "kind of another purpose", ID_1, ESCROW_HELP, ESCROW_RECOVERY_KEY, CODE },
		{ "unknown purpose", ID_1, "sale", ESCROW_RECOVERY_KEY, CODE },
		{ "a quote in the code", ID_1, ESCROW_HELP, ESCROW_ONE_TIME_CODE, "A\"B" },
		{ "lower-case code", ID_1, ESCROW_HELP, ESCROW_ONE_TIME_CODE, "abc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct escrow e = record();
		TEXT *jws = NULL;

		strcpy(e.id, rows[i].id);
		strcpy(e.purpose, rows[i].purpose);
		strcpy(e.kind, rows[i].kind);
		assert_err(rows[i].why, seal(&jws, &e, rows[i].code), ERR_RANGE);
	}
}

/* The sealed part of one record under the signed cover of another: what a laptop that was taken over, or
 * somebody with its attestation key, could send. */
static char *crossed(const char *member, const char *value, int number)
{
	struct escrow e = record();
	struct sign_sk laptop = signer(1);
	TEXT *jws = NULL;
	JSON *payload = NULL;
	char *out = NULL;

	assert_ok(seal(&jws, &e, CODE));
	assert_ok(jws_peek(&payload, NULL, "holdfast-escrow", jws));
	if (value)
		json_object_set_new(payload, member, json_string(value));
	else
		json_object_set_new(payload, member, json_integer(number));
	if (value && !strcmp(value, ESCROW_RECOVERY_KEY))
		json_object_set_new(payload, "purpose", json_string(ESCROW_RECOVERY));
	assert_ok(jws_sign(&out, "holdfast-escrow", payload, &laptop));
	return out;
}

static void inside_and_outside_must_agree(void **state)
{
	static const struct {
		const char *member, *value;
		int number;
		enum err want;
	} rows[] = {
		{ "id", ID_2, 0, ERR_CHANGED },
		{ "device", ANOTHER, 0, ERR_CHANGED },
		{ "enrolment", ANOTHER, 0, ERR_CHANGED },
		{ "kind", ESCROW_RECOVERY_KEY, 0, ERR_CHANGED },
		{ "number", NULL, 8, ERR_CHANGED },
		{ "number", NULL, 65536, ERR_FORMAT },
		{ "number", NULL, -1, ERR_FORMAT },
		{ "created", NULL, 5, OK },
		{ "created", "yesterday", 0, ERR_FORMAT },
		{ "purpose", ESCROW_RECOVERY, 0, ERR_FORMAT },
		{ "device", "0123", 0, ERR_FORMAT },
		{ "keyslots", "none", 0, ERR_FORMAT },
		{ "sealed", NULL, 1, ERR_FORMAT },
		{ "sealed", "x", 0, ERR_FORMAT },
	};
	struct sign_pk laptop = signer_pk(1);
	struct agree_sk sk = sealer(4);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *jws = crossed(rows[i].member, rows[i].value, rows[i].number);
		SECRET struct secret code = { 0 };
		struct escrow out = { 0 };

		assert_err(rows[i].member, escrow_open(&code, &out, jws, &laptop, &sk),
			   rows[i].want);
		assert_int_equal(code.bytes == NULL, rows[i].want != OK);
		escrow_drop(&out);
	}
}

/* Plaintexts that somebody with the attestation key could seal. */
static void insides_refused(void **state)
{
#define IDS "\"id\":\"" ID_1 "\",\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\"," \
	    "\"kind\":\"one-time-code\",\"number\":7"
	static const struct {
		const char *why, *inside;
		enum err want;
	} rows[] = {
		{ "as it should be", "{" IDS ",\"secret\":\"BCDEF\"}", OK },
		{ "another order and blanks", "{ \"secret\" : \"BCDEF\", " IDS " }", OK },
		{ "no code", "{" IDS "}", ERR_FORMAT },
		{ "an empty code", "{" IDS ",\"secret\":\"\"}", ERR_FORMAT },
		{ "two codes", "{" IDS ",\"secret\":\"B\",\"secret\":\"C\"}", ERR_FORMAT },
		{ "control characters for the officer's terminal",
		  "{" IDS ",\"secret\":\"B\x1b[2J\"}", ERR_FORMAT },
		{ "an escaped one", "{" IDS ",\"secret\":\"B\\u001b\"}", ERR_FORMAT },
		{ "no JSON", "BCDEF", ERR_FORMAT },
		{ "no number", "{\"id\":\"" ID_1 "\",\"secret\":\"B\"}", ERR_FORMAT },
	};
	struct sign_sk laptop_sk = signer(1);
	struct sign_pk laptop = signer_pk(1);
	struct agree_sk sk = sealer(4);
	struct agree_pk pk = sealer_pk(4);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *cover = crossed("number", NULL, 7), *sealed = NULL, *jws = NULL;
		JSON *payload = NULL;
		SECRET struct secret code = { 0 };
		struct escrow out = { 0 };

		assert_ok(jwe_seal(&sealed, &pk, (const uint8_t *)rows[i].inside,
				   strlen(rows[i].inside)));
		assert_ok(jws_peek(&payload, NULL, "holdfast-escrow", cover));
		json_object_set_new(payload, "sealed", json_string(sealed));
		assert_ok(jws_sign(&jws, "holdfast-escrow", payload, &laptop_sk));
		assert_err(rows[i].why, escrow_open(&code, &out, jws, &laptop, &sk), rows[i].want);
		escrow_drop(&out);
	}
}

static void receipt_covers(void **state)
{
	static const struct {
		const char *why, *device, *enrolment, *id, *message;
		uint8_t server;
		enum err want;
	} rows[] = {
		{ "the first", DEVICE, ENROLMENT, ID_1, "message 1", 3, OK },
		{ "the second", DEVICE, ENROLMENT, ID_2, "message 2", 3, OK },
		{ "another message", DEVICE, ENROLMENT, ID_1, "message 2", 3, ERR_CHANGED },
		{ "a longer message", DEVICE, ENROLMENT, ID_1, "message 1 ", 3, ERR_CHANGED },
		{ "an id that it lacks", DEVICE, ENROLMENT, ANOTHER, "message 1", 3, ERR_NOT_FOUND },
		{ "another device", ANOTHER, ENROLMENT, ID_1, "message 1", 3, ERR_MISDIRECTED },
		{ "another enrolment", DEVICE, ANOTHER, ID_1, "message 1", 3, ERR_MISDIRECTED },
		{ "another server", DEVICE, ENROLMENT, ID_1, "message 1", 2, ERR_SIGNATURE },
	};
	const char *ids[] = { ID_1, ID_2 }, *messages[] = { "message 1", "message 2" };
	struct sign_sk server = signer(3);
	TEXT *receipt = NULL;

	(void)state;
	assert_ok(receipt_sign(&receipt, DEVICE, ENROLMENT, 1700000000, ids, messages, 2, &server));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sign_pk pk = signer_pk(rows[i].server);

		assert_err(rows[i].why,
			   receipt_verify(receipt, rows[i].device, rows[i].enrolment, rows[i].id,
					  rows[i].message, &pk), rows[i].want);
	}
}

static void receipts_refused(void **state)
{
	static const char *const payloads[] = {
		"{}", "{\"items\":[]}",
		"{\"items\":{},\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\"}",
		"{\"items\":[1],\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\"}",
		"{\"items\":[{\"id\":\"" ID_1 "\"}],\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT
		"\"}",
	};
	struct sign_sk sk = signer(3);
	struct sign_pk server = signer_pk(3);

	(void)state;
	for (size_t i = 0; i < COUNT(payloads); i++) {
		JSON *payload = NULL;
		TEXT *receipt = NULL;

		assert_ok(json_parse(&payload, payloads[i], strlen(payloads[i])));
		assert_ok(jws_sign(&receipt, "holdfast-receipt", payload, &sk));
		assert_err(payloads[i], receipt_verify(receipt, DEVICE, ENROLMENT, ID_1, "m", &server),
			   ERR_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(open_needs_the_right_keys),
		cmocka_unit_test(seal_refuses),	  cmocka_unit_test(inside_and_outside_must_agree),
		cmocka_unit_test(insides_refused), cmocka_unit_test(receipt_covers),
		cmocka_unit_test(receipts_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
