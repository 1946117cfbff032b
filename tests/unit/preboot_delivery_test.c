/* Delivery: what the kernel gets, and that nothing secret is left in memory: not when the kernel
 * has its initrd, not when it leaves boot services, and not on any way out that starts nothing.
 * Over pre-boot's own heap. */
#include "core_test.h"

#include "preboot/firmware.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/heap.h"
#include "tests/fake/laptop.h"

#define NEW_PASSWORD "quite another one"
#define DURESS "open now please"

static void edit_plain(struct store *s)
{
	(void)s;
}

static void edit_strict(struct store *s)
{
	SECRET struct secret duress = { 0 };
	struct record *r;

	s->rules.head.failure_limit = 2;
	s->rules.head.failure_action = RULES_LOCK;
	s->rules.head.flags = RULES_DURESS;
	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	laptop_must(secret_copy(&duress, DURESS, strlen(DURESS)));
	laptop_must(credential_set_duress(r, &duress));
}

static void plant_text(struct laptop *l, const char *name, const char *text)
{
	fake_plant(l->f, name, text, strlen(text));
}

/* All that can be typed, and what comes of it. */
static struct laptop *planted(void (*edit)(struct store *))
{
	struct laptop *l = laptop_new(1, edit);

	fake_plant(l->f, "the unlock key", l->unlock_key.bytes, KEY_BYTES);
	plant_text(l, "the password", LAPTOP_PASSWORD);
	plant_text(l, "the new password", NEW_PASSWORD);
	plant_text(l, "the duress password", DURESS);
	plant_text(l, "a wrong password", "quite wrong");
	plant_text(l, "the code", l->codes[1]);
	plant_text(l, "the recovery key", l->recovery);
	return l;
}

static void type_right(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
}

static void type_wrong(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, "quite wrong");
	fake_pause(l->f, 5);
}

static void type_wrong_twice(struct laptop *l)
{
	type_wrong(l);
	type_wrong(l);
}

static void type_wrong_then_right(struct laptop *l)
{
	type_wrong(l);
	type_right(l);
}

static void type_code(struct laptop *l)
{
	laptop_type_code(l, l->codes[1]);
}

static void type_recovery(struct laptop *l)
{
	laptop_type_recovery(l, l->recovery);
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

static void type_duress(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, DURESS);
}

static void boot_file_changed(struct laptop *l)
{
	fake_file_remove(l->f, "\\EFI\\holdfast\\boot\\previous\\cmdline");
	fake_file_put(l->f, LAPTOP_INITRD, "other", 5);
	type_right(l);
}

static void no_boot_file_then_restart(struct laptop *l)
{
	boot_file_changed(l);
	fake_await(l->f, "R: Restart");
	fake_type(l->f, "r");
}

static void no_boot_file_then_off(struct laptop *l)
{
	boot_file_changed(l);
	fake_await(l->f, "R: Restart");
	fake_type(l->f, "xP");
}

static void head_changed(struct laptop *l)
{
	STORE s = { 0 };
	uint8_t *bytes;
	size_t len;

	laptop_must(laptop_store(&s, l));
	s.head.command_seq++;
	laptop_must(store_encode(&bytes, &len, &s));
	fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	free(bytes);
	type_right(l);
}

static void no_file_can_be_written(struct laptop *l)
{
	fake_fail(l->f, FAKE_FILE_WRITE, 1, 1000, FAKE_WRITE_PROTECTED);
	type_code(l);
}

static void firmware_refuses_the_kernel(struct laptop *l)
{
	fake_fail(l->f, FAKE_LOAD_IMAGE, 1, 1000, FAKE_SECURITY_VIOLATION);
	type_right(l);
}

static void another_initrd_is_served(struct laptop *l)
{
	fake_fail(l->f, FAKE_INSTALL_PROTOCOLS, 1, 1000, FAKE_DEVICE_ERROR);
	type_right(l);
}

static void no_event_for_leaving(struct laptop *l)
{
	/* The one of ExitBootServices is the first that pre-boot needs after the kernel is loaded:
	 * all fail. */
	fake_fail(l->f, FAKE_CREATE_EVENT, 1, 1000000, FAKE_OUT_OF_RESOURCES);
	type_right(l);
}

