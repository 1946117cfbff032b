/* The screen over panels in memory: where everything stands, what is painted, and what is left behind.
 * Writes pictures of every page to build/out/screens/hosted-*.png, for people to look at. */
#include "core_test.h"

#include <fcntl.h>
#include <malloc.h>
#include <png.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "panel.h"
#include "preboot/arrangement.h"
#include "preboot/screen.h"
#include "view_sample.h"

#define PICTURES "build/out/screens"

static const struct sample {
	const char *name;
	struct view (*make)(void);
} samples[] = {
#define X(name) { #name, view_##name },
	VIEW_SAMPLES(X)
#undef X
};

static const int sizes[][2] = { { 800, 600 },  { 1024, 768 },  { 1280, 800 },   { 1366, 768 },
				{ 1920, 1080 }, { 3840, 2160 }, { 640, 480 },    { 1200, 1920 },
				{ 3440, 1440 } };
#define SIZES_ASKED_FOR 6 /* the others must not break, but may be tight */

static struct view make(size_t sample, int mode)
{
	struct view v = samples[sample].make();

	v.large_type = mode & 1;
	v.high_contrast = mode >> 1;
	return v;
}

static struct panel *begin(const int size[2])
{
	struct panel *p;

	panel_reset();
	p = panel_add((unsigned)size[0], (unsigned)size[1]);
	expect("screen_start", OK, screen_start());
	return p;
}

static size_t pixel_count(const struct panel *p)
{
	return (size_t)p->mode.Info->HorizontalResolution * p->mode.Info->VerticalResolution;
}

/* ---- where everything stands ---- */

static const struct logo_head logo_head = { .width = 240, .height = 72 };

/* The place that an item's content takes; of a text, its letters' own. Letters in cells stand one by
 * one: part 0 to count - 1. */
static unsigned part_count(const struct scene_item *i)
{
	return i->kind == SCENE_TEXT && i->cell ? i->len : 1;
}

static struct rect part_of(const struct scene *s, const struct scene_item *i, unsigned part)
{
	const char *text = s->text + i->text;
	struct rect r = i->at;

	if (i->kind != SCENE_TEXT)
		return r;
	r.x = i->x;
	r.width = lettering_width(&i->lettering, text, i->len);
	if (i->cell) {
		r.width = lettering_width(&i->lettering, text + part, 1);
		r.x += (int)part * i->cell + (i->cell - r.width) / 2;
	}
	return r;
}

static int contains(const struct rect *outer, const struct rect *inner)
{
	struct rect common = rect_common(outer, inner);

	return !memcmp(&common, inner, sizeof(common));
}

static void describe(char *ret, size_t size, const struct scene *s, const struct scene_item *i)
{
	struct rect r = part_of(s, i, 0);

	snprintf(ret, size, "%s '%.*s' at %d,%d %dx%d", i->kind == SCENE_TEXT ? "text" : "item", (int)i->len,
		 s->text + i->text, r.x, r.y, r.width, r.height);
}

/* Nothing but boxes has something on it, and what is on a box is on it as a whole. */
static const char *part_conflict(const struct scene *s, const struct scene_item *a, unsigned a_part,
				 const struct scene_item *b, unsigned b_part)
{
	struct rect x = part_of(s, a, a_part), y = part_of(s, b, b_part), common = rect_common(&x, &y);

	if (rect_empty(&common))
		return NULL;
	if (a->kind == SCENE_BOX && b->kind == SCENE_BOX)
		return contains(&x, &y) || contains(&y, &x) ? NULL : "boxes cross";
	if (a->kind == SCENE_BOX)
		return contains(&x, &y) ? NULL : "sticks out of a box";
	if (b->kind == SCENE_BOX)
		return contains(&y, &x) ? NULL : "sticks out of a box";
	return "one on the other";
}

