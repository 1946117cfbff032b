#include "raster.h"

#include <string.h>

#define SHIFT 8
#define FRACTION (RASTER_ONE - 1)
#define SIDE_MAX 4096
#define PIECES_MAX 24
/* A curve may leave its chords by that much. */
#define DEVIATION 20

/* Two more cells a row than pixels: an edge on the right border adds to both. */
static size_t stride(const struct raster *r)
{
	return (size_t)r->width + 2;
}

int raster_start(struct raster *r, unsigned width, unsigned height)
{
	if (width > SIDE_MAX || height > SIDE_MAX || ((size_t)width + 2) * height > r->capacity)
		return 0;
	r->width = width;
	r->height = height;
	memset(r->cells, 0, stride(r) * height * sizeof(r->cells[0]));
	return 1;
}

/* An edge inside one pixel, of height dy: what is right of it inside the pixel, and the rest for all
 * pixels further right. In units of half of 1/256 x 1/256. */
static void add_edge(int32_t *cell, int x0, int x1, int dy)
{
	int left = dy * (x0 + x1);

	cell[0] += 2 * RASTER_ONE * dy - left;
	cell[1] += left;
}

/* An edge inside one row, from the left to the right; the sign of dy tells which way it goes. */
static void add_in_row(int32_t *row, int x0, int x1, int dy)
{
	int x = x0, done = 0;

	while (x >> SHIFT < x1 >> SHIFT) {
		int next = (x | FRACTION) + 1, until = dy * (next - x0) / (x1 - x0);

		add_edge(row + (x >> SHIFT), x & FRACTION, RASTER_ONE, until - done);
		x = next;
		done = until;
	}
	add_edge(row + (x >> SHIFT), x & FRACTION, x1 - (x & ~FRACTION), dy - done);
}

static int clamp(int v, unsigned pixels)
{
	int most = (int)pixels * RASTER_ONE;

	return v < 0 ? 0 : v > most ? most : v;
}

void raster_line(struct raster *r, int x0, int y0, int x1, int y1)
{
	int x, y, down;

	x = x0 = clamp(x0, r->width);
	y = y0 = clamp(y0, r->height);
	x1 = clamp(x1, r->width);
	y1 = clamp(y1, r->height);
	down = y1 > y0;
	while (y != y1) {
		int row = (down ? y : y - 1) >> SHIFT;
		int until = (row + down) << SHIFT, at = x1;

		if (down ? until > y1 : until < y1)
			until = y1;
		if (until != y1)
			at = x0 + (int)((int64_t)(x1 - x0) * (until - y0) / (y1 - y0));
		add_in_row(r->cells + stride(r) * (size_t)row, x < at ? x : at, x < at ? at : x, until - y);
		x = at;
		y = until;
	}
}

static int distance(int v)
{
	return v < 0 ? -v : v;
}

/* A quadratic curve leaves n equal chords by |from - 2 control + to| / 4n^2. */
static int pieces(int x0, int y0, int x1, int y1, int x2, int y2)
{
	int bend = distance(x0 - 2 * x1 + x2) + distance(y0 - 2 * y1 + y2), n = 1;

	while (n < PIECES_MAX && bend > 4 * DEVIATION * n * n)
		n++;
	return n;
}

void raster_curve(struct raster *r, int x0, int y0, int x1, int y1, int x2, int y2)
{
	int n = pieces(x0, y0, x1, y1, x2, y2), x = x0, y = y0;

	for (int i = 1; i <= n; i++) {
		int64_t a = (n - i) * (n - i), b = 2 * i * (n - i), c = i * i;
		int to_x = (int)((a * x0 + b * x1 + c * x2) / (n * n));
		int to_y = (int)((a * y0 + b * y1 + c * y2) / (n * n));

		raster_line(r, x, y, to_x, to_y);
		x = to_x;
		y = to_y;
	}
}

void raster_finish(struct raster *r, uint8_t *ret)
{
	for (unsigned row = 0; row < r->height; row++) {
		const int32_t *cell = r->cells + stride(r) * row;
		int32_t sum = 0;

		for (unsigned x = 0; x < r->width; x++) {
			int32_t area, whole = 2 * RASTER_ONE * RASTER_ONE;

			sum += cell[x];
			area = distance(sum);
			area = area > whole ? whole : area;
			*ret++ = (uint8_t)((area - (area >> SHIFT)) >> (SHIFT + 1));
		}
	}
	memset(r->cells, 0, stride(r) * r->height * sizeof(r->cells[0]));
}
