/* Threshold: enough shares give the secret, fewer say nothing. */
#include "core_test.h"

#include <stdlib.h>

#include "common/threshold.h"

#define BYTES THRESHOLD_BYTES
#define MAX THRESHOLD_SHARES_MAX

typedef uint8_t share[BYTES];

/* The same field by another way: powers of its generator 3, and their logarithms. */
static uint8_t powers[510], logs[256];

static int setup(void **state)
{
	unsigned x = 1;

	(void)state;
	for (unsigned i = 0; i < 255; i++) {
		powers[i] = powers[i + 255] = (uint8_t)x;
		logs[x] = (uint8_t)i;
		x ^= x << 1;
		if (x & 0x100)
			x ^= 0x11b;
	}
	return sodium_init() < 0;
}

static uint8_t times(uint8_t a, uint8_t b)
{
	return a && b ? powers[logs[a] + logs[b]] : 0;
}

static uint8_t over(uint8_t a, uint8_t b)
{
	return a ? powers[logs[a] + 255 - logs[b]] : 0;
}

/* Lagrange's formula at x. */
static uint8_t value_at(uint8_t x, const unsigned *numbers, const uint8_t *values, unsigned need)
{
	uint8_t sum = 0;

	for (unsigned j = 0; j < need; j++) {
		uint8_t term = values[j];

		for (unsigned m = 0; m < need; m++)
			if (m != j)
				term = over(times(term, x ^ (uint8_t)(numbers[m] + 1)),
					    (uint8_t)(numbers[j] + 1) ^ (uint8_t)(numbers[m] + 1));
		sum ^= term;
	}
	return sum;
}

/* Members of the set as numbers; how many. */
static unsigned members(unsigned *ret, unsigned set)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MAX; i++)
		if (set >> i & 1)
			ret[count++] = i;
	return count;
}

static void pick(share *ret, const share *shares, const unsigned *numbers, unsigned need)
{
	for (unsigned j = 0; j < need; j++)
		memcpy(ret[j], shares[numbers[j]], BYTES);
}

static enum err join(share ret, const share *shares, const unsigned *numbers, unsigned need)
{
	share picked[MAX];

	pick(picked, shares, numbers, need);
	return threshold_join(ret, numbers, (const share *)picked, need);
}

/* Every choice of k out of n, for every k and n, by our arithmetic and by the other one. */
static void every_choice(void **state)
{
	share secret, shares[MAX], got;

	(void)state;
	for (unsigned count = 2; count <= MAX; count++)
		for (unsigned need = 2; need <= count; need++) {
			randombytes_buf(secret, sizeof(secret));
			expect("split", OK, threshold_split(shares, count, need, secret));
			for (unsigned set = 0; set < 1u << count; set++) {
				unsigned numbers[MAX];
				uint8_t values[MAX];

				if (members(numbers, set) != need)
					continue;
				expect("join", OK, join(got, shares, numbers, need));
				if (memcmp(got, secret, BYTES))
					fail_msg("%u of %u, set %x: not the secret", need, count, set);
				for (unsigned j = 0; j < need; j++)
					values[j] = shares[numbers[j]][7];
				assert_int_equal(value_at(0, numbers, values, need), secret[7]);
			}
		}
}

/* In another order, too. */
static void any_order(void **state)
{
	const unsigned numbers[] = { 4, 0, 2 };
	share secret, shares[MAX], got;

	(void)state;
	randombytes_buf(secret, sizeof(secret));
	expect("split", OK, threshold_split(shares, 5, 3, secret));
	expect("join", OK, join(got, shares, numbers, 3));
	assert_memory_equal(got, secret, BYTES);
}

/* k - 1 right shares and any one wrong: always something else, whichever of them is wrong. */
static void one_wrong(void **state)
{
	const unsigned numbers[] = { 1, 2, 4, 5 };
	share secret, shares[MAX], got;

	(void)state;
	randombytes_buf(secret, sizeof(secret));
	expect("split", OK, threshold_split(shares, 6, 4, secret));
	for (unsigned j = 0; j < 4; j++)
		for (unsigned bit = 0; bit < 8; bit++) {
			shares[numbers[j]][31] ^= (uint8_t)(1u << bit);
			expect("join", OK, join(got, shares, numbers, 4));
			assert_memory_equal(got, secret, BYTES - 1);
			assert_int_not_equal(got[31], secret[31]);
			shares[numbers[j]][31] ^= (uint8_t)(1u << bit);
		}
}

