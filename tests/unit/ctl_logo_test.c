/* From a PNG file to the logo that pre-boot reads. */
#include "core_test.h"

#include <png.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/logo.h"
#include "server/ctl/logo.h"

static char path[] = "/tmp/ctl_logo_test.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* format: PNG_FORMAT_RGBA, PNG_FORMAT_GRAY ... */
static void write_png(const void *pixels, unsigned width, unsigned height, unsigned format)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = format };

	assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static void write_bytes(const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_true(f && fwrite(bytes, 1, len, f) == len && !fclose(f));
}

static uint8_t *convert(struct logo *ret)
{
	uint8_t *bytes = NULL;
	size_t len;

	expect("logo_from_png", OK, logo_from_png(&bytes, &len, path));
	expect("what comes out decodes", OK, logo_decode(ret, bytes, len));
	return bytes;
}

static const uint8_t *colour(const struct logo *l, unsigned x, unsigned y)
{
	return l->palette + 4 * l->pixels[y * l->head.width + x];
}

static void a_small_picture_is_kept_as_it_is(void **state)
{
	static const uint8_t pixels[6 * 4] = { 255, 0, 0, 255,   0, 255, 0, 255, 0, 0, 255, 128,
					       9,   9, 9, 0,     255, 0, 0, 255, 1, 2, 3, 254 };
	struct logo l;
	uint8_t *bytes;

	(void)state;
	write_png(pixels, 3, 2, PNG_FORMAT_RGBA);
	bytes = convert(&l);
	assert_int_equal(l.head.width, 3);
	assert_int_equal(l.head.height, 2);
	assert_int_equal(l.head.colours, 5);
	for (unsigned i = 0; i < 6; i++)
		if (pixels[4 * i + 3])
			assert_memory_equal(colour(&l, i % 3, i / 3), pixels + 4 * i, 4);
		else
			assert_int_equal(colour(&l, i % 3, i / 3)[3], 0);
	free(bytes);
}

static void other_kinds_of_png_do(void **state)
{
	static const uint8_t grey[4] = { 0, 80, 160, 255 }, rgb[6] = { 10, 20, 30, 40, 50, 60 };
	static const uint16_t deep[4] = { 0, 0, 65535, 65535 };
	struct logo l;
	uint8_t *bytes;

	(void)state;
	write_png(grey, 2, 2, PNG_FORMAT_GRAY);
	bytes = convert(&l);
	assert_memory_equal(colour(&l, 1, 0), ((uint8_t[]){ 80, 80, 80, 255 }), 4);
	free(bytes);
	write_png(rgb, 2, 1, PNG_FORMAT_RGB);
	bytes = convert(&l);
	assert_memory_equal(colour(&l, 1, 0), ((uint8_t[]){ 40, 50, 60, 255 }), 4);
	free(bytes);
	write_png(deep, 1, 1, PNG_FORMAT_LINEAR_RGB_ALPHA);
	bytes = convert(&l);
	assert_memory_equal(colour(&l, 0, 0), ((uint8_t[]){ 0, 0, 255, 255 }), 4);
	free(bytes);
}