static const char *conflict(const struct scene *s, const struct scene_item *a, const struct scene_item *b)
{
	for (unsigned i = 0; i < part_count(a); i++) {
		for (unsigned k = 0; k < part_count(b); k++) {
			const char *problem = part_conflict(s, a, i, b, k);

			if (problem)
				return problem;
		}
	}
	return NULL;
}

static void check_scene(const char *why, const struct scene *s)
{
	const struct rect panel = { 0, 0, s->width, s->height };

	assert_true(s->count < SCENE_ITEMS_MAX && s->text_len < SCENE_TEXT_MAX);
	for (unsigned i = 0; i < s->count; i++) {
		char one[600], other[600];

		describe(one, sizeof(one), s, &s->items[i]);
		for (unsigned part = 0; part < part_count(&s->items[i]); part++) {
			struct rect r = part_of(s, &s->items[i], part);

			if (!contains(&panel, &r))
				fail_msg("%s: outside of the panel: %s", why, one);
			if (!contains(&s->items[i].at, &r))
				fail_msg("%s: cut off: %s", why, one);
		}
		for (unsigned k = 0; k < i; k++) {
			const char *problem = conflict(s, &s->items[i], &s->items[k]);

			describe(other, sizeof(other), s, &s->items[k]);
			if (problem)
				fail_msg("%s: %s: %s and %s", why, problem, one, other);
		}
	}
}

static void nothing_overlaps(void **state)
{
	static struct scene s;

	(void)state;
	for (size_t size = 0; size < COUNT(sizes); size++) {
		for (size_t i = 0; i < COUNT(samples); i++) {
			for (int mode = 0; mode < 4; mode++) {
				struct view v = make(i, mode);
				char why[80];

				snprintf(why, sizeof(why), "%s, %dx%d, mode %d", samples[i].name, sizes[size][0],
					 sizes[size][1], mode);
				arrangement_make(&s, &v, sizes[size][0], sizes[size][1], v.rules ? &logo_head : NULL,
						 1);
				check_scene(why, &s);
			}
		}
	}
}

static int has_text(const struct scene *s, const char *text)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->items[i].kind == SCENE_TEXT && s->items[i].len >= strlen(text) &&
		    !memcmp(s->text + s->items[i].text, text, strlen(text)))
			return 1;
	return 0;
}

/* On every panel and in large type all of an ordinary page is there; and of a page that is more than
 * full, what a person cannot do without. */
static void what_matters_is_always_shown(void **state)
{
	static const struct {
		struct view (*make)(void);
		const char *texts[14];
	} rows[] = {
		{ view_wrong, { "Nordwind Energie GmbH", "anna's laptop", "Device SBBSG-XTTSF", "Unlock this laptop",
				"Type your user name", "User name", "anna.müller", "Password", "Wrong user name",
				"HF-201", "Next try in 4 s.", "Caps Lock is on", "Keyboard layout: de", "Property of" } },
		{ view_code, { "One-time code", "Call your helpdesk", "SBBSG", "XTTSF", "BDBBN", "Code",
			       "BBBCE-BDBER-BFB", "Group 2 is mistyped. Type it again.", "F2", "Recovery key", "F6",
			       "Contrast, size" } },
		{ view_busy, { "Checking your password ...", "Property of" } },
		{ view_full, { "The Org", "A laptop", "A long title", "What to do", "SBBSG", "XTTSF", "BDBBN",
			       "Present password", "New password once more", "What happened", "HF-401", "F12",
			       "Caps Lock is on", "If found" } },
	};
	static struct scene s;

	(void)state;
	for (size_t size = 0; size < SIZES_ASKED_FOR; size++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			for (int mode = 0; mode < 4; mode++) {
				struct view v = rows[i].make();

				v.large_type = mode & 1;
				v.high_contrast = mode >> 1;
				arrangement_make(&s, &v, sizes[size][0], sizes[size][1], &logo_head, 1);
				for (int t = 0; t < 14 && rows[i].texts[t]; t++)
					if (!has_text(&s, rows[i].texts[t]))
						fail_msg("%dx%d, mode %d: '%s' is not shown", sizes[size][0],
							 sizes[size][1], mode, rows[i].texts[t]);
			}
		}
	}
}

