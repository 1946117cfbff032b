/* The two copies of the store: which of them counts, how they are written, and what is left when
 * writing fails. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/files.h"
#include "preboot/generation.h"
#include "preboot/storefile.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/inside.h"
#include "tests/fake/laptop.h"

static uint8_t *slurp(const struct laptop *l, int copy, size_t *ret_len)
{
	const uint8_t *bytes = fake_file(l->f, copy ? LAPTOP_STORE_1 : LAPTOP_STORE_0, ret_len);
	uint8_t *mine = malloc(*ret_len);

	assert_non_null(bytes);
	assert_non_null(mine);
	return memcpy(mine, bytes, *ret_len);
}

static void put(struct laptop *l, int copy, const uint8_t *bytes, size_t len)
{
	fake_file_put(l->f, copy ? LAPTOP_STORE_1 : LAPTOP_STORE_0, bytes, len);
}

enum damage_kind { WHOLE, GONE, EMPTY, TORN, NEWER_VERSION, OLDER, REVISED, LARGE, HUGE };

static void raise_generation(struct store *s)
{
	(void)s; /* laptop_change does */
}

static void damage_copy(struct laptop *l, int copy, enum damage_kind kind)
{
	size_t len;
	uint8_t *bytes = slurp(l, copy, &len);
	STORE s = { 0 };

	switch (kind) {
	case WHOLE:
		break;
	case GONE:
		fake_file_remove(l->f, copy ? LAPTOP_STORE_1 : LAPTOP_STORE_0);
		break;
	case EMPTY:
		put(l, copy, bytes, 0);
		break;
	case TORN:
		memset(bytes + 512, 0, 512);
		put(l, copy, bytes, len);
		break;
	case NEWER_VERSION:
		bytes[8] = 99;
		put(l, copy, bytes, len);
		break;
	case OLDER: /* the other one is made newer */
		laptop_change(l, raise_generation);
		put(l, copy, bytes, len);
		break;
	case REVISED: /* this one has a seal less */
		laptop_must(store_decode(&s, bytes, len));
		store_drop_seal(&s, &s.records[0]);
		free(bytes);
		laptop_must(store_encode(&bytes, &len, &s));
		put(l, copy, bytes, len);
		break;
	case LARGE: /* a whole store, and more zeros behind it than the reader takes */
		bytes = realloc(bytes, STORE_BYTES_MAX + 1);
		assert_non_null(bytes);
		memset(bytes + len, 0, STORE_BYTES_MAX + 1 - len);
		put(l, copy, bytes, STORE_BYTES_MAX + 1);
		break;
	case HUGE:
		fake_file_claim(l->f, copy ? LAPTOP_STORE_1 : LAPTOP_STORE_0, (uint64_t)1 << 40);
		break;
	}
	free(bytes);
}

static const struct {
	const char *why;
	enum damage_kind damage[2];
	int current; /* -1: none */
	enum err problems[2];
	unsigned unmended; /* after storefile_repair */
	enum err after[2];
} rows[] = {
	{ "both whole", { WHOLE, WHOLE }, 0, { OK, OK }, 0, { OK, OK } },
	{ "first gone", { GONE, WHOLE }, 1, { ERR_NOT_FOUND, OK }, 0, { OK, OK } },
	{ "second gone", { WHOLE, GONE }, 0, { OK, ERR_NOT_FOUND }, 0, { OK, OK } },
	{ "first empty", { EMPTY, WHOLE }, 1, { ERR_RANGE, OK }, 0, { OK, OK } },
	{ "first torn", { TORN, WHOLE }, 1, { ERR_CHECKSUM, OK }, 0, { OK, OK } },
	{ "second torn", { WHOLE, TORN }, 0, { OK, ERR_CHECKSUM }, 0, { OK, OK } },
	{ "second of a newer program",
	  { WHOLE, NEWER_VERSION },
	  0,
	  { OK, ERR_VERSION },
	  0,
	  { OK, ERR_VERSION } },
	{ "first older", { OLDER, WHOLE }, 1, { ERR_ROLLBACK, OK }, 0, { OK, OK } },
	{ "second older", { WHOLE, OLDER }, 0, { OK, ERR_ROLLBACK }, 0, { OK, OK } },
	{ "second with a seal less", { WHOLE, REVISED }, 1, { ERR_ROLLBACK, OK }, 0, { OK, OK } },
	/* The file kept its size when it was rewritten, and no reader ever took it again. */
	{ "second too large", { WHOLE, LARGE }, 0, { OK, ERR_RANGE }, 0, { OK, OK } },
	{ "first too large", { LARGE, WHOLE }, 1, { ERR_RANGE, OK }, 0, { OK, OK } },
	{ "second claims to be huge", { WHOLE, HUGE }, 0, { OK, ERR_RANGE }, 0, { OK, OK } },
	{ "both gone", { GONE, GONE }, -1, { ERR_NOT_FOUND, ERR_NOT_FOUND }, 0, { OK, OK } },
	{ "both torn", { TORN, TORN }, -1, { ERR_CHECKSUM, ERR_CHECKSUM }, 0, { OK, OK } },
};

