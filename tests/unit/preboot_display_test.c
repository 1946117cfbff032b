/* Which panel is taken, and in which mode; and what a monitor says of itself. */
#include "core_test.h"

#include "panel.h"
#include "preboot/display.h"
#include "preboot/edid.h"

#define UNTOUCHED 4711

static enum err start(struct display *ret)
{
	*ret = (struct display){ UNTOUCHED, UNTOUCHED };
	return display_start(ret);
}

static void expect_size(const char *why, int width, int height)
{
	struct display d;

	expect(why, OK, start(&d));
	if (d.width != width || d.height != height)
		fail_msg("%s: %dx%d instead of %dx%d", why, d.width, d.height, width, height);
}

static void without_a_panel_there_are_no_graphics(void **state)
{
	struct display d;
	struct panel *p;
	uint32_t pixel = 0;

	(void)state;
	panel_reset();
	expect("no panel", ERR_UNSUPPORTED, start(&d));
	assert_int_equal(d.width, UNTOUCHED);
	/* The firmware's console has graphics of its own, over no panel at all. */
	p = panel_add(800, 600);
	p->is_console = 1;
	p->modes[0].PixelFormat = PixelBltOnly;
	expect("a console without a panel", ERR_UNSUPPORTED, start(&d));
	panel_reset();
	panel_add(639, 480);
	expect("too small", ERR_UNSUPPORTED, start(&d));
	panel_reset();
	panel_add(640, 20000);
	expect("absurdly large", ERR_UNSUPPORTED, start(&d));
	panel_reset();
	p = panel_add(800, 600);
	p->graphics.Mode = NULL;
	expect("no present mode", ERR_UNSUPPORTED, start(&d));
	p->graphics.Mode = &p->mode;
	p->mode.Info = NULL;
	p->mode.MaxMode = 0;
	expect("nothing said of the present mode", ERR_UNSUPPORTED, start(&d));
	/* What is shown then goes nowhere. */
	display_stop();
	display_show(&(struct canvas){ &pixel, { 0, 0, 1, 1 } });
	display_fill(&(struct rect){ 0, 0, 1, 1 }, 0);
	assert_int_equal(p->blts, 0);
}

