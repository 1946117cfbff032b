/* Painting in memory: nothing outside the canvas, and the same picture in parts as in one. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/canvas.h"
#include "preboot/picture.h"
#include "preboot/scene.h"

#define WIDTH 120
#define HEIGHT 60
#define GUARD 200
#define SHADE 0x5a5a5a5a

static uint32_t memory[GUARD + WIDTH * HEIGHT + GUARD];
static struct glyphs *glyphs;

static int setup(void **state)
{
	(void)state;
	return sodium_init() < 0 || glyphs_new(&glyphs);
}

static int teardown(void **state)
{
	(void)state;
	glyphs_drop(&glyphs);
	return 0;
}

static struct canvas clean(int x, int y, int width, int height)
{
	for (size_t i = 0; i < COUNT(memory); i++)
		memory[i] = SHADE;
	return (struct canvas){ memory + GUARD, { x, y, width, height } };
}

static void assert_guarded(const struct canvas *c)
{
	size_t used = GUARD + (size_t)c->at.width * (size_t)c->at.height;

	for (size_t i = 0; i < COUNT(memory); i++)
		if (i < GUARD || i >= used)
			assert_int_equal(memory[i], SHADE);
}

static uint32_t at(const struct canvas *c, int x, int y)
{
	return c->pixels[(y - c->at.y) * c->at.width + x - c->at.x];
}

static void rectangles_meet_as_they_should(void **state)
{
	static const struct {
		const char *why;
		struct rect a, b, want;
	} rows[] = {
		{ "inside", { 0, 0, 10, 10 }, { 2, 3, 4, 5 }, { 2, 3, 4, 5 } },
		{ "across a corner", { 0, 0, 10, 10 }, { 8, 9, 10, 10 }, { 8, 9, 2, 1 } },
		{ "before the beginning", { 0, 0, 10, 10 }, { -5, -5, 7, 8 }, { 0, 0, 2, 3 } },
		{ "side by side", { 0, 0, 10, 10 }, { 10, 0, 5, 5 }, { 10, 0, 0, 0 } },
		{ "far away", { 0, 0, 10, 10 }, { 50, 50, 5, 5 }, { 50, 50, 0, 0 } },
		{ "of no size", { 0, 0, 10, 10 }, { 5, 5, 0, 9 }, { 5, 5, 0, 0 } },
		{ "of negative size", { 0, 0, 10, 10 }, { 5, 5, -3, 2 }, { 5, 5, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rect got = rect_common(&rows[i].a, &rows[i].b), back = rect_common(&rows[i].b, &rows[i].a);

		if (memcmp(&got, &rows[i].want, sizeof(got)) || memcmp(&back, &rows[i].want, sizeof(back)))
			fail_msg("%s: %d,%d %dx%d", rows[i].why, got.x, got.y, got.width, got.height);
	}
}

static void blending_keeps_its_ends(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 256; c++) {
		uint32_t grey = c * 0x010101;

		assert_int_equal(canvas_blend(grey, 0xffffff - grey, 0), grey);
		assert_int_equal(canvas_blend(grey, 0xffffff - grey, 255), 0xffffff - grey);
		assert_int_equal(canvas_blend(grey, grey, c), grey);
	}
	assert_int_equal(canvas_blend(0x000000, 0xffffff, 128), 0x808080);
	assert_int_equal(canvas_blend(0xff0000, 0x0000ff, 51), 0xcc0033);
}

static void nothing_is_painted_outside(void **state)
{
	uint32_t pixels[30 * 30];

	(void)state;
	memset(pixels, 0x80, sizeof(pixels));
	srand(6);
	for (int round = 0; round < 3000; round++) {
		struct canvas c = clean(rand() % 50 - 20, rand() % 50 - 20, 1 + rand() % WIDTH, 1 + rand() % HEIGHT);
		struct rect r = { rand() % 200 - 60, rand() % 120 - 40, rand() % 150 - 10, rand() % 100 - 10 };
		struct rect small = { r.x, r.y, 30, 30 };

		canvas_fill(&c, &r, 0x123456);
		canvas_round(&c, glyphs, &r, rand() % 40 - 5, 0x654321);
		canvas_picture(&c, &small, pixels);
		canvas_copy(&c, &small, pixels);
		canvas_text(&c, glyphs, &r, &(struct lettering){ FONT_REGULAR, (unsigned)rand() % 60 }, r.x, r.y + 20,
			    rand() % 3 ? 0 : 1 + rand() % 20, 0xffffff, "Wfj\xffg€", 8);
		assert_guarded(&c);
	}
}

static void a_round_rectangle_is_round_on_all_corners(void **state)
{
	struct canvas c = clean(0, 0, WIDTH, HEIGHT);
	const struct rect all = { 0, 0, WIDTH, HEIGHT };

	(void)state;
	canvas_fill(&c, &all, 0);
	canvas_round(&c, glyphs, &(struct rect){ 10, 10, 41, 30 }, 9, 0xffffff);
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			int in = x >= 10 && x < 51 && y >= 10 && y < 40;

			if (!in)
				assert_int_equal(at(&c, x, y), 0);
			else {
				assert_int_equal(at(&c, x, y), at(&c, 60 - x, y));
				assert_int_equal(at(&c, x, y), at(&c, x, 49 - y));
			}
		}
	}
	assert_int_equal(at(&c, 10, 10), 0);
	assert_int_equal(at(&c, 19, 10), 0xffffff);
	assert_int_equal(at(&c, 10, 25), 0xffffff);
	assert_true(at(&c, 12, 12) > 0x101010 && at(&c, 12, 12) < 0xf0f0f0);
}

/* A scene with everything, painted in one go and in parts of any shape. */
static void a_part_looks_as_it_does_in_the_whole(void **state)
{
	static struct scene s;
	static uint32_t whole[WIDTH * HEIGHT];
	uint32_t picture_pixels[20 * 20];
	struct picture picture = { 20, 20, picture_pixels };
	struct spinner spinner = { 0 };
	struct canvas c = { whole, { 0, 0, WIDTH, HEIGHT } };

	(void)state;
	for (size_t i = 0; i < COUNT(picture_pixels); i++)
		picture_pixels[i] = (uint32_t)i * 0x01030507u;
	assert_int_equal(spinner_new(&spinner), OK);
	spinner_set(&spinner, glyphs, 24, 0x0000ff, 0xffffff);
	scene_clear(&s, WIDTH, HEIGHT, 0xeeeeee);
	scene_add(&s, &(struct scene_item){ .kind = SCENE_BOX, .at = { 5, 5, 100, 50 }, .colour = 0xffffff,
					    .edge = 0xff0000, .radius = 8, .border = 2 }, NULL, 0);
	scene_add(&s, &(struct scene_item){ .kind = SCENE_TEXT, .at = { 8, 8, 90, 20 }, .colour = 0x102030,
					    .lettering = { FONT_BOLD, 15 }, .x = 10, .baseline = 22 },
		  "Jagd auf Wale", 13);
	scene_add(&s, &(struct scene_item){ .kind = SCENE_TEXT, .at = { 8, 30, 60, 20 }, .colour = 0x405060,
					    .lettering = { FONT_REGULAR, 13 }, .x = 10, .baseline = 44, .cell = 13 },
		  "CODE", 4);
	scene_add(&s, &(struct scene_item){ .kind = SCENE_PICTURE, .at = { 70, 30, 20, 20 } }, NULL, 0);
	scene_add(&s, &(struct scene_item){ .kind = SCENE_SPINNER, .at = { 92, 30, 24, 24 } }, NULL, 0);
	scene_paint(&c, &s, glyphs, &picture, &spinner);
	srand(7);
	for (int round = 0; round < 500; round++) {
		int x = rand() % WIDTH, y = rand() % HEIGHT;
		struct canvas part = clean(x, y, 1 + rand() % (WIDTH - x), 1 + rand() % (HEIGHT - y));

		scene_paint(&part, &s, glyphs, &picture, &spinner);
		for (int row = y; row < y + part.at.height; row++)
			assert_memory_equal(part.pixels + (row - y) * part.at.width, whole + row * WIDTH + x,
					    4 * (size_t)part.at.width);
	}
	spinner_drop(&spinner);
}