static void a_large_picture_is_scaled_down(void **state)
{
	static const struct {
		const char *why;
		unsigned width, height, want_width, want_height;
	} rows[] = {
		{ "just as large as may be", LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX },
		{ "too wide by one", LOGO_WIDTH_MAX + 1, 50, LOGO_WIDTH_MAX, 50 },
		{ "too high by one", 60, LOGO_HEIGHT_MAX + 1, 59, LOGO_HEIGHT_MAX },
		{ "a photograph", 3000, 2000, 144, LOGO_HEIGHT_MAX },
		{ "a banner", 2000, 100, LOGO_WIDTH_MAX, 16 },
		{ "a line", 8000, 1, LOGO_WIDTH_MAX, 1 },
		{ "an upright line", 1, 8000, 1, LOGO_HEIGHT_MAX },
		{ "one pixel", 1, 1, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t count = (size_t)rows[i].width * rows[i].height;
		uint8_t *pixels = malloc(4 * count), *bytes;
		struct logo l;

		/* left half red; right half transparent, under which there is green */
		for (size_t k = 0; k < count; k++)
			memcpy(pixels + 4 * k, k % rows[i].width < (rows[i].width + 1) / 2 ? "\xff\0\0\xff" : "\0\xff\0\0",
			       4);
		write_png(pixels, rows[i].width, rows[i].height, PNG_FORMAT_RGBA);
		bytes = convert(&l);
		if (l.head.width != rows[i].want_width || l.head.height != rows[i].want_height)
			fail_msg("%s: %ux%u", rows[i].why, l.head.width, l.head.height);
		assert_memory_equal(colour(&l, 0, 0), "\xff\0\0\xff", 4);
		for (unsigned k = 0; k < l.head.colours; k++)
			if (l.palette[4 * k + 3] && l.palette[4 * k + 1])
				fail_msg("%s: green from what is transparent", rows[i].why);
		free(bytes);
		free(pixels);
	}
}

static void scaling_takes_the_mean_of_the_area(void **state)
{
	static uint8_t pixels[640 * 192];
	struct logo l;
	uint8_t *bytes;

	(void)state;
	for (unsigned i = 0; i < sizeof(pixels); i++) /* black and white by turns, in both directions */
		pixels[i] = (i % 640 + i / 640) % 2 ? 255 : 0;
	write_png(pixels, 640, 192, PNG_FORMAT_GRAY);
	bytes = convert(&l);
	assert_int_equal(l.head.width, 320);
	for (unsigned i = 0; i < l.head.colours; i++)
		assert_in_range(l.palette[4 * i], 126, 129);
	free(bytes);
}

static void many_colours_become_few(void **state)
{
	static uint8_t pixels[LOGO_WIDTH_MAX * LOGO_HEIGHT_MAX * 4];
	struct logo l;
	uint8_t *bytes;

	(void)state;
	for (unsigned i = 0; i < sizeof(pixels) / 4; i++) {
		pixels[4 * i] = (uint8_t)(i % LOGO_WIDTH_MAX * 255 / (LOGO_WIDTH_MAX - 1));
		pixels[4 * i + 1] = (uint8_t)(i / LOGO_WIDTH_MAX * 255 / (LOGO_HEIGHT_MAX - 1));
		pixels[4 * i + 2] = 90;
		pixels[4 * i + 3] = 255;
	}
	write_png(pixels, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, PNG_FORMAT_RGBA);
	bytes = convert(&l);
	assert_in_range(l.head.colours, 60, LOGO_COLOURS_MAX);
	for (unsigned i = 0; i < sizeof(pixels) / 4; i++) {
		const uint8_t *got = colour(&l, i % LOGO_WIDTH_MAX, i / LOGO_WIDTH_MAX);

		assert_true(abs(got[0] - pixels[4 * i]) <= 16 && abs(got[1] - pixels[4 * i + 1]) <= 16);
		assert_int_equal(got[2], 90);
		assert_int_equal(got[3], 255); /* opaque stays opaque */
	}
	free(bytes);
	srand(9);
	for (unsigned i = 0; i < sizeof(pixels); i++)
		pixels[i] = (uint8_t)rand();
	write_png(pixels, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, PNG_FORMAT_RGBA);
	free(convert(&l));
}

/* Bytes of a PNG with these sizes in its head, and nothing behind it but the beginning of data. */
static size_t forge_head(uint8_t *ret, uint32_t width, uint32_t height)
{
	static const uint8_t start[16] = { 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R' };
	uint32_t crc = 0xffffffff;

	memcpy(ret, start, sizeof(start));
	for (int i = 0; i < 4; i++) {
		ret[16 + i] = (uint8_t)(width >> (24 - 8 * i));
		ret[20 + i] = (uint8_t)(height >> (24 - 8 * i));
	}
	memcpy(ret + 24, "\x08\x06\0\0", 5);
	for (int i = 12; i < 29; i++) {
		crc ^= ret[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	for (int i = 0; i < 4; i++)
		ret[29 + i] = (uint8_t)(~crc >> (24 - 8 * i));
	memcpy(ret + 33, "\0\0\0\x0aIDAT", 8);
	return 41;
}

static void what_is_no_such_picture_is_refused(void **state)
{
	static const uint8_t pixels[4] = { 1, 2, 3, 4 };
	uint8_t whole[600], head[64], *bytes = (uint8_t *)(uintptr_t)0x1234;
	size_t len, out = 77;
	FILE *f;

	(void)state;
	write_png(pixels, 1, 1, PNG_FORMAT_RGBA);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	for (size_t cut = 0; cut < len - 20; cut++) { /* the end chunk alone is not missed */
		write_bytes(whole, cut);
		expect("cut short", ERR_FORMAT, logo_from_png(&bytes, &out, path));
	}
	write_bytes("GIF89a and so on", 16);
	expect("another format", ERR_FORMAT, logo_from_png(&bytes, &out, path));
	write_bytes(head, forge_head(head, 8, 8));
	expect("a head without data", ERR_FORMAT, logo_from_png(&bytes, &out, path));
	write_bytes(head, forge_head(head, LOGO_PNG_SIDE_MAX + 1, 1));
	expect("too wide", ERR_RANGE, logo_from_png(&bytes, &out, path));
	write_bytes(head, forge_head(head, 1, LOGO_PNG_SIDE_MAX + 1));
	expect("too high", ERR_RANGE, logo_from_png(&bytes, &out, path));
	write_bytes(head, forge_head(head, LOGO_PNG_SIDE_MAX, LOGO_PNG_SIDE_MAX));
	expect("too many pixels", ERR_RANGE, logo_from_png(&bytes, &out, path));
	assert_int_equal(truncate(path, (off_t)LOGO_PNG_BYTES_MAX + 1), 0);
	expect("too many bytes", ERR_RANGE, logo_from_png(&bytes, &out, path));
	expect("a folder", ERR_IO, logo_from_png(&bytes, &out, "/tmp"));
	expect("a device", ERR_IO, logo_from_png(&bytes, &out, "/dev/zero"));
	expect("nothing", ERR_NOT_FOUND, logo_from_png(&bytes, &out, "/tmp/no/such/file"));
	assert_ptr_equal(bytes, (uint8_t *)(uintptr_t)0x1234);
	assert_int_equal(out, 77);
}

/* Bits turned over anywhere: refused or taken, never a crash. */
static void damage_is_survived(void **state)
{
	static uint8_t pixels[40 * 40 * 4], whole[20000], bent[20000];
	unsigned refused = 0;
	size_t len;
	FILE *f;

	(void)state;
	srand(10);
	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = (uint8_t)(i / 7);
	write_png(pixels, 40, 40, PNG_FORMAT_RGBA);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	for (int round = 0; round < 600; round++) {
		uint8_t *bytes = NULL;
		size_t out;
		enum err e;

		memcpy(bent, whole, len);
		for (int i = 0; i < 3; i++)
			bent[(size_t)rand() % len] ^= (uint8_t)(1 << rand() % 8);
		write_bytes(bent, len);
		e = logo_from_png(&bytes, &out, path);
		assert_true(e == OK || e == ERR_FORMAT || e == ERR_RANGE);
		refused += e != OK;
		free(bytes);
	}
	assert_true(refused > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_picture_is_kept_as_it_is),
		cmocka_unit_test(other_kinds_of_png_do),
		cmocka_unit_test(a_large_picture_is_scaled_down),
		cmocka_unit_test(scaling_takes_the_mean_of_the_area),
		cmocka_unit_test(many_colours_become_few),
		cmocka_unit_test(what_is_no_such_picture_is_refused),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
