/* The two store copies on the ESP: alternate writing, torn and missing copies, generation variable. */
#include "volumed_fixture.h"

#include "agent/volumed/durable.h"
#include "agent/volumed/genvar.h"

static void copy_path(char *ret, int copy)
{
	snprintf(ret, 200, "%s/store.%d", laptop_esp, copy);
}

static void copy_damage(int copy, long at)
{
	char path[200];
	FILE *f;

	copy_path(path, copy);
	f = fopen(path, "r+e");
	assert_non_null(f);
	fseek(f, at, SEEK_SET);
	fputc('X', f);
	fclose(f);
}

static uint64_t generation_now(struct espstore_found *found)
{
	STORE s = { 0 };

	expect("load", OK, espstore_load(&s, found, &laptop.esp));
	return s.head.generation;
}

static void change(int both)
{
	UNLOCKED u = { 0 };

	expect("open", OK, unlocked_open(&u, &laptop));
	expect("save", OK, unlocked_save(&u, &laptop, both));
}

static void test_alternates(void **state)
{
	struct espstore_found found;
	uint64_t first = generation_now(&found);
	int newer = found.newer;

	(void)state;
	for (int i = 1; i < 5; i++) {
		change(0);
		assert_int_equal(generation_now(&found), first + (uint64_t)i);
		assert_int_not_equal(found.newer, newer);
		newer = found.newer;
		assert_int_equal(found.generation, first + (uint64_t)i);
		assert_true(found.generation_known);
	}
}

static void test_torn_copy(void **state)
{
	struct espstore_found found;
	uint64_t before;

	(void)state;
	change(0);
	before = generation_now(&found);
	copy_damage(found.newer, 300);
	assert_int_equal(generation_now(&found), before - 1);
	assert_int_equal(found.copy[!found.newer], ERR_CHECKSUM);
	/* The older one counts now, and the torn one is written over, above what the firmware knows. */
	change(0);
	assert_int_equal(generation_now(&found), before + 1);
	assert_int_equal(found.copy[0] | found.copy[1], OK);
}

static void test_both_gone(void **state)
{
	struct espstore_found found;
	STORE s = { 0 };
	UNLOCKED u = { 0 };

	(void)state;
	copy_damage(0, 20);
	copy_damage(1, 400);
	memset(&s, 0, sizeof(s));
	expect("no copy is left", ERR_NOT_FOUND, espstore_load(&s, &found, &laptop.esp));
	assert_null(s.records);
	expect("and it is said", ERR_NOT_FOUND, unlocked_open(&u, &laptop));
	assert_non_null(strstr(laptop.about, "credential store"));
}

static void test_both_written(void **state)
{
	uint8_t *a = NULL, *b = NULL;
	size_t a_len = 0, b_len = 0;

	(void)state;
	change(1);
	expect("copy 0", OK, durable_read(&a, &a_len, laptop_esp, "store.0", STORE_BYTES_MAX));
	expect("copy 1", OK, durable_read(&b, &b_len, laptop_esp, "store.1", STORE_BYTES_MAX));
	assert_int_equal(a_len, b_len);
	assert_memory_equal(a, b, a_len);
	assert_int_equal(a_len % STORE_FILE_STEP, 0);
	free(a);
	free(b);
}

static void test_never_shorter(void **state)
{
	char path[200];
	struct espstore_found found;
	struct stat st;

	(void)state;
	/* A file that was longer stays so, padded with zeros: no change of file system metadata. */
	(void)generation_now(&found);
	copy_path(path, !found.newer);
	assert_int_equal(truncate(path, 3 * STORE_FILE_STEP), 0);
	change(0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3 * STORE_FILE_STEP);
	(void)generation_now(&found);
	assert_int_equal(found.copy[0] | found.copy[1], OK);
}

static void test_links_not_followed(void **state)
{
	struct espstore_found found;
	char path[200], target[200];
	UNLOCKED u = { 0 };

	(void)state;
	(void)generation_now(&found);
	copy_path(path, !found.newer);
	snprintf(target, sizeof(target), "%s/target", image_dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(target, path), 0);
	expect("open", OK, unlocked_open(&u, &laptop));
	expect("a planted link", ERR_IO, unlocked_save(&u, &laptop, 0));
	assert_int_equal(access(target, F_OK), -1);
}

static void test_generation(void **state)
{
	uint64_t value = 7;

	(void)state;
	expect("no variables here", ERR_NOT_FOUND, genvar_read(&value, ""));
	expect("no such folder", ERR_NOT_FOUND, genvar_read(&value, "/nonexistent"));
	assert_int_equal(value, 7);
	expect("write", OK, genvar_write(laptop_efivars, UINT64_C(0x112233445566)));
	expect("read", OK, genvar_read(&value, laptop_efivars));
	assert_true(value == UINT64_C(0x112233445566));
	expect("write one out of reach", OK, genvar_write(laptop_efivars, UINT64_MAX));
	expect("out of reach of any store", ERR_RANGE, genvar_read(&value, laptop_efivars));
	expect("write without variables", ERR_NOT_FOUND, genvar_write("", 1));
	expect("remove", OK, genvar_remove(laptop_efivars));
	expect("again", OK, genvar_remove(laptop_efivars));
	expect("gone", ERR_NOT_FOUND, genvar_read(&value, laptop_efivars));
}

static void test_destroy(void **state)
{
	struct espstore_found found;
	STORE s = { 0 };

	(void)state;
	expect("destroy", OK, espstore_destroy(&laptop.esp));
	expect("gone", ERR_NOT_FOUND, espstore_load(&s, &found, &laptop.esp));
	assert_int_equal(found.copy[0], ERR_NOT_FOUND);
	assert_false(found.generation_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAPTOP_TEST(test_alternates), LAPTOP_TEST(test_torn_copy), LAPTOP_TEST(test_both_gone),
		LAPTOP_TEST(test_both_written), LAPTOP_TEST(test_never_shorter),
		LAPTOP_TEST(test_links_not_followed), LAPTOP_TEST(test_generation),
		LAPTOP_TEST(test_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
