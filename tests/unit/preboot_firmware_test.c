/* The firmware's table: protocols, memory, status codes, and the ways out. */
#include "core_test.h"

#include "preboot/firmware.h"
#include "tests/fake/fake.h"

static const EFI_GUID nowhere = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } };
static const EFI_GUID inputs = {
	0xdd9e7534, 0x7762, 0x4698, { 0x8c, 0x14, 0xf5, 0x85, 0x17, 0xa6, 0x25, 0xaa }
};

static int begin(void **state)
{
	*state = fake_new(1);
	fake_here(*state);
	return 0;
}

static int end(void **state)
{
	fake_free(*state);
	return 0;
}

static void status_codes_become_errors(void **state)
{
	static const struct {
		EFI_STATUS status;
		enum err want;
	} rows[] = {
		{ EFI_SUCCESS, OK },
		{ EFI_NOT_FOUND, ERR_NOT_FOUND },
		{ EFI_NO_MEDIA, ERR_NOT_FOUND },
		{ EFI_OUT_OF_RESOURCES, ERR_MEMORY },
		{ EFI_VOLUME_FULL, ERR_SPACE },
		{ EFI_ACCESS_DENIED, ERR_DENIED },
		{ EFI_SECURITY_VIOLATION, ERR_DENIED },
		{ EFI_WRITE_PROTECTED, ERR_DENIED },
		{ EFI_UNSUPPORTED, ERR_UNSUPPORTED },
		{ EFI_DEVICE_ERROR, ERR_IO },
		{ EFI_WARN_DELETE_FAILURE, ERR_IO },
		{ EFI_ERROR_MASK | 4711, ERR_IO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect("status", rows[i].want, firmware_err(rows[i].status));
}

static void handles_and_protocols(void **state)
{
	EFI_HANDLE *handles = NULL;
	UINTN count = firmware_handles(&handles, &inputs);

	assert_int_equal(count, 4); /* two keyboards, the terminal, the console */
	assert_non_null(firmware_protocol(handles[0], &inputs));
	assert_null(firmware_protocol(handles[0], &nowhere));
	firmware_free(handles);
	assert_int_equal(firmware_handles(&handles, &nowhere), 0);
	assert_null(handles);
	firmware_free(handles);
	fake_fail(*state, FAKE_LOCATE_HANDLES, 1, 1000, FAKE_OUT_OF_RESOURCES);
	assert_int_equal(firmware_handles(&handles, &inputs), 0);
	assert_null(handles);
}

static void all_ranges_count(void **state)
{
	struct fake *f = *state;

	f->free_mib = 777;
	assert_int_equal(firmware_memory_mib(), 777);
	/* Bug: a memory map that could not be had at all was walked for ever, a step of 0 at a
	 * time. */
	for (unsigned call = 1; call <= 2; call++) {
		fake_fail(f, FAKE_GET_MEMORY_MAP, f->calls[FAKE_GET_MEMORY_MAP] + call, 1,
			  FAKE_DEVICE_ERROR);
		assert_int_equal(firmware_memory_mib(), 0);
	}
	fake_fail(f, FAKE_GET_MEMORY_MAP, 1, 1000, FAKE_DEVICE_ERROR);
	assert_int_equal(firmware_memory_mib(), 0);
	fake_fail_nothing(f);
	fake_fail(f, FAKE_ALLOCATE_POOL, 1, 1000, FAKE_OUT_OF_RESOURCES);
	assert_int_equal(firmware_memory_mib(), 0);
	fake_fail_nothing(f);
	assert_int_equal(firmware_memory_mib(), 777);
}

static void restart(void *argument)
{
	(void)argument;
	firmware_restart();
}

static void power_off(void *argument)
{
	(void)argument;
	firmware_power_off();
}

static void the_heap_is_wiped_on_both_ways_out(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_call(f, restart, NULL), FAKE_RESTART);
	assert_int_equal(f->heap_wipes, 1);
	assert_int_equal(fake_call(f, power_off, NULL), FAKE_POWER_OFF);
	assert_int_equal(f->heap_wipes, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(status_codes_become_errors),
		TEST(handles_and_protocols),
		TEST(all_ranges_count),
		TEST(the_heap_is_wiped_on_both_ways_out),
	};

	return RUN(tests);
}
