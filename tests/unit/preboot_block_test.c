/* Partitions: found by their GUID in device paths that may say anything, and overwritten whatever
 * fails. */
#include "core_test.h"

#include <efi.h>
#include <stdlib.h>

#include "preboot/block.h"
#include "preboot/variable.h"
#include "tests/fake/fake.h"

#define DISK_BYTES ((size_t)1536 << 10)

static const uint8_t guid[16] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8,
};
static const uint8_t other[16] = { 9 };

/* Hard drive node, from its type to the kind of its signature; GUID in the byte order of partition
 * tables. */
#define DRIVE(kind)                                                                                \
	MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, 42, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
		0, 0, 0, 0, 0, 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 1, 2, 3, 4, 5, 6,   \
		7, 8, 2, (kind)
#define END END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0

static struct fake *new_disk_of(uint64_t seed)
{
	struct fake *f = fake_new(seed);
	uint8_t *bytes = malloc(DISK_BYTES);

	assert_non_null(bytes);
	memset(bytes, 'L', DISK_BYTES);
	fake_partition(f, guid, DISK_BYTES, 512);
	fake_partition_put(f, 0, bytes, DISK_BYTES);
	free(bytes);
	return f;
}

static struct fake *new_disk(void)
{
	return new_disk_of(1);
}

static void every_partition_with_the_guid_is_found(void **state)
{
	struct fake *f = new_disk();
	struct block b;

	(void)state;
	fake_partition(f, other, 8192, 4096);
	fake_partition(f, guid, 8192, 4096);
	fake_here(f);
	expect("first", OK, block_find(&b, guid, 0));
	assert_int_equal(b.bytes, DISK_BYTES);
	expect("the copied disk", OK, block_find(&b, guid, 1));
	assert_int_equal(b.bytes, 8192);
	expect("no third", ERR_NOT_FOUND, block_find(&b, guid, 2));
	expect("another", OK, block_find(&b, other, 0));
	fake_partition_pull(f, 1, 1);
	fake_here(f);
	expect("pulled out", ERR_NOT_FOUND, block_find(&b, other, 0));
	fake_fail(f, FAKE_LOCATE_HANDLES, 1, 1000, FAKE_OUT_OF_RESOURCES);
	expect("no list", ERR_NOT_FOUND, block_find(&b, guid, 0));
	fake_free(f);
}