/* What comes and goes while somebody types must not move what they look at. */
static void the_card_stays_where_it_is(void **state)
{
	static struct scene s;
	struct rect first = { 0 };

	(void)state;
	for (size_t size = 0; size < SIZES_ASKED_FOR; size++) {
		struct view views[4] = { view_plain(), view_plain(), view_plain(), view_busy() };

		strcpy(views[1].message, "Wrong user name or password.");
		strcpy(views[1].code, "HF-201");
		views[2].fields[1].text[0] = 0;
		views[2].caps = 1;
		for (int i = 0; i < 4; i++) {
			arrangement_make(&s, &views[i], sizes[size][0], sizes[size][1], &logo_head, 1);
			for (unsigned k = 0; k < s.count; k++)
				if (s.items[k].kind == SCENE_BOX && s.items[k].radius && !i) {
					first = s.items[k].at;
					break;
				} else if (s.items[k].kind == SCENE_BOX && s.items[k].radius) {
					assert_memory_equal(&first, &s.items[k].at, sizeof(first));
					break;
				}
		}
	}
}

/* ---- colours ---- */

/* WCAG 2.1: relative luminance, contrast ratio. The power of 2.4 by halving intervals of x^12 = y^5. */
static double power(double base)
{
	double low = 0, high = 1;

	for (int i = 0; i < 50; i++) {
		double middle = (low + high) / 2, m4 = middle * middle * middle * middle, b4 = base * base * base * base;

		/* middle = base^2.4 if middle^5 = base^12 */
		if (m4 * middle < b4 * b4 * b4)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static double luminance(uint32_t colour)
{
	static const double weights[3] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		double c = (colour >> (16 - 8 * i) & 0xff) / 255.0;

		sum += weights[i] * (c <= 0.03928 ? c / 12.92 : power((c + 0.055) / 1.055));
	}
	return sum;
}

static double contrast(uint32_t a, uint32_t b)
{
	double x = luminance(a) + 0.05, y = luminance(b) + 0.05;

	return x > y ? x / y : y / x;
}

static void check_contrast(const char *what, int high, uint32_t a, uint32_t b, double least)
{
	if (contrast(a, b) < least)
		fail_msg("%s%s: contrast of %06x on %06x is only %.2f", what, high ? ", high contrast" : "", a, b,
			 contrast(a, b));
}

static void colours_keep_wcag_aa(void **state)
{
	(void)state;
	assert_true(contrast(0, 0xffffff) > 20.99 && contrast(0, 0xffffff) < 21.01);
	assert_true(contrast(0x777777, 0xffffff) > 4.47 && contrast(0x777777, 0xffffff) < 4.49);
	for (int high = 0; high < 2; high++) {
		const struct style_colours *c = style_colours(high);
		double text = high ? 7 : 4.5, edge = 3; /* AAA where contrast is asked for */

		check_contrast("title", high, c->title, c->card.fill, text);
		check_contrast("body", high, c->body, c->card.fill, text);
		check_contrast("label", high, c->label, c->card.fill, text);
		check_contrast("organisation", high, c->organisation, c->header.fill, text);
		check_contrast("tag", high, c->tag, c->header.fill, text);
		check_contrast("what a key does", high, c->does, c->footer.fill, text);
		check_contrast("field", high, c->field.text, c->field.fill, text);
		check_contrast("field's edge", high, c->field.edge, c->card.fill, edge);
		check_contrast("focus", high, c->accent, c->card.fill, edge);
		check_contrast("challenge", high, c->challenge.text, c->challenge.fill, text);
		check_contrast("key", high, c->key.text, c->key.fill, text);
		check_contrast("Caps Lock", high, c->caps.text, c->caps.fill, text);
		check_contrast("Caps Lock at the field", high, c->tones[VIEW_WARNING].text, c->card.fill, text);
		check_contrast("banner", high, c->banner.text, c->banner.fill, text);
		for (int tone = VIEW_PLAIN; tone <= VIEW_ERROR; tone++)
			check_contrast("message", high, c->tones[tone].text, c->tones[tone].fill, text);
	}
}

/* ---- painting ---- */

static unsigned distance(uint32_t a, uint32_t b)
{
	unsigned sum = 0;

	for (int shift = 0; shift < 24; shift += 8)
		sum += (unsigned)abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff));
	return sum;
}

