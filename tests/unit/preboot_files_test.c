/* Files on the EFI system partition: reading, writing in place, destroying, and file systems that
 * fail or lie. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/files.h"
#include "tests/fake/fake.h"

#define PATH FILES_HOME "store.0"

static int begin(void **state)
{
	struct fake *f = fake_new(1);

	fake_here(f);
	*state = f;
	return (int)files_start();
}

static int end(void **state)
{
	unsigned open = fake_open_files(*state);

	fake_free(*state);
	return open ? -1 : 0;
}

static void files_are_read_within_a_bound(void **state)
{
	static const struct {
		const char *why, *path;
		size_t len, max;
		uint64_t claim;
		enum err want;
	} rows[] = {
		{ "fits", PATH, 10, 10, 0, OK },
		{ "larger than allowed", PATH, 11, 10, 0, ERR_RANGE },
		{ "empty", PATH, 0, 10, 0, ERR_RANGE },
		{ "claims more than it has", PATH, 5, 10, 9, ERR_IO },
		{ "claims less than it has", PATH, 9, 10, 5, OK },
		{ "claims all there can be", PATH, 9, SIZE_MAX, UINT64_MAX, ERR_MEMORY },
		{ "not there", FILES_HOME "store.9", 5, 10, 0, ERR_NOT_FOUND },
		{ "a folder", "\\EFI\\holdfast", 5, 10, 0, ERR_NOT_FOUND },
		{ "in a folder that is not there", "\\EFI\\other\\store.0", 5, 10, 0,
		  ERR_NOT_FOUND },
	};
	static const uint8_t content[11] = "0123456789";

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t *bytes = NULL;
		size_t len = 77, want_len = rows[i].claim ? (size_t)rows[i].claim : rows[i].len;
		enum err e;

		fake_file_put(*state, PATH, content, rows[i].len);
		fake_file_claim(*state, PATH, rows[i].claim);
		e = files_read(&bytes, &len, rows[i].path, rows[i].max);
		expect(rows[i].why, rows[i].want, e);
		assert_int_equal(len, e ? 77 : want_len);
		if (!e)
			assert_memory_equal(bytes, content, len);
		free(bytes);
	}
}

static void a_path_that_is_too_long(void **state)
{
	char path[2 * FILES_PATH_MAX];
	uint8_t *bytes;
	size_t len;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '\\';
	path[FILES_PATH_MAX] = 0;
	expect("read", ERR_RANGE, files_read(&bytes, &len, path, 10));
	expect("write", ERR_RANGE, files_write(path, (const uint8_t *)"x", 1));
	expect("delete", ERR_RANGE, files_delete(path));
}

static void writing_keeps_the_size_and_fills_with_zeros(void **state)
{
	static const uint8_t zeros[4096];
	uint8_t big[4096];
	const uint8_t *there;
	size_t len;

	memset(big, 'b', sizeof(big));
	fake_file_put(*state, PATH, big, sizeof(big));
	expect("shorter", OK, files_write(PATH, (const uint8_t *)"new", 3));
	there = fake_file(*state, PATH, &len);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(there, "new", 3);
	assert_memory_equal(there + 3, zeros, len - 3);
	fake_file_put(*state, PATH, "tiny", 4);
	expect("longer", OK, files_write(PATH, big, sizeof(big)));
	there = fake_file(*state, PATH, &len);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(there, big, len);
	fake_file_remove(*state, PATH);
	expect("a new file", OK, files_write(PATH, big, 5));
	assert_non_null(fake_file(*state, PATH, &len));
	assert_int_equal(len, 5);
	expect("no folder for it", ERR_NOT_FOUND, files_write("\\EFI\\other\\x", big, 5));
}

/* A size that the file system claims and that is out of all bounds is not believed. */
static void a_huge_file_is_not_padded(void **state)
{
	size_t len;

	fake_file_put(*state, PATH, "tiny", 4);
	fake_file_claim(*state, PATH, (uint64_t)1 << 60);
	/* It cannot be read back. */
	assert_int_not_equal(files_write(PATH, (const uint8_t *)"newer", 5), OK);
	assert_memory_equal(fake_file(*state, PATH, &len), "newer", 5);
}

/* A card or controller that takes writes and keeps none of them. */
static void what_is_not_kept_is_noticed(void **state)
{
	struct fake *f = *state;

	fake_file_put(f, PATH, "12345678", 8);
	f->forgetful = 1;
	expect("other bytes", ERR_CHANGED, files_write(PATH, (const uint8_t *)"new", 3));
	expect("the same bytes", OK, files_write(PATH, (const uint8_t *)"12345678", 8));
	expect("too short", ERR_CHANGED, files_write(PATH, (const uint8_t *)"123456789", 9));
}

