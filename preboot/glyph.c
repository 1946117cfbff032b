#include "glyph.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "raster.h"

#define ENTRIES 1024
#define ENTRIES_USED_MAX 768 /* then all are forgotten: the table must keep free places */
#define COVERAGE_BYTES ((size_t)1 << 20)
#define CELLS ((size_t)96 << 10)
#define CORNER_FACE 2 /* beside enum font_face */

struct entry {
	uint32_t character;
	uint8_t face, size, phase, used;
	struct glyph glyph;
};

struct glyphs {
	struct entry entries[ENTRIES];
	unsigned used;
	size_t filled; /* of coverage */
	uint8_t coverage[COVERAGE_BYTES];
	int32_t cells[CELLS];
};

enum err glyphs_new(struct glyphs **ret)
{
	struct glyphs *g = calloc(1, sizeof(*g));

	if (!g)
		return ERR_MEMORY;
	*ret = g;
	return OK;
}

void glyphs_drop(struct glyphs **g)
{
	if (*g)
		secret_wipe(*g, sizeof(**g));
	free(*g);
	*g = NULL;
}

/* Heights that letters share are moved to whole pixels, so that their edges are sharp; what round
 * letters go beyond them is left out where it is less than half a pixel. */
struct scale {
	unsigned size;
	int phase;       /* 1/256 px */
	int from[8];     /* heights in the font's units, going up */
	int to[8];       /* in 1/256 px */
	unsigned count;
};

#define OVERSHOOT 15
#define OVERSHOOT_SIZE 36 /* from here on it is seen */

static int scaled(unsigned size, int v)
{
	return v * (int)size * RASTER_ONE / FONT_EM;
}

static int whole(int v)
{
	return (v + RASTER_ONE / 2) & ~(RASTER_ONE - 1);
}

static void scale_add(struct scale *s, int from, int to)
{
	s->from[s->count] = from;
	s->to[s->count++] = to;
}

static struct scale scale_make(const struct font_table *t, unsigned size, unsigned phase)
{
	struct scale s = { .size = size, .phase = (int)phase * RASTER_ONE / GLYPH_PHASES };
	int x = whole(scaled(size, t->x_height)), cap = whole(scaled(size, t->cap_height));
	int over = size < OVERSHOOT_SIZE ? OVERSHOOT : 0;

	if (over)
		scale_add(&s, -over, 0);
	scale_add(&s, 0, 0);
	scale_add(&s, t->x_height, x);
	if (over)
		scale_add(&s, t->x_height + over, x);
	scale_add(&s, t->cap_height, cap);
	if (over)
		scale_add(&s, t->cap_height + over, cap);
	scale_add(&s, t->ascender, whole(scaled(size, t->ascender)));
	return s;
}

static int scale_y(const struct scale *s, int y)
{
	unsigned last = s->count - 1, i = 0;

	if (y <= s->from[0])
		return s->to[0] + scaled(s->size, y - s->from[0]);
	if (y >= s->from[last])
		return s->to[last] + scaled(s->size, y - s->from[last]);
	while (y > s->from[i + 1])
		i++;
	return s->to[i] + (y - s->from[i]) * (s->to[i + 1] - s->to[i]) / (s->from[i + 1] - s->from[i]);
}

/* From the font's units to the picture's, y down. */
struct plot {
	const struct scale *scale;
	struct raster raster;
	int left, top;             /* of the picture, in 1/256 px */
	int low[2], high[2], some; /* the outline's bounds */
};

static void place(int ret[static 2], const struct plot *p, const int at[static 2])
{
	ret[0] = scaled(p->scale->size, at[0]) + p->scale->phase - p->left;
	ret[1] = -scale_y(p->scale, at[1]) - p->top;
}

static void bound(struct plot *p, const int at[static 2])
{
	int to[2];

	place(to, p, at);
	for (int i = 0; i < 2; i++) {
		p->low[i] = !p->some || to[i] < p->low[i] ? to[i] : p->low[i];
		p->high[i] = !p->some || to[i] > p->high[i] ? to[i] : p->high[i];
	}
	p->some = 1;
}

static void bound_line(void *context, const int from[static 2], const int to[static 2])
{
	(void)from;
	bound(context, to);
}

static void bound_curve(void *context, const int from[static 2], const int control[static 2],
			const int to[static 2])
{
	(void)from;
	bound(context, control);
	bound(context, to);
}

static void plot_line(void *context, const int from[static 2], const int to[static 2])
{
	struct plot *p = context;
	int a[2], b[2];

	place(a, p, from);
	place(b, p, to);
	raster_line(&p->raster, a[0], a[1], b[0], b[1]);
}

static void plot_curve(void *context, const int from[static 2], const int control[static 2],
		       const int to[static 2])
{
	struct plot *p = context;
	int a[2], b[2], c[2];

	place(a, p, from);
	place(b, p, control);
	place(c, p, to);
	raster_curve(&p->raster, a[0], a[1], b[0], b[1], c[0], c[1]);
}