/* Each text has left pixels of its own colour, or nearly, where it stands. */
static void check_visible(const char *why, const struct scene *s, const uint32_t *pixels)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct scene_item *item = &s->items[i];
		char text[600];
		uint32_t under = pixels[item->at.y * s->width + item->at.x], best = under;

		if (item->kind != SCENE_TEXT)
			continue;
		for (int y = item->at.y; y < item->at.y + item->at.height; y++)
			for (int x = item->at.x; x < item->at.x + item->at.width; x++) {
				uint32_t pixel = pixels[y * s->width + x];

				best = distance(pixel, under) > distance(best, under) ? pixel : best;
			}
		describe(text, sizeof(text), s, item);
		if (contrast(best, under) < 2.5)
			fail_msg("%s: not to be seen: %s", why, text);
	}
}

static void every_text_is_seen(void **state)
{
	static struct scene s;

	(void)state;
	for (size_t size = 0; size < 2; size++) {
		for (size_t i = 0; i < COUNT(samples); i++) {
			for (int mode = 0; mode < 4; mode++) {
				struct view v = make(i, mode);
				struct panel *p;

				if (!strcmp(samples[i].name, "mad"))
					continue; /* hollow boxes, blanks and line ends */
				p = begin(sizes[size]);
				screen_draw(&v);
				arrangement_make(&s, &v, sizes[size][0], sizes[size][1], v.rules ? &logo_head : NULL,
						 1);
				check_visible(samples[i].name, &s, p->pixels);
				assert_int_equal(p->bad_blts, 0);
				screen_stop();
			}
		}
	}
}

static void compare(const char *why, const struct panel *p, const uint32_t *want)
{
	for (size_t i = 0; i < pixel_count(p); i++)
		if (p->pixels[i] != want[i])
			fail_msg("%s: pixel %zu,%zu is %06x, painted anew it is %06x", why,
				 i % p->mode.Info->HorizontalResolution, i / p->mode.Info->HorizontalResolution,
				 p->pixels[i], want[i]);
}

static uint32_t *painted_anew(const int size[2], const struct view *v)
{
	struct panel *p = begin(size);
	uint32_t *copy = malloc(4 * pixel_count(p));

	screen_draw(v);
	memcpy(copy, p->pixels, 4 * pixel_count(p));
	screen_stop();
	return copy;
}

/* One page after the other on the same screen; each must look as if it had been the first. */
static void a_change_looks_like_a_new_page(void **state)
{
	enum { STEPS = 24 };
	static uint32_t *want[STEPS];

	(void)state;
	for (size_t size = 0; size < 5; size++) {
		size_t steps = size < 2 ? STEPS : 8;
		struct panel *p;

		/* Two passes, as the screen is one: what is wanted first. */
		for (int pass = 0; pass < 2; pass++) {
			srand((unsigned)size);
			p = pass ? begin(sizes[size]) : NULL;
			for (size_t i = 0; i < steps; i++) {
				struct view v = make((size_t)rand() % COUNT(samples), i % 6 ? 0 : rand() % 4);
				char why[60];

				v.caps = rand() % 2;
				v.active = (unsigned)rand() % 4;
				view_repeat(v.fields[0].text, (size_t)rand() % 60 + 1, "Jägerlatein ");
				if (!pass) {
					want[i] = painted_anew(sizes[size], &v);
					continue;
				}
				snprintf(why, sizeof(why), "%dx%d, step %zu", sizes[size][0], sizes[size][1], i);
				screen_draw(&v);
				compare(why, p, want[i]);
				free(want[i]);
			}
		}
		assert_int_equal(p->bad_blts, 0);
		screen_stop();
	}
}