static const struct {
	const char *why;
	void (*edit)(struct store *);
	void (*type)(struct laptop *);
	enum fake_kernel_habit kernel;
	enum fake_end want;
	const char *says;
} ways[] = {
	{ "password", edit_plain, type_right, FAKE_LINUX, FAKE_KERNEL, NULL },
	{ "code", edit_plain, type_code, FAKE_LINUX, FAKE_KERNEL, NULL },
	{ "recovery key", edit_plain, type_recovery, FAKE_LINUX, FAKE_KERNEL, NULL },
	{ "wrong, then right", edit_plain, type_wrong_then_right, FAKE_LINUX, FAKE_KERNEL,
	  "HF-201" },
	{ "password changed", edit_plain, type_change, FAKE_LINUX, FAKE_KERNEL, "changed" },
	{ "a kernel that asks twice", edit_plain, type_right, FAKE_GREEDY, FAKE_KERNEL, NULL },
	{ "a kernel that never asks", edit_plain, type_right, FAKE_NO_INITRD, FAKE_KERNEL, NULL },
	{ "a kernel that gives up", edit_plain, type_right, FAKE_QUITTER, FAKE_WAITING, "HF-407" },
	{ "a kernel that gives up with its initrd", edit_plain, type_code, FAKE_LATE_QUITTER,
	  FAKE_WAITING, "HF-407" },
	{ "no kernel that matches", edit_plain, boot_file_changed, FAKE_LINUX, FAKE_WAITING,
	  "HF-404" },
	{ "none, and restarted", edit_plain, no_boot_file_then_restart, FAKE_LINUX, FAKE_RESTART,
	  "HF-404" },
	{ "none, and switched off", edit_plain, no_boot_file_then_off, FAKE_LINUX, FAKE_POWER_OFF,
	  "HF-404" },
	{ "a store that was changed", edit_plain, head_changed, FAKE_LINUX, FAKE_WAITING,
	  "HF-105" },
	{ "a code that cannot be crossed out", edit_plain, no_file_can_be_written, FAKE_LINUX,
	  FAKE_WAITING, "HF-408" },
	{ "a kernel that firmware refuses", edit_plain, firmware_refuses_the_kernel, FAKE_LINUX,
	  FAKE_WAITING, "HF-405" },
	{ "an initrd that cannot be served", edit_plain, another_initrd_is_served, FAKE_LINUX,
	  FAKE_WAITING, "HF-407" },
	{ "no event at ExitBootServices", edit_plain, no_event_for_leaving, FAKE_LINUX,
	  FAKE_WAITING, "HF-407" },
	{ "locked after wrong passwords", edit_strict, type_wrong_twice, FAKE_LINUX, FAKE_WAITING,
	  "HF-303" },
	{ "erased by the duress password", edit_strict, type_duress, FAKE_LINUX, FAKE_POWER_OFF,
	  "HF-504" },
};

/* A test that cannot find a secret finds none: one is left in the heap, on the stack, and in a
 * variable. */
static volatile char left_in_variable[32];

static void leave_some(void *argument)
{
	volatile char on_stack[32];
	volatile char *block = malloc(100);

	(void)argument;
	for (size_t i = 0; i < sizeof(LAPTOP_PASSWORD); i++)
		left_in_variable[i] = on_stack[i] = block[i] = LAPTOP_PASSWORD[i];
	/* Not firmware_restart, which wipes. */
	RUNTIME->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

static void what_is_left_is_found(void **state)
{
	struct laptop *l = planted(NULL);

	(void)state;
	assert_int_equal(fake_call(l->f, leave_some, NULL), FAKE_RESTART);
	assert_non_null(strstr(l->f->leaks, "a variable of the program holds the password"));
	assert_non_null(strstr(l->f->leaks, "the stack holds the password"));
	assert_non_null(strstr(l->f->leaks, "a block of the heap holds the password"));
	laptop_free(l);
}

static void nothing_secret_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct laptop *l = planted(ways[i].edit);
		enum fake_end end;

		l->f->kernel = ways[i].kernel;
		l->f->search_waiting = 1;
		ways[i].type(l);
		end = fake_run(l->f);
		if (end != ways[i].want || (ways[i].says && !fake_said(l->f, ways[i].says)) ||
		    l->f->leaks[0])
			fail_msg("%s: %s, expected %s, saying %s; left in memory:\n%s\n%s",
				 ways[i].why, fake_end_text(end), fake_end_text(ways[i].want),
				 ways[i].says ? ways[i].says : "nothing", l->f->leaks,
				 fake_serial(l->f));
		if (end != FAKE_WAITING && !l->f->heap_wipes)
			fail_msg("%s: the heap is not wiped on the way out", ways[i].why);
		laptop_free(l);
	}
}

static void the_kernel_gets_hand_off_and_initrd(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	size_t initrd_len;
	const uint8_t *initrd;
	HANDOFF h = { 0 };
	STORE s = { 0 };
	struct record *r;

	(void)state;
	type_wrong(l);
	type_right(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	initrd = fake_file(l->f, LAPTOP_INITRD, &initrd_len);
	assert_true(l->f->initrd_len > initrd_len);
	assert_memory_equal(l->f->initrd + l->f->initrd_len - initrd_len, initrd, initrd_len);
	expect("hand-off", OK, laptop_handoff(&h, l));
	expect("store", OK, laptop_store(&s, l));
	expect("record", OK, store_find_user(&r, &s, LAPTOP_USER));
	assert_memory_equal(h.head.unlock_key, l->unlock_key.bytes, KEY_BYTES);
	assert_memory_equal(h.head.credential, r->id, sizeof(r->id));
	assert_int_equal(h.head.kind, CREDENTIAL_PASSWORD);
	assert_int_equal(h.head.generation, s.head.generation);
	assert_int_equal(h.head.target, 0);
	assert_int_equal(h.manifest.volume_count, 1);
	/* What the cheap KDF takes of the simulated clock. */
	assert_in_range(h.head.kdf_ms, 500, 510);
	assert_in_range(h.head.memory_mib, 2048, 2048);
	assert_int_equal(laptop_event(&h, PREBOOT_WRONG_PASSWORD), 1);
	assert_int_equal(laptop_event(&h, PREBOOT_UNLOCKED), 0);
	assert_int_equal(laptop_event(&h, PREBOOT_WRONG_CODE), -1);
	assert_string_equal(l->f->cmdline, LAPTOP_CMDLINE);
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_found),
		cmocka_unit_test(nothing_secret_is_left),
		cmocka_unit_test(the_kernel_gets_hand_off_and_initrd),
	};

	return RUN(tests);
}
