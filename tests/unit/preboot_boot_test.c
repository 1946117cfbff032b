/* Boot targets: only what the verified manifest vouches for is started, and the next one where one
 * does not match. Whole starts of pre-boot. */
#include "core_test.h"

#include <stdlib.h>

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/inside.h"
#include "tests/fake/laptop.h"
#include "tests/fake/security.h"

#define CURRENT "\\EFI\\holdfast\\boot\\current\\"
#define PREVIOUS "\\EFI\\holdfast\\boot\\previous\\"

static void flip(struct laptop *l, const char *path, size_t at)
{
	size_t len;
	const uint8_t *there = fake_file(l->f, path, &len);
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	memcpy(bytes, there, len);
	bytes[at < len ? at : len - 1] ^= 1;
	fake_file_put(l->f, path, bytes, len);
	free(bytes);
}

static void nothing(struct laptop *l)
{
	(void)l;
}

static void kernel_changed(struct laptop *l)
{
	flip(l, CURRENT "vmlinuz", 100);
}

static void initrd_end_changed(struct laptop *l)
{
	flip(l, CURRENT "initrd.img", SIZE_MAX);
}

static void cmdline_changed(struct laptop *l)
{
	fake_file_put(l->f, CURRENT "cmdline", "root=/dev/mapper/root_crypt init=/bin/sh\n", 41);
}

static void cmdline_longer(struct laptop *l)
{
	fake_file_put(l->f, CURRENT "cmdline", LAPTOP_CMDLINE "\n\n", sizeof(LAPTOP_CMDLINE) + 1);
}

static void kernel_missing(struct laptop *l)
{
	fake_file_remove(l->f, CURRENT "vmlinuz");
}

static void cmdline_empty(struct laptop *l)
{
	fake_file_put(l->f, CURRENT "cmdline", "", 0);
}

static void initrd_claims_much(struct laptop *l)
{
	fake_file_claim(l->f, CURRENT "initrd.img", ((uint64_t)1 << 30) + 1);
}

static void initrd_claims_more_than_it_has(struct laptop *l)
{
	fake_file_claim(l->f, CURRENT "initrd.img", 40000);
}

static void kernel_of_the_previous(struct laptop *l)
{
	size_t len;
	const uint8_t *bytes = fake_file(l->f, PREVIOUS "vmlinuz", &len);

	fake_file_put(l->f, CURRENT "vmlinuz", bytes, len);
}

static void both_changed(struct laptop *l)
{
	kernel_changed(l);
	flip(l, PREVIOUS "initrd.img", 0);
}

static void everything_gone(struct laptop *l)
{
	kernel_missing(l);
	fake_file_remove(l->f, PREVIOUS "initrd.img");
}

static void firmware_refuses_once(struct laptop *l)
{
	fake_fail(l->f, FAKE_LOAD_IMAGE, 1, 1, FAKE_SECURITY_VIOLATION);
}

static void firmware_refuses_all(struct laptop *l)
{
	fake_fail(l->f, FAKE_LOAD_IMAGE, 1, 9, FAKE_ACCESS_DENIED);
}

static void firmware_has_no_memory(struct laptop *l)
{
	fake_fail(l->f, FAKE_LOAD_IMAGE, 1, 1, FAKE_OUT_OF_RESOURCES);
}

static void read_errors(struct laptop *l)
{
	fake_fail(l->f, FAKE_FILE_READ, 3, 1, FAKE_DEVICE_ERROR); /* after both stores */
}