static void a_key_paints_little(void **state)
{
	struct view v = view_plain();
	struct panel *p = begin(sizes[2]);
	size_t card = 1280 * 800 / 2;

	(void)state;
	screen_draw(&v);
	assert_true(p->painted >= pixel_count(p) && p->painted < 2 * pixel_count(p));
	p->painted = p->blts = 0;
	screen_draw(&v);
	assert_int_equal(p->painted, 0);
	strcat(v.fields[1].text, "\u2022");
	screen_draw(&v);
	assert_in_range(p->painted, 100, 12000);
	p->painted = 0;
	strcpy(v.message, "Wrong user name or password.");
	screen_draw(&v);
	assert_in_range(p->painted, 1000, card);
	p->painted = 0;
	v.caps = 1;
	screen_draw(&v);
	assert_in_range(p->painted, 1000, 30000);
	screen_stop();
}

static void the_spinner_turns_in_its_place(void **state)
{
	struct view v = view_busy();
	struct panel *p = begin(sizes[2]);
	static uint32_t before[1280 * 800];
	size_t changed = 0;

	(void)state;
	screen_spin(); /* nothing is shown yet */
	assert_int_equal(p->blts, 0);
	screen_draw(&v);
	memcpy(before, p->pixels, sizeof(before));
	p->painted = 0;
	screen_spin();
	assert_in_range(p->painted, 100, 3000);
	for (size_t i = 0; i < pixel_count(p); i++)
		changed += p->pixels[i] != before[i];
	assert_in_range(changed, 20, 3000);
	/* The page painted around it leaves it as it is, and ten turns lead back. */
	v.caps = 1;
	screen_draw(&v);
	v.caps = 0;
	screen_draw(&v);
	for (int i = 0; i < SPINNER_DOTS - 1; i++)
		screen_spin();
	compare("after a whole turn", p, before);
	v.busy = NULL;
	screen_draw(&v);
	p->blts = 0;
	screen_spin(); /* idle */
	assert_int_equal(p->blts, 0);
	screen_stop();
}

/* ---- the end, and what goes wrong ---- */

static void after_the_end_the_panel_is_black_and_stays_so(void **state)
{
	struct view v = view_plain();
	struct panel *p = begin(sizes[0]);

	(void)state;
	screen_draw(&v);
	screen_stop();
	for (size_t i = 0; i < pixel_count(p); i++)
		assert_int_equal(p->pixels[i], 0);
	p->blts = 0;
	screen_draw(&v);
	screen_spin();
	screen_stop();
	assert_int_equal(p->blts, 0);
	expect("again", OK, screen_start());
	screen_draw(&v);
	assert_true(p->blts > 0);
	screen_stop();
}

static void without_a_panel_nothing_happens(void **state)
{
	struct view v = view_plain();

	(void)state;
	panel_reset();
	expect("no panel", ERR_UNSUPPORTED, screen_start());
	screen_draw(&v);
	screen_spin();
	screen_stop();
}

static size_t address_space(void)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY);

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtoul(text, NULL, 10) * 4096;
}

/* Less and less memory: an error and nothing kept, or a page without its logo; never a crash. (A
 * sanitizer's allocator says no, too: the fake, which is linked as well, asks it to.) */
