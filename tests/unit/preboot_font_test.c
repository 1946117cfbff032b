/* The outlines that the build made, and text set in them. */
#include "core_test.h"

#include "preboot/font.h"
#include "preboot/glyph.h"
#include "preboot/lettering.h"

/* What an outline did. */
struct traced {
	int started, first[2], last[2];
	int low[2], high[2];
	unsigned steps, open;
};

static void follow(struct traced *t, const int from[static 2], const int to[static 2])
{
	if (!t->started || from[0] != t->last[0] || from[1] != t->last[1]) {
		if (t->started && (t->first[0] != t->last[0] || t->first[1] != t->last[1]))
			t->open++;
		memcpy(t->first, from, sizeof(t->first));
		t->started = 1;
	}
	memcpy(t->last, to, sizeof(t->last));
	for (int i = 0; i < 2; i++) {
		t->low[i] = !t->steps || to[i] < t->low[i] ? to[i] : t->low[i];
		t->high[i] = !t->steps || to[i] > t->high[i] ? to[i] : t->high[i];
	}
	t->steps++;
}

static void line(void *context, const int from[static 2], const int to[static 2])
{
	follow(context, from, to);
}

static void curve(void *context, const int from[static 2], const int control[static 2], const int to[static 2])
{
	(void)control;
	follow(context, from, to);
}

static struct traced trace(struct font_glyph g)
{
	struct traced t = { 0 };

	font_trace(&g, &(struct font_pen){ &t, line, curve });
	if (t.started && (t.first[0] != t.last[0] || t.first[1] != t.last[1]))
		t.open++;
	return t;
}

static void what_people_read_is_there(void **state)
{
	static const struct {
		const char *why;
		uint32_t first, last;
		int bold;
	} rows[] = {
		{ "ASCII", 0x21, 0x7e, 1 },           { "Latin-1", 0xa1, 0xac, 1 },
		{ "Latin-1", 0xae, 0xff, 1 },         { "Latin Extended-A", 0x100, 0x17f, 1 },
		{ "Romanian", 0x218, 0x21b, 1 },      { "Greek", 0x391, 0x3a1, 1 },
		{ "Greek", 0x3a3, 0x3ce, 1 },         { "Cyrillic", 0x400, 0x45f, 1 },
		{ "Ukrainian", 0x490, 0x491, 1 },     { "dashes", 0x2010, 0x2015, 1 },
		{ "quotes", 0x2018, 0x201e, 1 },      { "bullet", 0x2022, 0x2022, 0 },
		{ "ellipsis", 0x2026, 0x2026, 1 },    { "euro", 0x20ac, 0x20ac, 1 },
		{ "arrows", 0x2190, 0x2193, 0 },      { "capital sharp s", 0x1e9e, 0x1e9e, 1 },
		{ "Vietnamese", 0x1ea0, 0x1ef9, 0 },  { "information sign", 0x2139, 0x2139, 0 },
		{ "warning sign", 0x26a0, 0x26a0, 0 }, { "tick", 0x2713, 0x2713, 0 },
		{ "cross", 0x2717, 0x2717, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (uint32_t c = rows[i].first; c <= rows[i].last; c++) {
			struct font_glyph g = font_find(FONT_REGULAR, c), b = font_find(FONT_BOLD, c);
			struct traced t = trace(g);

			if (!g.number || !t.steps || t.open)
				fail_msg("%s: character %x: glyph %u, %u steps, %u open contours", rows[i].why, c,
					 g.number, t.steps, t.open);
			if (rows[i].bold != (b.table == &font_bold))
				fail_msg("%s: character %x, bold", rows[i].why, c);
		}
	}
}

static void every_glyph_is_a_sound_outline(void **state)
{
	const struct font_table *const tables[] = { &font_regular, &font_bold };

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (unsigned n = 0; n < tables[i]->glyphs; n++) {
			struct font_glyph g = { tables[i], (uint16_t)n };
			struct traced t = trace(g);

			if (t.open || t.low[0] < -700 || t.high[0] > 2100 || t.low[1] < -400 || t.high[1] > 1300)
				fail_msg("table %d, glyph %u: %u open contours, from %d,%d to %d,%d", i, n, t.open,
					 t.low[0], t.low[1], t.high[0], t.high[1]);
			assert_in_range(font_advance(&g), 0, 2100);
		}
	}
}

