/* Generation: remembered over starts, raised and never lowered, whatever the power does. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/generation.h"
#include "tests/fake/fake.h"

static void raise_to(void *generation)
{
	if (generation_raise(*(const uint64_t *)generation))
		abort();
}

static uint64_t stored(const struct fake *f)
{
	uint8_t b[8];
	uint64_t n = 0;

	assert_int_equal(fake_variable(f, "HoldfastGeneration", b, sizeof(b), NULL), 8);
	for (int i = 8; i--;)
		n = n << 8 | b[i];
	return n;
}

static void it_only_grows(void **state)
{
	static const uint64_t steps[][2] = { { 7, 7 },   { 7, 7 },     { 3, 7 },
					     { 0, 7 },   { 256, 256 }, { 1ull << 40, 1ull << 40 },
					     { 9, 1ull << 40 } };
	struct fake *f = fake_new(1);
	uint64_t known = 5;

	(void)state;
	fake_here(f);
	expect("a first start", ERR_NOT_FOUND, generation_read(&known));
	assert_int_equal(known, 5);
	for (size_t i = 0; i < COUNT(steps); i++) {
		uint64_t to = steps[i][0];

		assert_int_equal(fake_call(f, raise_to, &to), FAKE_RETURNED);
		assert_int_equal(stored(f), steps[i][1]);
		fake_here(f);
		expect("read", OK, generation_read(&known));
		assert_true(known == steps[i][1]);
	}
	fake_free(f);
}

static void power_cuts_lower_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 40; seed++) {
		struct fake *f = fake_new(seed);
		uint64_t to = 4, old;

		assert_int_equal(fake_call(f, raise_to, &to), FAKE_RETURNED);
		for (int i = 0; i < 5; i++) {
			old = stored(f);
			to = old + 1;
			f->cut_after = 1;
			assert_int_equal(fake_call(f, raise_to, &to), FAKE_CUT);
			assert_in_range(stored(f), old, to);
		}
		fake_free(f);
	}
}

static void what_is_not_ours_counts_as_missing(void **state)
{
	struct fake *f = fake_new(1);
	uint64_t known;

	(void)state;
	fake_here(f);
	fake_variable_put(f, "HoldfastGeneration", 7, "1234567", 7);
	expect("short", ERR_NOT_FOUND, generation_read(&known));
	expect("mended", OK, generation_raise(2));
	assert_int_equal(stored(f), 2);
	fake_fail(f, FAKE_SET_VARIABLE, 1, 1000, FAKE_OUT_OF_RESOURCES);
	expect("the firmware keeps nothing", ERR_MEMORY, generation_raise(3));
	expect("nothing to keep", OK, generation_raise(2));
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_only_grows),
		cmocka_unit_test(power_cuts_lower_nothing),
		cmocka_unit_test(what_is_not_ours_counts_as_missing),
	};

	return RUN(tests);
}
