#include "logo.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/logo.h"

#define PIXELS_MAX (LOGO_WIDTH_MAX * LOGO_HEIGHT_MAX)

/* Red, green, blue, opacity; not premultiplied. */
struct bitmap {
	unsigned width, height;
	uint8_t *pixels;
};

static void bitmap_drop(struct bitmap *b)
{
	free(b->pixels);
	*b = (struct bitmap){ 0 };
}
#define BITMAP __attribute__((cleanup(bitmap_drop))) struct bitmap

static enum err bitmap_new(struct bitmap *ret, unsigned width, unsigned height)
{
	*ret = (struct bitmap){ width, height, malloc(4 * (size_t)width * height) };
	return ret->pixels ? OK : ERR_MEMORY;
}

/* ---- reading ---- */

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void free_image(png_image *image)
{
	png_image_free(image);
}

static enum err read_image(struct bitmap *ret, png_image *image)
{
	enum err e;

	if (image->width > LOGO_PNG_SIDE_MAX || image->height > LOGO_PNG_SIDE_MAX ||
	    (size_t)image->width * image->height > LOGO_PNG_PIXELS_MAX)
		return ERR_RANGE;
	image->format = PNG_FORMAT_RGBA;
	e = bitmap_new(ret, image->width, image->height);
	if (!e && !png_image_finish_read(image, NULL, ret->pixels, 0, NULL))
		e = ERR_FORMAT;
	return e;
}

static enum err read_png(struct bitmap *ret, const char *path)
{
	png_image image __attribute__((cleanup(free_image))) = { .version = PNG_IMAGE_VERSION };
	FILE *f __attribute__((cleanup(close_file))) = fopen(path, "rbe");
	struct stat st;

	if (!f)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))
		return ERR_IO;
	if ((size_t)st.st_size > LOGO_PNG_BYTES_MAX)
		return ERR_RANGE;
	return png_image_begin_read_from_stdio(&image, f) ? read_image(ret, &image) : ERR_FORMAT;
}

/* ---- scaling ---- */

/* How much of the source's pixel `from` lies in the result's pixel `to`, in parts of a source pixel's
 * size x the result's. */
static uint64_t overlap(unsigned from, unsigned to, unsigned size, unsigned new_size)
{
	uint64_t low = (uint64_t)from * new_size, high = low + new_size;
	uint64_t begin = (uint64_t)to * size, end = begin + size;

	low = low > begin ? low : begin;
	high = high < end ? high : end;
	return high > low ? high - low : 0;
}

/* The mean of the area; colours count as much as they are opaque. */
static void average(uint8_t ret[4], const struct bitmap *b, unsigned x, unsigned y, const struct bitmap *scaled)
{
	unsigned first_x = (unsigned)((uint64_t)x * b->width / scaled->width);
	unsigned first_y = (unsigned)((uint64_t)y * b->height / scaled->height);
	uint64_t area = 0, opacity = 0, sums[3] = { 0 }, down, across;

	for (unsigned j = first_y; j < b->height && (down = overlap(j, y, b->height, scaled->height)); j++) {
		for (unsigned i = first_x; i < b->width && (across = overlap(i, x, b->width, scaled->width)); i++) {
			const uint8_t *p = b->pixels + 4 * ((size_t)j * b->width + i);

			area += down * across;
			opacity += down * across * p[3];
			for (int k = 0; k < 3; k++)
				sums[k] += down * across * p[3] * p[k];
		}
	}
	memset(ret, 0, 4);
	if (!opacity)
		return;
	for (int k = 0; k < 3; k++)
		ret[k] = (uint8_t)((sums[k] + opacity / 2) / opacity);
	ret[3] = (uint8_t)((opacity + area / 2) / area);
}

static enum err scale(struct bitmap *ret, const struct bitmap *b)
{
	uint64_t width = b->width, height = b->height;
	enum err e;