static void what_the_font_lacks_is_a_hollow_box(void **state)
{
	static const uint32_t lacking[] = { 0, 7, 0x0f, 0x7f, 0x5d0, 0x3042, 0xfffd, 0x1f600, 0xffffffff };
	struct glyphs *glyphs = NULL;
	struct glyph box;

	(void)state;
	assert_int_equal(glyphs_new(&glyphs), OK);
	for (size_t i = 0; i < COUNT(lacking); i++) {
		assert_int_equal(font_find(FONT_BOLD, lacking[i]).number, 0);
		box = glyphs_get(glyphs, FONT_REGULAR, 40, 0, lacking[i]);
		assert_true(box.width > 15 && box.height > 25);
		assert_int_equal(box.coverage[box.height / 2 * box.width + box.width / 2], 0);
		assert_true(box.coverage[box.height / 2 * box.width + 1] > 200);
	}
	glyphs_drop(&glyphs);
	assert_null(glyphs);
}

/* The names of DejaVu's measures, so that a table made wrong does not pass. */
static void measures_are_the_fonts_own(void **state)
{
	struct font_glyph h = font_find(FONT_REGULAR, 'H'), space = font_find(FONT_REGULAR, ' ');
	struct traced t = trace(h);

	(void)state;
	assert_in_range(font_regular.x_height, 555, 565);
	assert_in_range(font_regular.cap_height, 740, 750);
	assert_int_equal(t.steps, 12);
	assert_int_equal(t.low[1], 0);
	assert_int_equal(t.high[1], font_regular.cap_height);
	assert_int_equal(font_advance(&h), 770);
	assert_int_equal(trace(space).steps, 0);
	assert_int_equal(font_advance(&space), 326);
	assert_true(font_kerning(FONT_REGULAR, 'A', 'V') < 0);
	assert_true(font_kerning(FONT_BOLD, 'T', 'e') < 0);
	assert_int_equal(font_kerning(FONT_REGULAR, 'H', 'H'), 0);
	assert_int_equal(font_kerning(FONT_REGULAR, 0x10041, 'V'), 0);
}

static void the_tables_stay_small(void **state)
{
	size_t total = 0;
	const struct font_table *const tables[] = { &font_regular, &font_bold };

	(void)state;
	for (int i = 0; i < 2; i++)
		total += tables[i]->len + tables[i]->glyphs * sizeof(tables[i]->offsets[0]) +
			 tables[i]->range_count * sizeof(tables[i]->ranges[0]) +
			 tables[i]->pair_count * sizeof(tables[i]->pairs[0]);
	assert_in_range(total, 10000, 60 << 10);
}

/* A table cut short anywhere, or of noise: an end comes, and nothing beyond the bytes is read. */
static void broken_bytes_end_the_outline(void **state)
{
	static uint8_t bytes[300];
	static const uint16_t offsets[4] = { 0, 10, 200, 299 };
	struct font_table t = { .bytes = bytes, .offsets = offsets, .glyphs = 4 };

	(void)state;
	srand(5);
	for (int round = 0; round < 3000; round++) {
		uint8_t *exact;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(rand() % 3 ? rand() % 4 : rand());
		t.len = (uint32_t)(rand() % 300);
		exact = malloc(t.len + 1);
		memcpy(exact, bytes, t.len);
		t.bytes = exact;
		for (uint16_t g = 0; g < 6; g++) {
			struct font_glyph glyph = { &t, g };

			if (g >= 4 || offsets[g] <= t.len)
				trace(glyph);
		}
		free(exact);
	}
}

