/* Variables of the firmware: what is read and written, and what comes of firmware that fails. */
#include "core_test.h"

#include <efi.h>
#include <stdlib.h>

#include "preboot/variable.h"
#include "tests/fake/fake.h"

#define NV_BOOT 3u
#define NV_BOOT_RUN 7u

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

static void what_is_written_is_read(void **state)
{
	uint8_t back[8];
	uint32_t attributes;

	expect("write", OK, variable_write(L"HoldfastTally", "12345678", 8, 0));
	expect("read", OK, variable_read(back, 8, L"HoldfastTally"));
	assert_memory_equal(back, "12345678", 8);
	assert_int_equal(fake_variable(*state, "HoldfastTally", back, 8, &attributes), 8);
	assert_int_equal(attributes, NV_BOOT);
	expect("visible to Linux", OK, variable_write(L"HoldfastGeneration", "1", 1, 1));
	assert_int_equal(fake_variable(*state, "HoldfastGeneration", back, 8, &attributes), 1);
	assert_int_equal(attributes, NV_BOOT_RUN);
	variable_delete(L"HoldfastTally");
	variable_delete(L"HoldfastTally");
	expect("deleted", ERR_NOT_FOUND, variable_read(back, 8, L"HoldfastTally"));
}

static void another_length_is_refused(void **state)
{
	static const struct {
		const char *why;
		size_t has, wanted;
		enum err want;
	} rows[] = {
		{ "shorter", 7, 8, ERR_FORMAT },
		{ "longer", 9, 8, ERR_FORMAT },
		{ "the longest that is read", VARIABLE_BYTES_MAX, VARIABLE_BYTES_MAX, OK },
		{ "longer than anything that is read", VARIABLE_BYTES_MAX + 1, VARIABLE_BYTES_MAX,
		  ERR_FORMAT },
		{ "asked for more than is ever read", 8, VARIABLE_BYTES_MAX + 1, ERR_RANGE },
	};
	static const uint8_t bytes[2 * VARIABLE_BYTES_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t back[2 * VARIABLE_BYTES_MAX];

		memset(back, 0xa5, sizeof(back));
		fake_variable_put(*state, "HoldfastTally", NV_BOOT, bytes, rows[i].has);
		expect(rows[i].why, rows[i].want,
		       variable_read(back, rows[i].wanted, L"HoldfastTally"));
		if (rows[i].want)
			assert_true(untouched(back, sizeof(back)));
	}
}

static void of_any_length_up_to_a_bound(void **state)
{
	static const uint8_t bytes[101] = { 7 };
	uint8_t *back = NULL;
	size_t len;

	fake_variable_put(*state, "HoldfastKill", NV_BOOT, bytes, 100);
	expect("fits", OK, variable_read_all(&back, &len, 100, L"HoldfastKill"));
	assert_int_equal(len, 100);
	assert_memory_equal(back, bytes, len);
	free(back);
	back = NULL;
	fake_variable_put(*state, "HoldfastKill", NV_BOOT, bytes, 101);
	expect("longer", ERR_FORMAT, variable_read_all(&back, &len, 100, L"HoldfastKill"));
	expect("none", ERR_NOT_FOUND, variable_read_all(&back, &len, 100, L"HoldfastOther"));
	assert_null(back);
}

static void failures_are_told_apart(void **state)
{
	static const struct {
		uint64_t status;
		enum err want;
	} rows[] = {
		{ FAKE_DEVICE_ERROR, ERR_IO },          { FAKE_OUT_OF_RESOURCES, ERR_MEMORY },
		{ FAKE_WRITE_PROTECTED, ERR_DENIED },   { FAKE_SECURITY_VIOLATION, ERR_DENIED },
		{ FAKE_UNSUPPORTED, ERR_UNSUPPORTED },  { FAKE_NOT_FOUND, ERR_NOT_FOUND },
	};
	uint8_t byte = 0xa5;

	for (size_t i = 0; i < COUNT(rows); i++) {
		fake_fail(*state, FAKE_SET_VARIABLE, 1, 1000, rows[i].status);
		fake_fail(*state, FAKE_GET_VARIABLE, 1, 1000, rows[i].status);
		expect("write", rows[i].want, variable_write(L"HoldfastTally", "1", 1, 0));
		expect("read", rows[i].want, variable_read(&byte, 1, L"HoldfastTally"));
		variable_delete(L"HoldfastTally");
		variable_request_memory_overwrite();
	}
	assert_int_equal(byte, 0xa5);
}

/* The bug: a variable that an operating system had made was believed, and could never be written
 * over. */
static void what_a_system_has_made_is_not_ours(void **state)
{
	static const struct {
		const char *why;
		const char *name;
		const CHAR16 *wide;
		uint32_t attributes;
		int shared;
		enum err want;
	} rows[] = {
		{ "ours", "HoldfastGuard", L"HoldfastGuard", NV_BOOT, 0, OK },
		{ "a system's count", "HoldfastGuard", L"HoldfastGuard", NV_BOOT_RUN, 0,
		  ERR_FORMAT },
		{ "a system's clock", "HoldfastClock", L"HoldfastClock", NV_BOOT_RUN, 0,
		  ERR_FORMAT },
		{ "a system's tally", "HoldfastTally", L"HoldfastTally", NV_BOOT_RUN, 0,
		  ERR_FORMAT },
		{ "a system's kill", "HoldfastKill", L"HoldfastKill", NV_BOOT_RUN, 0, ERR_FORMAT },
		{ "only begins so", "HoldfastGenerations", L"HoldfastGenerations", NV_BOOT_RUN, 0,
		  ERR_FORMAT },
		{ "the generation is", "HoldfastGeneration", L"HoldfastGeneration", NV_BOOT_RUN, 1,
		  OK },
		{ "the owner is", "HoldfastOwner", L"HoldfastOwner", NV_BOOT_RUN, 1, OK },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t back[8] = { 0 }, *all = NULL;
		size_t len;
		enum err e;

		fake_variable_put(*state, rows[i].name, rows[i].attributes, "12345678", 8);
		expect(rows[i].why, rows[i].want, variable_read(back, 8, rows[i].wide));
		e = variable_read_all(&all, &len, 100, rows[i].wide);
		free(e ? NULL : all);
		expect(rows[i].why, rows[i].want, e);
		expect(rows[i].why, OK,
		       variable_write(rows[i].wide, "87654321", 8, rows[i].shared));
		expect(rows[i].why, OK, variable_read(back, 8, rows[i].wide));
		assert_memory_equal(back, "87654321", 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, begin, end),
		cmocka_unit_test_setup_teardown(another_length_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(of_any_length_up_to_a_bound, begin, end),
		cmocka_unit_test_setup_teardown(failures_are_told_apart, begin, end),
		cmocka_unit_test_setup_teardown(what_a_system_has_made_is_not_ours, begin, end),
	};

	return RUN(tests);
}
