#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "preboot/cpio.h"

struct entry {
	char name[32];
	uint32_t mode, links, len;
	const uint8_t *bytes;
	size_t next; /* where the following entry begins */
};

static uint32_t field(const uint8_t *head, int n)
{
	char digits[9] = { 0 };

	memcpy(digits, head + 6 + 8 * n, 8);
	return (uint32_t)strtoul(digits, NULL, 16);
}

static struct entry read_entry(const uint8_t *archive, size_t at)
{
	const uint8_t *head = archive + at;
	struct entry e = { .mode = field(head, 1), .links = field(head, 4), .len = field(head, 6) };
	size_t name_len = field(head, 11), data = (at + 110 + name_len + 3) & ~(size_t)3;

	assert_memory_equal(head, "070701", 6);
	assert_int_equal(at % 4, 0);
	assert_true(name_len < sizeof(e.name));
	memcpy(e.name, head + 110, name_len);
	assert_int_equal(strlen(e.name) + 1, name_len);
	e.bytes = archive + data;
	e.next = (data + e.len + 3) & ~(size_t)3;
	return e;
}

static void folder_file_trailer_for_every_length(void **state)
{
	static uint8_t bytes[600], archive[sizeof(bytes) + CPIO_EXTRA];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct entry e;
		size_t n = 0;

		memset(archive, 0xff, sizeof(archive));
		assert_int_equal(cpio_handoff(archive, &n, len + CPIO_EXTRA, bytes, len), OK);
		assert_int_equal(n % 4, 0);
		assert_true(n <= len + CPIO_EXTRA);
		/* Without a folder before it the kernel drops a file without a word. */
		e = read_entry(archive, 0);
		assert_string_equal(e.name, "holdfast");
		assert_int_equal(e.mode, 040700);
		assert_int_equal(e.len, 0);
		e = read_entry(archive, e.next);
		assert_string_equal(e.name, "holdfast/handoff");
		assert_int_equal(e.mode, 0100400);
		assert_int_equal(e.links, 1);
		assert_int_equal(e.len, len);
		assert_memory_equal(e.bytes, bytes, len);
		e = read_entry(archive, e.next);
		assert_string_equal(e.name, "TRAILER!!!");
		assert_int_equal(e.next, n);
	}
}

static void too_little_room_is_refused_untouched(void **state)
{
	uint8_t archive[CPIO_EXTRA + 4] = { 0 }, zeros[sizeof(archive)] = { 0 };
	size_t n = 77;

	(void)state;
	assert_int_equal(cpio_handoff(archive, &n, CPIO_EXTRA - 1, archive, 0), ERR_SPACE);
	assert_int_equal(cpio_handoff(archive, &n, CPIO_EXTRA + 3, archive, 4), ERR_SPACE);
	assert_int_equal(cpio_handoff(archive, &n, CPIO_EXTRA, archive, SIZE_MAX), ERR_SPACE);
	assert_int_equal(n, 77);
	assert_memory_equal(archive, zeros, sizeof(archive));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_file_trailer_for_every_length),
		cmocka_unit_test(too_little_room_is_refused_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
