/* Whole starts when something fails: every service of the firmware at every call, memory among
 * them; no store, an old store, a foreign one. And what a start takes of memory and stack. Over
 * pre-boot's own heap. */
#include "core_test.h"

#include "preboot/delivery.h"
#include "preboot/firmware.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/heap.h"
#include "tests/fake/laptop.h"

#define NEW_PASSWORD "quite another one"
#define STACK_MARGIN ((size_t)16 << 10)
#define OTHER_MEMORY_MAX ((size_t)64 << 20)

static void type_right(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
}

static void type_change(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\x10");
	type_right(l);
	for (int i = 0; i < 2; i++) {
		fake_await(l->f, i ? "The same again: " : "New password: ");
		fake_type(l->f, NEW_PASSWORD "\r");
	}
}

static void type_code(struct laptop *l)
{
	laptop_type_code(l, l->codes[1]);
}

static void (*const stories[])(struct laptop *) = { type_right, type_change, type_code };

/* The search of the firmware's keyboard buffers needs memory itself. */
static int secrets_left(const struct laptop *l, const char *what)
{
	int without_memory = !strncmp(what, "ALLOCATE", 8) || !strncmp(what, "GET_MEMORY", 10);

	for (const char *line = l->f->leaks; *line; line = strchr(line, '\n') + 1) {
		size_t len = (size_t)(strchr(line, '\n') - line);

		if (!without_memory || !memmem(line, len, "keyboard buffer", 15))
			return 1;
	}
	return 0;
}

/* What a start with faults may come to: the kernel, or a page that says why not; never a crash,
 * secrets, or a store that is lost. */
static void check(const struct laptop *l, enum fake_end end, const char *what)
{
	STORE s = { 0 };

	if (end != FAKE_KERNEL && end != FAKE_WAITING && end != FAKE_RESTART)
		fail_msg("%s: %s\n%s", what, fake_end_text(end), fake_serial(l->f));
	if (secrets_left(l, what))
		fail_msg("%s: %s\n%s\n%s", what, fake_end_text(end), l->f->leaks,
			 fake_serial(l->f));
	if (laptop_store(&s, l) || !laptop_disk_whole(l))
		fail_msg("%s: something is lost", what);
	if (fake_said(l->f, "[HF-607]") && s.head.generation < 2)
		fail_msg("%s: a change is told that is not on the disk", what);
}

static struct laptop *story_new(void (*type)(struct laptop *))
{
	struct laptop *l = laptop_new(1, NULL);

	fake_plant(l->f, "the unlock key", l->unlock_key.bytes, KEY_BYTES);
	fake_plant(l->f, "the password", LAPTOP_PASSWORD, strlen(LAPTOP_PASSWORD));
	l->f->panel_width = 0;
	l->f->patience_s = 20;
	type(l);
	fake_script_quiet(l->f);
	return l;
}

/* Has a person been told anything? */
static int told(const struct laptop *l)
{
	return strstr(fake_serial(l->f), "[HF-") || strstr(fake_screen(l->f), "[HF-") ||
	       strstr(fake_serial(l->f), "User name: ") || strstr(fake_screen(l->f), "User name: ");
}

static void fail_at(void (*type)(struct laptop *), enum fake_service service, unsigned call,
		    unsigned times)
{
	static const char *const names[] = {
#define X(name) #name,
		FAKE_SERVICES(X)
#undef X
	};
	struct laptop *l = story_new(type);
	char what[100];
	enum fake_end end;
	int silent = service == FAKE_TEXT_OUT || service == FAKE_SERIAL_WRITE;

	snprintf(what, sizeof(what), "%s fails at call %u, %s", names[service], call,
		 times == 1 ? "once" : "for good");
	fake_fail(l->f, service, call, times,
		  service <= FAKE_ALLOCATE_PAGES ? FAKE_OUT_OF_RESOURCES : FAKE_DEVICE_ERROR);
	end = fake_run(l->f);
	check(l, end, what);
	/* Who has had no memory for anything may have to be silent. */
	if (end == FAKE_WAITING && !silent && !(service == FAKE_HANDLE_PROTOCOL && times > 1) &&
	    !told(l))
		fail_msg("%s: nothing is said", what);
	laptop_free(l);
}

static void services_of(unsigned ret[FAKE_SERVICE_COUNT], void (*type)(struct laptop *))
{
	struct laptop *l = story_new(type);

	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	memcpy(ret, l->f->calls, sizeof(l->f->calls));
	laptop_free(l);
}

/* Texts go out in single characters: of so many calls some are enough. */
#define CALLS_MAX 64

static void every_service_fails_at_every_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		unsigned calls[FAKE_SERVICE_COUNT];

		services_of(calls, stories[i]);
		for (enum fake_service s = 0; s < FAKE_SERVICE_COUNT; s++) {
			/* Texts and pixels are the same in each story. */
			int everywhere = s <= FAKE_GET_MEMORY_MAP ||
					 (s >= FAKE_SET_VARIABLE && s <= FAKE_BLOCK_FLUSH);
			unsigned step = 1 + calls[s] / CALLS_MAX + (i && !everywhere ? 7 : 0);

			for (unsigned call = 1; call <= calls[s]; call += step) {
				fail_at(stories[i], s, call, 1);
				if (call % 4 == 1)
					fail_at(stories[i], s, call, 1000000);
			}
		}
	}
}

