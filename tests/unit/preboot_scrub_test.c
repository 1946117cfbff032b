#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "preboot/scrub.h"

#define ROOM 700

static const uint8_t text[] = "Correct horse\r";
#define TEXT_LEN (sizeof(text) - 1)

static void put(uint8_t *range, size_t at, size_t stride, const char *what)
{
	for (size_t i = 0; what[i]; i++)
		range[at + i * stride] = (uint8_t)what[i];
}

/* Every distance, and every place of a range of a size that is no multiple of anything. */
static void found_everywhere_and_nothing_else_touched(void **state)
{
	static const size_t strides[] = { 1, 2, 4, 8, 12, 16 };

	(void)state;
	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		size_t span = (TEXT_LEN - 1) * strides[s] + 1;

		for (size_t at = 0; at + span <= ROOM; at++) {
			/* malloc, so that the sanitizer sees a read or write past the end */
			uint8_t *range = malloc(ROOM), want[ROOM];

			assert_non_null(range);
			memset(range, '#', ROOM);
			memset(want, '#', ROOM);
			put(range, at, strides[s], "cORRECT HORSe\r");
			for (size_t i = 0; i < TEXT_LEN; i++)
				want[at + i * strides[s]] = 0;
			scrub_range(range, ROOM, text, TEXT_LEN);
			assert_memory_equal(range, want, ROOM);
			free(range);
		}
	}
}

static void part_of_it_stays(void **state)
{
	uint8_t range[ROOM], want[ROOM];

	(void)state;
	memset(range, 0, ROOM);
	put(range, 100, 1, "correct hors\r");
	put(range, ROOM - 12, 1, "correct hors");
	put(range, 300, 2, "orrect horse\r");
	put(range, 400, 3, "correct horse\r");
	memcpy(want, range, ROOM);
	scrub_range(range, ROOM, text, TEXT_LEN);
	assert_memory_equal(range, want, ROOM);
}

/* Bug: a password that is also a word of the firmware's was overwritten there as well. "holdfast" emptied the
 * name of a folder in the file system driver's cache, and the right password started nothing. Equal letters,
 * eight bytes apart, are in page tables. */
static void words_without_enter_are_the_firmwares(void **state)
{
	static const uint8_t word[] = "holdfast\r", ones[] = "11111\r";
	uint8_t range[ROOM], want[ROOM];

	(void)state;
	memset(range, 0, ROOM);
	put(range, 10, 1, "HOLDFAST   ");
	put(range, 60, 2, "\\EFI\\holdfast\\boot");
	put(range, 200, 8, "11111111");
	memcpy(want, range, ROOM);
	scrub_range(range, ROOM, word, sizeof(word) - 1);
	scrub_range(range, ROOM, ones, sizeof(ones) - 1);
	scrub_range(range, ROOM, word, sizeof(word) - 2);
	assert_memory_equal(range, want, ROOM);
}

static void the_end_in_ascii_counts(void **state)
{
	static const uint8_t mixed[] = "abcd\xc3\xa4horse\r", few[] = "horse\xc3\xa4uvw\r";
	uint8_t range[ROOM] = { 0 };

	(void)state;
	put(range, 50, 2, "abcd");
	put(range, 80, 2, "horse\r");
	put(range, 120, 1, "uvw\r");
	scrub_range(range, ROOM, mixed, sizeof(mixed) - 1);
	scrub_range(range, ROOM, few, sizeof(few) - 1);
	assert_int_equal(range[50], 'a');
	assert_int_equal(range[80], 0);
	assert_int_equal(range[88], 0);
	assert_int_equal(range[120], 'u');
	scrub_range(range, ROOM, mixed, 0);
	for (size_t size = 0; size < 100; size++) {
		uint8_t *small = calloc(1, size + 1);

		assert_non_null(small);
		scrub_range(small, size, text, TEXT_LEN);
		free(small);
	}
}

/* A text of blanks and NULs' neighbours, in memory full of zeros: slow is allowed, wrong is not. */
static void texts_that_look_like_empty_memory(void **state)
{
	static const uint8_t blanks[] = "        \r";
	uint8_t range[ROOM] = { 0 }, zeros[ROOM] = { 0 };

	(void)state;
	scrub_range(range, ROOM, blanks, sizeof(blanks) - 1);
	assert_memory_equal(range, zeros, ROOM);
	put(range, 333, 4, "        \r");
	scrub_range(range, ROOM, blanks, sizeof(blanks) - 1);
	assert_memory_equal(range, zeros, ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_everywhere_and_nothing_else_touched),
		cmocka_unit_test(part_of_it_stays),
		cmocka_unit_test(words_without_enter_are_the_firmwares),
		cmocka_unit_test(the_end_in_ascii_counts),
		cmocka_unit_test(texts_that_look_like_empty_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
