#include "font.h"

#define DEPTH_MAX 4

/* Bytes of a glyph; beyond the end there are zeros. */
struct reader {
	const uint8_t *at, *end;
};

static unsigned read_byte(struct reader *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

static unsigned read_number(struct reader *r)
{
	unsigned v = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		unsigned byte = read_byte(r);

		v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

static int read_signed(struct reader *r)
{
	unsigned v = read_number(r);

	return v & 1 ? -(int)(v / 2) - 1 : (int)(v / 2);
}

/* The step of a coordinate: 0 none, 1 a byte up, 2 a byte down, 3 two bytes. */
static int read_step(struct reader *r, unsigned kind)
{
	unsigned high;

	switch (kind & 3) {
	case 0:
		return 0;
	case 1:
		return (int)read_byte(r);
	case 2:
		return -(int)read_byte(r);
	default:
		high = read_byte(r);
		return (int16_t)(high << 8 | read_byte(r));
	}
}

static struct reader glyph_bytes(const struct font_table *t, unsigned number)
{
	unsigned at = number < t->glyphs ? t->offsets[number] : t->len;

	return (struct reader){ t->bytes + at, t->bytes + t->len };
}

static unsigned table_find(const struct font_table *t, uint32_t character)
{
	for (uint32_t i = 0; i < t->range_count; i++)
		if (character - t->ranges[i].first < t->ranges[i].count)
			return t->ranges[i].glyph + (character - t->ranges[i].first);
	return 0;
}

struct font_glyph font_find(enum font_face face, uint32_t character)
{
	unsigned number = face == FONT_BOLD ? table_find(&font_bold, character) : 0;

	if (number)
		return (struct font_glyph){ &font_bold, (uint16_t)number };
	return (struct font_glyph){ &font_regular, (uint16_t)table_find(&font_regular, character) };
}

int font_advance(const struct font_glyph *g)
{
	struct reader r = glyph_bytes(g->table, g->number);

	return (int)read_number(&r);
}

int font_kerning(enum font_face face, uint32_t left, uint32_t right)
{
	const struct font_table *t = face == FONT_BOLD ? &font_bold : &font_regular;
	uint32_t low = 0, high = t->pair_count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;
		const struct font_pair *p = &t->pairs[mid];

		if (p->left == left && p->right == right)
			return p->by;
		if (p->left < left || (p->left == left && p->right < right))
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/* Where a contour began, where the pen is, and the control point that waits for its curve's end. */
struct contour {
	int first[2], last[2], control[2];
	int pending;
};

static void go_to(struct contour *c, const struct font_pen *pen, const int to[static 2])
{
	if (c->pending)
		pen->curve(pen->context, c->last, c->control, to);
	else
		pen->line(pen->context, c->last, to);
	c->pending = 0;
	c->last[0] = to[0];
	c->last[1] = to[1];
}

/* Between two control points in a row lies a point of the curve. */
static void take_control(struct contour *c, const struct font_pen *pen, const int at[static 2])
{
	const int middle[2] = { (c->control[0] + at[0]) / 2, (c->control[1] + at[1]) / 2 };

	if (c->pending)
		go_to(c, pen, middle);
	c->control[0] = at[0];
	c->control[1] = at[1];
	c->pending = 1;
}

static void trace_contour(struct reader *r, int at[static 2], const int shift[static 2],
			  const struct font_pen *pen)
{
	struct contour c = { .pending = 0 };
	unsigned flags = 0, run = 0;

	for (unsigned left = read_number(r), first = 1; left && r->at < r->end; left--, first = 0) {
		if (run) {
			run--;
		} else {
			flags = read_byte(r);
			run = flags >> 5;
		}
		at[0] += read_step(r, flags >> 1);
		at[1] += read_step(r, flags >> 3);
		const int here[2] = { at[0] + shift[0], at[1] + shift[1] };

		if (first)
			c = (struct contour){ .first = { here[0], here[1] }, .last = { here[0], here[1] } };
		else if (flags & 1)
			go_to(&c, pen, here);
		else
			take_control(&c, pen, here);
	}
	go_to(&c, pen, c.first);
}

static void trace(const struct font_table *t, unsigned number, const int shift[static 2], unsigned depth,
		  const struct font_pen *pen)
{
	struct reader r = glyph_bytes(t, number);
	unsigned parts;
	int at[2] = { 0, 0 };

	read_number(&r); /* advance */
	parts = read_number(&r);
	for (unsigned i = 0; i < parts && depth && r.at < r.end; i++) {
		unsigned part = read_number(&r);
		int x = read_signed(&r), y = read_signed(&r);

		trace(t, part, (const int[2]){ shift[0] + x, shift[1] + y }, depth - 1, pen);
	}
	if (parts)
		return;
	for (unsigned contours = read_number(&r); contours && r.at < r.end; contours--)
		trace_contour(&r, at, shift, pen);
}

void font_trace(const struct font_glyph *g, const struct font_pen *pen)
{
	trace(g->table, g->number, (const int[2]){ 0, 0 }, DEPTH_MAX, pen);
}
