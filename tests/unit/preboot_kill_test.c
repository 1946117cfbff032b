/* Erasing: what a tombstone or the variable has begun is finished, whatever is missing or fails,
 * and what has not begun is not. Whole starts of pre-boot. */
#include "core_test.h"

#include "common/tombstone.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define NV_BOOT 3
#define DURESS "open now please"

static void stone_of(struct tombstone *ret, const struct laptop *l)
{
	STORE s = { 0 };

	laptop_must(laptop_store(&s, l));
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->device, s.head.device, sizeof(ret->device));
	tombstone_areas(ret, &s.manifest);
}

static void put_stone(struct laptop *l, const struct tombstone *t)
{
	uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	laptop_must(tombstone_encode(bytes, &len, t));
	fake_file_put(l->f, LAPTOP_TOMBSTONE, bytes, len);
}

static void put_variable(struct laptop *l, const struct tombstone *t)
{
	uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	laptop_must(tombstone_encode(bytes, &len, t));
	fake_variable_put(l->f, "HoldfastKill", NV_BOOT, bytes, len);
}

static struct tombstone t;

/* What lies there at power on. */
static void ordered(struct laptop *l)
{
	stone_of(&t, l);
	t.command_bytes = 7;
	memcpy(t.command, "command", 7);
	put_stone(l, &t);
}

static void ordered_and_said_to_be_done(struct laptop *l)
{
	stone_of(&t, l);
	t.command_bytes = 7;
	t.erased = 1;
	put_stone(l, &t);
	fake_partition_pull(l->f, l->disk, 1);
}

static void remembered_only(struct laptop *l)
{
	stone_of(&t, l);
	put_variable(l, &t);
}

static void remembered_without_stores(struct laptop *l)
{
	remembered_only(l);
	fake_file_remove(l->f, LAPTOP_STORE_0);
	fake_file_remove(l->f, LAPTOP_STORE_1);
}

static void ordered_without_stores(struct laptop *l)
{
	ordered(l);
	fake_file_remove(l->f, LAPTOP_STORE_0);
	fake_file_remove(l->f, LAPTOP_STORE_1);
}

static void torn(struct laptop *l)
{
	ordered(l);
	fake_file_put(l->f, LAPTOP_TOMBSTONE, "HFTOMB01", 8);
}

static void of_another_laptop(struct laptop *l)
{
	stone_of(&t, l);
	t.device[0] ^= 1;
	put_variable(l, &t);
}

static void file_of_another_laptop(struct laptop *l)
{
	ordered(l);
	t.device[0] ^= 1;
	put_stone(l, &t);
}

static void done_on_another_laptop(struct laptop *l)
{
	ordered(l);
	t.device[0] ^= 1;
	t.erased = 1;
	put_stone(l, &t);
}

static void variable_of_noise(struct laptop *l)
{
	fake_variable_put(l->f, "HoldfastKill", NV_BOOT, "no tombstone at all, but so long", 32);
}

static void nothing(struct laptop *l)
{
	(void)l;
}

static void duress_typed(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, DURESS);
}

static void five_wrong_typed(struct laptop *l)
{
	for (int i = 0; i < RULES_KILL_LIMIT_MIN; i++) {
		laptop_type_password(l, LAPTOP_USER, "a guess");
		fake_pause(l->f, 40);
	}
	fake_script_quiet(l->f);
}

static void edit_kill(struct store *s)
{
	SECRET struct secret duress = { 0 };
	struct record *r;

	s->rules.head.failure_limit = RULES_KILL_LIMIT_MIN;
	s->rules.head.failure_action = RULES_KILL;
	s->rules.head.flags = RULES_DURESS;
	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	laptop_must(secret_copy(&duress, DURESS, strlen(DURESS)));
	laptop_must(credential_set_duress(r, &duress));
}

