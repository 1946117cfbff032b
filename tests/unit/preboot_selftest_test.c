/* The hardware self-test over the fake firmware: when it runs, what it finds, and that it changes nothing. */
#include "core_test.h"

#include "common/selftest.h"
#include "tests/fake/fake.h"
#include "tests/fake/laptop.h"

#define HOME "\\EFI\\holdfast\\"
#define REQUEST HOME "selftest.request"
#define REPORT HOME "selftest.report"
#define LINE "sphinx of black quartz judge my vow 0123456789\r"

static struct fake *asked(void)
{
	struct fake *f = fake_new(1);

	fake_file_put(f, REQUEST, "x", 1);
	f->patience_s = 300;
	return f;
}

static void person(struct fake *f)
{
	fake_await(f, "HF-711");
	fake_type(f, " ");
	fake_await(f, "Can you read this");
	fake_type(f, "y");
	fake_await(f, "Type this line");
	fake_type(f, LINE);
	fake_await(f, "HF-713");
	fake_type(f, " ");
}

static void report_read(struct selftest *ret, const struct fake *f)
{
	size_t len;
	const uint8_t *bytes = fake_file(f, REPORT, &len);

	if (!bytes)
		fail_msg("no report\n%s", fake_serial(f));
	expect("report", OK, selftest_decode(ret, bytes, len));
}

static const struct selftest_test *test_of(const struct selftest *s, enum selftest_kind kind)
{
	for (unsigned i = 0; i < s->head.test_count; i++)
		if (s->tests[i].kind == kind)
			return &s->tests[i];
	fail_msg("the report has no test %d", (int)kind);
	return NULL;
}

static void result_is(const struct selftest *s, enum selftest_kind kind, enum selftest_result want)
{
	const struct selftest_test *t = test_of(s, kind);
	char text[SELFTEST_TEXT_MAX];

	selftest_text(text, t);
	if (t->result != want)
		fail_msg("%s: %s", selftest_words((uint16_t)kind), text);
}

static int has(const struct fake *f, const char *path)
{
	size_t len;

	return fake_file(f, path, &len) != NULL;
}

static void runs_once(void **state)
{
	struct fake *f = asked();
	struct selftest s;
	uint8_t value[64];

	(void)state;
	person(f);
	assert_int_equal(fake_run(f), FAKE_RESTART);
	report_read(&s, f);
	result_is(&s, SELFTEST_MEMORY, SELFTEST_OK);
	result_is(&s, SELFTEST_KDF, SELFTEST_OK);
	result_is(&s, SELFTEST_VARIABLES, SELFTEST_OK);
	result_is(&s, SELFTEST_RUNTIME_VARIABLES, SELFTEST_OK);
	result_is(&s, SELFTEST_DISK, SELFTEST_OK);
	result_is(&s, SELFTEST_CLOCK, SELFTEST_OK);
	result_is(&s, SELFTEST_SCREEN, SELFTEST_OK);
	result_is(&s, SELFTEST_READABLE, SELFTEST_OK);
	result_is(&s, SELFTEST_KEYBOARD, SELFTEST_OK);
	assert_int_equal(test_of(&s, SELFTEST_KEYBOARD)->figure, 36);
	assert_int_equal(fake_variable(f, "HoldfastSelftest", value, sizeof(value), NULL), -1);
	assert_false(has(f, REQUEST));
	assert_false(has(f, HOME "selftest.tmp"));
	assert_int_equal(fake_open_files(f), 0);
	assert_int_equal(fake_run(f), FAKE_WAITING);
	assert_true(fake_said(f, "HF-103"));
	fake_free(f);
}

static void a_store_keeps_the_request_from_being_heard(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	fake_file_put(l->f, REQUEST, "x", 1);
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	assert_false(has(l->f, REPORT));
	assert_true(has(l->f, REQUEST));
	laptop_free(l);
}

static void keys_that_do_not_come(void **state)
{
	struct fake *f = asked();
	struct selftest s;

	(void)state;
	fake_await(f, "HF-711");
	fake_type(f, " ");
	fake_await(f, "Can you read this");
	fake_type(f, "n");
	for (int i = 0; i < 3; i++) {
		fake_await(f, "Type this line");
		fake_type(f, "sphinx of black quart judge my vow 0123456789\r");
	}
	fake_await(f, "HF-713");
	fake_type(f, " ");
	assert_int_equal(fake_run(f), FAKE_RESTART);
	report_read(&s, f);
	result_is(&s, SELFTEST_KEYBOARD, SELFTEST_FAILED);
	assert_int_equal(test_of(&s, SELFTEST_KEYBOARD)->figure, 35);
	result_is(&s, SELFTEST_READABLE, SELFTEST_FAILED);
	assert_true(fake_said(f, "should not be put"));
	fake_free(f);
}

static void nobody_there(void **state)
{
	struct fake *f = asked();
	struct selftest s;

	(void)state;
	f->panel_width = 0;
	assert_int_equal(fake_run(f), FAKE_RESTART);
	report_read(&s, f);
	result_is(&s, SELFTEST_KEYBOARD, SELFTEST_NOT_TESTED);
	result_is(&s, SELFTEST_READABLE, SELFTEST_NOT_TESTED);
	result_is(&s, SELFTEST_SCREEN, SELFTEST_NOT_TESTED);
	fake_free(f);
}

static void what_fails_is_told(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		uint64_t status;
		enum selftest_kind kind;
	} rows[] = {
		{ "variables cannot be written", FAKE_SET_VARIABLE, FAKE_WRITE_PROTECTED, SELFTEST_VARIABLES },
		{ "variables cannot be written", FAKE_SET_VARIABLE, FAKE_DEVICE_ERROR, SELFTEST_RUNTIME_VARIABLES },
		{ "no clock", FAKE_GET_TIME, FAKE_DEVICE_ERROR, SELFTEST_CLOCK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fake *f = asked();
		struct selftest s;

		f->panel_width = 0;
		fake_fail(f, rows[i].service, 1, 100000, rows[i].status);
		if (fake_run(f) != FAKE_RESTART)
			fail_msg("%s: no restart", rows[i].why);
		report_read(&s, f);
		result_is(&s, rows[i].kind, SELFTEST_FAILED);
		fake_free(f);
	}
}

/* A partition that takes nothing: the results are told, and lost. */
static void a_report_that_cannot_be_written(void **state)
{
	struct fake *f = asked();

	(void)state;
	f->panel_width = 0;
	fake_fail(f, FAKE_FILE_WRITE, 1, 100000, FAKE_VOLUME_FULL);
	assert_int_equal(fake_run(f), FAKE_RESTART);
	assert_true(fake_said(f, "HF-714"));
	assert_true(fake_said(f, "EFI system partition: FAILED"));
	fake_free(f);
}

/* A laptop whose file cannot be removed must not test itself at each start for ever. */
static void a_request_that_stays(void **state)
{
	struct fake *f = asked();

	(void)state;
	fake_fail(f, FAKE_FILE_DELETE, 1, 100000, FAKE_WRITE_PROTECTED);
	fake_script_quiet(f);
	assert_int_equal(fake_run(f), FAKE_WAITING);
	assert_true(fake_said(f, "HF-103"));
	assert_false(fake_said(f, "HF-710"));
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_once),
		cmocka_unit_test(a_store_keeps_the_request_from_being_heard),
		cmocka_unit_test(keys_that_do_not_come),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(what_fails_is_told),
		cmocka_unit_test(a_report_that_cannot_be_written),
		cmocka_unit_test(a_request_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
