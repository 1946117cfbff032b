/* UUID: text and bytes, both ways, and what is no UUID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driver/volume.h"
#include "driver/volume_uuid.h"

static const uint8_t bytes[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
static const char text[] = "01234567-89ab-cdef-fedc-ba9876543210";

static void both_ways(void **state)
{
	char out[UUID_TEXT_BYTES + 1];
	uint8_t back[16];

	(void)state;
	uuid_format(out, bytes);
	assert_string_equal(out, text);
	assert_int_equal(uuid_parse(back, "01234567-89AB-CDEF-FEDC-BA9876543210"), OK);
	assert_memory_equal(back, bytes, sizeof(back));
}

static void what_is_no_uuid(void **state)
{
	static const char *const rows[] = {
		"",
		"0123456789abcdeffedcba9876543210",
		"01234567-89ab-cdef-fedc-ba987654321",
		"01234567-89ab-cdef-fedc-ba98765432100",
		"01234567-89ab-cdef-fedc-ba987654321g",
		"01234567-89ab-cdef-fedcba-9876543210",
		"../../../../../../../../../../../dev",
	};
	uint8_t back[16] = { 7 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!uuid_parse(back, rows[i]))
			fail_msg("taken for a UUID: \"%s\"", rows[i]);
	assert_int_equal(uuid_parse(back, NULL), ERR_FORMAT);
	assert_int_equal(back[0], 7);
}

static void nobody_has_this_volume(void **state)
{
	char device[64] = "untouched";

	(void)state;
	assert_int_equal(volume_find(device, sizeof(device), bytes), ERR_NOT_FOUND);
	assert_string_equal(device, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(what_is_no_uuid),
		cmocka_unit_test(nobody_has_this_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
