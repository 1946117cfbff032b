/* Updates of holdfast.efi, played with a small firmware: BootNext, BootOrder, BOOTX64.EFI. The power is cut before and
 * after each change of a name and each flush; the laptop always starts, and ends up where it shall. */
#include "volumed_fixture.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/volumed/bootcare.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/efivar.h"
#include "agent/volumed/event.h"
#include "agent/volumed/selftest.h"
#include "pe_sample.h"

static char dir[64], efivars[80], home[100], removable[100], installed[100], partitions[100], boot_id[32];
static struct bootentry_place place;
static struct loader_home at;

/* ---- power ---- */

static long cut_after; /* 0: never; counts down at each point */

static void point(void)
{
	if (cut_after && !--cut_after)
		_exit(99);
}

int rename(const char *from, const char *to)
{
	long r;

	point();
	r = syscall(SYS_rename, from, to);
	point();
	return (int)r;
}

int unlink(const char *path)
{
	long r;

	point();
	r = syscall(SYS_unlink, path);
	point();
	return (int)r;
}

int fsync(int fd)
{
	point();
	return (int)syscall(SYS_fsync, fd);
}

static const char *full; /* folder that takes no more; NULL: none */

ssize_t write(int fd, const void *bytes, size_t len)
{
	char link[64], path[300];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = full ? readlink(link, path, sizeof(path) - 1) : 0;
	path[n > 0 ? n : 0] = '\0';
	if (n > 0 && !strncmp(path, full, strlen(full))) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_write, fd, bytes, len);
}

/* ---- files ---- */

static void put(const char *folder, const char *name, const void *bytes, size_t len)
{
	expect(name, OK, durable_write(folder, name, bytes, len, 0600));
}

static void image_put(const char *folder, const char *name, const char *version, int is_signed)
{
	uint8_t bytes[PE_BYTES_MAX];

	put(folder, name, bytes, pe_make(bytes, version, is_signed, NULL));
}

/* Version of a copy; "ruin", "none". */
static const char *version_in(const char *folder, const char *name)
{
	static char version[8][PEIMAGE_VERSION_BYTES];
	static unsigned next;
	struct peimage image;
	uint8_t *bytes;
	size_t len;
	enum err e;

	if (durable_read(&bytes, &len, folder, name, PEIMAGE_BYTES_MAX))
		return "none";
	e = peimage_read(&image, bytes, len);
	free(bytes);
	return e ? "ruin" : strcpy(version[next++ % 8], image.version);
}

static void copies_are(const char *why, const char *current, const char *previous, const char *next)
{
	const char *have[] = { version_in(home, LOADER_CURRENT), version_in(home, LOADER_PREVIOUS),
			       version_in(home, LOADER_NEXT) };

	if (strcmp(have[0], current) || strcmp(have[1], previous) || strcmp(have[2], next))
		fail_msg("%s: current, previous, next are %s, %s, %s, not %s, %s, %s", why, have[0], have[1], have[2],
			 current, previous, next);
}

/* ---- the firmware ---- */

static int ignores_next; /* BootNext stays as it is */

/* File that an entry leads to; "" for none of ours. */
static void entry_file(char ret[64], uint16_t number)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption_file f;
	struct loadoption o;
	char name[80];
	size_t len;

	*ret = '\0';
	snprintf(name, sizeof(name), "Boot%04X-" EFIVAR_GLOBAL, number);
	if (!efivar_read(bytes, &len, sizeof(bytes), efivars, name) && !loadoption_decode(&o, bytes, len) &&
	    (o.attributes & LOADOPTION_ACTIVE) && !loadoption_file(&f, &o) &&
	    !strncmp(f.path, "\\EFI\\holdfast\\", 14))
		snprintf(ret, 64, "%.63s", f.path + 14);
}

static enum handoff_loader kind_of(const char *file)
{
	if (!strcmp(file, LOADER_CURRENT))
		return HANDOFF_LOADER_CURRENT;
	return !strcmp(file, LOADER_NEXT) ? HANDOFF_LOADER_NEXT : HANDOFF_LOADER_PREVIOUS;
}

/* Starts the entry's file, if there is one that starts. */
static int entry_start(enum handoff_loader *ret, uint16_t number)
{
	char file[64];
	const char *version;

	entry_file(file, number);
	version = version_in(home, file);
	if (!*file || !strcmp(version, "none") || !strcmp(version, "ruin") || strstr(version, "hangs"))
		return 0;
	*ret = kind_of(file);
	return 1;
}

static enum handoff_loader firmware_start(void)
{
	enum handoff_loader kind = HANDOFF_LOADER_REMOVABLE;
	uint16_t order[64], next;
	size_t len = 0;