static void edit_many_users(struct store *s)
{
	struct record r = s->records[0];

	for (unsigned i = 0; s->head.record_count < 250; i++) {
		memset(r.user, 0, sizeof(r.user));
		snprintf((char *)r.user, sizeof(r.user), "user number %u", i);
		randombytes_buf(r.id, sizeof(r.id));
		laptop_must(store_add(s, &r));
	}
}

/* A page of pixels as large as they get, 250 users, and a change of the password. */
static void memory_and_stack_stay_within_their_bounds(void **state)
{
	struct laptop *l = laptop_new(1, edit_many_users);

	(void)state;
	l->f->panel_width = 3840;
	l->f->panel_height = 2160;
	l->f->measure_stack = 1;
	type_change(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	print_message("memory %zu KiB, stack %zu KiB\n", l->f->peak_bytes >> 10,
		      l->f->stack_bytes >> 10);
	assert_true(l->f->peak_bytes <= OTHER_MEMORY_MAX);
#ifndef __SANITIZE_ADDRESS__ /* its frames are larger */
	assert_in_range(l->f->stack_bytes, 1, DELIVERY_STACK_WIPED - STACK_MARGIN);
#endif
	laptop_free(l);
}

/* The KDF that finds no room is tried again when boot files have been given back; they are read
 * once more. */
static void boot_files_make_room_for_the_kdf(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	HANDOFF h = { 0 };

	(void)state;
	l->f->fail_kdfs = 1;
	fake_await(l->f, "User name: ");
	fake_pause(l->f, 5); /* the files are read meanwhile */
	fake_type(l->f, LAPTOP_USER "\r" LAPTOP_PASSWORD "\r");
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	laptop_free(l);
}

static void too_little_memory_for_a_password_is_told(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	l->f->fail_larger = 16 << 20; /* enough for a code */
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	fake_await(l->f, "[HF-211]");
	laptop_type_code(l, l->codes[1]);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	laptop_free(l);
}

static void no_partition(struct laptop *l)
{
	fake_fail(l->f, FAKE_OPEN_VOLUME, 1, 1000, FAKE_DEVICE_ERROR);
}

static void no_store(struct laptop *l)
{
	fake_file_remove(l->f, LAPTOP_STORE_0);
	fake_file_put(l->f, LAPTOP_STORE_1, "HFSTORE1", 8);
}

static void old_store(struct laptop *l)
{
	fake_variable_put(l->f, "HoldfastGeneration", 7, "\x02\0\0\0\0\0\0\0", 8);
}

static void record_changed(struct laptop *l)
{
	STORE s = { 0 };
	uint8_t *bytes;
	size_t len;

	laptop_must(laptop_store(&s, l));
	s.records[0].changed_day++;
	laptop_must(store_encode(&bytes, &len, &s));
	fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	free(bytes);
	type_right(l);
}

static void what_keeps_a_laptop_from_starting_is_told(void **state)
{
	static const struct {
		const char *why;
		void (*prepare)(struct laptop *);
		const char *says;
	} rows[] = {
		{ "no partition", no_partition, "[HF-101]" },
		{ "no store", no_store, "[HF-103]" },
		{ "an old store", old_store, "[HF-104]" },
		{ "a record that was changed", record_changed, "[HF-105]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct laptop *l = laptop_new(1, NULL);

		rows[i].prepare(l);
		fake_await(l->f, "R: Restart");
		fake_type(l->f, "anna\rR");
		if (fake_run(l->f) != FAKE_RESTART || !fake_said(l->f, rows[i].says))
			fail_msg("%s:\n%s", rows[i].why, fake_serial(l->f));
		laptop_free(l);
	}
}

/* The last of the copies that an attacker kept: refused, and told to the server by the next good
 * start. */
static void an_old_store_is_reported_later(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	HANDOFF h = { 0 };

	(void)state;
	old_store(l);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	fake_variable_remove(l->f, "HoldfastGeneration");
	type_right(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	assert_int_equal(laptop_event(&h, PREBOOT_ROLLBACK_SEEN), 2);
	assert_int_equal(laptop_event(&h, PREBOOT_GENERATION_MISSING), 0);
	fake_script_clear(l->f);
	type_right(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	assert_int_equal(laptop_event(&h, PREBOOT_ROLLBACK_SEEN), -1);
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_and_stack_stay_within_their_bounds),
		cmocka_unit_test(boot_files_make_room_for_the_kdf),
		cmocka_unit_test(too_little_memory_for_a_password_is_told),
		cmocka_unit_test(what_keeps_a_laptop_from_starting_is_told),
		cmocka_unit_test(an_old_store_is_reported_later),
		cmocka_unit_test(every_service_fails_at_every_call),
	};

	return RUN(tests);
}