static void little_memory_is_survived(void **state)
{
	struct rlimit old, less;
	unsigned failed = 0, worked = 0;
	static const int size[2] = { 3840, 2160 };

	(void)state;
	getrlimit(RLIMIT_AS, &old);
	for (size_t extra = 0; extra < 6 << 20; extra += 256 << 10) {
		struct view v = view_plain();
		struct panel *p;
		enum err e;

		panel_reset();
		p = panel_add((unsigned)size[0], (unsigned)size[1]);
		less = old;
		less.rlim_cur = address_space() + extra;
		setrlimit(RLIMIT_AS, &less);
		e = screen_start();
		if (!e)
			screen_draw(&v);
		screen_stop();
		setrlimit(RLIMIT_AS, &old);
		assert_true(e == OK || e == ERR_MEMORY);
		assert_int_equal(p->bad_blts, 0);
		if (e) {
			p->blts = 0;
			screen_draw(&v);
			assert_int_equal(p->blts, 0);
		}
		e ? failed++ : worked++;
	}
	/* 5 MiB are enough on 4K. */
	if (failed <= 2 || worked <= 4)
		fail_msg("failed %u times, worked %u times", failed, worked);
}

/* Bytes that are somewhere in this process's memory. They are given upside down, so that they are not
 * found in the question. */
static unsigned find_in_memory(const uint8_t *upside_down, size_t len)
{
	static uint8_t window[(1 << 20) + 256];
	FILE *maps = fopen("/proc/self/maps", "r");
	int fd = open("/proc/self/mem", O_RDONLY);
	char row[512];
	unsigned found = 0;

	assert_true(maps && fd >= 0);
	while (fgets(row, sizeof(row), maps)) {
		unsigned long from, to;

		if (sscanf(row, "%lx-%lx rw", &from, &to) != 2 || !strstr(row, " rw") || to - from > 1ul << 30)
			continue;
		for (; from < to; from += 1 << 20) {
			ssize_t got = pread(fd, window, sizeof(window), (off_t)from);

			/* its own copies do not count */
			if (from + sizeof(window) > (uintptr_t)window && from < (uintptr_t)window + sizeof(window))
				continue;
			for (ssize_t i = 0; i + (ssize_t)len <= got; i++) {
				size_t k = 0;

				while (k < len && 255 - window[i + (ssize_t)k] == upside_down[k])
					k++;
				found += k == len;
			}
		}
	}
	secret_wipe(window, sizeof(window));
	fclose(maps);
	close(fd);
	return found;
}

static void turn(uint8_t *ret, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = ((const uint8_t *)bytes)[i] ^ 0xff;
}

/* A letter as it is drawn in a field, upside down. Returns its bytes. */
static size_t drawn_letter(uint8_t ret[4096], uint32_t character, const int size[2])
{
	struct lettering l = style_lettering(STYLE_FIELD, style_em(size[0], size[1], 0, 100));
	struct glyphs *g = NULL;
	struct glyph glyph;
	size_t len;

	expect("glyphs", OK, glyphs_new(&g));
	glyph = glyphs_get(g, l.face, l.size, 0, character);
	len = (size_t)glyph.width * glyph.height;
	assert_in_range(len, 50, 4096);
	turn(ret, glyph.coverage, len);
	glyphs_drop(&g);
	return len;
}

static void nothing_of_what_was_typed_is_left(void **state)
{
	static const int size[2] = { 1920, 1080 };
	/* "%wordpass1" upside down; "%" is drawn at the field's beginning, and nowhere else */
	static const uint8_t typed[10] = { 0xda, 0x88, 0x90, 0x8d, 0x9b, 0x8f, 0x9e, 0x8c, 0x8c, 0xce };
	uint8_t letter[4096];
	size_t letter_len;
	struct view *v = malloc(sizeof(*v));

	(void)state;
	mallopt(M_MMAP_THRESHOLD, 64 << 20); /* what is freed stays mapped, and is searched */
	letter_len = drawn_letter(letter, '%', size);
	assert_int_equal(find_in_memory(letter, letter_len), 0);
	begin(size);
	*v = view_plain();
	turn((uint8_t *)v->fields[1].text, typed, sizeof(typed));
	v->fields[1].text[sizeof(typed)] = 0;
	screen_draw(v);
	secret_wipe(v, sizeof(*v));
	assert_true(find_in_memory(typed, sizeof(typed)) > 0);
	assert_true(find_in_memory(letter, letter_len) > 0);
	screen_stop();
	assert_int_equal(find_in_memory(typed, sizeof(typed)), 0);
	assert_int_equal(find_in_memory(letter, letter_len), 0);
	free(v);
}

