/* What may become a password: what can be typed before the system starts. */
#include "core_test.h"

#include "agent/volumed/passwords.h"

static void held_against_the_layout(void **state)
{
	static const struct {
		const char *why, *layout, *password;
		enum err want;
		const char *said;
	} rows[] = {
		{ "plain", "us", "correct horse", OK, NULL },
		{ "umlauts in the German layout", "de", "gr\xc3\xbc\xc3\x9f", OK, NULL },
		{ "umlauts in the US one", "us", "gr\xc3\xbc\xc3\x9f", ERR_RANGE, "character 3 of the password" },
		{ "by dead keys", "fr", "\xc3\xaatre", OK, NULL },
		{ "with a key that not every firmware reports", "de", "a<b", OK, NULL },
		{ "Cyrillic", "ru", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c", OK, NULL },
		{ "Latin with a Cyrillic layout: pre-boot switches to us", "ru", "parol", OK, NULL },
		{ "half of each", "ru", "par\xd0\xbe", ERR_RANGE, "character 1 of the password" },
		{ "letter and combining accent", "de", "cafe\xcc\x81", ERR_RANGE, "character 5 of the password" },
		{ "a control character", "de", "a\tb", ERR_RANGE, "character 2 of the password" },
		{ "no UTF-8", "de", "a\xff", ERR_RANGE, "character 2 of the password" },
		{ "the layout's name", "ch(fr)", "\xd1\x8f", ERR_RANGE, "ch(fr) (French (Switzerland))" },
		{ "a layout that this version has not got", "xx", "correct horse", OK, NULL },
		{ "nothing", "de", "", ERR_RANGE, "empty" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why = NULL;

		expect(rows[i].why, rows[i].want, passwords_check_typed(&why, rows[i].password, rows[i].layout));
		if (rows[i].said && !strstr(why, rows[i].said))
			fail_msg("%s: \"%s\"", rows[i].why, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_against_the_layout),
	};

	return RUN(tests);
}
