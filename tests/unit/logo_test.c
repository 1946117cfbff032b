/* Logo: sizes, what it refuses, and that it is read as it was written. */
#include "core_test.h"

#include "common/logo.h"
#include "core_sample.h"

#define PALETTE 16
#define PIXELS (PALETTE + 4 * 4)
#define TOTAL (PIXELS + 5 * 3)

static uint8_t bytes[LOGO_BYTES_MAX + 1], again[LOGO_BYTES_MAX];

static void round_trip(void **state)
{
	static const struct {
		const char *why;
		uint16_t width, height, colours;
	} rows[] = {
		{ "one pixel", 1, 1, 1 },
		{ "a small one", 5, 3, 4 },
		{ "the widest", LOGO_WIDTH_MAX, 1, 2 },
		{ "the highest", 1, LOGO_HEIGHT_MAX, 2 },
		{ "the largest", LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, LOGO_COLOURS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct logo l;
		size_t len, again_len;

		sample_logo(bytes, &len, rows[i].width, rows[i].height, rows[i].colours);
		expect(rows[i].why, OK, logo_decode(&l, bytes, len));
		assert_int_equal(l.head.width, rows[i].width);
		assert_int_equal(l.head.height, rows[i].height);
		assert_int_equal(l.head.colours, rows[i].colours);
		assert_ptr_equal(l.palette, bytes + LOGO_HEAD_BYTES);
		assert_ptr_equal(l.pixels, l.palette + 4 * (size_t)rows[i].colours);
		expect(rows[i].why, OK, logo_encode(again, &again_len, &l));
		assert_int_equal(again_len, len);
		assert_memory_equal(again, bytes, len);
	}
}

static void lengths(void **state)
{
	struct logo l;
	size_t full;

	(void)state;
	sample_logo(bytes, &full, 5, 3, 4);
	assert_int_equal(full, TOTAL);
	memset(&l, 0xa5, sizeof(l));
	for (size_t len = 0; len <= full + 1; len++)
		if (len != full)
			expect("wrong length", ERR_FORMAT, logo_decode(&l, bytes, len));
	assert_true(untouched(&l, sizeof(l)));
}

static const struct damage damages[] = {
	{ "another magic", 7, "2", 1, ERR_FORMAT },
	{ "no width", 8, "\0\0", 2, ERR_RANGE },
	{ "too wide", 8, "\x41\1", 2, ERR_RANGE },
	{ "as wide as can be said", 8, "\xff\xff", 2, ERR_RANGE },
	{ "wider than there are pixels", 8, "\6", 1, ERR_FORMAT },
	{ "narrower than there are pixels", 8, "\4", 1, ERR_FORMAT },
	{ "no height", 10, "\0\0", 2, ERR_RANGE },
	{ "too high", 10, "\x61", 1, ERR_RANGE },
	{ "no colour", 12, "\0\0", 2, ERR_RANGE },
	{ "257 colours", 12, "\1\1", 2, ERR_RANGE },
	{ "a colour more than there is", 12, "\5", 1, ERR_FORMAT },
	{ "reserved bytes in use", 15, "\1", 1, ERR_FORMAT },
	{ "a first pixel of no colour", PIXELS, "\4", 1, ERR_RANGE },
	{ "a last pixel of no colour", TOTAL - 1, "\xff", 1, ERR_RANGE },
};

static void damaged(void **state)
{
	struct logo l;
	size_t len;

	(void)state;
	memset(&l, 0xa5, sizeof(l));
	for (size_t i = 0; i < COUNT(damages); i++) {
		sample_logo(bytes, &len, 5, 3, 4);
		damage_apply(bytes, &damages[i]);
		expect(damages[i].why, damages[i].want, logo_decode(&l, bytes, len));
	}
	assert_true(untouched(&l, sizeof(l)));
}

static void not_written(void **state)
{
	static const uint8_t palette[8], pixels[4] = { 0, 1, 0, 2 };
	static const struct {
		const char *why;
		uint16_t width, height, colours, reserved;
	} rows[] = {
		{ "no width", 0, 2, 2, 0 },
		{ "too high", 1, LOGO_HEIGHT_MAX + 1, 2, 0 },
		{ "no colour", 1, 1, 0, 0 },
		{ "too many colours", 1, 1, LOGO_COLOURS_MAX + 1, 0 },
		{ "reserved bytes in use", 1, 1, 2, 1 },
		{ "a pixel of no colour", 2, 2, 2, 0 },
	};
	size_t len = 77;

	(void)state;
	memset(again, 0xa5, sizeof(again));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct logo l = { { .width = rows[i].width, .height = rows[i].height,
					  .colours = rows[i].colours, .reserved = rows[i].reserved },
					palette, pixels };

		expect(rows[i].why, ERR_RANGE, logo_encode(again, &len, &l));
	}
	assert_int_equal(len, 77);
	assert_true(untouched(again, sizeof(again)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(lengths),
		cmocka_unit_test(damaged),
		cmocka_unit_test(not_written),
	};

	return RUN(tests);
}