static void utf8_is_read_strictly(void **state)
{
	static const struct {
		const char *why, *text;
		uint32_t want[4];
	} rows[] = {
		{ "ASCII", "aZ", { 'a', 'Z' } },
		{ "two, three, four bytes", "ü€\xf0\x9f\x98\x80", { 0xfc, 0x20ac, 0x1f600 } },
		{ "the last of each length", "\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf", { 0x7ff, 0xffff, 0x10ffff } },
		{ "a continuation alone", "\x80" "a", { LETTERING_UNKNOWN, 'a' } },
		{ "cut short", "\xe2\x82", { LETTERING_UNKNOWN, LETTERING_UNKNOWN } },
		{ "cut short before ASCII", "\xc3" "a", { LETTERING_UNKNOWN, 'a' } },
		{ "overlong", "\xc0\xaf", { LETTERING_UNKNOWN, LETTERING_UNKNOWN } },
		{ "overlong, three bytes", "\xe0\x80\xaf", { LETTERING_UNKNOWN, LETTERING_UNKNOWN, LETTERING_UNKNOWN } },
		{ "a surrogate", "\xed\xa0\x80", { LETTERING_UNKNOWN, LETTERING_UNKNOWN, LETTERING_UNKNOWN } },
		{ "beyond Unicode", "\xf5", { LETTERING_UNKNOWN } },
		{ "nothing", "", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *at = rows[i].text, *end = at + strlen(at);
		size_t n = 0;

		for (; at < end; n++) {
			uint32_t got = lettering_character(&at, end);

			if (n == 4 || got != rows[i].want[n])
				fail_msg("%s: character %zu is %x", rows[i].why, n, got);
		}
		if (n < 4 && rows[i].want[n])
			fail_msg("%s: only %zu characters", rows[i].why, n);
	}
}

static void lines_break_where_they_should(void **state)
{
	static const struct lettering l = { FONT_REGULAR, 20 };
	static const struct {
		const char *why, *text, *as_wide_as;
		const char *lines[4];
	} rows[] = {
		{ "fits", "one two", "one two", { "one two" } },
		{ "at the last blank", "one two three", "one two t", { "one two", "three" } },
		{ "exactly as wide", "one two", "one two", { "one two" } },
		{ "a blank that does not fit", "one two", "one", { "one", "two" } },
		{ "at line ends", "one\ntwo", "one two three", { "one", "two" } },
		{ "an empty line", "one\n\ntwo", "one two three", { "one", "", "two" } },
		{ "blanks at the end", "one   ", "one", { "one" } },
		{ "inside a long word", "WWWWWW", "WW", { "WW", "WW", "WW" } },
		{ "a word before a long one", "i WWW", "WW", { "i", "WW", "W" } },
		{ "narrower than a letter", "WW", ".", { "W", "W" } },
		{ "letters of several bytes", "üüüü", "üü", { "üü", "üü" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int width = lettering_width(&l, rows[i].as_wide_as, strlen(rows[i].as_wide_as));
		const char *text = rows[i].text;
		size_t left = strlen(text), used, n = 0;

		for (; left; n++, text += used, left -= used) {
			size_t len = lettering_line(&used, &l, text, left, width);

			if (n == 4 || !rows[i].lines[n] || strlen(rows[i].lines[n]) != len ||
			    memcmp(rows[i].lines[n], text, len))
				fail_msg("%s: line %zu is '%.*s'", rows[i].why, n, (int)len, text);
			assert_in_range(used, 1, left);
		}
		if (n < 4 && rows[i].lines[n])
			fail_msg("%s: only %zu lines", rows[i].why, n);
	}
}

static void a_text_is_cut_to_what_fits(void **state)
{
	static const struct lettering l = { FONT_BOLD, 17 };
	static const char text[] = "Straße über die Ökonomie, €50 \xff\xfe und mehr";

	(void)state;
	for (int width = 0; width < lettering_width(&l, text, strlen(text)) + 3; width++) {
		size_t head = lettering_fit(&l, text, strlen(text), width);
		size_t tail = lettering_fit_end(&l, text, strlen(text), width);
		const char *more = text + head;

		assert_true(lettering_width(&l, text, head) <= width);
		assert_true(lettering_width(&l, text + strlen(text) - tail, tail) <= width);
		if (*more) { /* one more would not have fitted */
			lettering_character(&more, text + strlen(text));
			assert_true(lettering_width(&l, text, (size_t)(more - text)) > width);
		}
		if (tail < strlen(text)) {
			size_t longer = tail + 1;

			while (longer < strlen(text) && (text[strlen(text) - longer] & 0xc0) == 0x80 &&
			       (uint8_t)text[strlen(text) - longer] < 0xc0)
				longer++;
			assert_true(lettering_width(&l, text + strlen(text) - longer, longer) + 1 > width);
		}
	}
}

static void glyphs_are_kept_and_forgotten(void **state)
{
	struct glyphs *glyphs = NULL;
	struct glyph first, again;
	uint8_t copy[40 * 40];

	(void)state;
	assert_int_equal(glyphs_new(&glyphs), OK);
	first = glyphs_get(glyphs, FONT_BOLD, 30, 1, 'g');
	assert_true((size_t)first.width * first.height <= sizeof(copy));
	memcpy(copy, first.coverage, (size_t)first.width * first.height);
	again = glyphs_get(glyphs, FONT_BOLD, 30, 1, 'g');
	assert_ptr_equal(first.coverage, again.coverage);
	assert_ptr_not_equal(glyphs_get(glyphs, FONT_BOLD, 30, 2, 'g').coverage, first.coverage);
	/* Many more than there is memory for, and more than the table has places. */
	for (unsigned size = 1; size <= GLYPH_SIZE_MAX + 5; size++)
		for (uint32_t c = ' '; c < 'z'; c++)
			glyphs_get(glyphs, FONT_REGULAR, size, c, c);
	again = glyphs_get(glyphs, FONT_BOLD, 30, 1, 'g');
	assert_int_equal(again.width, first.width);
	assert_memory_equal(again.coverage, copy, (size_t)first.width * first.height);
	/* Hanging below the line, rising above it. */
	assert_true(again.top < 0 && again.top + again.height > 0);
	glyphs_drop(&glyphs);
	glyphs_drop(&glyphs);
}

static void edges_that_letters_share_are_sharp(void **state)
{
	struct glyphs *glyphs = NULL;

	(void)state;
	assert_int_equal(glyphs_new(&glyphs), OK);
	for (unsigned size = 11; size < 34; size++) {
		struct glyph x = glyphs_get(glyphs, FONT_REGULAR, size, 0, 'x');
		struct glyph o = glyphs_get(glyphs, FONT_REGULAR, size, 0, 'o');
		struct glyph cap = glyphs_get(glyphs, FONT_REGULAR, size, 0, 'H');
		uint8_t most = 0;

		assert_int_equal(x.top, o.top); /* round letters do not stick out */
		assert_int_equal(x.height, o.height);
		assert_int_equal(x.top + x.height, 0);
		for (int i = 0; i < cap.width; i++)
			most = cap.coverage[i] > most ? cap.coverage[i] : most;
		assert_true(most > 120); /* stems fill their first row */
	}
	glyphs_drop(&glyphs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_read_is_there),
		cmocka_unit_test(every_glyph_is_a_sound_outline),
		cmocka_unit_test(what_the_font_lacks_is_a_hollow_box),
		cmocka_unit_test(measures_are_the_fonts_own),
		cmocka_unit_test(the_tables_stay_small),
		cmocka_unit_test(broken_bytes_end_the_outline),
		cmocka_unit_test(utf8_is_read_strictly),
		cmocka_unit_test(lines_break_where_they_should),
		cmocka_unit_test(a_text_is_cut_to_what_fits),
		cmocka_unit_test(glyphs_are_kept_and_forgotten),
		cmocka_unit_test(edges_that_letters_share_are_sharp),
	};

	return RUN(tests);
}