static void the_panels_own_size_is_chosen(void **state)
{
	static const struct {
		const char *why;
		unsigned present[2], other[3][2], prefers[2];
		int want[2];
		unsigned sets;
	} rows[] = {
		{ "the present mode is the panel's", { 1920, 1080 }, { { 800, 600 } }, { 1920, 1080 }, { 1920, 1080 }, 0 },
		{ "another mode is", { 1024, 768 }, { { 800, 600 }, { 1920, 1080 } }, { 1920, 1080 }, { 1920, 1080 }, 1 },
		{ "no mode is", { 1024, 768 }, { { 1280, 1024 } }, { 1920, 1080 }, { 1024, 768 }, 0 },
		{ "nothing preferred", { 1024, 768 }, { { 1920, 1080 } }, { 0, 0 }, { 1024, 768 }, 0 },
		{ "nothing preferred, a tiny mode", { 640, 480 }, { { 1920, 1080 }, { 800, 600 } }, { 0, 0 }, { 1920, 1080 }, 1 },
		{ "nothing preferred, monstrous modes", { 640, 480 }, { { 7680, 4320 }, { 1280, 800 } }, { 0, 0 }, { 1280, 800 }, 1 },
		{ "the only mode is small", { 640, 480 }, { { 0, 0 } }, { 0, 0 }, { 640, 480 }, 1 },
		{ "an upright panel", { 800, 600 }, { { 1200, 1920 } }, { 1200, 1920 }, { 1200, 1920 }, 1 },
		{ "4K", { 1024, 768 }, { { 3840, 2160 } }, { 3840, 2160 }, { 3840, 2160 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct panel *p;

		panel_reset();
		p = panel_add(rows[i].present[0], rows[i].present[1]);
		for (int k = 0; k < 3 && rows[i].other[k][0]; k++)
			panel_add_mode(p, rows[i].other[k][0], rows[i].other[k][1]);
		if (rows[i].prefers[0])
			panel_prefers(p, rows[i].prefers[0], rows[i].prefers[1]);
		expect_size(rows[i].why, rows[i].want[0], rows[i].want[1]);
		if (p->sets != rows[i].sets)
			fail_msg("%s: mode set %u times", rows[i].why, p->sets);
	}
}

static void firmware_that_fails_is_put_up_with(void **state)
{
	struct panel *p;

	(void)state;
	panel_reset();
	p = panel_add(1024, 768);
	panel_add_mode(p, 1920, 1080);
	panel_prefers(p, 1920, 1080);
	p->fails = 1;
	expect_size("a mode that cannot be set", 1024, 768);
	p->fails = 0;
	p->mode.MaxMode = 0xffffffff;
	p->edid_bytes[59]++;
	panel_edid_sign(p);
	expect_size("modes without end, none of which answers", 1024, 768);
}

static void with_several_panels_the_console_is_taken(void **state)
{
	struct panel *console;
	uint32_t pixel = 7;

	(void)state;
	panel_reset();
	console = panel_add(1024, 768);
	console->is_console = 1;
	console->modes[0].PixelFormat = PixelBltOnly;
	panel_add(1280, 800);
	expect_size("one panel and the console over it", 1280, 800);
	panel_add(1920, 1080);
	expect_size("two panels and the console over both", 1024, 768);
	display_show(&(struct canvas){ &pixel, { 0, 0, 1, 1 } });
	assert_int_equal(console->blts, 1);
	panel_reset();
	panel_add(1280, 800);
	panel_add(1920, 1080);
	expect_size("two panels and no console", 1280, 800);
	panel_reset();
	console = panel_add(1024, 768);
	console->is_console = 1;
	panel_add_mode(console, 1366, 768);
	panel_prefers(console, 1366, 768);
	expect_size("the console alone, over a frame buffer", 1366, 768);
}

static void only_the_panel_is_painted(void **state)
{
	static uint32_t pixels[50 * 50];
	struct panel *p;
	struct display d;

	(void)state;
	panel_reset();
	p = panel_add(640, 480);
	expect("start", OK, start(&d));
	for (size_t i = 0; i < COUNT(pixels); i++)
		pixels[i] = (uint32_t)i;
	srand(8);
	for (int i = 0; i < 2000; i++) {
		struct canvas c = { pixels, { rand() % 800 - 80, rand() % 640 - 80, 1 + rand() % 50, 1 + rand() % 50 } };
		struct rect seen = rect_common(&(struct rect){ 0, 0, 640, 480 }, &c.at);
		struct rect wild = { rand() % 3000 - 1500, rand() % 3000 - 1500, rand() % 3000 - 9, rand() % 3000 - 9 };

		display_fill(&wild, 0xffffff);
		display_show(&c);
		if (rect_empty(&seen))
			continue;
		assert_int_equal(p->pixels[seen.y * 640 + seen.x],
				 (seen.y - c.at.y) * c.at.width + seen.x - c.at.x);
		assert_int_equal(p->pixels[(seen.y + seen.height - 1) * 640 + seen.x + seen.width - 1],
				 (seen.y + seen.height - 1 - c.at.y) * c.at.width + seen.x + seen.width - 1 - c.at.x);
	}
	assert_int_equal(p->bad_blts, 0);
	display_stop();
	p->blts = 0;
	display_fill(&(struct rect){ 0, 0, 640, 480 }, 0);
	assert_int_equal(p->blts, 0);
}

static void a_monitors_word_is_checked(void **state)
{
	static const struct damage rows[] = {
		{ "the header's first byte", 0, "\1", 1, ERR_FORMAT },
		{ "the header's last byte", 7, "\1", 1, ERR_FORMAT },
		{ "no pixel clock: not a timing", 54, "\0\0", 2, ERR_NOT_FOUND },
		{ "no width", 56, "\0\0\0", 3, ERR_NOT_FOUND },
		{ "no height", 59, "\0\0\0", 3, ERR_NOT_FOUND },
		{ "a width that no panel has", 56, "\xff\0\0", 3, ERR_NOT_FOUND },
		{ "blanking does not count", 57, "\xff", 1, OK },
		{ "anything else", 20, "\x9f", 1, OK },
	};
	struct panel p;
	unsigned width, height;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&p, 0, sizeof(p));
		panel_prefers(&p, 2560, 1440);
		damage_apply(p.edid_bytes, &rows[i]);
		panel_edid_sign(&p);
		width = height = UNTOUCHED;
		expect(rows[i].why, rows[i].want, edid_preferred(&width, &height, p.edid_bytes, 128));
		assert_int_equal(width, rows[i].want ? UNTOUCHED : 2560);
		assert_int_equal(height, rows[i].want ? UNTOUCHED : 1440);
	}
	panel_prefers(&p, 2560, 1440);
	p.edid_bytes[127]++;
	expect("a wrong checksum", ERR_CHECKSUM, edid_preferred(&width, &height, p.edid_bytes, 128));
	panel_edid_sign(&p);
	for (size_t len = 0; len < 128; len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, p.edid_bytes, len);
		expect("cut short", ERR_FORMAT, edid_preferred(&width, &height, exact, len));
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_panel_there_are_no_graphics),
		cmocka_unit_test(the_panels_own_size_is_chosen),
		cmocka_unit_test(firmware_that_fails_is_put_up_with),
		cmocka_unit_test(with_several_panels_the_console_is_taken),
		cmocka_unit_test(only_the_panel_is_painted),
		cmocka_unit_test(a_monitors_word_is_checked),
	};
	int failed = RUN(tests);

	panel_reset();
	return failed;
}