static void begin(struct laptop *l)
{
	fake_here(l->f);
	laptop_must(files_start());
}

static void the_newer_whole_copy_counts_and_mends_the_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct laptop *l = laptop_new(1, NULL);
		struct storefile f;

		for (int copy = 0; copy < 2; copy++)
			damage_copy(l, copy, rows[i].damage[copy]);
		begin(l);
		storefile_read(&f);
		expect(rows[i].why, rows[i].problems[0], f.problems[0]);
		expect(rows[i].why, rows[i].problems[1], f.problems[1]);
		if (f.current != (rows[i].current < 0 ? NULL : &f.copies[rows[i].current]))
			fail_msg("%s: another copy counts", rows[i].why);
		if (f.current && storefile_repair(&f) != rows[i].unmended)
			fail_msg("%s: the repair counts otherwise", rows[i].why);
		storefile_drop(&f);
		if (rows[i].current >= 0) {
			storefile_read(&f);
			expect(rows[i].why, rows[i].after[0], f.problems[0]);
			expect(rows[i].why, rows[i].after[1], f.problems[1]);
			storefile_drop(&f);
		}
		assert_int_equal(fake_open_files(l->f), 0);
		laptop_free(l);
	}
}

/* Every service of the file system fails at every call in turn: what was there is there, or what
 * was to be written. */
static void writing_that_fails_leaves_a_good_copy(void **state)
{
	static const enum fake_service services[] = { FAKE_FILE_OPEN, FAKE_FILE_INFO,
						      FAKE_FILE_READ, FAKE_FILE_WRITE,
						      FAKE_FILE_FLUSH };
	struct laptop *l = laptop_new(1, NULL);
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		for (unsigned call = 1;; call++) {
			struct storefile f;
			STORE after = { 0 };
			uint32_t revision;
			enum err e;

			fake_fail_nothing(l->f);
			begin(l);
			storefile_read(&f);
			assert_non_null(f.current);
			revision = f.current->head.revision;
			store_drop_seal(f.current, &f.current->records[3]);
			fake_fail(l->f, services[i], l->f->calls[services[i]] + call, 1000,
				  FAKE_DEVICE_ERROR);
			e = storefile_write(&f);
			fake_fail_nothing(l->f);
			laptop_must(laptop_store(&after, l));
			if (!e)
				assert_int_equal(after.head.revision, revision + 1);
			else
				assert_in_range(after.head.revision, revision, revision + 1);
			assert_int_equal(fake_open_files(l->f), 0);
			storefile_drop(&f);
			failures += e != OK;
			if (!e)
				break;
		}
	}
	assert_true(failures >= 2 * COUNT(services));
	laptop_free(l);
}

/* The copy that was good until then is written last: what is on the disk when its turn comes is the
 * other one. */
