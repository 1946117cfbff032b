/* Reads pictures of pre-boot's screen, with the font and the colours that drew them.
 *   find PICTURE TEXT     is the text there, in any of the screen's styles, exactly as it is drawn? Lines may
 *                         break at its blanks. Prints "X Y STYLE" of its first line's pen place; exit 1: no
 *   cells PICTURE TEXT    the same for a challenge's group or a code, whose letters stand in cells
 *   facts PICTURE         "WIDTH HEIGHT plain|contrast EM", the em of the page that is shown
 *   draw PAGE WIDTH HEIGHT plain|large|contrast|both PICTURE
 *                         one of the sample pages of tests/unit/view_sample.h, for this tool's own test
 * A picture is a PNG file, or a PPM as emulators write them. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preboot/arrangement.h"
#include "preboot/canvas.h"
#include "preboot/scene.h"
#include "preboot/style.h"
#include "tests/unit/view_sample.h"

#define UNIT FONT_EM
#define QUARTER (UNIT / GLYPH_PHASES)
#define SIDE_MAX 20000u
#define LETTERS_MAX 1200

struct shot {
	int width, height;
	uint32_t *pixels; /* 0x00RRGGBB */
};

static struct glyphs *glyphs;

static void shot_drop(struct shot *s)
{
	free(s->pixels);
	*s = (struct shot){ 0 };
}
#define SHOT __attribute__((cleanup(shot_drop))) struct shot

static _Noreturn void die(const char *what, const char *of)
{
	fprintf(stderr, "screen_tool: %s: %s\n", of, what);
	exit(2);
}

/* ---- pictures ---- */

static struct shot shot_new(unsigned width, unsigned height, const char *path)
{
	struct shot s = { (int)width, (int)height, NULL };

	if (!width || !height || width > SIDE_MAX || height > SIDE_MAX)
		die("no size that a panel has", path);
	s.pixels = calloc((size_t)width * height, sizeof(*s.pixels));
	if (!s.pixels)
		die("not enough memory", path);
	return s;
}

static void put_rgb(struct shot *s, const uint8_t *rgb)
{
	for (size_t i = 0; i < (size_t)s->width * (size_t)s->height; i++, rgb += 3)
		s->pixels[i] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static struct shot read_ppm(FILE *f, const char *path)
{
	unsigned width, height;
	struct shot s;
	uint8_t *rgb;
	size_t len;

	if (fscanf(f, "P6 %u %u 255", &width, &height) != 2 || fgetc(f) == EOF)
		die("neither PNG nor PPM", path);
	s = shot_new(width, height, path);
	len = 3 * (size_t)width * height;
	rgb = malloc(len);
	if (!rgb || fread(rgb, 1, len, f) != len)
		die("cut short", path);
	put_rgb(&s, rgb);
	free(rgb);
	return s;
}

static struct shot read_png(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	struct shot s;
	uint8_t *rgb;

	if (!png_image_begin_read_from_file(&image, path))
		die(image.message, path);
	image.format = PNG_FORMAT_RGB;
	s = shot_new(image.width, image.height, path);
	rgb = malloc(3 * (size_t)image.width * image.height);
	if (!rgb || !png_image_finish_read(&image, NULL, rgb, 0, NULL))
		die(image.message, path);
	put_rgb(&s, rgb);
	free(rgb);
	return s;
}

static struct shot shot_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct shot s;
	int first;

	if (!f)
		die("cannot be opened", path);
	first = fgetc(f);
	rewind(f);
	s = first == 'P' ? read_ppm(f, path) : read_png(path);
	fclose(f);
	return s;
}

static uint32_t at(const struct shot *s, int x, int y)
{
	return s->pixels[y * s->width + x];
}

/* ---- the page ---- */

struct page {
	int high_contrast;
	const struct style_colours *colours;
	int ems[16]; /* that it may have, ended by 0 */
};

/* The header's line tells the em: where it is, in the first column. */
static int header_end(const struct shot *s, const struct style_colours *c)
{
	int y = 0;

	while (y < s->height && at(s, 0, y) == c->header.fill)
		y++;
	return y > 0 && y < s->height && at(s, 0, y) == c->header.edge ? y : -1;
}

static void page_add_em(struct page *p, int em)
{
	int i = 0;

	while (p->ems[i] && p->ems[i] != em)
		i++;
	if (i < 15)
		p->ems[i] = em;
}

static struct page page_find(const struct shot *s, const char *path)
{
	struct page p = { 0 };

