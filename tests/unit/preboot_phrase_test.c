/* The small modules: texts, delays, GUIDs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include "preboot/delay.h"
#include "preboot/guid.h"
#include "preboot/phrase.h"

static void phrase_knows_its_formats(void **state)
{
	char text[80];

	size_t n;

	(void)state;
	n = phrase_format(text, sizeof(text), "%s is %u of %llu%c 100%%", "it", 7u,
			  18446744073709551615ull, '.');
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "it is 7 of 18446744073709551615. 100%");
	phrase_format(text, sizeof(text), "%u", 0u);
	assert_string_equal(text, "0");
}

static void phrase_is_cut_at_every_size(void **state)
{
	static const char whole[] = "generation 4, expected 7";

	(void)state;
	for (size_t size = 1; size <= sizeof(whole) + 2; size++) {
		char text[40];
		size_t want = size < sizeof(whole) ? size - 1 : sizeof(whole) - 1;

		memset(text, '#', sizeof(text));
		assert_int_equal(phrase_format(text, size, "%s %u, expected %u", "generation", 4u, 7u), want);
		assert_memory_equal(text, whole, want);
		assert_int_equal(text[want], 0);
		assert_int_equal(text[size], '#');
	}
}

static void delay_grows_to_thirty_seconds(void **state)
{
	static const unsigned want[] = { 0, 1, 2, 4, 8, 16, 30, 30 };

	(void)state;
	for (unsigned n = 0; n < sizeof(want) / sizeof(want[0]); n++)
		assert_int_equal(delay_s(n), want[n]);
	assert_int_equal(delay_s(131070), 30);
	assert_int_equal(delay_s(UINT_MAX), 30);
}

static void guid_goes_into_the_order_of_its_text(void **state)
{
	/* c12a7328-f81f-11d2-ba4b-00a0c93ec93b, as a partition table keeps it */
	static const uint8_t mixed[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					   0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
	static const uint8_t text[16] = { 0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2,
					  0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
	uint8_t got[16];

	(void)state;
	guid_text_order(got, mixed);
	assert_memory_equal(got, text, sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrase_knows_its_formats),
		cmocka_unit_test(phrase_is_cut_at_every_size),
		cmocka_unit_test(delay_grows_to_thirty_seconds),
		cmocka_unit_test(guid_goes_into_the_order_of_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
