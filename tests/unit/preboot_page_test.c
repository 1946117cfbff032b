/* Page tables of the test's own: the addresses in them are this program's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "preboot/page.h"

#define PRESENT 1u
#define WRITABLE 2u
#define USED (PRESENT | WRITABLE)
#define LARGE 0x80u
#define NO_EXECUTE (1ull << 63)
#define ENCRYPTED (1ull << 51)

static uint64_t tables[5][512] __attribute__((aligned(4096)));

/* Five tables, each with one entry that leads to the next; the last one's leads to a page. at has the
 * five indexes 1 to 5. */
static const uint64_t at = 1ull << 48 | 2ull << 39 | 3ull << 30 | 4ull << 21 | 5ull << 12 | 0x123;

static uint64_t *entry(unsigned level)
{
	return &tables[level][level + 1];
}

static int begin(void **state)
{
	(void)state;
	memset(tables, 0, sizeof(tables));
	for (unsigned i = 0; i < 4; i++)
		*entry(i) = (uintptr_t)tables[i + 1] | USED | NO_EXECUTE | ENCRYPTED;
	*entry(4) = 0xabc000 | USED;
	return 0;
}

static int five(void)
{
	return page_writable((uintptr_t)tables[0] | 0x18, 5, at);
}

static int four(void)
{
	return page_writable((uintptr_t)tables[1] | 0x18, 4, at & 0xffffffffffffull);
}

static void a_mapped_page_is_writable(void **state)
{
	(void)state;
	assert_true(five());
	assert_true(four());
}

static void a_guard_is_not(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 5; level++) {
		const uint64_t kept = *entry(level);

		*entry(level) = kept & ~(uint64_t)PRESENT;
		assert_false(five());
		assert_int_equal(four(), level == 0);
		*entry(level) = kept & ~(uint64_t)WRITABLE;
		assert_false(five());
		assert_int_equal(four(), level == 0);
		*entry(level) = kept;
	}
	/* the page beside it */
	assert_false(page_writable((uintptr_t)tables[0], 5, at + PAGE_BYTES));
}

static void large_pages_end_the_walk(void **state)
{
	(void)state;
	*entry(3) = 0xabc00000 | USED | LARGE;
	assert_true(five());
	*entry(2) = 0xabc00000 | USED | LARGE;
	*entry(3) = 0;
	assert_true(four());
	*entry(2) = 0xabc00000 | PRESENT | LARGE;
	assert_false(four());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_mapped_page_is_writable, begin),
		cmocka_unit_test_setup(a_guard_is_not, begin),
		cmocka_unit_test_setup(large_pages_end_the_walk, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