static const struct {
	const char *why;
	void (*prepare)(struct laptop *);
	int target; /* -1: none */
	const char *says;
} rows[] = {
	{ "all as it should be", nothing, 0, "" },
	{ "kernel changed", kernel_changed, 1, "HF-401" },
	{ "last byte of the initrd changed", initrd_end_changed, 1, "HF-401" },
	{ "command line changed", cmdline_changed, 1, "HF-401" },
	{ "command line longer", cmdline_longer, 1, "HF-401" },
	{ "kernel missing", kernel_missing, 1, "HF-402" },
	{ "command line empty", cmdline_empty, 1, "HF-403" },
	{ "initrd of more than 1 GiB", initrd_claims_much, 1, "HF-403" },
	{ "initrd shorter than its size", initrd_claims_more_than_it_has, 1, "HF-403" },
	{ "another target's kernel", kernel_of_the_previous, 1, "HF-401" },
	{ "both changed", both_changed, -1, "HF-404" },
	{ "both incomplete", everything_gone, -1, "HF-404" },
	{ "firmware refuses one", firmware_refuses_once, 1, "HF-405" },
	{ "firmware refuses both", firmware_refuses_all, -1, "HF-404" },
	{ "firmware cannot load it", firmware_has_no_memory, 1, "HF-406" },
	{ "a read error", read_errors, 1, "HF-403" },
};

static void check_started(const char *why, const struct laptop *l, int target)
{
	size_t len;
	const uint8_t *initrd = fake_file(
		l->f, target ? PREVIOUS "initrd.img" : CURRENT "initrd.img", &len);
	HANDOFF h = { 0 };

	expect(why, OK, laptop_handoff(&h, l));
	assert_memory_equal(l->f->initrd + l->f->initrd_len - len, initrd, len);
	assert_string_equal(l->f->cmdline, LAPTOP_CMDLINE);
	if (h.head.target != target ||
	    laptop_event(&h, PREBOOT_TARGET_REFUSED) != (target ? 0 : -1))
		fail_msg("%s: the hand-off tells another target", why);
}

/* idle: the files are read while nobody types, or after the password. */
static void start(size_t i, int idle)
{
	struct laptop *l = laptop_new(1, NULL);
	enum fake_end end;

	rows[i].prepare(l);
	fake_await(l->f, "User name: ");
	fake_pause(l->f, idle ? 10 : 0);
	fake_type(l->f, LAPTOP_USER "\r" LAPTOP_PASSWORD "\r");
	end = fake_run(l->f);
	if (end != (rows[i].target < 0 ? FAKE_WAITING : FAKE_KERNEL) ||
	    !fake_said(l->f, rows[i].says))
		fail_msg("%s: %s\n%s", rows[i].why, fake_end_text(end), fake_serial(l->f));
	if (end == FAKE_KERNEL)
		check_started(rows[i].why, l, rows[i].target);
	assert_int_equal(fake_open_files(l->f), 0);
	laptop_free(l);
}

static void only_what_is_vouched_for_is_started(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		start(i, 0);
		start(i, 1);
	}
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static void power_on_with_security(void *security)
{
	fake_security_start(security);
	efi_main(fake_image, &fake_table);
}