static void the_other_copy_is_written_first(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;
	STORE first = { 0 }, second = { 0 };

	(void)state;
	begin(l);
	storefile_read(&f);
	assert_ptr_equal(f.current, &f.copies[0]);
	store_drop_seal(f.current, &f.current->records[0]);
	fake_fail(l->f, FAKE_FILE_WRITE, 2, 1000, FAKE_WRITE_PROTECTED);
	expect("second write", ERR_DENIED, storefile_write(&f));
	laptop_must(laptop_copy(&first, l, 0));
	laptop_must(laptop_copy(&second, l, 1));
	assert_int_equal(first.head.revision + 1, second.head.revision);
	storefile_drop(&f);
	laptop_free(l);
}

static uint32_t revision_of(const struct laptop *l, int copy)
{
	STORE s = { 0 };

	laptop_must(laptop_copy(&s, l, copy));
	return s.head.revision;
}

static uint64_t generation_of(const struct laptop *l, int copy)
{
	STORE s = { 0 };

	laptop_must(laptop_copy(&s, l, copy));
	return s.head.generation;
}

static void fill_partition(struct laptop *l)
{
	char path[64];

	for (unsigned i = 0; i < FAKE_FILES_MAX; i++) {
		snprintf(path, sizeof(path), FILES_HOME "boot\\%u", i);
		if (!l->f->inside->files[i].here)
			fake_file_put(l->f, path, "x", 1);
	}
}

/* With store.1 gone and no room for another one, the write stopped before store.0: no lock ever
 * reached the disk, and no code was ever crossed out. */
static void a_full_partition_keeps_no_seal(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;
	size_t len;

	(void)state;
	damage_copy(l, 1, GONE);
	fill_partition(l);
	begin(l);
	storefile_read(&f);
	store_lock(f.current);
	expect("locked", OK, storefile_write(&f));
	assert_int_equal(revision_of(l, 0), 1);
	assert_null(fake_file(l->f, LAPTOP_STORE_1, &len));
	if (storefile_repair(&f) != 1)
		fail_msg("a copy that is not there, and cannot be written, is not told");
	storefile_drop(&f);
	laptop_free(l);
}

/* One fault, and the code in use could not be crossed out, though the next write would have done
 * it. */
static void a_passing_fault_keeps_no_seal(void **state)
{
	static const enum fake_service services[] = { FAKE_FILE_WRITE, FAKE_FILE_FLUSH };

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		struct laptop *l = laptop_new(1, NULL);
		struct storefile f;

		begin(l);
		storefile_read(&f);
		store_drop_seal(f.current, &f.current->records[3]);
		fake_fail(l->f, services[i], l->f->calls[services[i]] + 1, 1, FAKE_DEVICE_ERROR);
		expect("crossed out", OK, storefile_write(&f));
		assert_int_equal(revision_of(l, 0), 1);
		assert_int_equal(revision_of(l, 1), 1);
		storefile_drop(&f);
		laptop_free(l);
	}
}

/* What the medium may just have done to the other copy is not done to the last good one. */
static void the_last_good_copy_is_not_risked(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;

	(void)state;
	begin(l);
	storefile_read(&f);
	store_drop_seal(f.current, &f.current->records[3]);
	fake_fail(l->f, FAKE_FILE_READ, l->f->calls[FAKE_FILE_READ] + 1, 1000, FAKE_DEVICE_ERROR);
	expect("not read back", ERR_IO, storefile_write(&f));
	assert_int_equal(revision_of(l, 0), 0);
	storefile_drop(&f);
	laptop_free(l);
}

/* A store that could not be encoded left its copy without a problem: the change counted as saved,
 * and the firmware's generation was raised to one that no copy had. The next start refused the
 * store as rolled back. */
