/* Locks and right answers: nobody is locked out by a right password, and who is locked out is told why. Whole starts of
 * pre-boot, over its own heap. */
#include "core_test.h"

#include "preboot/lock.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/heap.h"
#include "tests/fake/laptop.h"

#define CONTACT 1800000000u /* a day in 2027 */
#define DAY_S 86400u

/* Offsets in the variable HoldfastGuard. */
enum {
#define FIELD(kind, name, at, len) GUARD_##name = at,
#include "preboot/guard_v1.inc"
#undef FIELD
};

static unsigned failures(const struct laptop *l)
{
	uint8_t b[64] = { 0 };

	if (fake_variable(l->f, "HoldfastGuard", b, sizeof(b), NULL) < 0)
		return 0;
	return b[GUARD_failures] | (unsigned)b[GUARD_failures + 1] << 8;
}

static struct laptop *new_laptop(void (*edit)(struct store *))
{
	struct laptop *l = laptop_new(1, edit);

	l->f->panel_width = 0;
	l->f->patience_s = 60;
	return l;
}

static enum fake_end start(struct laptop *l, const char *password)
{
	laptop_type_password(l, LAPTOP_USER, password);
	fake_script_quiet(l->f);
	return fake_run(l->f);
}

static void restart(struct laptop *l)
{
	fake_script_clear(l->f);
	fake_fail_nothing(l->f);
}

static void edit_five(struct store *s)
{
	s->rules.head.failure_limit = 5;
	s->rules.head.failure_action = RULES_KILL;
}

static void edit_three(struct store *s)
{
	s->rules.head.failure_limit = 3;
	s->rules.head.failure_action = RULES_LOCK;
}

static void edit_contact(struct store *s)
{
	edit_three(s);
	s->rules.head.last_contact = CONTACT;
	s->rules.head.contact_lock_days = 30;
}

static void change_record(struct laptop *l)
{
	STORE s = { 0 };
	uint8_t *bytes;
	size_t len;

	laptop_must(laptop_store(&s, l));
	s.records[1].changed_day++;
	laptop_must(store_encode(&bytes, &len, &s));
	fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	free(bytes);
}

/* The bug: on a store that does not verify each right password counted as a failure, and restarts used up the limit. */
static void right_password_on_a_changed_store_is_no_failure(void **state)
{
	struct laptop *l = new_laptop(edit_five);

	(void)state;
	change_record(l);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(start(l, LAPTOP_PASSWORD), FAKE_WAITING);
		assert_true(fake_said(l->f, "[HF-105]"));
		assert_int_equal(failures(l), 0);
		restart(l);
	}
	assert_int_equal(start(l, "one typing mistake"), FAKE_WAITING);
	assert_true(laptop_disk_whole(l));
	laptop_free(l);
}

/* The bug: too little memory to verify the store was told as somebody's change of it. */
static void too_little_memory_is_no_tampering(void **state)
{
	unsigned told = 0, calls;
	struct laptop *l = new_laptop(edit_five);

	(void)state;
	assert_int_equal(start(l, LAPTOP_PASSWORD), FAKE_KERNEL);
	calls = l->f->calls[FAKE_ALLOCATE_PAGES] + l->f->calls[FAKE_ALLOCATE_POOL];
	laptop_free(l);
	for (unsigned i = 0; i < 2 * calls; i++) {
		enum fake_service service = i % 2 ? FAKE_ALLOCATE_PAGES : FAKE_ALLOCATE_POOL;

		for (int for_good = 0; for_good < 2; for_good++) {
			l = new_laptop(edit_five);
			fake_fail(l->f, service, 1 + i / 2, for_good ? 1000000 : 1, FAKE_OUT_OF_RESOURCES);
			if (start(l, LAPTOP_PASSWORD) == FAKE_DIED || fake_said(l->f, "[HF-105]"))
				fail_msg("allocation %u:\n%s", i / 2, fake_serial(l->f));
			if (fake_said(l->f, "[HF-110]")) {
				assert_int_equal(failures(l), 0);
				told++;
			}
			laptop_free(l);
		}
	}
	assert_true(told > 0);
}

static void lock(struct laptop *l)
{
	for (int i = 0; i < 3; i++) {
		laptop_type_password(l, LAPTOP_USER, "a guess");
		fake_pause(l->f, 40);
	}
	fake_script_quiet(l->f);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-303]"));
	restart(l);
}

/* What the page shows in the end: the last message that was told. */
static int last_told(const struct laptop *l, const char *number)
{
	const char *last = NULL;

	for (const char *at = fake_serial(l->f); (at = strstr(at, "[HF-")) != NULL; at++)
		last = at;
	return last && !strncmp(last, number, strlen(number));
}

/* The bug: why it has been locked, and that it could not be written, was hidden at once by "this laptop is locked". */
static void why_it_is_locked_stays_to_be_read(void **state)
{
	struct laptop *l = new_laptop(edit_contact);

	(void)state;
	l->f->rtc = CONTACT + 31 * DAY_S;
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(last_told(l, "[HF-304]"));
	restart(l);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(last_told(l, "[HF-304]"));
	laptop_free(l);
	l = new_laptop(edit_contact);
	l->f->rtc = CONTACT + 31 * DAY_S;
	fake_fail(l->f, FAKE_FILE_WRITE, 1, 100000, FAKE_WRITE_PROTECTED);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(last_told(l, "[HF-307]"));
	laptop_free(l);
}

static int copies_locked(const struct laptop *l)
{
	int n = 0;

	for (int i = 0; i < 2; i++) {
		STORE s = { 0 };

		laptop_must(laptop_copy(&s, l, i));
		n += store_is_locked(&s);
	}
	return n;
}

/* The bug: a lock that could not be written was told as done by the next rule that locks, and nobody wrote it. Here the
 * open store has been copied back, both rules lock, and so many writes fail. */
static void lock_that_was_not_written_is_written_again(void **state)
{
	unsigned again = 0;

	(void)state;
	for (unsigned times = 1; times < 12; times++) {
		struct laptop *l = new_laptop(edit_contact);
		STORE s = { 0 };
		uint8_t *bytes;
		size_t len;
		int done;

		l->f->rtc = CONTACT;
		laptop_must(laptop_store(&s, l));
		laptop_must(store_encode(&bytes, &len, &s));
		lock(l);
		fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
		fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
		free(bytes);
		assert_int_equal(copies_locked(l), 0);
		l->f->rtc = CONTACT + 31 * DAY_S;
		fake_fail(l->f, FAKE_FILE_WRITE, 1, times, FAKE_DEVICE_ERROR);
		assert_int_equal(fake_run(l->f), FAKE_WAITING);
		done = last_told(l, "[HF-304]");
		if (done != (copies_locked(l) == 2) || done == last_told(l, "[HF-307]"))
			fail_msg("%u writes fail, %d copies are locked\n%s", times, copies_locked(l), fake_serial(l->f));
		again += done && fake_said(l->f, "[HF-307]");
		laptop_free(l);
	}
	assert_true(again > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_password_on_a_changed_store_is_no_failure),
		cmocka_unit_test(too_little_memory_is_no_tampering),
		cmocka_unit_test(why_it_is_locked_stays_to_be_read),
		cmocka_unit_test(lock_that_was_not_written_is_written_again),
	};

	return RUN(tests);
}