	if (width > LOGO_WIDTH_MAX) {
		height = (height * LOGO_WIDTH_MAX + width / 2) / width;
		width = LOGO_WIDTH_MAX;
	}
	if (height > LOGO_HEIGHT_MAX) {
		width = (width * LOGO_HEIGHT_MAX + height / 2) / height;
		height = LOGO_HEIGHT_MAX;
	}
	e = bitmap_new(ret, width ? (unsigned)width : 1, height ? (unsigned)height : 1);
	for (unsigned y = 0; !e && y < ret->height; y++)
		for (unsigned x = 0; x < ret->width; x++)
			average(ret->pixels + 4 * ((size_t)y * ret->width + x), b, x, y, ret);
	return e;
}

/* ---- colours ---- */

struct dot {
	uint64_t key; /* its colour without its lowest bits: those with the same one become one colour */
	unsigned at;  /* its place in the bitmap */
};

/* What is wholly transparent or wholly opaque stays so. */
static uint64_t key_of(const uint8_t p[4], unsigned bits_off)
{
	uint64_t key = p[3] == 255 ? 2 : 1;

	for (int k = 0; k < 4; k++)
		key = key << 8 | (unsigned)p[k] >> bits_off;
	return p[3] ? key : 0;
}

static int by_key(const void *a, const void *b)
{
	const struct dot *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Sort the bitmap's pixels by colour. Returns the number of colours. */
static unsigned sort_dots(struct dot *ret, const struct bitmap *b, unsigned bits_off)
{
	unsigned count = b->width * b->height, colours = 0;

	for (unsigned i = 0; i < count; i++)
		ret[i] = (struct dot){ key_of(b->pixels + 4 * (size_t)i, bits_off), i };
	qsort(ret, count, sizeof(*ret), by_key);
	for (unsigned i = 0; i < count; i++)
		colours += !i || ret[i].key != ret[i - 1].key;
	return colours;
}

/* One colour of the palette: the mean of those that became it. */
static void mix(uint8_t ret[4], const struct bitmap *b, const struct dot *dots, unsigned count)
{
	uint64_t sums[4] = { 0 };

	for (unsigned i = 0; i < count; i++)
		for (int k = 0; k < 4; k++)
			sums[k] += b->pixels[4 * (size_t)dots[i].at + (size_t)k];
	for (int k = 0; k < 4; k++)
		ret[k] = (uint8_t)((sums[k] + count / 2) / count);
}

struct indexed {
	uint8_t palette[LOGO_COLOURS_MAX * 4], pixels[PIXELS_MAX];
	struct dot dots[PIXELS_MAX];
};

static unsigned make_palette(struct indexed *ret, const struct bitmap *b)
{
	unsigned count = b->width * b->height, bits_off = 0, colours = 0;

	while (sort_dots(ret->dots, b, bits_off) > LOGO_COLOURS_MAX)
		bits_off++;
	for (unsigned i = 0, same; i < count; i += same, colours++) {
		for (same = 1; i + same < count && ret->dots[i + same].key == ret->dots[i].key; same++)
			ret->pixels[ret->dots[i + same].at] = (uint8_t)colours;
		ret->pixels[ret->dots[i].at] = (uint8_t)colours;
		mix(ret->palette + 4 * (size_t)colours, b, ret->dots + i, same);
	}
	return colours;
}

static enum err encode(uint8_t **ret, size_t *ret_len, const struct bitmap *b)
{
	struct indexed *x = malloc(sizeof(*x));
	uint8_t *bytes = malloc(LOGO_BYTES_MAX);
	struct logo l = { .head = { .width = (uint16_t)b->width, .height = (uint16_t)b->height } };
	enum err e = x && bytes ? OK : ERR_MEMORY;

	if (!e) {
		l.head.colours = (uint16_t)make_palette(x, b);
		l.palette = x->palette;
		l.pixels = x->pixels;
		e = logo_encode(bytes, ret_len, &l);
	}
	free(x);
	if (e)
		free(bytes);
	else
		*ret = bytes;
	return e;
}

enum err logo_from_png(uint8_t **ret, size_t *ret_len, const char *path)
{
	BITMAP whole = { 0 };
	BITMAP scaled = { 0 };
	enum err e = read_png(&whole, path);

	if (!e)
		e = scale(&scaled, &whole);
	return e ? e : encode(ret, ret_len, &scaled);
}