static void what_fails_is_told(void **state)
{
	static const struct {
		const char *why;
		enum fake_service service;
		uint64_t status;
		enum err write, destroy;
	} rows[] = {
		{ "cannot be opened", FAKE_FILE_OPEN, FAKE_ACCESS_DENIED, ERR_DENIED, ERR_DENIED },
		{ "its size is not known", FAKE_FILE_INFO, FAKE_DEVICE_ERROR, ERR_IO, ERR_IO },
		{ "written in vain", FAKE_FILE_WRITE, FAKE_DEVICE_ERROR, ERR_IO, ERR_IO },
		{ "write protected", FAKE_FILE_WRITE, FAKE_WRITE_PROTECTED, ERR_DENIED,
		  ERR_DENIED },
		{ "volume full", FAKE_FILE_WRITE, FAKE_VOLUME_FULL, ERR_SPACE, ERR_SPACE },
		{ "not flushed", FAKE_FILE_FLUSH, FAKE_DEVICE_ERROR, ERR_IO, ERR_IO },
		{ "not read back", FAKE_FILE_READ, FAKE_DEVICE_ERROR, ERR_IO, OK },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t *bytes;
		size_t len;

		fake_fail_nothing(*state);
		fake_file_put(*state, PATH, "12345678", 8);
		fake_fail(*state, rows[i].service, 1, 100000, rows[i].status);
		expect(rows[i].why, rows[i].write, files_write(PATH, (const uint8_t *)"new", 3));
		fake_fail_nothing(*state);
		fake_file_put(*state, PATH, "12345678", 8);
		fake_fail(*state, rows[i].service, 1, 100000, rows[i].status);
		expect(rows[i].why, rows[i].destroy, files_destroy(PATH));
		if (rows[i].service == FAKE_FILE_READ)
			expect(rows[i].why, ERR_NOT_FOUND, files_read(&bytes, &len, PATH, 100));
	}
	fake_fail_nothing(*state);
	fake_file_put(*state, PATH, "12345678", 8);
	fake_fail(*state, FAKE_FILE_DELETE, 1, 100000, FAKE_DEVICE_ERROR);
	assert_int_not_equal(files_delete(PATH), OK);
}

/* Its bytes are overwritten on the disk itself before the name goes: an undelete finds noise. */
static void destroying_overwrites_first(void **state)
{
	struct fake *f = *state;
	uint8_t secret[1500];
	const uint8_t *left;
	size_t len;

	memset(secret, 'S', sizeof(secret));
	fake_file_put(f, PATH, secret, sizeof(secret));
	left = fake_file(f, PATH, &len);
	expect("destroyed", OK, files_destroy(PATH));
	assert_null(fake_file(f, PATH, &len));
	assert_null(memmem(left, sizeof(secret), "SSSSSSSS", 8));
	expect("again", OK, files_destroy(PATH));
	fake_file_put(f, PATH, "", 0);
	expect("an empty one", OK, files_destroy(PATH));
	assert_null(fake_file(f, PATH, &len));
	fake_file_put(f, PATH, "x", 1);
	expect("deleted", OK, files_delete(PATH));
	expect("again", OK, files_delete(PATH));
}

static void deleting_below_a_folder(void **state)
{
	static const char *const files[] = { "boot\\current\\vmlinuz", "boot\\current\\initrd.img",
					     "boot\\previous\\vmlinuz",
					     "boot\\previous\\odd name.txt" };
	char path[100];
	size_t len;

	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), FILES_HOME "%s", files[i]);
		fake_file_put(*state, path, "x", 1);
	}
	fake_file_put(*state, FILES_HOME "boot\\here", "x", 1);
	fake_file_put(*state, PATH, "x", 1);
	expect("below", OK, files_delete_below(FILES_HOME "boot"));
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), FILES_HOME "%s", files[i]);
		assert_null(fake_file(*state, path, &len));
	}
	assert_non_null(fake_file(*state, FILES_HOME "boot\\here", &len));
	assert_non_null(fake_file(*state, PATH, &len));
	expect("no such folder", OK, files_delete_below(FILES_HOME "nothing"));
}

/* One file that cannot be deleted keeps no other one. */
static void deleting_below_goes_on(void **state)
{
	size_t len, left = 0;

	fake_file_put(*state, FILES_HOME "boot\\a\\1", "x", 1);
	fake_file_put(*state, FILES_HOME "boot\\a\\2", "x", 1);
	fake_file_put(*state, FILES_HOME "boot\\b\\3", "x", 1);
	fake_fail(*state, FAKE_FILE_DELETE, 2, 1, FAKE_DEVICE_ERROR);
	assert_int_not_equal(files_delete_below(FILES_HOME "boot"), OK);
	left += fake_file(*state, FILES_HOME "boot\\a\\1", &len) != NULL;
	left += fake_file(*state, FILES_HOME "boot\\a\\2", &len) != NULL;
	left += fake_file(*state, FILES_HOME "boot\\b\\3", &len) != NULL;
	assert_int_equal(left, 1);
}

static void not_started_from_a_partition(void **state)
{
	fake_fail(*state, FAKE_HANDLE_PROTOCOL, 1, 100000, FAKE_UNSUPPORTED);
	fake_here(*state);
	expect("no image", ERR_NOT_FOUND, files_start());
	fake_fail(*state, FAKE_HANDLE_PROTOCOL, 2, 100000, FAKE_UNSUPPORTED);
	fake_here(*state);
	expect("no file system", ERR_NOT_FOUND, files_start());
	fake_fail_nothing(*state);
	fake_fail(*state, FAKE_OPEN_VOLUME, 1, 1, FAKE_DEVICE_ERROR);
	fake_here(*state);
	expect("it does not open", ERR_IO, files_start());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(files_are_read_within_a_bound),
		TEST(a_path_that_is_too_long),
		TEST(writing_keeps_the_size_and_fills_with_zeros),
		TEST(a_huge_file_is_not_padded),
		TEST(what_is_not_kept_is_noticed),
		TEST(what_fails_is_told),
		TEST(destroying_overwrites_first),
		TEST(deleting_below_a_folder),
		TEST(deleting_below_goes_on),
		TEST(not_started_from_a_partition),
	};

	return RUN(tests);
}
