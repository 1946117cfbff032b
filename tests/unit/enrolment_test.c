/* Enrolment: tokens that are wrong, and who may begin. What the server answers: tests/volumed/enrol_test.py. */
#include "volumed_fixture.h"

#include "agent/volumed/enrolment.h"
#include "agent/volumed/passwords.h"

static void token_make(char ret[static 1024], const char *json)
{
	TEXT *text = NULL;

	expect("base64", OK, b64_encode(&text, json, strlen(json)));
	snprintf(ret, 1024, "holdfast-enrol:%s", text);
}

#define GOOD "{\"url\":\"https://x\",\"root\":\"r\",\"id\":\"i\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\"," \
	     "\"pin\":\"\",\"enterprise\":\"00112233445566778899aabbccddeeff\"}"

static void test_tokens(void **state)
{
	static const struct {
		const char *why, *json;
	} rows[] = {
		{ "no JSON", "x" },
		{ "no object", "[]" },
		{ "no root", "{\"id\":\"i\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"enterprise\":\"00112233445566778899aabbccddeeff\"}" },
		{ "no secret", "{\"root\":\"r\",\"id\":\"i\",\"enterprise\":\"00112233445566778899aabbccddeeff\"}" },
		{ "short secret", "{\"root\":\"r\",\"id\":\"i\",\"secret\":\"AAAA\",\"enterprise\":\"00112233445566778899aabbccddeeff\"}" },
		{ "enterprise is no id", "{\"root\":\"r\",\"id\":\"i\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\","
					 "\"enterprise\":\"e\"}" },
		{ "enterprise too long",
		  "{\"root\":\"r\",\"id\":\"i\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\","
		  "\"enterprise\":\"0123456789012345678901234567890123456789\"}" },
	};
	char token[1024];

	(void)state;
	expect("no prefix", ERR_FORMAT, enrolment_allow(&laptop, "something else"));
	expect("no base64", ERR_FORMAT, enrolment_allow(&laptop, "holdfast-enrol:***"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		token_make(token, rows[i].json);
		expect(rows[i].why, ERR_FORMAT, enrolment_allow(&laptop, token));
	}
	token_make(token, GOOD);
	expect("a good one", OK, enrolment_allow(&laptop, token));
}

/* A taken-over holdfastd must not be able to enrol the laptop somewhere: the codes would be sealed there. */
static void test_root_must_allow(void **state)
{
	char token[1024], other[1024];
	const uint8_t session[KEY_BYTES] = { 1 };
	TEXT *jws = NULL, *second = NULL;

	(void)state;
	token_make(token, GOOD);
	token_make(other, "{\"url\":\"https://evil\",\"root\":\"r\",\"id\":\"i\","
			  "\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"enterprise\":\"00112233445566778899aabbccddeeff\"}");
	expect("not allowed", ERR_DENIED, enrolment_begin(&jws, &laptop, token, session, 0));
	expect("allow", OK, enrolment_allow(&laptop, token));
	expect("another token", ERR_DENIED, enrolment_begin(&jws, &laptop, other, session, 0));
	expect("this token", OK, enrolment_begin(&jws, &laptop, token, session, 0));
	laptop.enrol_allowed = volumed_now() - 1;
	expect("too late", ERR_DENIED, enrolment_begin(&second, &laptop, token, session, 0));
	assert_null(second);
	expect("root itself", OK, enrolment_begin(&second, &laptop, token, session, 1));
}

static void test_no_key(void **state)
{
	const uint8_t session[KEY_BYTES] = { 1 };
	char token[1024];
	TEXT *jws = NULL;

	(void)state;
	token_make(token, GOOD);
	bootkeys_forget(&laptop.keys, BOOTKEY_UNLOCK);
	expect("no unlock key", ERR_STATE, enrolment_begin(&jws, &laptop, token, session, 1));
	expect("finish without begin", ERR_STATE, enrolment_finish(&laptop, "a.b.c"));
}

static void test_passwords(void **state)
{
	char long_one[PASSWORD_BYTES_MAX + 2];
	const char *why;

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	expect("good", OK, passwords_check(&why, "correct horse ~ staple"));
	expect("empty", ERR_RANGE, passwords_check(&why, ""));
	expect("on no keyboard", ERR_RANGE, passwords_check(&why, "a \xe2\x98\x83"));
	expect("control", ERR_RANGE, passwords_check(&why, "a\tb"));
	expect("too long", ERR_RANGE, passwords_check(&why, long_one));
	long_one[PASSWORD_BYTES_MAX] = '\0';
	expect("longest", OK, passwords_check(&why, long_one));
	expect("name", OK, passwords_check_user(&why, "j\xc3\xbcrgen"));
	expect("no name", ERR_RANGE, passwords_check_user(&why, ""));
	expect("slash", ERR_RANGE, passwords_check_user(&why, "a/b"));
	expect("bad UTF-8", ERR_RANGE, passwords_check_user(&why, "\xff"));
	expect("long name", ERR_RANGE, passwords_check_user(&why, long_one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAPTOP_TEST(test_tokens), LAPTOP_TEST(test_root_must_allow), LAPTOP_TEST(test_no_key),
		cmocka_unit_test(test_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
