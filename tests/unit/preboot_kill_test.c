/* Kill from pre-boot: no credential, no command; from the first mark on nothing but the finished erasure ends it. */
#include "core_test.h"

#include <stdlib.h>

#include "common/tombstone.h"
#include "preboot/events.h"
#include "preboot/files.h"
#include "preboot/kill.h"
#include "preboot/storefile.h"
#include "preboot/ui.h"
#include "tests/fake/laptop.h"

#define NV_BOOT 3u
#define BY_RULES "has been erased by its rules"
#define BY_ORGANISATION "has been erased by its organisation"
#define UNFINISHED "The erasure is not finished"

static const char *const variables[] = { "HoldfastGeneration", "HoldfastTally",  "HoldfastGuard",
					 "HoldfastClock",      "HoldfastChoice", "HoldfastKill" };

static void start(void)
{
	laptop_must(files_start());
	events_start();
	ui_start();
}

/* What main.c does when the guard says so. */
static void begin(void *argument)
{
	static struct storefile f;

	(void)argument;
	start();
	storefile_read(&f);
	if (!f.current)
		abort();
	kill_begin(f.current);
}

/* What main.c does first of all. */
static void finish(void *argument)
{
	(void)argument;
	start();
	kill_finish();
}

static int has_file(const struct laptop *l, const char *path)
{
	size_t len;

	return fake_file(l->f, path, &len) != NULL;
}

static int has_variable(const struct laptop *l, const char *name)
{
	uint8_t bytes[1024];

	return fake_variable(l->f, name, bytes, sizeof(bytes), NULL) >= 0;
}

static void read_stone(struct tombstone *ret, const struct laptop *l)
{
	size_t len;
	const uint8_t *bytes = fake_file(l->f, LAPTOP_TOMBSTONE, &len);

	assert_non_null(bytes);
	expect("tombstone", OK, tombstone_decode(ret, bytes, len));
}

static void must_be_erased(const char *why, const struct laptop *l)
{
	if (!laptop_disk_erased(l) || has_file(l, LAPTOP_STORE_0) || has_file(l, LAPTOP_STORE_1) ||
	    has_file(l, LAPTOP_KERNEL) || has_file(l, LAPTOP_INITRD))
		fail_msg("%s: not everything is erased", why);
}

static void must_be_whole(const char *why, const struct laptop *l)
{
	if (!laptop_disk_whole(l) || !has_file(l, LAPTOP_STORE_0) || !has_file(l, LAPTOP_KERNEL))
		fail_msg("%s: something was erased", why);
}

static void run_to(const char *why, const struct laptop *l, void (*function)(void *), enum fake_end want)
{
	enum fake_end end = fake_call(l->f, function, NULL);

	if (end != want)
		fail_msg("%s: expected that it %s, but: %s\n%s", why, fake_end_text(want), fake_end_text(end),
			 fake_serial(l->f));
}

static struct laptop *laptop_full_of_variables(void)
{
	struct laptop *l = laptop_new(1, NULL);

	for (size_t i = 0; i + 1 < COUNT(variables); i++)
		fake_variable_put(l->f, variables[i], NV_BOOT, "x", 1);
	return l;
}

static void everything_goes_without_a_credential(void **state)
{
	struct laptop *l = laptop_full_of_variables();
	static struct tombstone t;

	(void)state;
	run_to("kill", l, begin, FAKE_POWER_OFF);
	must_be_erased("kill", l);
	assert_true(fake_said(l->f, BY_RULES));
	assert_false(fake_said(l->f, BY_ORGANISATION));
	read_stone(&t, l);
	assert_true(t.erased);
	assert_int_equal(t.command_bytes, 0);
	assert_int_equal(t.area_count, 1);
	assert_memory_equal(t.areas[0].partition, l->partition, 16);
	for (size_t i = 0; i < COUNT(variables); i++)
		if (has_variable(l, variables[i]))
			fail_msg("%s is left", variables[i]);
	run_to("the next start", l, finish, FAKE_POWER_OFF);
	assert_true(fake_said(l->f, BY_RULES));
	laptop_free(l);
}