	if (!ignores_next && !bootentry_next(&next, &place)) {
		expect("BootNext", OK, efivar_remove(efivars, "BootNext-" EFIVAR_GLOBAL));
		if (entry_start(&kind, next))
			return kind;
	}
	if (efivar_read((uint8_t *)order, &len, sizeof(order), efivars, "BootOrder-" EFIVAR_GLOBAL))
		len = 0;
	for (size_t i = 0; i < len / 2; i++)
		if (entry_start(&kind, order[i]))
			return kind;
	if (strcmp(version_in(removable, "BOOTX64.EFI"), "none") && strcmp(version_in(removable, "BOOTX64.EFI"), "ruin"))
		return HANDOFF_LOADER_REMOVABLE;
	return HANDOFF_LOADER_UNKNOWN;
}

/* ---- the agent ---- */

static unsigned starts;

static void events_forget(void)
{
	while (laptop.outbox.count)
		expect("forget", OK, outbox_remove(&laptop.outbox, laptop.outbox.entries[0].id));
}

/* Was an event of this kind told, with these words in it? */
static int told(const char *kind, const char *words)
{
	for (size_t i = 0; i < laptop.outbox.count; i++) {
		JSON *payload = NULL;
		TEXT *text = NULL;
		char kid[KID_BYTES];

		expect("event", OK,
		       jws_peek(&payload, kid, "holdfast-event", laptop.outbox.entries[i].message));
		text = json_dumps(payload, JSON_COMPACT);
		if (!strcmp(json_string_value(json_object_get(payload, "kind")), kind) &&
		    (!words || strstr(text, words)))
			return 1;
	}
	return 0;
}

static enum err agent_run(enum handoff_loader kind)
{
	snprintf(boot_id, sizeof(boot_id), "start-%u", starts);
	laptop.boot.known = 1;
	laptop.boot.loader = (uint8_t)kind;
	return bootcare_run(&laptop, &at);
}

static enum handoff_loader start(const char *why)
{
	enum handoff_loader kind = firmware_start();

	starts++;
	if (kind == HANDOFF_LOADER_UNKNOWN)
		fail_msg("%s: this laptop does not start any more", why);
	expect(why, OK, agent_run(kind));
	return kind;
}

static void state_load(void)
{
	expect("state", OK, vstate_load(&laptop.state, laptop_state));
	expect("outbox", OK, outbox_open(&laptop.outbox, laptop_state));
	expect("attestation", OK, attest_load(&laptop.attestation, laptop_state));
	laptop.trust.enrolled = 1;
}

static void state_drop(void)
{
	vstate_drop(&laptop.state);
	outbox_drop(&laptop.outbox);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/holdfast-loader-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(dir))
		return -1;
	snprintf(efivars, sizeof(efivars), "%s/efivars", dir);
	snprintf(home, sizeof(home), "%s/holdfast", dir);
	snprintf(removable, sizeof(removable), "%s/BOOT", dir);
	snprintf(laptop_state, sizeof(laptop_state), "%s/state", dir);
	snprintf(installed, sizeof(installed), "%s/installed.efi", dir);
	snprintf(partitions, sizeof(partitions), "%s/by-partuuid", dir);
	if (mkdir(partitions, 0700) || mkdir(efivars, 0700) || mkdir(home, 0700) || mkdir(removable, 0700) || mkdir(laptop_state, 0700))
		return -1;
	place = (struct bootentry_place){ .efivars = efivars, .folder = home,
					  .esp = { 1, 2048, 262144, { 0x11, 0x22 }, "" },
					  .partitions = partitions };
	at = (struct loader_home){ .place = &place, .installed = installed, .boot = boot_id };
	memset(&laptop, 0, sizeof(laptop));
	ignores_next = 0;
	full = NULL;
	starts = 0;
	cut_after = 0;
	state_load();
	image_put(home, LOADER_CURRENT, "1", 0);
	image_put(removable, "BOOTX64.EFI", "1", 0);
	image_put(dir, "two.efi", "2", 0);
	start("the first start, by BOOTX64.EFI");
	assert_int_equal(start("the second"), HANDOFF_LOADER_CURRENT);
	events_forget();
	return 0;
}