static const struct {
	const char *why;
	void (*prepare)(struct laptop *);
	enum fake_end want;
	int erased; /* the volume */
	const char *says;
} rows[] = {
	{ "nothing has begun", nothing, FAKE_WAITING, 0, "User name: " },
	{ "ordered by the organisation", ordered, FAKE_POWER_OFF, 1, "HF-503" },
	{ "ordered, stores gone", ordered_without_stores, FAKE_POWER_OFF, 1, "HF-503" },
	{ "done, but for files", ordered_and_said_to_be_done, FAKE_POWER_OFF, 0, "HF-503" },
	{ "remembered by the firmware alone", remembered_only, FAKE_POWER_OFF, 1, "HF-504" },
	{ "remembered, stores gone", remembered_without_stores, FAKE_POWER_OFF, 1, "HF-504" },
	{ "a torn tombstone: nothing was erased then", torn, FAKE_WAITING, 0, "User name: " },
	{ "remembered of another installation", of_another_laptop, FAKE_WAITING, 0, "User name: " },
	/* The bug: a laptop set up anew on an EFI system partition that was kept was destroyed at
	   its first start. */
	{ "a file of another installation", file_of_another_laptop, FAKE_WAITING, 0,
	  "User name: " },
	{ "another installation's, done", done_on_another_laptop, FAKE_WAITING, 0, "User name: " },
	{ "a variable that is none of ours", variable_of_noise, FAKE_WAITING, 0, "User name: " },
	{ "the duress password", duress_typed, FAKE_POWER_OFF, 1, "HF-504" },
	{ "five guesses", five_wrong_typed, FAKE_POWER_OFF, 1, "HF-504" },
};

static int files_are_gone(const struct laptop *l)
{
	size_t len;

	return !fake_file(l->f, LAPTOP_STORE_0, &len) && !fake_file(l->f, LAPTOP_STORE_1, &len) &&
	       !fake_file(l->f, LAPTOP_KERNEL, &len) && !fake_file(l->f, LAPTOP_INITRD, &len);
}

static int variables_are_gone(const struct laptop *l)
{
	static const char *const names[] = { "HoldfastGeneration", "HoldfastTally",
					     "HoldfastGuard",	   "HoldfastClock",
					     "HoldfastChoice",	   "HoldfastKill" };
	uint8_t bytes[1024];

	for (size_t i = 0; i < COUNT(names); i++)
		if (fake_variable(l->f, names[i], bytes, sizeof(bytes), NULL) >= 0)
			return 0;
	return 1;
}

static int stone_says_erased(const struct laptop *l)
{
	size_t len;
	const uint8_t *bytes = fake_file(l->f, LAPTOP_TOMBSTONE, &len);

	return bytes && !tombstone_decode(&t, bytes, len) && t.erased;
}

static void what_has_begun_is_finished_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct laptop *l = laptop_new(1, edit_kill);
		enum fake_end end;

		fake_variable_put(l->f, "HoldfastTally", NV_BOOT, "1", 1);
		rows[i].prepare(l);
		end = fake_run(l->f);
		if (end != rows[i].want || !fake_said(l->f, rows[i].says))
			fail_msg("%s: %s\n%s", rows[i].why, fake_end_text(end), fake_serial(l->f));
		if (rows[i].erased ? !laptop_disk_erased(l) : !laptop_disk_whole(l))
			fail_msg("%s: the volume is %s", rows[i].why,
				 rows[i].erased ? "not erased" : "touched");
		if (end == FAKE_POWER_OFF &&
		    (!files_are_gone(l) || !variables_are_gone(l) || !stone_says_erased(l)))
			fail_msg("%s: something is left", rows[i].why);
		if (end != FAKE_POWER_OFF && files_are_gone(l))
			fail_msg("%s: the store is gone", rows[i].why);
		laptop_free(l);
	}
}

/* The command is kept for the proof. */
static void the_command_is_kept(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	ordered(l);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(stone_says_erased(l));
	assert_int_equal(t.command_bytes, 7);
	assert_memory_equal(t.command, "command", 7);
	laptop_free(l);
}

static void pull_disk(struct laptop *l, int on)
{
	fake_partition_pull(l->f, l->disk, on);
}

static void spoil_sector(struct laptop *l, int on)
{
	fake_partition_bad(l->f, l->disk, 1024, on ? 512 : 0);
}

static void fail_service(struct laptop *l, enum fake_service service, int on)
{
	fake_fail(l->f, service, 1, on ? 100000 : 0, FAKE_DEVICE_ERROR);
}