static void what_cannot_be_written_saves_nothing(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		unsigned first, times;
		uint64_t status;
		const char *says;
	} rows[] = {
		{ "no room for a variable", FAKE_SET_VARIABLE, 1, 1000, FAKE_OUT_OF_RESOURCES, BY_RULES },
		{ "no room for the tombstone at first", FAKE_FILE_WRITE, 1, 1, FAKE_VOLUME_FULL, BY_RULES },
		{ "a flush that fails once", FAKE_FILE_FLUSH, 1, 1, FAKE_DEVICE_ERROR, BY_RULES },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct laptop *l = laptop_new(1, NULL);

		fake_fail(l->f, rows[i].service, rows[i].first, rows[i].times, rows[i].status);
		run_to(rows[i].why, l, begin, FAKE_POWER_OFF);
		must_be_erased(rows[i].why, l);
		if (!fake_said(l->f, rows[i].says))
			fail_msg("%s: said otherwise", rows[i].why);
		laptop_free(l);
	}
}

/* The ESP takes nothing: the volumes go all the same, and the variable brings it to the end later. */
static void read_only_esp_does_not_save_the_volumes(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	fake_fail(l->f, FAKE_FILE_WRITE, 1, 1000, FAKE_WRITE_PROTECTED);
	fake_fail(l->f, FAKE_FILE_DELETE, 1, 1000, FAKE_DEVICE_ERROR);
	run_to("kill", l, begin, FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l));
	assert_true(fake_said(l->f, UNFINISHED));
	assert_true(has_variable(l, "HoldfastKill"));
	fake_fail_nothing(l->f);
	fake_file_remove(l->f, LAPTOP_TOMBSTONE);
	run_to("the next start", l, finish, FAKE_POWER_OFF);
	must_be_erased("the next start", l);
	assert_true(fake_said(l->f, BY_RULES));
	assert_false(has_variable(l, "HoldfastKill"));
	laptop_free(l);
}

/* The power is cut in each write. 0: then the laptop is started again; 1: before that somebody takes the tombstone
 * away; 2: and both copies of the store. */
static void cut_everywhere(int meddling)
{
	long last = 1;

	for (long cut = 1; cut <= last; cut++) {
		struct laptop *l = laptop_new((uint64_t)cut, NULL);
		char why[60];
		enum fake_end end;

		(void)snprintf(why, sizeof(why), "cut in write %ld, meddling %d", cut, meddling);
		l->f->cut_after = cut;
		end = fake_call(l->f, begin, NULL);
		l->f->cut_after = 0;
		if (end == FAKE_CUT)
			last = cut + 1;
		if (meddling)
			fake_file_remove(l->f, LAPTOP_TOMBSTONE);
		if (meddling == 2) {
			fake_file_remove(l->f, LAPTOP_STORE_0);
			fake_file_remove(l->f, LAPTOP_STORE_1);
		}
		if (end == FAKE_CUT && (has_variable(l, "HoldfastKill") || has_file(l, LAPTOP_TOMBSTONE))) {
			run_to(why, l, finish, FAKE_POWER_OFF);
			must_be_erased(why, l);
		} else if (end == FAKE_CUT && meddling < 2 && laptop_disk_whole(l)) {
			run_to(why, l, finish, FAKE_RETURNED); /* nothing was begun; the guard says it again */
		} else if (!laptop_disk_erased(l)) {
			fail_msg("%s: begun, and forgotten", why);
		}
		laptop_free(l);
	}
	assert_true(last > 10);
}

static void power_cuts_end_nothing(void **state)
{
	(void)state;
	cut_everywhere(0);
}

static void who_takes_the_tombstone_away_saves_nothing(void **state)
{
	(void)state;
	cut_everywhere(1);
	cut_everywhere(2);
}

static void put_stone(struct laptop *l, const struct tombstone *t, int in_variable)
{
	uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	expect("encode", OK, tombstone_encode(bytes, &len, t));
	if (in_variable)
		fake_variable_put(l->f, "HoldfastKill", NV_BOOT, bytes, len);
	else
		fake_file_put(l->f, LAPTOP_TOMBSTONE, bytes, len);
}

static void make_stone(struct tombstone *ret, const struct laptop *l)
{
	STORE s = { 0 };

	memset(ret, 0, sizeof(*ret));
	laptop_must(laptop_store(&s, l));
	memcpy(ret->device, s.head.device, sizeof(ret->device));
	tombstone_areas(ret, &s.manifest);
}

