#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "preboot/line.h"

static void type(struct line *l, const uint16_t *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_key(l, keys[i]);
}

#define TYPE(l, ...) \
	type(l, (const uint16_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static void characters_become_utf8(void **state)
{
	LINE l = { .max = LINE_BYTES_MAX };

	(void)state;
	TYPE(&l, 'a', 0xe4, 0x20ac, 'z');
	assert_string_equal(l.bytes, "a\xc3\xa4\xe2\x82\xacz");
	assert_int_equal(l.chars, 4);
	assert_int_equal(l.len, 7);
}

static void backspace_takes_whole_characters(void **state)
{
	LINE l = { .max = LINE_BYTES_MAX };

	(void)state;
	TYPE(&l, 'a', 0x20ac);
	assert_int_equal(line_key(&l, 8), LINE_REMOVED);
	assert_string_equal(l.bytes, "a");
	assert_int_equal(line_key(&l, 0x7f), LINE_REMOVED);
	/* GRUB left its prompt after 28 of these. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(line_key(&l, 8), LINE_SAME);
	assert_int_equal(l.len, 0);
}

static void what_does_not_fit_is_ignored(void **state)
{
	LINE l = { .max = 4 };

	(void)state;
	TYPE(&l, 'a', 'b', 'c');
	assert_int_equal(line_key(&l, 0xe4), LINE_SAME); /* two bytes, one left */
	assert_int_equal(line_key(&l, 'd'), LINE_ADDED);
	assert_int_equal(line_key(&l, 'e'), LINE_SAME);
	assert_string_equal(l.bytes, "abcd");
}

static void never_over_its_array(void **state)
{
	struct {
		struct line l;
		uint8_t after;
	} s = { .l = { .max = SIZE_MAX }, .after = 0xa5 };

	(void)state;
	for (uint32_t c = 0; c < 0x10000; c++)
		line_key(&s.l, (uint16_t)c);
	assert_true(s.l.len <= LINE_BYTES_MAX);
	assert_int_equal(s.l.bytes[s.l.len], 0);
	assert_int_equal(s.after, 0xa5);
}

static void control_characters_and_surrogates_are_ignored(void **state)
{
	LINE l = { .max = LINE_BYTES_MAX };
	static const uint16_t none[] = { 0, 1, 3, 4, 9, 10, 13, 0x1a, 0x1b, 0x1f, 0x80, 0x9f, 0xd800, 0xdfff,
					 0xfffe, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(line_key(&l, none[i]), LINE_SAME);
	assert_int_equal(l.len, 0);
}

static void what_is_removed_is_wiped(void **state)
{
	LINE l = { .max = LINE_BYTES_MAX };
	static const char zeros[LINE_BYTES_MAX + 1];

	(void)state;
	TYPE(&l, 's', 'e', 'c', 0xe9);
	line_cut(&l, 1);
	assert_memory_equal(l.bytes + 1, zeros, LINE_BYTES_MAX);
	assert_int_equal(line_key(&l, 0x15), LINE_CLEARED); /* Ctrl-U */
	assert_memory_equal(l.bytes, zeros, sizeof(zeros));
	TYPE(&l, 's', 'e', 'c');
	line_drop(&l);
	assert_memory_equal(l.bytes, zeros, sizeof(zeros));
	assert_int_equal(l.chars, 0);
}

/* Any keys in any order: the counts stay true, and the bytes stay UTF-8 with a NUL behind them. */
static void random_keys_keep_it_consistent(void **state)
{
	LINE l = { .max = 40 };

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		size_t chars = 0;

		line_key(&l, rand() % 3 ? (uint16_t)rand() : 8);
		for (size_t at = 0; at < l.len; at++)
			chars += ((uint8_t)l.bytes[at] & 0xc0) != 0x80;
		assert_int_equal(chars, l.chars);
		assert_int_equal(strlen(l.bytes), l.len);
		assert_true(l.len <= 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_become_utf8),
		cmocka_unit_test(backspace_takes_whole_characters),
		cmocka_unit_test(what_does_not_fit_is_ignored),
		cmocka_unit_test(never_over_its_array),
		cmocka_unit_test(control_characters_and_surrogates_are_ignored),
		cmocka_unit_test(what_is_removed_is_wiped),
		cmocka_unit_test(random_keys_keep_it_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