	for (int high = 0; high < 2; high++) {
		const struct style_colours *c = style_colours(high);
		int end = header_end(s, c);

		for (int large = 0; end > 0 && large < 2; large++) {
			for (const struct arrangement_way *way = arrangement_ways; way->shrink; way++) {
				int em = style_em(s->width, s->height, large, way->shrink);
				int line = em * c->thick / 16 ? em * c->thick / 16 : 1;

				if (arrangement_header_height(em, way->space) == end + line) {
					p.high_contrast = high;
					p.colours = c;
					page_add_em(&p, em);
				}
			}
		}
	}
	if (!p.colours)
		fprintf(stderr, "screen_tool: %s: not a page of pre-boot's\n", path);
	return p;
}

/* ---- styles ---- */

struct look {
	const char *name;
	enum style_text style;
	uint32_t colour, under;
};

#define LOOKS_MAX 32

static unsigned looks_of(struct look ret[LOOKS_MAX], const struct style_colours *c)
{
	const struct look fixed[] = {
		{ "organisation", STYLE_ORGANISATION, c->organisation, c->header.fill },
		{ "laptop", STYLE_LAPTOP, c->organisation, c->header.fill },
		{ "tag", STYLE_TAG, c->tag, c->header.fill },
		{ "title", STYLE_TITLE, c->title, c->card.fill },
		{ "body", STYLE_BODY, c->body, c->card.fill },
		{ "challenge", STYLE_CHALLENGE, c->challenge.text, c->challenge.fill },
		{ "label", STYLE_LABEL, c->label, c->card.fill },
		{ "field", STYLE_FIELD, c->field.text, c->field.fill },
		{ "key", STYLE_KEY, c->key.text, c->key.fill },
		{ "does", STYLE_DOES, c->does, c->footer.fill },
		{ "layout", STYLE_LAYOUT, c->does, c->footer.fill },
		{ "caps", STYLE_CAPS, c->caps.text, c->caps.fill },
		{ "banner", STYLE_BANNER, c->banner.text, c->banner.fill },
		{ "busy", STYLE_BUSY, c->body, c->card.fill },
	};
	unsigned count = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(ret, fixed, sizeof(fixed));
	for (int tone = VIEW_PLAIN; tone <= VIEW_ERROR; tone++) {
		const struct style_box *box = &c->tones[tone];

		ret[count++] = (struct look){ "message", STYLE_MESSAGE, box->text, box->fill };
		ret[count++] = (struct look){ "code", STYLE_CODE, box->text, box->fill };
		ret[count++] = (struct look){ "ticking", STYLE_TICKING, box->text, box->fill };
	}
	return count;
}

/* ---- letters ---- */

static uint32_t colour_at(const struct glyph *g, size_t i, const struct look *look)
{
	return canvas_blend(look->under, look->colour, g->coverage[i]);
}

/* Or next to it: two letters on one pixel are rounded twice. */
static int between(uint32_t pixel, uint32_t from, uint32_t to)
{
	for (int shift = 0; shift < 24; shift += 8) {
		int p = pixel >> shift & 0xff, a = from >> shift & 0xff, b = to >> shift & 0xff;

		if ((p < a - 1 && p < b - 1) || (p > a + 1 && p > b + 1))
			return 0;
	}
	return 1;
}

/* Can the glyph be there, its picture's corner at x, y? Its neighbours may have added to it, but not to
 * most of what it leaves free, the rows above and below it included. */
static int glyph_can_be(const struct shot *s, const struct glyph *g, int x, int y, const struct look *look)
{
	int free_pixels = 0;

	if (x < 0 || y < 1 || x + g->width > s->width || y + g->height >= s->height)
		return 0;
	for (int i = 0; i < g->width; i++)
		free_pixels += (at(s, x + i, y - 1) == look->under ? 1 : -1) +
			       (at(s, x + i, y + g->height) == look->under ? 1 : -1);
	if (free_pixels < 0)
		return 0;
	for (int i = 0; i < g->width * g->height; i++) {
		uint32_t pixel = at(s, x + i % g->width, y + i / g->width);

		if (g->coverage[i] && !between(pixel, colour_at(g, (size_t)i, look), look->colour))
			return 0;
		if (!g->coverage[i])
			free_pixels += pixel == look->under ? 1 : -1;
	}
	return free_pixels >= 0;
}

/* A text that is being read. Where its pen is, is known to a quarter of a pixel at first, and better with
 * each letter. */
struct reading {
	const struct shot *shot;
	const struct look *look;
	struct lettering lettering;
	const char *text;
	size_t len;
	int cell, cell_high; /* 0: no cells; else widths that they may have */
};