/* The laptop was set up anew while the variable of an unfinished kill was left: its new life is not its old one's. */
static void variable_of_another_device_erases_nothing(void **state)
{
	static struct tombstone t;
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	make_stone(&t, l);
	t.device[3] ^= 1;
	put_stone(l, &t, 1);
	run_to("another device", l, finish, FAKE_RETURNED);
	must_be_whole("another device", l);
	assert_true(has_variable(l, "HoldfastKill")); /* the old store may come back */
	t.device[3] ^= 1;
	put_stone(l, &t, 1);
	run_to("this device", l, finish, FAKE_POWER_OFF);
	must_be_erased("this device", l);
	laptop_free(l);
}

static void variable_that_is_not_ours_erases_nothing(void **state)
{
	static struct tombstone t;
	struct laptop *l = laptop_new(1, NULL);
	uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	(void)state;
	make_stone(&t, l);
	expect("encode", OK, tombstone_encode(bytes, &len, &t));
	for (size_t at = 0; at < len; at++) {
		bytes[at] ^= 0x10;
		fake_variable_put(l->f, "HoldfastKill", NV_BOOT, bytes, len);
		run_to("a byte is another", l, finish, FAKE_RETURNED);
		bytes[at] ^= 0x10;
	}
	for (size_t n = 1; n < len; n += 7) {
		fake_variable_put(l->f, "HoldfastKill", NV_BOOT, bytes, n);
		run_to("cut short", l, finish, FAKE_RETURNED);
	}
	must_be_whole("all of that", l);
	laptop_free(l);
}

static void missing_volume_is_waited_for(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	fake_partition_pull(l->f, l->disk, 1);
	run_to("kill", l, begin, FAKE_POWER_OFF);
	assert_true(fake_said(l->f, UNFINISHED));
	assert_false(fake_said(l->f, BY_RULES));
	assert_false(has_file(l, LAPTOP_STORE_0));
	run_to("still missing", l, finish, FAKE_POWER_OFF);
	assert_true(fake_said(l->f, UNFINISHED));
	fake_partition_pull(l->f, l->disk, 0);
	run_to("there again", l, finish, FAKE_POWER_OFF);
	must_be_erased("there again", l);
	assert_true(fake_said(l->f, BY_RULES));
	laptop_free(l);
}

static void command_of_the_organisation_is_named_and_kept(void **state)
{
	static struct tombstone t;
	struct laptop *l = laptop_new(1, NULL);
	uint8_t bytes[1024];

	(void)state;
	make_stone(&t, l);
	t.command_bytes = 4000;
	memset(t.command, 'c', t.command_bytes);
	put_stone(l, &t, 0);
	/* It is remembered too, as far as a variable holds it. */
	l->f->cut_after = 3;
	run_to("cut", l, finish, FAKE_CUT);
	l->f->cut_after = 0;
	assert_int_equal(fake_variable(l->f, "HoldfastKill", bytes, sizeof(bytes), NULL), 40 + 24 + 32);
	run_to("finished", l, finish, FAKE_POWER_OFF);
	must_be_erased("finished", l);
	assert_true(fake_said(l->f, BY_ORGANISATION));
	assert_false(fake_said(l->f, BY_RULES));
	read_stone(&t, l);
	assert_true(t.erased);
	assert_int_equal(t.command_bytes, 4000);
	laptop_free(l);
}

static void torn_tombstone_alone_begins_nothing(void **state)
{
	static struct tombstone t;
	struct laptop *l = laptop_new(1, NULL);
	uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	(void)state;
	make_stone(&t, l);
	expect("encode", OK, tombstone_encode(bytes, &len, &t));
	fake_file_put(l->f, LAPTOP_TOMBSTONE, bytes, len - 1);
	run_to("torn", l, finish, FAKE_RETURNED);
	must_be_whole("torn", l);
	put_stone(l, &t, 1);
	run_to("with the variable", l, finish, FAKE_POWER_OFF);
	must_be_erased("with the variable", l);
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_goes_without_a_credential),
		cmocka_unit_test(what_cannot_be_written_saves_nothing),
		cmocka_unit_test(read_only_esp_does_not_save_the_volumes),
		cmocka_unit_test(power_cuts_end_nothing),
		cmocka_unit_test(who_takes_the_tombstone_away_saves_nothing),
		cmocka_unit_test(variable_of_another_device_erases_nothing),
		cmocka_unit_test(variable_that_is_not_ours_erases_nothing),
		cmocka_unit_test(missing_volume_is_waited_for),
		cmocka_unit_test(command_of_the_organisation_is_named_and_kept),
		cmocka_unit_test(torn_tombstone_alone_begins_nothing),
	};

	return RUN(tests);
}