static void forget_all(struct glyphs *g)
{
	secret_wipe(g->entries, sizeof(g->entries));
	secret_wipe(g->coverage, g->filled);
	g->filled = 0;
	g->used = 0;
}

/* Room for a picture's coverage. The pictures that are there may have to go. */
static uint8_t *take(struct glyphs *g, size_t bytes)
{
	uint8_t *at;

	if (bytes > COVERAGE_BYTES)
		return NULL;
	if (bytes > COVERAGE_BYTES - g->filled)
		forget_all(g);
	at = g->coverage + g->filled;
	g->filled += bytes;
	return at;
}

static struct glyph draw_character(struct glyphs *g, enum font_face face, unsigned size, unsigned phase,
				   uint32_t character)
{
	struct font_glyph outline = font_find(face, character);
	struct scale scale = scale_make(outline.table, size, phase);
	struct plot p = { .scale = &scale, .raster = { .cells = g->cells, .capacity = CELLS } };
	struct glyph ret = { 0 };
	uint8_t *coverage;

	font_trace(&outline, &(struct font_pen){ &p, bound_line, bound_curve });
	if (!p.some)
		return ret;
	p.left = p.low[0] & ~(RASTER_ONE - 1);
	p.top = p.low[1] & ~(RASTER_ONE - 1);
	if (!raster_start(&p.raster, (unsigned)(p.high[0] - p.left + RASTER_ONE - 1) / RASTER_ONE,
			  (unsigned)(p.high[1] - p.top + RASTER_ONE - 1) / RASTER_ONE))
		return ret;
	coverage = take(g, (size_t)p.raster.width * p.raster.height);
	if (!coverage)
		return ret;
	font_trace(&outline, &(struct font_pen){ &p, plot_line, plot_curve });
	raster_finish(&p.raster, coverage);
	return (struct glyph){ (int16_t)(p.left / RASTER_ONE), (int16_t)(p.top / RASTER_ONE),
			       (uint16_t)p.raster.width, (uint16_t)p.raster.height, coverage };
}

/* A quarter of a circle in two curves, closed through the lower right corner. */
static struct glyph draw_corner(struct glyphs *g, unsigned radius)
{
	struct raster r = { .cells = g->cells, .capacity = CELLS };
	struct glyph ret = { 0 };
	int side = (int)radius * RASTER_ONE;
	/* tan(pi / 8) and 1 - cos(pi / 4) of the radius, in 1/1024 */
	int control = side - side * 424 / 1024, middle = side * 300 / 1024;
	uint8_t *coverage;

	if (!radius || !raster_start(&r, radius, radius))
		return ret;
	coverage = take(g, (size_t)radius * radius);
	if (!coverage)
		return ret;
	raster_curve(&r, 0, side, 0, control, middle, middle);
	raster_curve(&r, middle, middle, control, 0, side, 0);
	raster_line(&r, side, 0, side, side);
	raster_finish(&r, coverage);
	return (struct glyph){ 0, 0, (uint16_t)radius, (uint16_t)radius, coverage };
}

static int same(const struct entry *a, const struct entry *b)
{
	return a->character == b->character && a->face == b->face && a->size == b->size &&
	       a->phase == b->phase;
}

/* The key's entry, or the free one where it belongs. */
static struct entry *find(struct glyphs *g, const struct entry *key)
{
	uint32_t at = (key->character * 2654435761u + key->face * 40503u + key->size * 2246822519u +
		       key->phase * 3266489917u) >> 16;

	while (g->entries[at % ENTRIES].used && !same(&g->entries[at % ENTRIES], key))
		at++;
	return &g->entries[at % ENTRIES];
}

static struct glyph get(struct glyphs *g, struct entry key)
{
	struct entry *e = find(g, &key);

	if (e->used)
		return e->glyph;
	if (g->used == ENTRIES_USED_MAX)
		forget_all(g);
	key.used = 1;
	if (key.face == CORNER_FACE)
		key.glyph = draw_corner(g, key.size);
	else
		key.glyph = draw_character(g, key.face, key.size, key.phase, key.character);
	*find(g, &key) = key; /* drawing may have emptied the table */
	g->used++;
	return key.glyph;
}

struct glyph glyphs_get(struct glyphs *g, enum font_face face, unsigned size, unsigned phase,
			uint32_t character)
{
	if (size > GLYPH_SIZE_MAX)
		size = GLYPH_SIZE_MAX;
	return get(g, (struct entry){ .character = character, .face = (uint8_t)face, .size = (uint8_t)size,
				      .phase = (uint8_t)(phase % GLYPH_PHASES) });
}

struct glyph glyphs_corner(struct glyphs *g, unsigned radius)
{
	if (radius > GLYPH_SIZE_MAX)
		radius = GLYPH_SIZE_MAX;
	return get(g, (struct entry){ .face = CORNER_FACE, .size = (uint8_t)radius });
}
