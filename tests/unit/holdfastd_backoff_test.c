/* Back-off: bounds, growth, jitter, and the server's word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>

#include "agent/holdfastd/backoff.h"

static void test_bounds_double_up_to_the_last(void **state)
{
	(void)state;
	for (unsigned failures = 0; failures < 40; failures++) {
		uint64_t ceiling = failures < 9 ? (uint64_t)BACKOFF_FIRST_MS << failures : BACKOFF_LAST_MS;
		uint32_t highest = 0, lowest = UINT32_MAX;

		if (ceiling > BACKOFF_LAST_MS)
			ceiling = BACKOFF_LAST_MS;
		for (unsigned i = 0; i < 400; i++) {
			struct backoff b = { failures };
			uint32_t ms = backoff_next_ms(&b, 0);

			assert_int_equal(b.failures, failures + 1);
			assert_true(ms <= ceiling);
			highest = ms > highest ? ms : highest;
			lowest = ms < lowest ? ms : lowest;
		}
		assert_true(highest > ceiling / 2); /* full jitter: spread over all of it */
		assert_true(lowest < ceiling / 2);
	}
}

static void test_retry_after_is_honoured_within_reason(void **state)
{
	struct backoff b = { 0 };
	uint32_t ms = backoff_next_ms(&b, 20);

	(void)state;
	assert_true(ms >= 20000 && ms <= 20000 + BACKOFF_FIRST_MS);
	b.failures = 0;
	assert_true(backoff_next_ms(&b, UINT32_MAX) <= BACKOFF_SERVER_MAX_S * 1000 + BACKOFF_FIRST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_double_up_to_the_last),
		cmocka_unit_test(test_retry_after_is_honoured_within_reason),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