static void only_a_generation_on_the_disk_counts(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;

	(void)state;
	begin(l);
	storefile_read(&f);
	assert_true(storefile_generation(&f) == 1);
	f.current->head.generation++;
	f.current->rules.head.password_min = 0; /* no such rules are written */
	expect("not encoded", ERR_RANGE, storefile_write_new(&f));
	expect("not encoded", ERR_RANGE, f.problems[1]);
	assert_true(storefile_generation(&f) == 1);
	f.current->rules.head.password_min = 1;
	fake_fail(l->f, FAKE_FILE_OPEN, l->f->calls[FAKE_FILE_OPEN] + 1, 1000, FAKE_DEVICE_ERROR);
	expect("not written", ERR_IO, storefile_write_new(&f));
	assert_true(storefile_generation(&f) == 1);
	fake_fail(l->f, FAKE_FILE_WRITE, l->f->calls[FAKE_FILE_WRITE] + 2, 1000, FAKE_DEVICE_ERROR);
	fake_fail(l->f, FAKE_FILE_OPEN, 1, 0, 0);
	expect("one copy", OK, storefile_write_new(&f));
	assert_true(storefile_generation(&f) == 2);
	assert_true(generation_of(l, 0) == 1 && generation_of(l, 1) == 2);
	fake_fail_nothing(l->f);
	if (storefile_repair(&f))
		fail_msg("the copy is not mended");
	assert_true(generation_of(l, 0) == 2);
	storefile_drop(&f);
	laptop_free(l);
}

/* A write that was not read back left the new store on the disk, while the person was told that the
 * old one stays. */
static void what_failed_is_put_back(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		unsigned times;
		uint64_t status;
		enum err write, put_back;
		uint64_t generation; /* of the other copy, at the end */
	} rows_back[] = {
		{ "not read back once", FAKE_FILE_READ, 1, FAKE_DEVICE_ERROR, ERR_IO, OK, 1 },
		{ "not flushed once", FAKE_FILE_FLUSH, 1, FAKE_DEVICE_ERROR, ERR_IO, OK, 1 },
		{ "never read back", FAKE_FILE_READ, 1000, FAKE_DEVICE_ERROR, ERR_IO, ERR_IO, 1 },
		{ "write protected", FAKE_FILE_WRITE, 1000, FAKE_WRITE_PROTECTED, ERR_DENIED, OK,
		  1 },
		{ "broken", FAKE_FILE_WRITE, 1000, FAKE_DEVICE_ERROR, ERR_IO, ERR_IO, 1 },
		{ "nothing fails", FAKE_FILE_WRITE, 0, 0, OK, OK, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows_back); i++) {
		struct laptop *l = laptop_new(1, NULL);
		enum fake_service service = rows_back[i].service;
		struct storefile f;
		enum err e;

		begin(l);
		storefile_read(&f);
		f.current->head.generation++;
		fake_fail(l->f, service, l->f->calls[service] + 1, rows_back[i].times,
			  rows_back[i].status);
		e = storefile_write_new(&f);
		expect(rows_back[i].why, rows_back[i].write, e);
		if (e)
			f.current->head.generation--;
		expect(rows_back[i].why, rows_back[i].put_back, storefile_put_back(&f));
		assert_true(storefile_generation(&f) == (e ? 1 : 2));
		if (generation_of(l, 1) != rows_back[i].generation)
			fail_msg("%s: the other copy holds another store", rows_back[i].why);
		storefile_drop(&f);
		laptop_free(l);
	}
}

/* The bytes were compared with what any reader finds, not with what the store's reader takes: a
 * file that stayed too large counted as written. */
static void written_is_what_the_reader_takes(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;

	(void)state;
	damage_copy(l, 1, LARGE);
	begin(l);
	storefile_read(&f);
	fake_fail(l->f, FAKE_FILE_DELETE, 1, 1000, FAKE_DEVICE_ERROR);
	f.current->head.generation++;
	expect("too large", ERR_RANGE, storefile_write_new(&f));
	assert_true(storefile_generation(&f) == 1);
	f.current->head.generation--;
	assert_int_equal(storefile_repair(&f), 1);
	fake_fail_nothing(l->f);
	assert_int_equal(storefile_repair(&f), 0);
	storefile_drop(&f);
	laptop_free(l);
}