static struct glyph glyph_at(const struct reading *r, uint32_t character, int quarters)
{
	return glyphs_get(glyphs, r->lettering.face, r->lettering.size, (unsigned)quarters % GLYPH_PHASES,
			  character);
}

/* Where a text's pen can be, in 1/1024 px, low <= x < high. */
struct span {
	int low, high;
};

/* The letter that belongs at x, x counted from the first letter's place: is it there? Narrows the span.
 * Neighbouring places may both be possible. */
static int follow_letter(const struct reading *r, struct span *pen, uint32_t character, int x, int baseline)
{
	int step = canvas_text_step(&r->lettering), unit = step * QUARTER, found = 0;
	struct span all = { 0, 0 };

	for (int n = (pen->low + x) / unit - 1; n <= (pen->high + x) / unit + 1; n++) {
		/* drawn at n units if it belongs within half a unit of it */
		struct span here = { n * unit - unit / 2 - x, n * unit + unit / 2 - x };
		struct glyph g;

		if (n < 0 || here.high <= pen->low || here.low >= pen->high)
			continue;
		g = glyph_at(r, character, n * step);
		if (!glyph_can_be(r->shot, &g, n * step / GLYPH_PHASES + g.left, baseline + g.top, r->look))
			continue;
		all.low = found ? all.low : here.low;
		all.high = here.high;
		found = 1;
	}
	if (!found)
		return 0;
	pen->low = all.low > pen->low ? all.low : pen->low;
	pen->high = all.high < pen->high ? all.high : pen->high;
	return 1;
}

/* A text as it should look, and which of its columns hold letters. */
struct drawing {
	struct canvas canvas;
	uint8_t *letters; /* of each column */
	int first, last;  /* columns with letters, the panel's */
	int top, bottom;  /* rows with letters */
};

static void drawing_drop(struct drawing *d)
{
	free(d->canvas.pixels);
	free(d->letters);
}

static void drawing_add(struct drawing *d, const struct glyph *g, int x, int baseline, uint32_t colour)
{
	canvas_glyph(&d->canvas, &d->canvas.at, g, x, baseline, colour);
	memset(d->letters + x + g->left - d->canvas.at.x, 1, g->width);
	d->first = d->first < 0 ? x + g->left : d->first;
	d->last = x + g->left + g->width;
	d->top = baseline + g->top < d->top ? baseline + g->top : d->top;
	d->bottom = baseline + g->top + g->height > d->bottom ? baseline + g->top + g->height : d->bottom;
}

/* Its first letter's pen place at pen, in 1/1024 px. */
static struct drawing drawing_make(const struct reading *r, size_t len, int pen, int baseline, int cell)
{
	int size = (int)r->lettering.size, start = 0, shift = 0, step = canvas_text_step(&r->lettering);
	const struct rect at = { pen / UNIT - size, baseline - size * 19 / 20,
				 lettering_width(&r->lettering, r->text, len) + cell * (int)len + 3 * size,
				 size * 5 / 4 };
	struct drawing d = { .canvas = { calloc((size_t)(at.width * at.height), 4), at },
			     .first = -1, .top = baseline, .bottom = baseline, .letters = calloc((size_t)at.width, 1) };
	struct lettering_walk w = lettering_walk(&r->lettering, r->text, len);

	if (!d.canvas.pixels || !d.letters)
		die("not enough memory", r->text);
	canvas_fill(&d.canvas, &at, r->look->under);
	for (int first = 1; lettering_step(&w); first = 0) {
		int x = cell ? start + (cell * UNIT - (w.next - w.x)) / 2 : w.x, unit = step * QUARTER, place;
		struct glyph g;

		start += cell * UNIT;
		shift = first ? x : shift;
		place = (pen + x - shift + unit / 2) / unit * step;
		g = glyph_at(r, w.character, place);
		drawing_add(&d, &g, place / GLYPH_PHASES, baseline, r->look->colour);
	}
	return d;
}

/* The same pixels, and nothing else between them? In the outer columns there may be neighbours, too, and
 * between cells their borders. */
static int is_drawn(const struct reading *r, size_t len, int pen, int baseline, int cell)
{
	struct drawing d __attribute__((cleanup(drawing_drop))) = drawing_make(r, len, pen, baseline, cell);
	const struct rect *in = &d.canvas.at;
	int room = cell ? 0 : (int)r->lettering.size / 6, y = cell ? d.top : in->y > 0 ? in->y : 0;
	int bottom = cell ? d.bottom : in->y + in->height;

	for (; y < bottom && y < r->shot->height; y++) {
		for (int x = d.first + 1; x < d.last - 1; x++) {
			uint32_t want = d.canvas.pixels[(y - in->y) * in->width + x - in->x];
			int loose = x < d.first + room || x >= d.last - room || (cell && !d.letters[x - in->x]);

			if (at(r->shot, x, y) != want && (want != r->look->under || !loose))
				return 0;
		}
	}
	return 1;
}