static void fail_flush(struct laptop *l, int on)
{
	fail_service(l, FAKE_BLOCK_FLUSH, on);
}

static void fail_file_write(struct laptop *l, int on)
{
	fail_service(l, FAKE_FILE_WRITE, on);
}

static void fail_delete(struct laptop *l, int on)
{
	fail_service(l, FAKE_FILE_DELETE, on);
}

static void fail_variables(struct laptop *l, int on)
{
	fail_service(l, FAKE_SET_VARIABLE, on);
}

/* Then the tombstone's file alone tells the next start. */
static void fail_variables_and_sector(struct laptop *l, int on)
{
	fail_variables(l, on);
	spoil_sector(l, on);
}

/* The copies of the store can be deleted, the boot files cannot. */
static void fail_delete_of_boot_files(struct laptop *l, int on)
{
	fake_fail(l->f, FAKE_FILE_DELETE, 3, on ? 100000 : 0, FAKE_DEVICE_ERROR);
}

static void no_memory(struct laptop *l, int on)
{
	fail_service(l, FAKE_ALLOCATE_PAGES, on);
}

static void forget_writes(struct laptop *l, int on)
{
	l->f->forgetful = on;
}

/* It says that it is not finished, keeps its mark, and is finished at the next start. */
static void what_fails_is_tried_again(void **state)
{
	static const struct {
		const char *why;
		void (*fault)(struct laptop *l, int on);
		int unfinished;
	} faults[] = {
		{ "the disk is not there", pull_disk, 1 },
		{ "a bad sector", spoil_sector, 1 },
		{ "the disk does not flush", fail_flush, 1 },
		{ "no file can be written", fail_file_write, 1 },
		{ "no file can be deleted", fail_delete, 1 },
		{ "no variable can be written", fail_variables, 0 },
		{ "no memory for the work", no_memory, 1 },
		{ "nothing is kept", forget_writes, 1 },
		{ "no variable, and a bad sector", fail_variables_and_sector, 1 },
		{ "boot files cannot be deleted", fail_delete_of_boot_files, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		for (int by_order = 0; by_order < 2; by_order++) {
			struct laptop *l = laptop_new(1, edit_kill);

			faults[i].fault(l, 1);
			if (by_order)
				ordered(l);
			else
				duress_typed(l);
			if (fake_run(l->f) != FAKE_POWER_OFF)
				fail_msg("%s: does not switch off\n%s", faults[i].why,
					 fake_serial(l->f));
			if (faults[i].unfinished != fake_said(l->f, "HF-506"))
				fail_msg("%s: finished or not?\n%s", faults[i].why,
					 fake_serial(l->f));
			fake_script_clear(l->f);
			faults[i].fault(l, 0);
			if (fake_run(l->f) != FAKE_POWER_OFF || !laptop_disk_erased(l) ||
			    !files_are_gone(l))
				fail_msg("%s: not finished at the next start\n%s", faults[i].why,
					 fake_serial(l->f));
			laptop_free(l);
		}
	}
}

/* What the firmware alone remembered is written to the ESP as well: firmware may be reset. */
static void it_is_remembered_in_both_places(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	remembered_only(l);
	spoil_sector(l, 1);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	fake_variables_clear(l->f);
	spoil_sector(l, 0);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l));
	laptop_free(l);
	l = laptop_new(1, NULL);
	ordered(l);
	spoil_sector(l, 1);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	fake_file_remove(l->f, LAPTOP_TOMBSTONE);
	spoil_sector(l, 0);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l));
	laptop_free(l);
}

/* A disk that was copied has the same partition twice. */
static void both_copies_of_a_partition_go(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	uint8_t bytes[LAPTOP_DISK_BYTES];
	unsigned second;

	(void)state;
	memset(bytes, 'L', sizeof(bytes));
	second = fake_partition(l->f, l->partition, sizeof(bytes), 4096);
	fake_partition_put(l->f, second, bytes, sizeof(bytes));
	ordered(l);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l));
	l->disk = second;
	assert_true(laptop_disk_erased(l));
	laptop_free(l);
}