static void a_logo_that_is_none_is_left_out(void **state)
{
	struct view v = view_plain();
	struct panel *p;
	uint32_t *without;

	(void)state;
	view_rules.logo = NULL;
	without = painted_anew(sizes[2], &v);
	v = view_plain();
	view_rules.logo[0] ^= 1;
	p = begin(sizes[2]);
	screen_draw(&v);
	compare("a damaged logo", p, without);
	view_rules.logo[0] ^= 1;
	view_rules.logo = NULL;
	screen_draw(&v);
	v = view_plain(); /* it comes later */
	screen_draw(&v);
	for (size_t i = 0; i < pixel_count(p); i++)
		if (p->pixels[i] != without[i]) {
			free(without);
			screen_stop();
			return;
		}
	fail_msg("the logo is not shown");
}

/* ---- pictures ---- */

static void save(const struct panel *p, const char *name)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .width = p->mode.Info->HorizontalResolution,
			    .height = p->mode.Info->VerticalResolution, .format = PNG_FORMAT_RGB };
	size_t count = pixel_count(p);
	uint8_t *rgb = malloc(3 * count);
	char path[200], new_path[220];

	for (size_t i = 0; i < 3 * count; i++)
		rgb[i] = (uint8_t)(p->pixels[i / 3] >> (16 - 8 * (i % 3)));
	snprintf(path, sizeof(path), PICTURES "/hosted-%s.png", name);
	/* the sanitized test may write the same at the same time */
	snprintf(new_path, sizeof(new_path), "%s.%d", path, (int)getpid());
	assert_true(png_image_write_to_file(&image, new_path, 0, rgb, 0, NULL));
	assert_int_equal(rename(new_path, path), 0);
	free(rgb);
}

static void pictures_for_people(void **state)
{
	(void)state;
	mkdir("build/out", 0777);
	mkdir(PICTURES, 0777);
	for (size_t size = 0; size < SIZES_ASKED_FOR; size++) {
		for (size_t i = 0; i < COUNT(samples); i++) {
			for (int mode = 0; mode < (size < 2 ? 4 : 1); mode++) {
				struct view v = make(i, mode);
				struct panel *p;
				char name[100];

				if (size == 5 && i > 3)
					continue;
				p = begin(sizes[size]);
				screen_draw(&v);
				snprintf(name, sizeof(name), "%s-%dx%d%s%s", samples[i].name, sizes[size][0],
					 sizes[size][1], mode & 1 ? "-large" : "", mode & 2 ? "-contrast" : "");
				save(p, name);
				screen_stop();
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_overlaps),
		cmocka_unit_test(what_matters_is_always_shown),
		cmocka_unit_test(the_card_stays_where_it_is),
		cmocka_unit_test(colours_keep_wcag_aa),
		cmocka_unit_test(every_text_is_seen),
		cmocka_unit_test(a_change_looks_like_a_new_page),
		cmocka_unit_test(a_key_paints_little),
		cmocka_unit_test(the_spinner_turns_in_its_place),
		cmocka_unit_test(after_the_end_the_panel_is_black_and_stays_so),
		cmocka_unit_test(without_a_panel_nothing_happens),
		cmocka_unit_test(a_logo_that_is_none_is_left_out),
		cmocka_unit_test(little_memory_is_survived),
		cmocka_unit_test(nothing_of_what_was_typed_is_left),
		cmocka_unit_test(pictures_for_people),
	};
	int failed;

	/* So that a large block comes from the kernel, which little_memory_is_survived forbids. */
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	failed = RUN(tests);
	panel_reset();
	return failed;
}