static void changes_are_what_differs(void **state)
{
	static struct scene before, after;
	static const struct scene_item one = { .kind = SCENE_TEXT, .at = { 1, 2, 30, 10 }, .lettering = { 0, 9 } };
	static const struct scene_item two = { .kind = SCENE_BOX, .at = { 50, 20, 30, 10 } };
	struct rect changes[SCENE_CHANGES_MAX];

	(void)state;
	scene_clear(&before, WIDTH, HEIGHT, 0);
	scene_add(&before, &one, "abc", 3);
	scene_add(&before, &two, NULL, 0);
	after = before;
	assert_int_equal(scene_changes(changes, &before, &after), 0);
	scene_clear(&after, WIDTH, HEIGHT, 0);
	scene_add(&after, &one, "abd", 3);
	scene_add(&after, &two, NULL, 0);
	assert_int_equal(scene_changes(changes, &before, &after), 1);
	assert_memory_equal(&changes[0], &one.at, sizeof(changes[0]));
	scene_clear(&after, WIDTH, HEIGHT, 0); /* an item less */
	scene_add(&after, &one, "abc", 3);
	assert_int_equal(scene_changes(changes, &before, &after), 1);
	assert_memory_equal(&changes[0], &two.at, sizeof(changes[0]));
	scene_clear(&after, WIDTH, HEIGHT, 1); /* another page */
	assert_int_equal(scene_changes(changes, &before, &after), 1);
	assert_int_equal(changes[0].width, WIDTH);
	scene_clear(&after, WIDTH, HEIGHT, 0); /* too many to tell one by one */
	for (int i = 0; i <= SCENE_CHANGES_MAX; i++) {
		struct scene_item item = two;

		item.at = (struct rect){ i, 0, 1, 1 };
		scene_add(&after, &item, NULL, 0);
	}
	assert_int_equal(scene_changes(changes, &before, &after), 1);
	assert_int_equal(changes[0].height, HEIGHT);
}