static int teardown(void **state)
{
	char command[200];

	(void)state;
	state_drop();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static enum err stage(const char *name)
{
	struct loader_copy copy;
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return loader_stage(&copy, &at, path);
}

static int has_entry(const char *text, const char *file)
{
	char have[64];

	(void)text;
	for (uint16_t n = 0; n < 16; n++) {
		entry_file(have, n);
		if (!strcmp(have, file))
			return 1;
	}
	return 0;
}

static void debian_put_first(void)
{
	const uint16_t order[] = { 9, 0 };
	struct loadoption_file f = place.esp;
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	size_t len;

	strcpy(f.path, "\\EFI\\debian\\shimx64.efi");
	expect("make", OK, loadoption_make(bytes, &len, "debian", &f, NULL));
	expect("entry", OK, efivar_write(efivars, "Boot0009-" EFIVAR_GLOBAL, bytes, len));
	expect("order", OK, efivar_write(efivars, "BootOrder-" EFIVAR_GLOBAL, (const uint8_t *)order, 4));
}

static void order_begins(const char *why, uint8_t number)
{
	uint8_t order[64];
	size_t len;

	expect(why, OK, efivar_read(order, &len, sizeof(order), efivars, "BootOrder-" EFIVAR_GLOBAL));
	if (order[0] != number)
		fail_msg("%s: entry %u is first", why, order[0]);
}

/* ---- stories ---- */

static void test_update(void **state)
{
	(void)state;
	expect("stage", OK, stage("two.efi"));
	copies_are("before the restart", "1", "none", "2");
	expect("the daemon is started anew", OK, agent_run(HANDOFF_LOADER_CURRENT));
	expect("and again", OK, agent_run(HANDOFF_LOADER_CURRENT));
	copies_are("before the restart", "1", "none", "2");
	assert_int_equal(start("tried"), HANDOFF_LOADER_NEXT);
	copies_are("confirmed", "2", "1", "none");
	assert_string_equal(version_in(removable, "BOOTX64.EFI"), "2");
	assert_true(told("loader-updated", "\"version\":\"2\""));
	assert_false(has_entry(BOOTENTRY_UPDATE, LOADER_NEXT));
	assert_true(has_entry(BOOTENTRY_PREVIOUS, LOADER_PREVIOUS));
	assert_int_equal(start("from now on"), HANDOFF_LOADER_CURRENT);
	copies_are("and stays", "2", "1", "none");
}

static void test_update_fails(void **state)
{
	static const char *const how[] = { "it hangs", "it is a ruin" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		events_forget();
		image_put(dir, "bad.efi", "2-hangs", 0);
		expect("stage", OK, stage("bad.efi"));
		if (i)
			put(home, LOADER_NEXT, "MZ", 2);
		assert_int_equal(start(how[i]), HANDOFF_LOADER_CURRENT);
		copies_are(how[i], "1", "none", "none");
		if (!told("loader-update-failed", "did not come up"))
			fail_msg("%s: not told", how[i]);
		events_forget();
		assert_int_equal(start("never tried again"), HANDOFF_LOADER_CURRENT);
		assert_false(told("loader-update-failed", NULL));
		assert_false(has_entry(BOOTENTRY_UPDATE, LOADER_NEXT));
	}
}

static void test_boot_next_ignored(void **state)
{
	int waited = 0;

	(void)state;
	expect("stage", OK, stage("two.efi"));
	ignores_next = 1;
	while (!told("loader-update-failed", "BootNext") && waited < 10) {
		assert_int_equal(start("a firmware without BootNext"), HANDOFF_LOADER_CURRENT);
		waited++;
	}
	assert_int_equal(waited, 4);
	copies_are("given up", "1", "none", "none");
}

static void test_refused(void **state)
{
	static const struct {
		const char *why, *name;
		int secure;
		enum err want;
	} rows[] = {
		{ "no program at all", "text", 0, ERR_FORMAT },
		{ "another program", "other.efi", 0, ERR_NOT_FOUND },
		{ "another processor's", "arm.efi", 0, ERR_UNSUPPORTED },
		{ "not there", "nothing", 0, ERR_NOT_FOUND },
		{ "the same", "one.efi", 0, ERR_EXISTS },
		{ "not signed, with Secure Boot on", "two.efi", 1, ERR_DENIED },
		{ "signed, with Secure Boot on", "signed.efi", 1, OK },
	};
	uint8_t bytes[PE_BYTES_MAX];
	size_t len;

	(void)state;
	put(dir, "text", "some text that is long enough for a header but is none of a program at all", 74);
	put(dir, "other.efi", bytes, pe_make(bytes, "1", 1, "sbat,1,x\ngrub,3,x,y,2,z\n"));
	len = pe_make(bytes, "1", 0, NULL);
	pe_put(bytes + PE_AT + 4, 0xaa64, 2);
	put(dir, "arm.efi", bytes, len);
	image_put(dir, "one.efi", "1", 0);
	image_put(dir, "signed.efi", "2", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t on = (uint8_t)rows[i].secure;

		expect("SecureBoot", OK, efivar_write(efivars, "SecureBoot-" EFIVAR_GLOBAL, &on, 1));
		expect(rows[i].why, rows[i].want, stage(rows[i].name));
		copies_are(rows[i].why, "1", "none", rows[i].want ? "none" : "2");
		if (rows[i].want)
			assert_false(bootentry_is_next(&place, BOOTENTRY_UPDATE, LOADER_NEXT));
	}
}

static void test_ruined(void **state)
{
	static const struct {
		const char *why;
		int secure, previous_signed, removable_signed, installed_signed; /* -1: there is none */
		const char *from, *want;
		enum handoff_loader by;
	} rows[] = {
		{ "by previous, mended from it, not from the package's that never started", 0, 0, 0, 0, "previous", "0",
		  HANDOFF_LOADER_PREVIOUS },
		{ "Secure Boot, all signed", 1, 1, 1, 1, "previous", "0", HANDOFF_LOADER_PREVIOUS },
		{ "no previous", 0, -1, 0, 0, "BOOTX64", "2", HANDOFF_LOADER_REMOVABLE },
		{ "Secure Boot: previous is not signed", 1, 0, 1, 1, "BOOTX64", "2", HANDOFF_LOADER_REMOVABLE },
		{ "only BOOTX64.EFI is left", 0, -1, 0, -1, "BOOTX64", "2", HANDOFF_LOADER_REMOVABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t on = (uint8_t)rows[i].secure;

		events_forget();
		expect("no previous", OK, durable_remove(home, LOADER_PREVIOUS));
		expect("no package", OK, durable_remove(dir, "installed.efi"));
		expect("SecureBoot", OK, efivar_write(efivars, "SecureBoot-" EFIVAR_GLOBAL, &on, 1));
		if (rows[i].previous_signed >= 0)
			image_put(home, LOADER_PREVIOUS, "0", rows[i].previous_signed);
		image_put(removable, "BOOTX64.EFI", "2", rows[i].removable_signed);
		if (rows[i].installed_signed >= 0)
			image_put(dir, "installed.efi", "3", rows[i].installed_signed);
		expect("entries", OK, agent_run(HANDOFF_LOADER_CURRENT));
		put(home, LOADER_CURRENT, "ruin", 4);
		starts++;
		expect(rows[i].why, OK, agent_run(rows[i].by));
		if (strcmp(version_in(home, LOADER_CURRENT), rows[i].want))
			fail_msg("%s: it is %s now", rows[i].why, version_in(home, LOADER_CURRENT));
		if (!told("loader-repaired", rows[i].from))
			fail_msg("%s: not told", rows[i].why);
		assert_int_equal(start("mended"), HANDOFF_LOADER_CURRENT);
	}
}

/* ---- what a review found ---- */

/* The bug: next.efi had started, and so whatever was staged later in the same start was confirmed untried when the
 * daemon was started anew. */
static void test_second_update_in_one_start(void **state)
{
	(void)state;
	image_put(dir, "three.efi", "3-hangs", 0);
	expect("stage", OK, stage("two.efi"));
	assert_int_equal(start("tried"), HANDOFF_LOADER_NEXT);
	copies_are("confirmed", "2", "1", "none");
	expect("another one", OK, stage("three.efi"));
	for (int i = 0; i < 3; i++)
		expect("the daemon is started anew", OK, agent_run(HANDOFF_LOADER_NEXT));
	copies_are("it waits for its try", "2", "1", "3-hangs");
	assert_int_equal(start("tried, hangs"), HANDOFF_LOADER_CURRENT);
	copies_are("given up", "2", "1", "none");
}

/* The file was exchanged behind the try: what came up is not what lies there. */
static void test_exchanged_behind_the_try(void **state)
{
	(void)state;
	expect("stage", OK, stage("two.efi"));
	assert_int_equal(firmware_start(), HANDOFF_LOADER_NEXT);
	starts++;
	image_put(home, LOADER_NEXT, "3-hangs", 0);
	expect("another file", OK, agent_run(HANDOFF_LOADER_NEXT));
	copies_are("not confirmed", "1", "none", "none");
}

/* The bug: without a noted digest the package's copy was put over a current one that starts. */
static void test_untried_package(void **state)
{
	(void)state;
	vstate_remove(&laptop.state, "firmware");
	image_put(home, LOADER_PREVIOUS, "0", 0);
	image_put(dir, "installed.efi", "3-hangs", 0);
	expect("nothing is known, previous chosen by hand", OK, agent_run(HANDOFF_LOADER_PREVIOUS));
	copies_are("left alone", "1", "0", "none");
	starts++;
	expect("by BOOTX64.EFI", OK, agent_run(HANDOFF_LOADER_REMOVABLE));
	copies_are("left alone", "1", "0", "none");
}

/* The copy of what last started is the best source, wherever it lies. */
static void test_good_copy_first(void **state)
{
	(void)state;
	image_put(home, LOADER_PREVIOUS, "0", 0);
	image_put(dir, "installed.efi", "1", 0);
	image_put(removable, "BOOTX64.EFI", "9", 0);
	assert_int_equal(start("the entry of previous.efi is made"), HANDOFF_LOADER_CURRENT);
	put(home, LOADER_CURRENT, "ruin", 4);
	assert_int_equal(start("previous"), HANDOFF_LOADER_PREVIOUS);
	copies_are("the same as it was", "1", "0", "none");
	assert_true(told("loader-repaired", "last started"));
}

/* Only the package's copy is left: it is tried, and what starts today is not touched. */
static void test_package_is_tried(void **state)
{
	static const struct {
		const char *why, *version, *current;
	} rows[] = { { "it starts", "3", "3" }, { "it hangs", "3-hangs", "ruin" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		events_forget();
		image_put(dir, "installed.efi", rows[i].version, 0);
		expect("none", OK, durable_remove(removable, "BOOTX64.EFI"));
		expect("none", OK, durable_remove(home, LOADER_PREVIOUS));
		put(home, LOADER_CURRENT, "ruin", 4);
		starts++;
		snprintf(boot_id, sizeof(boot_id), "start-%u", starts);
		laptop.boot.known = 0;
		for (int n = 0; n < 2; n++)
			expect("started by another system's loader", OK, bootcare_run(&laptop, &at));
		copies_are("to be tried", "ruin", "none", rows[i].version);
		assert_true(told("loader-repaired", "tried at the next start"));
		starts++;
		snprintf(boot_id, sizeof(boot_id), "start-%u", starts);
		if (!i) {
			assert_int_equal(start(rows[i].why), HANDOFF_LOADER_NEXT);
		} else {
			assert_int_equal(firmware_start(), HANDOFF_LOADER_UNKNOWN);
			for (int n = 0; n < 2; n++)
				expect("again by another's", OK, bootcare_run(&laptop, &at));
			assert_true(told("loader-update-failed", NULL));
		}
		copies_are(rows[i].why, rows[i].current, "none", "none");
	}
}

/* An update that did not come up is no source, wherever a copy of it lies. */
static void test_failed_is_no_source(void **state)
{
	(void)state;
	image_put(dir, "bad.efi", "2-hangs", 0);
	expect("stage", OK, stage("bad.efi"));
	assert_int_equal(start("it hangs"), HANDOFF_LOADER_CURRENT);
	image_put(dir, "installed.efi", "2-hangs", 0);
	image_put(home, LOADER_PREVIOUS, "2-hangs", 0);
	image_put(removable, "BOOTX64.EFI", "7", 0);
	put(home, LOADER_CURRENT, "ruin", 4);
	assert_int_equal(start("ruined"), HANDOFF_LOADER_REMOVABLE);
	copies_are("mended", "7", "2-hangs", "none");
	image_put(dir, "good.efi", "2-hangs", 0);
	expect("somebody may try it again", OK, stage("good.efi"));
}

/* The bug: where shim starts holdfast.efi its entry was put behind ours, which Secure Boot refuses. */
static void test_shim(void **state)
{
	json_t *status;

	(void)state;
	debian_put_first();
	image_put(home, LOADER_PREVIOUS, "0", 0);
	image_put(home, LOADER_CURRENT, "5", 0);
	for (int i = 0; i < 2; i++)
		expect("started through shim", OK, agent_run(HANDOFF_LOADER_UNKNOWN));
	order_begins("left alone", 9);
	copies_are("exchanged by an administrator", "5", "0", "none");
	assert_int_equal(laptop.outbox.count, 0);
	status = bootcare_status(&laptop);
	assert_string_equal(json_string_value(json_object_get(status, "entries")), "left alone");
	assert_string_equal(json_string_value(json_object_get(status, "started_by")), "another loader");
	json_decref(status);
	laptop.boot.known = 0;
	expect("a start without pre-boot changes nothing", OK, bootcare_run(&laptop, &at));
	order_begins("left alone", 9);
	expect("without shim again", OK, agent_run(HANDOFF_LOADER_CURRENT));
	order_begins("put first", 0);
}

/* The bug: an update that could not be judged kept lost entries from being made. */
static void test_entries_whatever_happens(void **state)
{
	char command[400];

	(void)state;
	put(home, LOADER_NEXT, "x", 1);
	snprintf(command, sizeof(command), "rm -f %s/* && cd %s && rm next.efi && mkdir next.efi", efivars, home);
	assert_int_equal(system(command), 0);
	assert_int_not_equal(agent_run(HANDOFF_LOADER_REMOVABLE), OK);
	assert_true(has_entry(BOOTENTRY_CURRENT, LOADER_CURRENT));
}

/* The bug: holdfast.efi was replaced before an entry led to the one that it had been. */
static void test_previous_has_its_entry_first(void **state)
{
	(void)state;
	expect("stage", OK, stage("two.efi"));
	assert_int_equal(firmware_start(), HANDOFF_LOADER_NEXT);
	starts++;
	full = efivars;
	assert_int_not_equal(agent_run(HANDOFF_LOADER_NEXT), OK);
	full = NULL;
	copies_are("kept, and not replaced yet", "1", "1", "2");
	expect("the firmware takes entries again", OK, agent_run(HANDOFF_LOADER_NEXT));
	copies_are("confirmed", "2", "1", "none");
	assert_true(has_entry(BOOTENTRY_PREVIOUS, LOADER_PREVIOUS));
}

/* The bug: the agent looked in the middle of holdfast-activate --loader, and took the update away as one that failed. */
static void test_lock(void **state)
{
	int ready[2], lock;
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		if (loader_lock(&lock, home))
			_exit(1);
		image_put(home, LOADER_NEXT, "2", 0);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(stage("two.efi") ? 1 : 0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	expect("waits", OK, agent_run(HANDOFF_LOADER_CURRENT));
	assert_int_equal(waitpid(child, NULL, 0), child);
	copies_are("waits for its try", "1", "none", "2");
	assert_false(told("loader-update-failed", NULL));
	close(ready[0]);
	close(ready[1]);
}

/* What the firmware's partition is full of is not the report's fault: it was deleted, as if it were too long. */
static void report_put(int damaged);
static void test_report_on_full_partition(void **state)
{
	struct selftest s;
	char path[300];

	(void)state;
	strcpy(laptop.esp.folder, home);
	report_put(0);
	full = home;
	selftest_settle(&laptop);
	full = NULL;
	expect("it is kept", OK, selftest_load(&s, home, 1));
	expect("and not sent again", ERR_NOT_FOUND, selftest_load(&s, home, 0));
	assert_int_equal(laptop.outbox.count, 1);
	snprintf(path, sizeof(path), "truncate -s 100000 %s/" SELFTEST_REPORT " && rm %s/" SELFTEST_SENT, home, home);
	assert_int_equal(system(path), 0);
	selftest_settle(&laptop);
	expect("one that is too long goes", ERR_NOT_FOUND, selftest_load(&s, home, 1));
	assert_int_equal(laptop.outbox.count, 1);
}

static void test_removable_write(void **state)
{
	uint8_t bytes[PE_BYTES_MAX];
	int foreign = -1;
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/two.efi", dir);
	expect("ours", OK, loader_removable_write(&foreign, &at, path));
	assert_int_equal(foreign, 0);
	assert_string_equal(version_in(removable, "BOOTX64.EFI"), "2");
	put(removable, "BOOTX64.EFI", bytes, pe_make(bytes, "1", 1, "sbat,1,x\nshim,3,x,y,2,z\n"));
	expect("shim", OK, loader_removable_write(&foreign, &at, path));
	assert_int_equal(foreign, 1);
	assert_string_equal(version_in(removable, "BOOTX64.EFI"), "ruin"); /* shim is none of ours */
}

/* One bit changed in a copy that still looks like a program: its digest was noted when it last started. */
static void test_one_bit(void **state)
{
	uint8_t bytes[PE_BYTES_MAX];
	size_t len;

	(void)state;
	image_put(home, LOADER_PREVIOUS, "0", 0);
	assert_int_equal(start("noted"), HANDOFF_LOADER_CURRENT);
	len = pe_make(bytes, "1", 0, NULL);
	bytes[600] ^= 1;
	put(home, LOADER_CURRENT, bytes, len);
	expect("the firmware took the previous one", OK, agent_run(HANDOFF_LOADER_PREVIOUS));
	assert_true(told("loader-repaired", "last started"));
	copies_are("mended from BOOTX64.EFI, which is the same as it was", "1", "0", "none");
	put(home, LOADER_CURRENT, bytes, len);
	put(removable, "BOOTX64.EFI", "ruin", 4);
	expect("again, and there is no other copy", OK, agent_run(HANDOFF_LOADER_PREVIOUS));
	assert_true(told("loader-repaired", "\"previous.efi"));
	copies_are("mended", "0", "0", "none");
}

static void test_chosen_by_a_person(void **state)
{
	(void)state;
	image_put(home, LOADER_PREVIOUS, "0", 0);
	image_put(dir, "installed.efi", "3", 0);
	expect("previous was started by hand", OK, agent_run(HANDOFF_LOADER_PREVIOUS));
	copies_are("nothing is changed", "1", "0", "none");
	assert_true(told("loader-passed-over", NULL));
	assert_false(told("loader-repaired", NULL));
}

static void test_removable_of_others(void **state)
{
	uint8_t bytes[PE_BYTES_MAX];

	(void)state;
	put(removable, "BOOTX64.EFI", bytes, pe_make(bytes, "1", 1, "sbat,1,x\nshim,3,x,y,2,z\n"));
	expect("stage", OK, stage("two.efi"));
	assert_int_equal(start("tried"), HANDOFF_LOADER_NEXT);
	copies_are("confirmed", "2", "1", "none");
	assert_string_equal(version_in(removable, "BOOTX64.EFI"), "ruin"); /* shim is none of ours */
}

static void test_entries_lost(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -f %s/*", efivars);
	assert_int_equal(system(command), 0);
	assert_int_equal(start("the variables are gone"), HANDOFF_LOADER_REMOVABLE);
	assert_true(told("boot-entry-repaired", "Holdfast: lost"));
	events_forget();
	assert_int_equal(start("repaired"), HANDOFF_LOADER_CURRENT);
	assert_int_equal(laptop.outbox.count, 0);
	for (int i = 0; i < 3; i++)
		expect("a firmware that ignores its entries", OK, agent_run(HANDOFF_LOADER_REMOVABLE));
	assert_int_equal(laptop.outbox.count, 1);
	assert_true(told("boot-entries-ignored", NULL));
}

static void test_administrator(void **state)
{
	(void)state;
	debian_put_first();
	expect("chosen in the menu", OK, agent_run(HANDOFF_LOADER_CURRENT));
	order_begins("once we say what we think of it", 0);
	assert_true(told("boot-entry-repaired", "not in its place"));
	events_forget();
	debian_put_first();
	for (int i = 0; i < 3; i++)
		expect("again", OK, agent_run(HANDOFF_LOADER_CURRENT));
	order_begins("the administrator has the last word", 9);
	assert_int_equal(laptop.outbox.count, 1);
	assert_true(told("boot-entry-not-first", NULL));
	laptop.boot.known = 0;
	expect("a start without pre-boot is no word of an administrator", OK, bootcare_run(&laptop, &at));
	order_begins("put first", 0);
}

/* ---- self-test ---- */

static void report_put(int damaged)
{
	struct selftest s = { .head = { .vendor = "EDK II", .time = 1767225600 } };
	uint8_t bytes[SELFTEST_BYTES_MAX];
	size_t len;

	selftest_set(&s, &(struct selftest_test){ SELFTEST_KDF, SELFTEST_OK, 0, 900, 4 });
	expect("report", OK, selftest_encode(bytes, &len, &s));
	bytes[len - 1] ^= (uint8_t)damaged;
	put(home, SELFTEST_REPORT, bytes, len);
	put(home, SELFTEST_PROGRAM, "MZ", 2);
}

static void test_report(void **state)
{
	struct selftest s;
	uint16_t number;

	(void)state;
	strcpy(laptop.esp.folder, home);
	expect("entry", OK, bootentry_put(&number, &place, BOOTENTRY_SELFTEST, SELFTEST_PROGRAM, "selftest"));
	report_put(0);
	laptop.trust.enrolled = 0;
	selftest_settle(&laptop);
	expect("it waits for the enrolment", OK, selftest_load(&s, home, 0));
	laptop.trust.enrolled = 1;
	selftest_settle(&laptop);
	assert_true(told("self-test", "\"kdf\":\"ok, 900 ms, processors: 4\""));
	assert_true(told("self-test", "EDK II"));
	assert_int_equal(laptop.outbox.count, 1);
	expect("it is no news any more", ERR_NOT_FOUND, selftest_load(&s, home, 0));
	expect("but can be shown", OK, selftest_load(&s, home, 1));
	assert_string_equal(version_in(home, SELFTEST_PROGRAM), "none");
	selftest_settle(&laptop);
	assert_int_equal(laptop.outbox.count, 1);
	report_put(1);
	selftest_settle(&laptop);
	assert_int_equal(laptop.outbox.count, 1);
	expect("a damaged one is put aside", ERR_NOT_FOUND, selftest_load(&s, home, 0));
}

/* ---- power cuts ---- */

static void script(void)
{
	expect("stage", OK, stage("two.efi"));
	start("first");
	start("second");
}

/* 1: cut at this point; 0: the script came to its end. */
static int cut_at(long n)
{
	pid_t child = fork();
	int status;

	if (!child) {
		cut_after = n;
		script();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 99 || !WEXITSTATUS(status)));
	state_drop();
	state_load();
	return WEXITSTATUS(status) == 99;
}

static void test_power_cuts(void **state)
{
	long n = 1;
	int more = 1, updated = 0, failed = 0, unstaged = 0;

	teardown(state);
	for (; more; n++) {
		char why[64];

		assert_int_equal(setup(state), 0);
		snprintf(why, sizeof(why), "cut at %ld", n);
		more = cut_at(n);
		for (int i = 0; i < 3; i++)
			start(why);
		if (!strcmp(version_in(home, LOADER_CURRENT), "2")) {
			copies_are(why, "2", "1", "none");
			assert_string_equal(version_in(removable, "BOOTX64.EFI"), "2");
			updated++;
		} else {
			copies_are(why, "1", "none", "none");
			assert_string_equal(version_in(removable, "BOOTX64.EFI"), "1");
			failed += told("loader-update-failed", NULL);
			unstaged += !told("loader-update-failed", NULL);
		}
		if (start(why) != HANDOFF_LOADER_CURRENT || has_entry(BOOTENTRY_UPDATE, LOADER_NEXT))
			fail_msg("%s: something is left over", why);
		teardown(state);
	}
	/* Before the file has its name nothing was staged; from the note on it is confirmed whatever happens. In between, in the
	 * moments after the try's start, the laptop cannot know that the system had come up. */
	assert_in_range(failed, 0, 8);
	assert_true(unstaged >= 3 && updated >= 20);
	assert_int_equal(setup(state), 0);
}

/* ---- images ---- */

static void test_images(void **state)
{
	static const struct {
		const char *why;
		size_t place;
		uint32_t value;
		int bytes;
		enum err want;
	} rows[] = {
		{ "not MZ", 0, 'X', 1, ERR_FORMAT },
		{ "headers beyond the end", 60, 0xfffffff0u, 4, ERR_FORMAT },
		{ "not PE", PE_AT, 'X', 1, ERR_FORMAT },
		{ "no sections", PE_AT + 6, 0, 2, ERR_FORMAT },
		{ "more sections than there is file", PE_AT + 6, 96, 2, ERR_FORMAT },
		{ "a short optional header", PE_AT + 20, 100, 2, ERR_FORMAT },
		{ "a 32-bit program", PE_OPTIONAL, 0x10b, 2, ERR_UNSUPPORTED },
		{ "a driver", PE_OPTIONAL + 68, 11, 2, ERR_UNSUPPORTED },
		{ "a section beyond the end", PE_SECTIONS + 16, 0xffffffffu, 4, ERR_FORMAT },
		{ "an overflowing section", PE_SECTIONS + 20, 0xffffffffu, 4, ERR_FORMAT },
		{ "no .sbat", PE_SECTIONS + 40, 'X', 1, ERR_NOT_FOUND },
		{ "a signature beyond the end", PE_OPTIONAL + 112 + 32, 0xfffffff0u, 4, ERR_FORMAT },
		{ "a signature longer than its table", PE_CERTIFICATE_AT, 33, 4, ERR_FORMAT },
		{ "untouched", PE_BYTES_MAX - 1, 0, 1, OK },
	};
	static const struct {
		const char *sbat;
		enum err want;
	} lines[] = {
		{ "holdfast,1,a,b,1.0,x", OK },
		{ "sbat,1\nholdfast,2,,,7\n", OK },
		{ "holdfast,1,a,b\n", ERR_FORMAT },
		{ "holdfast,0,a,b,1,x\n", ERR_FORMAT },
		{ "holdfast,one,a,b,1,x\n", ERR_FORMAT },
		{ "holdfast,99999999999,a,b,1,x\n", ERR_FORMAT },
		{ "holdfast,1,a,b,one two,x\n", ERR_FORMAT },
		{ "holdfast,1,a,b,0123456789012345678901234567890123456789,x\n", ERR_FORMAT },
		{ "holdfastx,1,a,b,1,x\n", ERR_NOT_FOUND },
		{ "\n\n", ERR_NOT_FOUND },
	};
	struct peimage image;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[PE_BYTES_MAX];
		size_t len = pe_make(bytes, "1", 1, NULL);

		pe_put(bytes + rows[i].place, rows[i].value, rows[i].bytes);
		expect(rows[i].why, rows[i].want, peimage_read(&image, bytes, len));
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		uint8_t bytes[PE_BYTES_MAX];

		expect(lines[i].sbat, lines[i].want,
		       peimage_read(&image, bytes, pe_make(bytes, "1", 0, lines[i].sbat)));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_update),   TEST(test_update_fails), TEST(test_boot_next_ignored), TEST(test_refused),
		TEST(test_ruined),   TEST(test_one_bit),      TEST(test_chosen_by_a_person),
		TEST(test_removable_of_others), TEST(test_entries_lost), TEST(test_administrator),
		TEST(test_second_update_in_one_start), TEST(test_exchanged_behind_the_try), TEST(test_untried_package),
		TEST(test_good_copy_first), TEST(test_package_is_tried), TEST(test_failed_is_no_source), TEST(test_shim),
		TEST(test_entries_whatever_happens), TEST(test_previous_has_its_entry_first), TEST(test_lock),
		TEST(test_report_on_full_partition), TEST(test_removable_write),
		TEST(test_report), TEST(test_power_cuts), TEST(test_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