/* Firmware with the organisation's key only: it refuses the kernel, the manifest vouches for it. */
static void the_manifest_vouches_where_firmware_does_not(void **state)
{
	static const struct {
		const char *why;
		struct fake_security security;
		void (*prepare)(struct laptop *);
		int target;
		uint16_t trust;
	} cases[] = {
		{ "accepted", { .has2 = 1, .has1 = 1 }, nothing, 0, 0 },
		{ "refused", { .has2 = 1, .has1 = 1, .says2 = FAKE_ACCESS_DENIED }, nothing, 0,
		  HANDOFF_VOUCHED },
		{ "refused, and changed", { .has2 = 1, .has1 = 1, .says2 = FAKE_ACCESS_DENIED },
		  kernel_changed, 1, HANDOFF_VOUCHED },
		{ "refused, and both changed", { .has2 = 1, .says2 = FAKE_ACCESS_DENIED },
		  both_changed, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_security security = cases[i].security;
		struct laptop *l = laptop_new(1, NULL);
		enum fake_end end;
		HANDOFF h = { 0 };

		cases[i].prepare(l);
		laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
		end = fake_call(l->f, power_on_with_security, &security);
		if (end != (cases[i].target < 0 ? FAKE_WAITING : FAKE_KERNEL))
			fail_msg("%s: %s\n%s", cases[i].why, fake_end_text(end), fake_serial(l->f));
		if (end == FAKE_KERNEL) {
			check_started(cases[i].why, l, cases[i].target);
			expect(cases[i].why, OK, laptop_handoff(&h, l));
			if ((h.head.trust & HANDOFF_VOUCHED) != cases[i].trust)
				fail_msg("%s: the hand-off says otherwise", cases[i].why);
		}
		laptop_free(l);
	}
}

static void edit_no_target(struct store *s)
{
	s->manifest.target_count = 0;
}

static void a_manifest_without_targets(void **state)
{
	struct laptop *l = laptop_new(1, edit_no_target);

	(void)state;
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(fake_said(l->f, "HF-404"));
	laptop_free(l);
}

static uint8_t long_cmdline[4097];

static void edit_long_cmdline(struct store *s)
{
	memset(long_cmdline, 'x', sizeof(long_cmdline));
	crypto_generichash(s->manifest.targets[0].cmdline, DIGEST_BYTES, long_cmdline,
			   sizeof(long_cmdline), NULL, 0);
	crypto_generichash(s->manifest.targets[1].cmdline, DIGEST_BYTES, long_cmdline, 4096, NULL,
			   0);
}

/* Vouched for as it is: it has no room. */
static void a_command_line_has_its_bound(void **state)
{
	struct laptop *l = laptop_new(1, edit_long_cmdline);

	(void)state;
	fake_file_put(l->f, CURRENT "cmdline", long_cmdline, sizeof(long_cmdline));
	fake_file_put(l->f, PREVIOUS "cmdline", long_cmdline, 4096);
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	assert_true(fake_said(l->f, "HF-403"));
	assert_int_equal(strlen(l->f->cmdline), sizeof(l->f->cmdline) - 1);
	laptop_free(l);
}

static void edit_zero_digests(struct store *s)
{
	memset(s->manifest.targets[0].kernel, 0, DIGEST_BYTES);
	memset(s->manifest.targets[0].initrd, 0, DIGEST_BYTES);
}

/* A file that is not there has no digest, which is not the same as a digest of zeros. */
static void zeros_vouch_for_nothing(void **state)
{
	struct laptop *l = laptop_new(1, edit_zero_digests);

	(void)state;
	fake_file_remove(l->f, LAPTOP_KERNEL);
	fake_file_remove(l->f, LAPTOP_INITRD);
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	assert_true(fake_said(l->f, "HF-402"));
	check_started("the previous one", l, 1);
	laptop_free(l);
}

static uint8_t long_initrd[(1 << 20) + 77];

static void edit_long_initrd(struct store *s)
{
	for (size_t i = 0; i < sizeof(long_initrd); i++)
		long_initrd[i] = (uint8_t)(i / 251);
	crypto_generichash(s->manifest.targets[0].initrd, DIGEST_BYTES, long_initrd,
			   sizeof(long_initrd), NULL, 0);
}

/* Several slices, with keys between them. */
static void a_long_initrd_comes_in_slices(void **state)
{
	(void)state;
	for (unsigned seconds = 0; seconds < 3; seconds++) {
		struct laptop *l = laptop_new(1, edit_long_initrd);

		fake_file_put(l->f, LAPTOP_INITRD, long_initrd, sizeof(long_initrd));
		fake_await(l->f, "User name: ");
		fake_type(l->f, "a");
		fake_pause(l->f, seconds);
		fake_type(l->f, "nna\r" LAPTOP_PASSWORD "\r");
		assert_int_equal(fake_run(l->f), FAKE_KERNEL);
		check_started("long", l, 0);
		laptop_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_vouched_for_is_started),
		cmocka_unit_test(the_manifest_vouches_where_firmware_does_not),
		cmocka_unit_test(a_manifest_without_targets),
		cmocka_unit_test(a_command_line_has_its_bound),
		cmocka_unit_test(zeros_vouch_for_nothing),
		cmocka_unit_test(a_long_initrd_comes_in_slices),
	};

	return RUN(tests);
}