static void a_scene_takes_no_more_than_it_has_room_for(void **state)
{
	static struct scene s;
	static char text[SCENE_TEXT_MAX];
	const struct scene_item item = { .kind = SCENE_TEXT, .at = { 0, 0, 5, 5 } };

	(void)state;
	scene_clear(&s, 10, 10, 0);
	scene_add(&s, &item, text, SCENE_TEXT_MAX - 5);
	scene_add(&s, &item, text, 6);
	assert_int_equal(s.count, 1);
	for (int i = 0; i < 2 * SCENE_ITEMS_MAX; i++)
		scene_add(&s, &item, NULL, 0);
	assert_int_equal(s.count, SCENE_ITEMS_MAX);
}

/* Red left half, right half transparent green: no green may bleed into what is seen. */
static void a_logo_is_scaled_without_bleeding(void **state)
{
	static const uint8_t palette[8] = { 255, 0, 0, 255, 0, 255, 0, 0 };
	static uint8_t pixels[40 * 20];
	const struct logo l = { { .width = 40, .height = 20, .colours = 2 }, palette, pixels };
	static const int sizes[][2] = { { 40, 20 }, { 13, 7 }, { 97, 49 }, { 1, 1 }, { 120, 60 } };

	(void)state;
	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = i % 40 >= 20;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct picture p = { 0 };
		int w = sizes[i][0], h = sizes[i][1];

		assert_int_equal(picture_scale(&p, &l, w, h), OK);
		assert_int_equal(p.width, w);
		for (int k = 0; k < w * h; k++)
			assert_true(!(p.pixels[k] >> 24) || (p.pixels[k] & 0xffffff) == 0xff0000);
		if (w > 1) {
			assert_int_equal(p.pixels[0], 0xffff0000);
			assert_int_equal(p.pixels[w - 1] >> 24, 0);
		} else {
			assert_in_range(p.pixels[0] >> 24, 120, 135);
		}
		picture_drop(&p);
		assert_null(p.pixels);
	}
	struct picture none = { 0 };

	assert_int_equal(picture_scale(&none, &l, 0, 5), ERR_RANGE);
	assert_int_equal(picture_scale(&none, &l, 5, PICTURE_SIDE_MAX + 1), ERR_RANGE);
}

