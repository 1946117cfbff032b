/* Self-test report: bounds of the decoder, and the words. */
#include "core_test.h"

#include "common/selftest.h"

static struct selftest sample(void)
{
	struct selftest s = { .head = { .time = 1767225600, .firmware = 0x10000, .uefi = 2 << 16 | 70,
					.vendor = "EDK II", .program = "1.0", .layout = "de(nodeadkeys)" } };

	selftest_set(&s, &(struct selftest_test){ SELFTEST_TPM, SELFTEST_NOT_TESTED, SELFTEST_ABSENT, 0, 0 });
	selftest_set(&s, &(struct selftest_test){ SELFTEST_MEMORY, SELFTEST_OK, 0, 400, 450 });
	selftest_set(&s, &(struct selftest_test){ SELFTEST_SCREEN, SELFTEST_OK, 0, 1024, 768 });
	return s;
}

static void mend(uint8_t *bytes, size_t len)
{
	memset(bytes + 16, 0, 16);
	crypto_generichash(bytes + 16, 16, bytes, len, NULL, 0);
}

static void test_round_trip(void **state)
{
	struct selftest s = sample(), back;
	uint8_t bytes[SELFTEST_BYTES_MAX];
	size_t len;

	(void)state;
	expect("encode", OK, selftest_encode(bytes, &len, &s));
	assert_int_equal(len, 184 + 3 * 12);
	expect("decode", OK, selftest_decode(&back, bytes, len));
	assert_int_equal(back.head.test_count, 3);
	assert_int_equal(back.tests[0].kind, SELFTEST_MEMORY);
	assert_int_equal(back.tests[2].figure2, 768);
	assert_string_equal((char *)back.head.vendor, "EDK II");
}

static void test_every_length(void **state)
{
	struct selftest s = sample(), back;
	uint8_t bytes[SELFTEST_BYTES_MAX + 1] = { 0 };
	size_t len;

	(void)state;
	expect("encode", OK, selftest_encode(bytes, &len, &s));
	for (size_t n = 0; n <= len + 1; n++)
		if (n != len)
			assert_int_not_equal(selftest_decode(&back, bytes, n), OK);
}

static void test_damage(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t value;
		int mended;
		enum err want;
	} rows[] = {
		{ "another magic", 0, 'X', 1, ERR_FORMAT },
		{ "a future version", 8, 2, 1, ERR_VERSION },
		{ "version 0", 8, 0, 1, ERR_FORMAT },
		{ "more tests than a report has", 10, SELFTEST_TESTS_MAX + 1, 1, ERR_RANGE },
		{ "one test fewer than there are bytes for", 10, 2, 1, ERR_FORMAT },
		{ "another total", 12, 1, 1, ERR_FORMAT },
		{ "a bit changed", 40, 0xff, 0, ERR_CHECKSUM },
		{ "a control character in the vendor", 49, 27, 1, ERR_FORMAT },
		{ "a vendor without end", 111, 'x', 1, ERR_FORMAT },
		{ "a layout that is none", 144, '/', 1, ERR_FORMAT },
		{ "reserved bytes in use", 176, 1, 1, ERR_FORMAT },
		{ "a test of kind 0", 184, 0, 1, ERR_FORMAT },
		{ "the same kind twice", 184 + 12, SELFTEST_MEMORY, 1, ERR_FORMAT },
		{ "a result that is none", 186, SELFTEST_RESULT_COUNT, 1, ERR_RANGE },
		{ "a cause that is none", 187, SELFTEST_CAUSE_COUNT, 1, ERR_RANGE },
		{ "a kind that this program does not know", 184 + 24, 99, 1, OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct selftest s = sample(), back;
		uint8_t bytes[SELFTEST_BYTES_MAX];
		size_t len;

		expect("encode", OK, selftest_encode(bytes, &len, &s));
		bytes[rows[i].at] = rows[i].value;
		if (rows[i].mended)
			mend(bytes, len);
		expect(rows[i].why, rows[i].want, selftest_decode(&back, bytes, len));
	}
}

static void test_set(void **state)
{
	struct selftest s = { 0 };

	(void)state;
	for (uint16_t kind = 100; kind > 0; kind--)
		selftest_set(&s, &(struct selftest_test){ kind, SELFTEST_OK, 0, kind, 0 });
	assert_int_equal(s.head.test_count, SELFTEST_TESTS_MAX);
	selftest_set(&s, &(struct selftest_test){ 90, SELFTEST_FAILED, 0, 5, 0 });
	assert_int_equal(s.head.test_count, SELFTEST_TESTS_MAX);
	for (unsigned i = 1; i < s.head.test_count; i++)
		assert_true(s.tests[i - 1].kind < s.tests[i].kind);
	assert_int_equal(selftest_total(&s), SELFTEST_FAILED);
}

static void test_words(void **state)
{
	static const struct {
		struct selftest_test test;
		const char *want;
	} rows[] = {
		{ { SELFTEST_SCREEN, SELFTEST_OK, 0, 1024, 768 }, "ok, 1024 x 768 pixels" },
		{ { SELFTEST_TPM, SELFTEST_NOT_TESTED, SELFTEST_ABSENT, 0, 0 }, "not tested: there is none" },
		{ { SELFTEST_KDF, SELFTEST_FAILED, SELFTEST_WRONG, 4294967295u, 8 },
		  "FAILED, 4294967295 ms, processors: 8: the result is wrong" },
		{ { SELFTEST_SECURE_BOOT, SELFTEST_OK, 0, 2, 0 }, "ok, set-up mode" },
		{ { SELFTEST_SECURE_BOOT, SELFTEST_OK, 0, 9, 0 }, "ok" },
		{ { 99, SELFTEST_OK, 0, 7, 7 }, "ok" },
	};
	struct selftest s = sample();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[SELFTEST_TEXT_MAX];

		selftest_text(text, &rows[i].test);
		assert_string_equal(text, rows[i].want);
	}
	assert_non_null(strstr(selftest_verdict(&s), "no TPM"));
	selftest_set(&s, &(struct selftest_test){ SELFTEST_KDF, SELFTEST_FAILED, SELFTEST_WRONG, 0, 0 });
	assert_non_null(strstr(selftest_verdict(&s), "should not be put"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_damage),     cmocka_unit_test(test_set),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