/* From the first letter on, which stands at so many quarters of a pixel. Returns how many bytes of the text
 * are there in a row. */
static size_t follow(const struct reading *r, int quarters, int baseline, int cell)
{
	struct lettering_walk w = lettering_walk(&r->lettering, r->text, r->len);
	int unit = canvas_text_step(&r->lettering) * QUARTER, first = 0, start = 0;
	struct span pen = { quarters * QUARTER - unit / 2, quarters * QUARTER + unit / 2 };
	const char *reached = r->text;
	size_t got;

	for (; lettering_step(&w); reached = w.at) {
		int x = cell ? start + (cell * UNIT - (w.next - w.x)) / 2 : w.x;

		start += cell * UNIT;
		if (reached == r->text)
			first = x;
		if (w.character != ' ' && !follow_letter(r, &pen, w.character, x - first, baseline))
			break;
	}
	/* Only what may be all of the text, or all of a line, is worth the look. */
	got = (size_t)(reached - r->text);
	while (got && got < r->len && r->text[got - 1] != ' ')
		got--;
	for (int at_pen = pen.low; got && at_pen < pen.high; at_pen += 4)
		if (at_pen >= 0 && is_drawn(r, got, at_pen, baseline, cell))
			return got;
	return 0;
}

struct found {
	int x, baseline;
};

static int find_text(struct found *ret, const struct reading *r, int above, int below);

/* The rest of a text, behind a blank, on the next line, somewhere below. */
static int follow_below(const struct reading *r, size_t done, int baseline)
{
	struct reading rest = *r;
	struct found next;

	if (!done || r->cell)
		return 0;
	rest.text += done;
	rest.len -= done;
	return find_text(&next, &rest, baseline + (int)r->lettering.size,
			 baseline + 2 * (int)r->lettering.size);
}

/* The text from a place of its first letter on. */
static int follow_all(const struct reading *r, int quarters, int baseline)
{
	for (int cell = r->cell; cell <= r->cell_high; cell++) {
		size_t got = follow(r, quarters, baseline, cell);

		if (got == r->len || follow_below(r, got, baseline))
			return 1;
	}
	return 0;
}

/* The place of a glyph's strongest pixel: looked at first, it tells most places apart. */
static size_t strongest(const struct glyph *g)
{
	size_t best = 0;

	for (size_t i = 0; i < (size_t)g->width * g->height; i++)
		if (g->coverage[i] > g->coverage[best])
			best = i;
	return best;
}

static int find_first(struct found *ret, const struct reading *r, const struct glyph *g, int phase, int above,
		      int below)
{
	const struct shot *s = r->shot;
	size_t best = strongest(g);
	int dx = g->left + (int)best % g->width, dy = g->top + (int)best / g->width;
	uint32_t want = colour_at(g, best, r->look);

	for (int y = above > -dy ? above : -dy; y <= below && y + dy < s->height; y++)
		for (int x = dx < 0 ? -dx : 0; x + dx < s->width; x++)
			if (at(s, x + dx, y + dy) == want && glyph_can_be(s, g, x + g->left, y + g->top, r->look) &&
			    follow_all(r, x * GLYPH_PHASES + phase, y)) {
				*ret = (struct found){ x, y };
				return 1;
			}
	return 0;
}

/* Is it there, with its baseline between above and below? */
static int find_text(struct found *ret, const struct reading *r, int above, int below)
{
	const char *next = r->text;
	uint32_t character = lettering_character(&next, r->text + r->len);
	int found = 0;

	for (int phase = 0; !found && phase < GLYPH_PHASES; phase += canvas_text_step(&r->lettering)) {
		struct glyph g = glyph_at(r, character, phase);
		size_t bytes = (size_t)g.width * g.height;
		uint8_t *coverage = malloc(bytes + 1);

		if (!coverage)
			die("not enough memory", r->text);
		if (bytes) {
			memcpy(coverage, g.coverage, bytes); /* of its own: others are drawn meanwhile */
			g.coverage = coverage;
			found = find_first(ret, r, &g, phase, above, below);
		}
		free(coverage);
	}
	return found;
}

/* ---- commands ---- */

static int say(const struct reading *r, const struct found *f)
{
	printf("%d %d %s\n", f->x, f->baseline, r->look->name);
	return 0;
}