static void a_logo_fits_its_box_in_its_own_proportions(void **state)
{
	static const struct {
		const char *why;
		uint16_t own_width, own_height;
		int width, height, want_width, want_height;
	} rows[] = {
		{ "height decides", 320, 96, 1000, 48, 160, 48 },
		{ "width decides", 320, 10, 100, 48, 100, 3 },
		{ "grows at most three times", 10, 10, 500, 500, 30, 30 },
		{ "never vanishes", 320, 1, 10, 10, 10, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct logo l = { .head = { .width = rows[i].own_width, .height = rows[i].own_height } };
		int width, height;

		picture_fit(&width, &height, &l, rows[i].width, rows[i].height);
		if (width != rows[i].want_width || height != rows[i].want_height)
			fail_msg("%s: %dx%d", rows[i].why, width, height);
	}
}

static void a_spinner_turns_once_around(void **state)
{
	struct spinner s = { 0 };
	uint32_t first[40 * 40], previous[40 * 40];
	unsigned bright = 0;

	(void)state;
	assert_int_equal(spinner_new(&s), OK);
	spinner_set(&s, glyphs, 40, 0x1a5fb4, 0xffffff);
	memcpy(first, s.pixels, sizeof(first));
	for (size_t i = 0; i < COUNT(first); i++)
		bright += first[i] == 0x1a5fb4;
	assert_in_range(bright, 20, 120); /* one dot in full colour */
	for (int i = 0; i < SPINNER_DOTS; i++) {
		memcpy(previous, s.pixels, sizeof(previous));
		spinner_turn(&s, 100);
		assert_true(memcmp(previous, s.pixels, sizeof(previous)) != 0);
	}
	assert_memory_equal(first, s.pixels, sizeof(first));
	for (int side = 0; side < SPINNER_SIDE_MAX + 20; side++) {
		spinner_set(&s, glyphs, side, 0x1a5fb4, 0xffffff);
		spinner_turn(&s, (unsigned)side);
	}
	spinner_drop(&s);
}

/* How dark the ring is, all around: more is done, more stays lit. */
static unsigned long darkness(struct spinner *s, unsigned done)
{
	unsigned long sum = 0;

	for (int turn = 0; turn < SPINNER_DOTS; turn++) {
		spinner_turn(s, done);
		for (int i = 0; i < s->side * s->side; i++)
			sum += 255 - (s->pixels[i] & 0xff);
	}
	return sum;
}

static void a_spinner_shows_how_much_is_done(void **state)
{
	struct spinner s = { 0 };
	unsigned long before, unknown;

	(void)state;
	assert_int_equal(spinner_new(&s), OK);
	spinner_set(&s, glyphs, 40, 0x000000, 0xffffff);
	unknown = before = darkness(&s, 100);
	assert_int_equal(darkness(&s, 0), unknown);
	for (unsigned done = 4; done < 100; done += 4) {
		unsigned long now = darkness(&s, done);

		if (now <= before)
			fail_msg("%u per cent show no more than %u", done, done - 4);
		before = now;
	}
	assert_true(before > unknown * 5 / 4);
	spinner_drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rectangles_meet_as_they_should),
		cmocka_unit_test(blending_keeps_its_ends),
		cmocka_unit_test(nothing_is_painted_outside),
		cmocka_unit_test(a_round_rectangle_is_round_on_all_corners),
		cmocka_unit_test(a_part_looks_as_it_does_in_the_whole),
		cmocka_unit_test(changes_are_what_differs),
		cmocka_unit_test(a_scene_takes_no_more_than_it_has_room_for),
		cmocka_unit_test(a_logo_is_scaled_without_bleeding),
		cmocka_unit_test(a_logo_fits_its_box_in_its_own_proportions),
		cmocka_unit_test(a_spinner_turns_once_around),
		cmocka_unit_test(a_spinner_shows_how_much_is_done),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
