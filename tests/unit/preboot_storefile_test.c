/* The two copies of the store: which of them counts, how they are written, and what is left when writing fails. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/files.h"
#include "preboot/storefile.h"
#include "tests/fake/cheap_kdf.h"
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

enum damage_kind { WHOLE, GONE, EMPTY, TORN, NEWER_VERSION, OLDER, REVISED, HUGE };

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
	{ "second of a newer program", { WHOLE, NEWER_VERSION }, 0, { OK, ERR_VERSION }, 0, { OK, ERR_VERSION } },
	{ "first older", { OLDER, WHOLE }, 1, { ERR_ROLLBACK, OK }, 0, { OK, OK } },
	{ "second older", { WHOLE, OLDER }, 0, { OK, ERR_ROLLBACK }, 0, { OK, OK } },
	{ "second with a seal less", { WHOLE, REVISED }, 1, { ERR_ROLLBACK, OK }, 0, { OK, OK } },
	{ "second claims to be huge", { WHOLE, HUGE }, 0, { OK, ERR_RANGE }, 1, { OK, ERR_RANGE } },
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

/* Every service of the file system fails at every call in turn: what was there is there, or what was to be
 * written; and storefile_written tells which. */
static void writing_that_fails_leaves_a_good_copy(void **state)
{
	static const enum fake_service services[] = { FAKE_FILE_OPEN, FAKE_FILE_INFO, FAKE_FILE_READ, FAKE_FILE_WRITE,
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
			fake_fail(l->f, services[i], l->f->calls[services[i]] + call, 1000, FAKE_DEVICE_ERROR);
			e = storefile_write(&f);
			fake_fail_nothing(l->f);
			laptop_must(laptop_store(&after, l));
			if (!e || storefile_written(&f))
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

/* The copy that was good until then is written last: what is on the disk when its turn comes is the other one. */
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
	assert_true(storefile_written(&f));
	storefile_drop(&f);
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
		cmocka_unit_test(destroyed_both_whatever_happens_to_one),
	};

	return RUN(tests);
}