/* A newer copy that could not be read for a moment was overwritten with the older store. */
static void a_newer_copy_is_not_overwritten(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;

	(void)state;
	damage_copy(l, 0, OLDER);
	begin(l);
	fake_fail(l->f, FAKE_FILE_READ, l->f->calls[FAKE_FILE_READ] + 2, 1, FAKE_DEVICE_ERROR);
	storefile_read(&f);
	expect("a passing fault", ERR_IO, f.problems[1]);
	assert_ptr_equal(f.current, &f.copies[0]);
	assert_int_equal(storefile_repair(&f), 0);
	assert_true(generation_of(l, 1) == 2);
	store_drop_seal(f.current, &f.current->records[3]);
	expect("crossed out", ERR_ROLLBACK, storefile_write(&f));
	expect("new", ERR_ROLLBACK, storefile_write_new(&f));
	expect("nothing to put back", OK, storefile_put_back(&f));
	assert_true(generation_of(l, 0) == 1 && generation_of(l, 1) == 2);
	storefile_drop(&f);
	laptop_free(l);
}

/* A copy that is well after all is not written. */
static void a_copy_that_is_well_stays(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	struct storefile f;

	(void)state;
	begin(l);
	fake_fail(l->f, FAKE_FILE_READ, l->f->calls[FAKE_FILE_READ] + 2, 1, FAKE_DEVICE_ERROR);
	storefile_read(&f);
	expect("a passing fault", ERR_IO, f.problems[1]);
	assert_int_equal(storefile_repair(&f), 0);
	expect("well", OK, f.problems[1]);
	assert_int_equal(l->f->calls[FAKE_FILE_WRITE], 0);
	storefile_drop(&f);
	laptop_free(l);
}

/* A generation that no store can have kept every store out for ever. */
static void a_poisoned_variable_heals(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	uint64_t known;

	(void)state;
	fake_here(l->f);
	fake_variable_put(l->f, "HoldfastGeneration", 7, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	expect("poisoned", ERR_NOT_FOUND, generation_read(&known));
	expect("nothing is known to be on the disk", OK, generation_raise(0));
	expect("still poisoned", ERR_NOT_FOUND, generation_read(&known));
	expect("raised", OK, generation_raise(5));
	expect("healed", OK, generation_read(&known));
	assert_true(known == 5);
	expect("the last one", OK, generation_raise(STORE_GENERATION_MAX));
	expect("is known", OK, generation_read(&known));
	laptop_free(l);
}

static void destroyed_both_whatever_happens_to_one(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	size_t len;

	(void)state;
	begin(l);
	fake_fail(l->f, FAKE_FILE_DELETE, 1, 1, FAKE_DEVICE_ERROR);
	assert_int_not_equal(storefile_destroy(), OK);
	assert_non_null(fake_file(l->f, LAPTOP_STORE_0, &len));
	assert_null(fake_file(l->f, LAPTOP_STORE_1, &len));
	expect("again", OK, storefile_destroy());
	assert_null(fake_file(l->f, LAPTOP_STORE_0, &len));
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newer_whole_copy_counts_and_mends_the_other),
		cmocka_unit_test(writing_that_fails_leaves_a_good_copy),
		cmocka_unit_test(the_other_copy_is_written_first),
		cmocka_unit_test(a_full_partition_keeps_no_seal),
		cmocka_unit_test(a_passing_fault_keeps_no_seal),
		cmocka_unit_test(the_last_good_copy_is_not_risked),
		cmocka_unit_test(only_a_generation_on_the_disk_counts),
		cmocka_unit_test(what_failed_is_put_back),
		cmocka_unit_test(written_is_what_the_reader_takes),
		cmocka_unit_test(a_newer_copy_is_not_overwritten),
		cmocka_unit_test(a_copy_that_is_well_stays),
		cmocka_unit_test(a_poisoned_variable_heals),
		cmocka_unit_test(destroyed_both_whatever_happens_to_one),
	};

	return RUN(tests);
}
