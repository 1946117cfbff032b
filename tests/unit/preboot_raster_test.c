/* Coverage against areas that are known, and against counting points. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/raster.h"

#define SIDE 48
#define ONE RASTER_ONE

static int32_t cells[(SIDE + 2) * SIDE + 8];
static uint8_t coverage[SIDE * SIDE];

static struct raster begin(unsigned width, unsigned height)
{
	struct raster r = { .cells = cells, .capacity = (SIDE + 2) * SIDE };

	assert_true(raster_start(&r, width, height));
	return r;
}

static void polygon(struct raster *r, const int (*points)[2], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const int *next = points[(i + 1) % count];

		raster_line(r, points[i][0], points[i][1], next[0], next[1]);
	}
}

/* Sum of coverage, in pixels. */
static double area(const struct raster *r)
{
	double sum = 0;

	for (unsigned i = 0; i < r->width * r->height; i++)
		sum += coverage[i] / 255.0;
	return sum;
}

static void rectangles_are_exact(void **state)
{
	static const struct {
		const char *why;
		int x0, y0, x1, y1;
		int x, y;
		uint8_t want;
	} rows[] = {
		{ "whole pixel", 2 * ONE, 2 * ONE, 4 * ONE, 4 * ONE, 2, 2, 255 },
		{ "beside it, left", 2 * ONE, 2 * ONE, 4 * ONE, 4 * ONE, 1, 2, 0 },
		{ "beside it, right", 2 * ONE, 2 * ONE, 4 * ONE, 4 * ONE, 4, 2, 0 },
		{ "above", 2 * ONE, 2 * ONE, 4 * ONE, 4 * ONE, 2, 1, 0 },
		{ "below", 2 * ONE, 2 * ONE, 4 * ONE, 4 * ONE, 2, 4, 0 },
		{ "half, left edge", 2 * ONE + 128, ONE, 4 * ONE, 4 * ONE, 2, 2, 127 },
		{ "half, right edge", 2 * ONE, ONE, 4 * ONE + 128, 4 * ONE, 4, 2, 127 },
		{ "half, upper edge", 2 * ONE, ONE + 128, 4 * ONE, 4 * ONE, 3, 1, 127 },
		{ "half, lower edge", 2 * ONE, ONE, 4 * ONE, 3 * ONE + 128, 3, 3, 127 },
		{ "quarter, corner", 2 * ONE + 128, ONE + 128, 4 * ONE, 4 * ONE, 2, 1, 63 },
		{ "inside one pixel", 2 * ONE + 64, ONE + 64, 2 * ONE + 192, ONE + 192, 2, 1, 63 },
		{ "the last pixel", 0, 0, SIDE * ONE, SIDE * ONE, SIDE - 1, SIDE - 1, 255 },
		{ "far outside", -900 * ONE, -900 * ONE, 900 * ONE, 900 * ONE, 7, 7, 255 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int turn = 0; turn < 2; turn++) {
			const int round[4][2] = { { rows[i].x0, rows[i].y0 }, { rows[i].x1, rows[i].y0 },
						  { rows[i].x1, rows[i].y1 }, { rows[i].x0, rows[i].y1 } };
			const int back[4][2] = { { rows[i].x0, rows[i].y1 }, { rows[i].x1, rows[i].y1 },
						 { rows[i].x1, rows[i].y0 }, { rows[i].x0, rows[i].y0 } };
			struct raster r = begin(SIDE, SIDE);
			uint8_t got;

			polygon(&r, turn ? back : round, 4);
			raster_finish(&r, coverage);
			got = coverage[rows[i].y * SIDE + rows[i].x];
			if (got != rows[i].want)
				fail_msg("%s, turn %d: %u instead of %u", rows[i].why, turn, got, rows[i].want);
		}
	}
}