/* Whoever has k - 1 shares knows nothing: the share that he lacks may have any of 256 values a byte, and each
 * of them gives another secret, so that every secret is as possible as every other. */
static void fewer_say_nothing(void **state)
{
	share secret, shares[MAX], got;

	(void)state;
	for (unsigned need = 2; need <= MAX; need++) {
		unsigned numbers[MAX];

		randombytes_buf(secret, sizeof(secret));
		expect("split", OK, threshold_split(shares, MAX, need, secret));
		for (unsigned j = 0; j < need; j++)
			numbers[j] = MAX - 1 - j;
		for (unsigned lacking = 0; lacking < need; lacking++) {
			uint8_t seen[256] = { 0 }, kept = shares[numbers[lacking]][0];

			for (unsigned v = 0; v < 256; v++) {
				shares[numbers[lacking]][0] = (uint8_t)v;
				expect("join", OK, join(got, shares, numbers, need));
				seen[got[0]]++;
			}
			shares[numbers[lacking]][0] = kept;
			for (unsigned v = 0; v < 256; v++)
				assert_int_equal(seen[v], 1);
		}
	}
}

/* Chi-squared of bytes that should be even: 255 degrees of freedom, so 255 is usual; 400 is passed once in
 * 10^8 times. */
static double unevenness(const unsigned seen[256], unsigned total)
{
	double sum = 0, usual = total / 256.0;

	for (unsigned v = 0; v < 256; v++)
		sum += (seen[v] - usual) * (seen[v] - usual) / usual;
	return sum;
}

/* One share, and the difference of two, of a secret that never changes. */
static void shares_are_even(void **state)
{
	static const share secret = { 0 };
	unsigned first[256] = { 0 }, last[256] = { 0 }, both[256] = { 0 };
	share shares[MAX];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		expect("split", OK, threshold_split(shares, MAX, 3, secret));
		for (unsigned b = 0; b < BYTES; b++) {
			first[shares[0][b]]++;
			last[shares[MAX - 1][b]]++;
			both[shares[0][b] ^ shares[1][b]]++;
		}
	}
	assert_true(unevenness(first, 4000 * BYTES) < 400);
	assert_true(unevenness(last, 4000 * BYTES) < 400);
	assert_true(unevenness(both, 4000 * BYTES) < 400);
}

static void refused(void **state)
{
	static const struct {
		const char *why;
		unsigned count, need;
		enum err want;
	} rows[] = {
		{ "none of none", 0, 0, ERR_RANGE },
		{ "one of three: every share would be the secret", 3, 1, ERR_RANGE },
		{ "more than there are", 3, 4, ERR_RANGE },
		{ "nine", MAX + 1, 2, ERR_RANGE },
		{ "all of eight", MAX, MAX, OK },
	};
	static const unsigned twice[] = { 1, 1, 2 }, outside[] = { 1, MAX, 2 }, right[] = { 0, 1, 2 };
	const share secret = { 1 };
	share shares[MAX + 1] = { { 0 } }, got;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(rows[i].why, rows[i].want,
		       threshold_split(shares, rows[i].count, rows[i].need, secret));
	memset(got, 0xa5, sizeof(got));
	expect("a share twice", ERR_RANGE, threshold_join(got, twice, (const share *)shares, 3));
	expect("a share that there can't be", ERR_RANGE,
	       threshold_join(got, outside, (const share *)shares, 3));
	expect("one", ERR_RANGE, threshold_join(got, right, (const share *)shares, 1));
	expect("nine", ERR_RANGE, threshold_join(got, right, (const share *)shares, MAX + 1));
	assert_true(untouched(got, sizeof(got)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_choice),
		cmocka_unit_test(any_order),
		cmocka_unit_test(one_wrong),
		cmocka_unit_test(fewer_say_nothing),
		cmocka_unit_test(shares_are_even),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