static void device_paths_of_any_kind(void **state)
{
	static const struct {
		const char *why;
		uint8_t path[120];
		size_t len;
		enum err want;
	} rows[] = {
		{ "just the partition", { DRIVE(2), END }, 46, OK },
		{ "behind a controller",
		  { HARDWARE_DEVICE_PATH, 1, 6, 0, 0, 1, DRIVE(2), END },
		  52, OK },
		{ "no node at all", { END }, 4, ERR_NOT_FOUND },
		{ "an MBR's signature", { DRIVE(1), END }, 46, ERR_NOT_FOUND },
		{ "something on the partition",
		  { DRIVE(2), MEDIA_DEVICE_PATH, 4, 6, 0, 'x', 0, END },
		  52, ERR_NOT_FOUND },
		{ "a node shorter than its head",
		  { DRIVE(2), MEDIA_DEVICE_PATH, 4, 3, 0, END },
		  50,
		  ERR_NOT_FOUND },
		{ "a node of length 0", { MEDIA_DEVICE_PATH, 4, 0, 0, END }, 8, ERR_NOT_FOUND },
		{ "a drive node that is too short",
		  { MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, 8, 0, 1, 0, 0, 0, END },
		  12,
		  ERR_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fake *f = new_disk();
		struct block b;

		fake_partition_path(f, 0, rows[i].path, rows[i].len);
		fake_here(f);
		expect(rows[i].why, rows[i].want, block_find(&b, guid, 0));
		fake_free(f);
	}
}

/* A device that says nonsense of itself. */
static void odd_sectors_are_left_alone(void **state)
{
	static const uint32_t sectors[] = { 0, 3, 520, 2u << 20, UINT32_MAX };
	struct fake *f = new_disk();
	struct block b;

	(void)state;
	fake_here(f);
	expect("find", OK, block_find(&b, guid, 0));
	for (size_t i = 0; i < COUNT(sectors); i++) {
		b.io->Media->BlockSize = sectors[i];
		expect("odd", ERR_NOT_FOUND, block_find(&b, guid, 0));
	}
	b.io->Media->BlockSize = 512;
	b.io->Media->MediaPresent = 0;
	expect("no medium", ERR_NOT_FOUND, block_find(&b, guid, 0));
	fake_free(f);
}

/* How much of what was on the disk is left in a range? */
static size_t left(const struct fake *f, size_t from, size_t to)
{
	const uint8_t *bytes = fake_partition_bytes(f, 0);
	size_t n = 0;

	for (size_t at = from; at + 8 <= to; at += 8)
		n += memcmp(bytes + at, "LLLLLLLL", 8) == 0;
	return 8 * n;
}

static void erased_up_to_the_length_and_no_further(void **state)
{
	static const struct {
		const char *why;
		uint64_t len;
		size_t erased;
		enum err want;
	} rows[] = {
		{ "a part", 8192, 8192, OK },
		{ "rounded up to sectors", 8193, 8704, OK },
		{ "more than one chunk", (1 << 20) + 4096, (1 << 20) + 4096, OK },
		{ "cut to the partition", 64 << 20, DISK_BYTES, OK },
		{ "all there is", UINT64_MAX, DISK_BYTES, OK },
		{ "nothing", 0, 0, ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fake *f = new_disk();
		struct block b;

		fake_here(f);
		expect("find", OK, block_find(&b, guid, 0));
		expect(rows[i].why, rows[i].want, block_erase(&b, rows[i].len));
		if (left(f, 0, rows[i].erased) ||
		    left(f, rows[i].erased, DISK_BYTES) != DISK_BYTES - rows[i].erased)
			fail_msg("%s: the wrong part is erased", rows[i].why);
		fake_free(f);
	}
}

static void faults_are_told_and_save_nothing_around_them(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		enum err want;
		size_t left;
	} rows[] = {
		{ "a flush that fails", FAKE_BLOCK_FLUSH, ERR_IO, 0 },
		{ "nothing can be read back", FAKE_BLOCK_READ, ERR_IO, 0 },
		{ "nothing can be written", FAKE_BLOCK_WRITE, ERR_IO, 65536 },
		{ "no memory", FAKE_ALLOCATE_PAGES, ERR_MEMORY, 65536 },
	};
	struct fake *f;
	struct block b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		f = new_disk();
		fake_fail(f, rows[i].service, 1, 100000, FAKE_DEVICE_ERROR);
		fake_here(f);
		expect("find", OK, block_find(&b, guid, 0));
		expect(rows[i].why, rows[i].want, block_erase(&b, 65536));
		assert_int_equal(left(f, 0, 65536), rows[i].left);
		fake_free(f);
	}
	f = new_disk();
	fake_partition_bad(f, 0, 20480, 512);
	fake_here(f);
	expect("find", OK, block_find(&b, guid, 0));
	expect("a bad sector", ERR_IO, block_erase(&b, 65536));
	assert_int_equal(left(f, 0, 20480), 0);
	assert_int_equal(left(f, 20480 + 4096, 65536), 0);
	assert_true(left(f, 20480, 20480 + 4096) >= 512);
	f->forgetful = 1;
	fake_partition_bad(f, 0, 0, 0);
	expect("a disk that keeps nothing", ERR_CHANGED, block_erase(&b, 65536));
	fake_free(f);
}

static void erase_then_write_a_variable(void *argument)
{
	struct block b;

	(void)argument;
	expect("find", OK, block_find(&b, guid, 0));
	expect("erase", OK, block_erase(&b, 300000));
	expect("the power fails here", OK, variable_write(L"HoldfastTally", "x", 1, 0));
}

/* What block_erase has said to be erased is so on the disk itself, past its cache. */
static void flushed_before_it_is_said(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fake *f = new_disk_of(seed);

		f->cut_after = 3; /* write, flush, variable */
		assert_int_equal(fake_call(f, erase_then_write_a_variable, NULL), FAKE_CUT);
		assert_int_equal(left(f, 0, 300000), 0);
		fake_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_partition_with_the_guid_is_found),
		cmocka_unit_test(device_paths_of_any_kind),
		cmocka_unit_test(odd_sectors_are_left_alone),
		cmocka_unit_test(erased_up_to_the_length_and_no_further),
		cmocka_unit_test(faults_are_told_and_save_nothing_around_them),
		cmocka_unit_test(flushed_before_it_is_said),
	};

	return RUN(tests);
}
