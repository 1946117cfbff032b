/* The calendar: dates of the firmware's clock, right and senseless ones. */
#include "core_test.h"

#include <stdlib.h>
#include <time.h>

#include "preboot/calendar.h"
#include "preboot/firmware.h"

#define UNSPECIFIED 2047

static EFI_TIME date(unsigned year, unsigned month, unsigned day)
{
	return (EFI_TIME){ .Year = (UINT16)year, .Month = (UINT8)month, .Day = (UINT8)day,
			   .TimeZone = UNSPECIFIED };
}

static void every_day_until_2400(void **state)
{
	(void)state;
	for (time_t t = 0; t < 13569465600; t += 86400) {
		struct tm tm;
		EFI_TIME e;
		uint64_t got = 1;

		assert_non_null(gmtime_r(&t, &tm));
		e = date((unsigned)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
		expect("a day", OK, calendar_unix(&got, &e));
		if (got != (uint64_t)t)
			fail_msg("%u-%02u-%02u: expected %lld, got %llu", e.Year, e.Month, e.Day, (long long)t,
				 (unsigned long long)got);
	}
}

static void dates_and_what_they_are(void **state)
{
	static const struct {
		const char *why;
		EFI_TIME t;
		enum err want;
		uint64_t unix_s;
	} rows[] = {
		{ "the first second", { 1970, 1, 1, 0, 0, 0, 0, 0, UNSPECIFIED, 0, 0 }, OK, 0 },
		{ "the last second of a leap day", { 2028, 2, 29, 23, 59, 59, 0, 0, 0, 0, 0 }, OK, 1835481599 },
		{ "Berlin in winter", { 2026, 1, 1, 1, 0, 0, 0, 0, -60, 0, 0 }, OK, 1767225600 },
		{ "New York in winter", { 2025, 12, 31, 19, 0, 0, 0, 0, 300, 0, 0 }, OK, 1767225600 },
		{ "nanoseconds, daylight flags", { 2026, 1, 1, 0, 0, 0, 0xff, ~0u, 0, 0xff, 0xff }, OK, 1767225600 },
		{ "the last year", { 9999, 12, 31, 23, 59, 59, 0, 0, 0, 0, 0 }, OK, 253402300799 },
		{ "all zeros", { 0 }, ERR_RANGE, 0 },
		{ "all ones", { 0xffff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ~0u, -1, 0xff, 0xff }, ERR_RANGE, 0 },
		{ "before 1970", { 1969, 12, 31, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "before 1970 by its zone", { 1970, 1, 1, 0, 0, 0, 0, 0, -60, 0, 0 }, ERR_RANGE, 0 },
		{ "month 0", { 2026, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "month 13", { 2026, 13, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "day 0", { 2026, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "day 32", { 2026, 1, 32, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "31 April", { 2026, 4, 31, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "29 February", { 2026, 2, 29, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "29 February 2100", { 2100, 2, 29, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "hour 24", { 2026, 1, 1, 24, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "minute 60", { 2026, 1, 1, 0, 60, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "second 60", { 2026, 1, 1, 0, 0, 60, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "zone too far east", { 2026, 1, 1, 0, 0, 0, 0, 0, -1441, 0, 0 }, ERR_RANGE, 0 },
		{ "zone too far west", { 2026, 1, 1, 0, 0, 0, 0, 0, 1441, 0, 0 }, ERR_RANGE, 0 },
		{ "year 10000", { 10000, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
		{ "digits in BCD", { 0x2026, 0x12, 0x31, 0x23, 0x59, 0x59, 0, 0, 0, 0, 0 }, ERR_RANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got;

		memset(&got, 0xa5, sizeof(got));
		expect(rows[i].why, rows[i].want, calendar_unix(&got, &rows[i].t));
		if (rows[i].want)
			assert_true(untouched(&got, sizeof(got)));
		else if (got != rows[i].unix_s)
			fail_msg("%s: got %llu", rows[i].why, (unsigned long long)got);
	}
}

static void any_bytes_are_a_date_or_none(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 300000; i++) {
		uint8_t bytes[sizeof(EFI_TIME)];
		EFI_TIME t;
		uint64_t got = 0;

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] = (uint8_t)(rand() % 2 ? rand() % 64 : rand());
		memcpy(&t, bytes, sizeof(t));
		if (!calendar_unix(&got, &t))
			assert_true(got < 253402300800 + 86400);
	}
}

static EFI_STATUS clock_status;

static EFI_STATUS EFIAPI get_time(EFI_TIME *ret, EFI_TIME_CAPABILITIES *capabilities)
{
	assert_null(capabilities);
	*ret = date(2026, 1, 1);
	return clock_status;
}

static void clock_that_fails_is_an_error(void **state)
{
	EFI_RUNTIME_SERVICES runtime = { .GetTime = get_time };
	EFI_SYSTEM_TABLE table = { .RuntimeServices = &runtime };
	uint64_t got = 7;

	(void)state;
	firmware = &table;
	clock_status = EFI_DEVICE_ERROR;
	expect("broken", ERR_IO, calendar_now(&got));
	clock_status = EFI_UNSUPPORTED;
	expect("none", ERR_UNSUPPORTED, calendar_now(&got));
	assert_int_equal(got, 7);
	clock_status = EFI_SUCCESS;
	expect("well", OK, calendar_now(&got));
	assert_int_equal(got, 1767225600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_until_2400),
		cmocka_unit_test(dates_and_what_they_are),
		cmocka_unit_test(any_bytes_are_a_date_or_none),
		cmocka_unit_test(clock_that_fails_is_an_error),
	};

	return RUN(tests);
}