/* Cells of every width that a letter fits into; in wide ones the letters have their own size, in a code
 * field's narrow ones they are smaller. */
static int find_cells(struct found *ret, struct reading *r)
{
	unsigned own = r->lettering.size, least = r->look->style == STYLE_FIELD ? own / 2 : own;

	for (unsigned size = own; size >= least; size--) {
		r->lettering.size = size;
		r->cell = (int)(size * 74 / 100);
		r->cell_high = size == own ? 2 * (int)own : r->cell + 2;
		if (find_text(ret, r, 0, r->shot->height))
			return 1;
	}
	return 0;
}

static int find(const char *path, const char *text, int cells)
{
	SHOT s = shot_read(path);
	struct page p = page_find(&s, path);
	struct look looks[LOOKS_MAX];
	unsigned count = p.colours ? looks_of(looks, p.colours) : 0;
	struct found f;

	if (!*text || *text == ' ' || strlen(text) > LETTERS_MAX)
		die("a text begins with a letter, and has an end", text);
	for (int e = 0; p.ems[e]; e++) {
		for (unsigned i = 0; i < count; i++) {
			struct reading r = { .shot = &s, .look = &looks[i], .text = text, .len = strlen(text),
					     .lettering = style_lettering(looks[i].style, p.ems[e]) };

			if (cells && looks[i].style != STYLE_FIELD && looks[i].style != STYLE_CHALLENGE)
				continue;
			if (cells ? find_cells(&f, &r) : find_text(&f, &r, 0, s.height))
				return say(&r, &f);
		}
	}
	return 1;
}

static int facts(const char *path)
{
	SHOT s = shot_read(path);
	struct page p = page_find(&s, path);

	if (!p.colours)
		return 1;
	printf("%d %d %s %d\n", s.width, s.height, p.high_contrast ? "contrast" : "plain", p.ems[0]);
	return 0;
}

static struct view sample(const char *name)
{
#define X(sample_name)                       \
	if (!strcmp(name, #sample_name))     \
		return view_##sample_name();
	VIEW_SAMPLES(X)
#undef X
	die("no such page", name);
	exit(2);
}

static void paint(struct shot *s, const struct view *v)
{
	static struct scene scene;
	struct canvas c = { s->pixels, { 0, 0, s->width, s->height } };
	struct picture picture = { 0 };
	struct logo logo;
	int has_logo = v->rules && v->rules->logo && !logo_decode(&logo, v->rules->logo, v->rules->head.logo_bytes);

	arrangement_make(&scene, v, s->width, s->height, has_logo ? &logo.head : NULL, 1);
	for (unsigned i = 0; i < scene.count; i++)
		if (scene.items[i].kind == SCENE_PICTURE &&
		    picture_scale(&picture, &logo, scene.items[i].at.width, scene.items[i].at.height))
			die("not enough memory", "logo");
	scene_paint(&c, &scene, glyphs, &picture, NULL);
	picture_drop(&picture);
}

static int draw(char **argv)
{
	struct view v = sample(argv[0]);
	SHOT s = shot_new((unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10), argv[4]);
	png_image image = { .version = PNG_IMAGE_VERSION, .width = (unsigned)s.width, .height = (unsigned)s.height,
			    .format = PNG_FORMAT_BGRA };

	v.large_type = !strcmp(argv[3], "large") || !strcmp(argv[3], "both");
	v.high_contrast = !strcmp(argv[3], "contrast") || !strcmp(argv[3], "both");
	paint(&s, &v);
	for (size_t i = 0; i < (size_t)s.width * (size_t)s.height; i++)
		s.pixels[i] |= 0xff000000u;
	if (!png_image_write_to_file(&image, argv[4], 0, s.pixels, 0, NULL))
		die(image.message, argv[4]);
	return 0;
}

static int run(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(command, "find"))
		return find(argv[2], argv[3], 0);
	if (argc == 4 && !strcmp(command, "cells"))
		return find(argv[2], argv[3], 1);
	if (argc == 3 && !strcmp(command, "facts"))
		return facts(argv[2]);
	if (argc == 7 && !strcmp(command, "draw"))
		return draw(argv + 2);
	fprintf(stderr, "usage: screen_tool find|cells PICTURE TEXT, facts PICTURE, "
			"draw PAGE WIDTH HEIGHT plain|large|contrast|both PICTURE\n");
	return 2;
}

int main(int argc, char **argv)
{
	int status;

	if (glyphs_new(&glyphs))
		die("not enough memory", "glyphs");
	status = run(argc, argv);
	glyphs_drop(&glyphs);
	return status;
}