static void a_circle_has_the_area_of_a_circle(void **state)
{
	/* Eight quadratic curves; the control points stand where the tangents meet. */
	const double centre = 24, radius = 20;
	struct raster r = begin(SIDE, SIDE);
	static const double cosines[9] = { 1, 0.70710678, 0, -0.70710678, -1, -0.70710678, 0, 0.70710678, 1 };
	static const double between[8] = { 0.92387953, 0.38268343, -0.38268343, -0.92387953,
					   -0.92387953, -0.38268343, 0.38268343, 0.92387953 };
	double tangent = radius / 0.92387953;

	(void)state;
	for (int i = 0; i < 8; i++) {
		double x0 = cosines[i], y0 = cosines[(i + 6) % 8], x1 = cosines[i + 1], y1 = cosines[(i + 7) % 8];

		raster_curve(&r, (int)((centre + radius * x0) * ONE), (int)((centre + radius * y0) * ONE),
			     (int)((centre + tangent * between[i]) * ONE),
			     (int)((centre + tangent * between[(i + 6) % 8]) * ONE),
			     (int)((centre + radius * x1) * ONE), (int)((centre + radius * y1) * ONE));
	}
	raster_finish(&r, coverage);
	assert_true(area(&r) > 3.1416 * radius * radius * 0.995 && area(&r) < 3.1416 * radius * radius * 1.005);
	assert_int_equal(coverage[24 * SIDE + 24], 255);
	assert_int_equal(coverage[2 * SIDE + 2], 0);
}

static int inside(const int (*p)[2], unsigned count, int x, int y)
{
	int winding = 0;

	for (unsigned i = 0; i < count; i++) {
		const int *a = p[i], *b = p[(i + 1) % count];
		int64_t side = (int64_t)(b[0] - a[0]) * (y - a[1]) - (int64_t)(b[1] - a[1]) * (x - a[0]);

		if (a[1] <= y && b[1] > y && side > 0)
			winding++;
		if (a[1] > y && b[1] <= y && side < 0)
			winding--;
	}
	return winding;
}

/* Triangles, so that no part is covered twice in opposite senses; 16 x 16 points a pixel. */
static void triangles_agree_with_counted_points(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 60; round++) {
		int points[3][2];
		struct raster r = begin(16, 16);

		for (int i = 0; i < 6; i++)
			points[i / 2][i % 2] = rand() % (16 * ONE + 1);
		polygon(&r, (const int (*)[2])points, 3);
		raster_finish(&r, coverage);
		for (int pixel = 0; pixel < 256; pixel++) {
			int hits = 0;

			for (int s = 0; s < 256; s++)
				hits += !!inside((const int (*)[2])points, 3, pixel % 16 * ONE + s % 16 * 16 + 8,
						 pixel / 16 * ONE + s / 16 * 16 + 8);
			if (abs(hits - coverage[pixel]) > 24)
				fail_msg("triangle %d, pixel %d: %d counted, %u drawn", round, pixel, hits,
					 coverage[pixel]);
		}
	}
}

/* Whatever comes, closed or not: nothing is written outside (the sanitizers see that), and the next
 * picture is not touched by it. */
static void wild_lines_stay_inside(void **state)
{
	static const int32_t guard[8];

	(void)state;
	srand(4);
	for (int round = 0; round < 2000; round++) {
		unsigned width = 1 + (unsigned)rand() % SIDE, height = 1 + (unsigned)rand() % SIDE;
		struct raster r = begin(width, height);

		for (int i = 0; i < 8; i++) {
			int c[6];

			for (int k = 0; k < 6; k++)
				c[k] = rand() % 3 ? rand() % (SIDE * ONE) : rand() % (1 << 27) - (1 << 26);
			raster_curve(&r, c[0], c[1], c[2], c[3], c[4], c[5]);
			raster_line(&r, c[0], c[1], c[4], c[5]);
		}
		raster_finish(&r, coverage);
		assert_memory_equal(cells + (SIDE + 2) * SIDE, guard, sizeof(guard));
		r = begin(width, height);
		raster_finish(&r, coverage);
		for (unsigned i = 0; i < width * height; i++)
			assert_int_equal(coverage[i], 0);
	}
}

static void a_picture_larger_than_its_cells_is_refused(void **state)
{
	static const struct {
		const char *why;
		unsigned width, height;
		int want;
	} rows[] = {
		{ "exactly as large", SIDE, SIDE, 1 },  { "a row more", SIDE, SIDE + 1, 0 },
		{ "a column more", SIDE + 1, SIDE, 0 }, { "no size", 0, 0, 1 },
		{ "width overflows", 0xffffffff, 1, 0 }, { "height overflows", 1, 0xffffffff, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct raster r = { .cells = cells, .capacity = (SIDE + 2) * SIDE };

		if (raster_start(&r, rows[i].width, rows[i].height) != rows[i].want)
			fail_msg("%s", rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rectangles_are_exact),
		cmocka_unit_test(a_circle_has_the_area_of_a_circle),
		cmocka_unit_test(triangles_agree_with_counted_points),
		cmocka_unit_test(wild_lines_stay_inside),
		cmocka_unit_test(a_picture_larger_than_its_cells_is_refused),
	};

	return RUN(tests);
}
