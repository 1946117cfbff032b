/* Cursor and writer: byte order, ends, the sticky error. */
#include "core_test.h"

#include "common/cursor.h"

static const uint8_t bytes[15] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void reads_little_endian(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_u16(&c), 0x0302);
	assert_int_equal(cursor_u32(&c), 0x07060504);
	expect("bytes are left", ERR_FORMAT, cursor_end(&c));
	assert_true(cursor_u64(&c) == 0x0f0e0d0c0b0a0908);
	expect("all read", OK, cursor_end(&c));
}

static void error_is_sticky(void **state)
{
	struct cursor c = cursor_over(bytes, 3);
	uint8_t into[4] = { 9, 9, 9, 9 };

	(void)state;
	cursor_bytes(&c, into, 4);
	assert_true(sodium_is_zero(into, 4));
	assert_int_equal(cursor_u8(&c), 0);
	assert_null(cursor_take(&c, 1));
	assert_null(cursor_take(&c, 0));
	expect("after a read past the end", ERR_FORMAT, cursor_end(&c));
}

static void take_borrows(void **state)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	(void)state;
	assert_ptr_equal(cursor_take(&c, 15), bytes);
	assert_null(cursor_take(&c, SIZE_MAX));
}

static void writes_what_is_read(void **state)
{
	uint8_t out[15];
	struct writer w = writer_over(out, sizeof(out));

	(void)state;
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0302);
	writer_u32(&w, 0x07060504);
	expect("not full", ERR_SPACE, writer_end(&w));
	writer_u64(&w, 0x0f0e0d0c0b0a0908);
	expect("full", OK, writer_end(&w));
	assert_memory_equal(out, bytes, sizeof(out));
	writer_bytes(&w, NULL, 0);
	expect("nothing more", OK, writer_end(&w));
	writer_u8(&w, 1);
	expect("one too many", ERR_SPACE, writer_end(&w));
}

static void long_write_leaves_the_rest(void **state)
{
	uint8_t out[4] = { 0, 0, 0, 9 };
	struct writer w = writer_over(out, 3);

	(void)state;
	writer_u32(&w, 0x01020304);
	writer_u8(&w, 1);
	assert_true(sodium_is_zero(out, 3));
	assert_int_equal(out[3], 9);
	expect("after a write past the end", ERR_SPACE, writer_end(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_little_endian),
		cmocka_unit_test(error_is_sticky),
		cmocka_unit_test(take_borrows),
		cmocka_unit_test(writes_what_is_read),
		cmocka_unit_test(long_write_leaves_the_rest),
	};

	return RUN(tests);
}
