/* A new password at pre-boot, on file systems that fail: what the person is told is what opens at the next start, and no
 * start finds a store that is older than the firmware's generation. */
#include "core_test.h"

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define FRESH "another password"
#define FOR_GOOD 1000000

static void type_change(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\x10"); /* Ctrl-P */
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	for (int i = 0; i < 2; i++) {
		fake_await(l->f, i ? "The same again: " : "New password: ");
		fake_type(l->f, FRESH "\r");
	}
	fake_script_quiet(l->f);
}

static struct laptop *laptop_plain(void)
{
	struct laptop *l = laptop_new(1, NULL);

	l->f->panel_width = 0;
	l->f->patience_s = 45;
	return l;
}

static int opens(struct laptop *l, const char *password)
{
	enum fake_end end;

	fake_script_clear(l->f);
	laptop_type_password(l, LAPTOP_USER, password);
	fake_script_quiet(l->f);
	end = fake_run(l->f);
	if (fake_said(l->f, "[HF-104]"))
		fail_msg("the firmware's generation is ahead of every copy\n%s", fake_serial(l->f));
	return end == FAKE_KERNEL;
}

/* What was told, and how often in this test. */
enum told { TOLD_CHANGED, TOLD_KEPT, TOLD_UNCERTAIN, TOLD_NOTHING, TOLD_KINDS };
static unsigned total[TOLD_KINDS];

static enum told what_was_told(const struct laptop *l)
{
	static const char *const numbers[TOLD_NOTHING] = { "[HF-607]", "[HF-608]", "[HF-610]" };

	for (int i = 0; i < TOLD_NOTHING; i++)
		if (fake_said(l->f, numbers[i]))
			return (enum told)i;
	return TOLD_NOTHING;
}

static void check(struct laptop *l, const char *why, unsigned call)
{
	enum told told = what_was_told(l);
	int fresh = opens(l, FRESH), old = fresh && told != TOLD_CHANGED ? 0 : opens(l, LAPTOP_PASSWORD);

	total[told]++;
	if (told == TOLD_CHANGED && (!fresh || old))
		fail_msg("%s %u: told as changed, and the %s password opens", why, call, old ? "old" : "new");
	if (told == TOLD_KEPT && (fresh || !old))
		fail_msg("%s %u: told as kept, and the old password does not open", why, call);
	if (!fresh && !old)
		fail_msg("%s %u: neither password opens", why, call);
}

static void fail_at_every_call(const char *why, enum fake_service service, unsigned times, uint64_t status)
{
	unsigned calls = FOR_GOOD;

	for (unsigned call = 1; call <= calls; call++) {
		struct laptop *l = laptop_plain();

		type_change(l);
		fake_fail(l->f, service, call, times, status);
		fake_run(l->f);
		if (calls == FOR_GOOD || l->f->calls[service] > calls)
			calls = l->f->calls[service];
		fake_fail_nothing(l->f);
		check(l, why, call);
		laptop_free(l);
	}
}

/* A write that succeeded and could not be read back left the new password on the disk, while the person was told that
 * the old one stays; and an error before the write counted as a change. */
static void what_is_told_is_what_opens(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		unsigned times;
		uint64_t status;
	} rows[] = {
		{ "written in vain, once", FAKE_FILE_WRITE, 1, FAKE_DEVICE_ERROR },
		{ "written in vain, twice", FAKE_FILE_WRITE, 2, FAKE_DEVICE_ERROR },
		{ "written in vain", FAKE_FILE_WRITE, FOR_GOOD, FAKE_DEVICE_ERROR },
		{ "write protected", FAKE_FILE_WRITE, FOR_GOOD, FAKE_WRITE_PROTECTED },
		{ "full", FAKE_FILE_WRITE, FOR_GOOD, FAKE_VOLUME_FULL },
		{ "not flushed, once", FAKE_FILE_FLUSH, 1, FAKE_DEVICE_ERROR },
		{ "not flushed", FAKE_FILE_FLUSH, FOR_GOOD, FAKE_DEVICE_ERROR },
		{ "not read, once", FAKE_FILE_READ, 1, FAKE_DEVICE_ERROR },
		{ "not read", FAKE_FILE_READ, FOR_GOOD, FAKE_DEVICE_ERROR },
		{ "not opened, once", FAKE_FILE_OPEN, 1, FAKE_DEVICE_ERROR },
		{ "not opened", FAKE_FILE_OPEN, FOR_GOOD, FAKE_ACCESS_DENIED },
		{ "no size, once", FAKE_FILE_INFO, 1, FAKE_DEVICE_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		fail_at_every_call(rows[i].why, rows[i].service, rows[i].times, rows[i].status);
	print_message("%u changed, %u kept, %u uncertain, %u nothing\n", total[TOLD_CHANGED], total[TOLD_KEPT],
		      total[TOLD_UNCERTAIN], total[TOLD_NOTHING]);
	assert_true(total[TOLD_CHANGED] && total[TOLD_KEPT] && total[TOLD_UNCERTAIN]);
}

/* The other copy is gone, and so is its place: the only one that opens is not put at risk for a new password. */
static void the_only_copy_is_not_risked(void **state)
{
	struct laptop *l = laptop_plain();

	(void)state;
	fake_file_remove(l->f, LAPTOP_STORE_1);
	type_change(l);
	fake_fail(l->f, FAKE_FILE_WRITE, 1, FOR_GOOD, FAKE_VOLUME_FULL);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	assert_int_equal(what_was_told(l), TOLD_KEPT);
	fake_fail_nothing(l->f);
	assert_true(opens(l, LAPTOP_PASSWORD));
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_what_opens),
		cmocka_unit_test(the_only_copy_is_not_risked),
	};

	return RUN(tests);
}
