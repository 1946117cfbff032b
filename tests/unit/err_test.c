/* Errors: each has a name and a text of its own. */
#include "core_test.h"

static void names(void **state)
{
	(void)state;
	assert_string_equal(err_name(OK), "OK");
	assert_string_equal(err_text(OK), "ok");
	assert_string_equal(err_name(ERR_FORMAT), "ERR_FORMAT");
	assert_string_equal(err_name(ERR_INTERNAL), "ERR_INTERNAL");
	assert_string_equal(err_text(ERR_LOCKED), "locked: a one-time code is needed");
}

static void distinct(void **state)
{
	(void)state;
	for (enum err a = OK; a <= ERR_INTERNAL; a++)
		for (enum err b = OK; b < a; b++) {
			assert_string_not_equal(err_name(a), err_name(b));
			assert_string_not_equal(err_text(a), err_text(b));
		}
}

static void unknown_numbers(void **state)
{
	(void)state;
	assert_string_equal(err_name((enum err)999), "ERR_INTERNAL");
	assert_string_equal(err_text((enum err)999), err_text(ERR_INTERNAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(distinct),
		cmocka_unit_test(unknown_numbers),
	};

	return RUN(tests);
}
