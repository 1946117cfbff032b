/* The delay: it grows, never shrinks, and ends at half a minute. */
#include "core_test.h"

#include <limits.h>

#include "preboot/delay.h"

static void grows_to_thirty_seconds(void **state)
{
	static const unsigned want[] = { 0, 1, 2, 4, 8, 16, 30, 30 };

	(void)state;
	for (unsigned n = 0; n < COUNT(want); n++)
		assert_int_equal(delay_s(n), want[n]);
	for (unsigned n = 1; n < 100000; n++)
		assert_true(delay_s(n) >= delay_s(n - 1) && delay_s(n) <= 30);
	assert_int_equal(delay_s(UINT_MAX), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_thirty_seconds),
	};

	return RUN(tests);
}
