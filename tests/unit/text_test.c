/* Text fields: what is safe to show and to use as a C string. */
#include "core_test.h"

#include "common/text.h"

static const struct {
	const char *why;
	const char *field; /* of eight bytes */
	int valid, name;
} rows[] = {
	{ "empty", "\0\0\0\0\0\0\0\0", 1, 0 },
	{ "letters", "root_1-a", 0, 0 },
	{ "seven letters and the zero", "root_1-\0", 1, 1 },
	{ "something behind the zero", "root\0x\0\0", 0, 0 },
	{ "upper case", "Root\0\0\0\0", 1, 0 },
	{ "a slash", "a/b\0\0\0\0\0", 1, 0 },
	{ "two-byte letter", "J\xc3\xb6rg\0\0\0", 1, 0 },
	{ "three-byte letter", "\xe2\x82\xac\0\0\0\0\0", 1, 0 },
	{ "four-byte letter", "\xf0\x9f\x94\x92\0\0\0\0", 1, 0 },
	{ "line feed", "a\nb\0\0\0\0\0", 0, 0 },
	{ "escape", "\x1b[2J\0\0\0\0", 0, 0 },
	{ "delete", "a\x7f\0\0\0\0\0\0", 0, 0 },
	{ "C1 control", "\xc2\x9b\0\0\0\0\0\0", 0, 0 },
	{ "continuation without a start", "\x80\0\0\0\0\0\0\0", 0, 0 },
	{ "start without a continuation", "\xc3\0\0\0\0\0\0\0", 0, 0 },
	{ "cut off at the end of the field", "abcde\xe2\x82\0", 0, 0 },
	{ "overlong slash", "\xc0\xaf\0\0\0\0\0\0", 0, 0 },
	{ "overlong in three bytes", "\xe0\x80\xaf\0\0\0\0\0", 0, 0 },
	{ "surrogate", "\xed\xa0\x80\0\0\0\0\0", 0, 0 },
	{ "beyond Unicode", "\xf4\x90\x80\x80\0\0\0\0", 0, 0 },
	{ "first byte of five", "\xf8\x88\x80\x80\x80\0\0\0", 0, 0 },
	{ "right-to-left override", "a\xe2\x80\xae\0\0\0\0", 0, 0 },
	{ "isolate", "a\xe2\x81\xa6\0\0\0\0", 0, 0 },
};

static void fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t *field = (const uint8_t *)rows[i].field;

		if (text_valid(field, 8) != rows[i].valid || text_is_name(field, 8) != rows[i].name)
			fail_msg("%s: valid %d, name %d", rows[i].why, text_valid(field, 8),
				 text_is_name(field, 8));
	}
}

static void setting(void **state)
{
	uint8_t field[8];

	(void)state;
	memset(field, 0xa5, sizeof(field));
	assert_false(text_set(field, sizeof(field), "12345678"));
	assert_true(untouched(field, sizeof(field)));
	assert_true(text_set(field, sizeof(field), "1234"));
	assert_memory_equal(field, "1234\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(setting),
	};

	return RUN(tests);
}
