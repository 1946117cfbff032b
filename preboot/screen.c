#include "screen.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arrangement.h"
#include "common/secret.h"
#include "common/workplace.h"
#include "display.h"

#define BAND_PIXELS ((size_t)256 << 10)

/* All memory that the screen has, but for glyphs, spinner and picture. May hold typed text. */
struct memory {
	struct scene scenes[2];
	uint32_t band[BAND_PIXELS]; /* painted here, then shown */
};

static struct display display;
static struct memory *memory;
static struct glyphs *glyphs;
static struct spinner spinner;
static struct picture picture;
static struct scene *shown, *next;

/* Which logo the picture is of. */
static struct {
	const uint8_t *bytes;
	size_t len;
	uint32_t id;
	int good;
	struct logo_head head;
} logo;

/* screen_spin may come between any two instructions of what stands between draw_begin and draw_end; it
 * must not then touch anything. */
static volatile int drawing;

static void draw_begin(void)
{
	drawing = 1;
	atomic_signal_fence(memory_order_seq_cst);
}

static void draw_end(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	drawing = 0;
}

static struct rect spinner_at;

static void drop_all(void)
{
	struct memory *m = memory;

	memory = NULL;
	if (m)
		secret_wipe(m, sizeof(*m));
	free(m);
	glyphs_drop(&glyphs);
	spinner_drop(&spinner);
	picture_drop(&picture);
	memset(&logo, 0, sizeof(logo));
	spinner_at = (struct rect){ 0 };
}

enum err screen_start(void)
{
	enum err e = display_start(&display);

	if (e)
		return e;
	memory = calloc(1, sizeof(*memory));
	e = memory ? glyphs_new(&glyphs) : ERR_MEMORY;
	if (!e)
		e = spinner_new(&spinner);
	if (e) {
		drop_all();
		display_stop();
		return e;
	}
	/* A scene of no size: the first draw shows everything. */
	shown = &memory->scenes[0];
	next = &memory->scenes[1];
	return OK;
}

static void read_logo(const struct rules *r)
{
	const uint8_t *bytes = r ? r->logo : NULL;
	size_t len = bytes ? r->head.logo_bytes : 0;
	struct logo decoded;

	if (bytes == logo.bytes && len == logo.len)
		return;
	picture_drop(&picture);
	logo.bytes = bytes;
	logo.len = len;
	logo.id++;
	logo.good = bytes && !logo_decode(&decoded, bytes, len);
	if (logo.good)
		logo.head = decoded.head;
}

/* Bring the logo to the size that its item has. */
static void scale_logo(const struct rect *at)
{
	struct logo decoded;

	if (picture.width == at->width && picture.height == at->height)
		return;
	picture_drop(&picture);
	if (logo_decode(&decoded, logo.bytes, logo.len) ||
	    picture_scale(&picture, &decoded, at->width, at->height))
		picture_drop(&picture); /* the page is shown without it */
}

/* What the scene's items need besides themselves. */
static void prepare(const struct scene *s, const struct view *v)
{
	const struct style_colours *colours = style_colours(v->high_contrast);

	spinner_at = (struct rect){ 0 };
	for (unsigned i = 0; i < s->count; i++) {
		if (s->items[i].kind == SCENE_PICTURE)
			scale_logo(&s->items[i].at);
		if (s->items[i].kind != SCENE_SPINNER)
			continue;
		spinner_at = s->items[i].at;
		spinner_set(&spinner, glyphs, spinner_at.width, colours->accent, colours->card.fill);
	}
}

/* Paint a part of the panel, as many rows at once as there is memory for, and show them. */
static void show(const struct scene *s, const struct rect *part)
{
	const struct rect panel = { 0, 0, s->width, s->height };
	struct rect in = rect_common(&panel, part);
	struct canvas c = { .pixels = memory->band, .at = in };
	int rows;

	if (rect_empty(&in))
		return;
	rows = (int)(BAND_PIXELS / (size_t)in.width);
	for (int y = in.y; y < in.y + in.height; y += rows) {
		c.at.y = y;
		c.at.height = in.y + in.height - y < rows ? in.y + in.height - y : rows;
		scene_paint(&c, s, glyphs, &picture, &spinner);
		display_show(&c);
	}
}

void screen_draw(const struct view *v)
{
	struct rect changes[SCENE_CHANGES_MAX];
	struct scene *before = shown;
	unsigned count;

	if (!memory)
		return;
	draw_begin();
	read_logo(v->rules);
	arrangement_make(next, v, display.width, display.height, logo.good ? &logo.head : NULL, logo.id);
	prepare(next, v);
	count = scene_changes(changes, before, next);
	for (unsigned i = 0; i < count; i++)
		show(next, &changes[i]);
	shown = next;
	next = before;
	draw_end();
}

void screen_spin(void)
{
	if (!memory || drawing || rect_empty(&spinner_at))
		return;
	spinner_turn(&spinner, workplace_progress());
	display_show(&(struct canvas){ .pixels = spinner.pixels, .at = spinner_at });
}

void screen_stop(void)
{
	if (!memory)
		return;
	draw_begin();
	display_fill(&(struct rect){ 0, 0, display.width, display.height }, 0);
	display_stop();
	drop_all();
	draw_end();
}