static void one_bad_copy_of_two_is_not_finished(void **state)
{
	(void)state;
	for (unsigned bad = 0; bad < 2; bad++) {
		struct laptop *l = laptop_new(1, NULL);

		fake_partition(l->f, l->partition, LAPTOP_DISK_BYTES, 512);
		fake_partition_bad(l->f, bad, 0, 512);
		ordered(l);
		assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
		assert_true(fake_said(l->f, "HF-506"));
		assert_false(stone_says_erased(l));
		laptop_free(l);
	}
}

/* Without stores, and with a tombstone that was torn while it was said to be ERASED. */
static void a_torn_tombstone_without_stores_means_erased(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	torn(l);
	fake_file_remove(l->f, LAPTOP_STORE_0);
	fake_file_remove(l->f, LAPTOP_STORE_1);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_true(fake_said(l->f, "This laptop has been erased"));
	laptop_free(l);
}

/* The bug: a tombstone that said ERASED erased volumes again when a file could not be deleted. */
static void what_is_erased_is_not_erased_again(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	ordered_and_said_to_be_done(l);
	fake_partition_pull(l->f, l->disk, 0); /* with other data by now */
	fail_delete(l, 1);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(fake_said(l->f, "HF-506"));
	assert_true(laptop_disk_whole(l));
	fake_fail_nothing(l->f);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(files_are_gone(l) && laptop_disk_whole(l));
	laptop_free(l);
}

/* The bug: a kill of which neither firmware nor ESP took a note, on a disk that failed, destroyed
 * the store, and with it the list of what was to be erased; then it promised to try again. */
static void what_nobody_notes_keeps_its_list(void **state)
{
	struct laptop *l = laptop_new(1, edit_kill);

	(void)state;
	duress_typed(l);
	spoil_sector(l, 1);
	fail_variables(l, 1);
	fail_file_write(l, 1);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(fake_said(l->f, "HF-308") && !fake_said(l->f, "HF-506"));
	fake_script_clear(l->f);
	fake_fail_nothing(l->f);
	spoil_sector(l, 0);
	duress_typed(l);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l) && files_are_gone(l));
	laptop_free(l);
}

/* A full ESP takes the tombstone when the boot files are gone. */
static void boot_files_make_room_for_the_note(void **state)
{
	struct laptop *l = laptop_new(1, edit_kill);

	(void)state;
	duress_typed(l);
	spoil_sector(l, 1);
	fail_variables(l, 1);
	fake_fail(l->f, FAKE_FILE_WRITE, 1, 1, FAKE_VOLUME_FULL);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(fake_said(l->f, "HF-506") && !fake_said(l->f, "HF-308"));
	assert_true(files_are_gone(l));
	fake_script_clear(l->f);
	fake_fail_nothing(l->f);
	spoil_sector(l, 0);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l));
	laptop_free(l);
}

/* A file put in its place, longer than any tombstone, does not stand for it afterwards. */
static void a_planted_tombstone_gives_way(void **state)
{
	static const uint8_t planted[(64 << 10) + 1];
	struct laptop *l = laptop_new(1, edit_kill);

	(void)state;
	fake_file_put(l->f, LAPTOP_TOMBSTONE, planted, sizeof(planted));
	duress_typed(l);
	assert_int_equal(fake_run(l->f), FAKE_POWER_OFF);
	assert_true(laptop_disk_erased(l) && stone_says_erased(l));
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_begun_is_finished_and_nothing_else),
		cmocka_unit_test(the_command_is_kept),
		cmocka_unit_test(what_fails_is_tried_again),
		cmocka_unit_test(it_is_remembered_in_both_places),
		cmocka_unit_test(both_copies_of_a_partition_go),
		cmocka_unit_test(one_bad_copy_of_two_is_not_finished),
		cmocka_unit_test(a_torn_tombstone_without_stores_means_erased),
		cmocka_unit_test(a_planted_tombstone_gives_way),
		cmocka_unit_test(what_is_erased_is_not_erased_again),
		cmocka_unit_test(what_nobody_notes_keeps_its_list),
		cmocka_unit_test(boot_files_make_room_for_the_note),
	};

	return RUN(tests);
}
