#include "scene.h"

#include <string.h>

void scene_clear(struct scene *s, int width, int height, uint32_t page)
{
	s->width = width;
	s->height = height;
	s->page = page;
	s->count = 0;
	s->text_len = 0;
}

void scene_add(struct scene *s, const struct scene_item *item, const char *text, size_t len)
{
	struct scene_item *to = &s->items[s->count];

	if (s->count == SCENE_ITEMS_MAX || len > SCENE_TEXT_MAX - s->text_len)
		return;
	*to = *item;
	to->text = s->text_len;
	to->len = (unsigned)len;
	if (len)
		memcpy(s->text + s->text_len, text, len);
	s->text_len += (unsigned)len;
	s->count++;
}

static int same_rect(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static int same(const struct scene *a, const struct scene_item *x, const struct scene *b,
		const struct scene_item *y)
{
	return x->kind == y->kind && same_rect(&x->at, &y->at) && x->colour == y->colour &&
	       x->edge == y->edge && x->radius == y->radius && x->border == y->border &&
	       x->lettering.face == y->lettering.face && x->lettering.size == y->lettering.size &&
	       x->x == y->x && x->baseline == y->baseline && x->cell == y->cell && x->len == y->len &&
	       (!x->len || !memcmp(a->text + x->text, b->text + y->text, x->len));
}

struct changes {
	struct rect *ret;
	unsigned count;
	int too_many;
};

static void change(struct changes *c, const struct rect *r)
{
	for (unsigned i = 0; i < c->count; i++) {
		struct rect common = rect_common(&c->ret[i], r);

		if (same_rect(&common, r))
			return;
	}
	if (c->count == SCENE_CHANGES_MAX)
		c->too_many = 1;
	else
		c->ret[c->count++] = *r;
}

/* What one scene has and the other has not. The order of painting is the order of the list, so it is
 * enough to know of each item whether it is there. */
static void find_missing(struct changes *c, const struct scene *in, const struct scene *from)
{
	unsigned hint = 0;

	for (unsigned i = 0; i < in->count; i++) {
		unsigned tried = 0;

		/* Mostly the next one after the last that was found. */
		while (tried < from->count &&
		       !same(in, &in->items[i], from, &from->items[(hint + tried) % from->count]))
			tried++;
		if (tried < from->count)
			hint = (hint + tried + 1) % from->count;
		else
			change(c, &in->items[i].at);
	}
}

unsigned scene_changes(struct rect ret[SCENE_CHANGES_MAX], const struct scene *before,
		       const struct scene *after)
{
	struct changes c = { .ret = ret };

	if (before->width == after->width && before->height == after->height && before->page == after->page) {
		find_missing(&c, before, after);
		find_missing(&c, after, before);
		if (!c.too_many)
			return c.count;
	}
	ret[0] = (struct rect){ 0, 0, after->width, after->height };
	return 1;
}

static void paint_box(struct canvas *c, struct glyphs *g, const struct scene_item *i)
{
	struct rect inside = { i->at.x + i->border, i->at.y + i->border, i->at.width - 2 * i->border,
			       i->at.height - 2 * i->border };

	if (i->border)
		canvas_round(c, g, &i->at, i->radius, i->edge);
	if (!rect_empty(&inside))
		canvas_round(c, g, &inside, i->radius - i->border, i->colour);
}

void scene_paint(struct canvas *c, const struct scene *s, struct glyphs *g, const struct picture *picture,
		 const struct spinner *spinner)
{
	canvas_fill(c, &c->at, s->page);
	for (unsigned n = 0; n < s->count; n++) {
		const struct scene_item *i = &s->items[n];
		struct rect seen = rect_common(&c->at, &i->at);

		if (rect_empty(&seen))
			continue;
		if (i->kind == SCENE_BOX)
			paint_box(c, g, i);
		else if (i->kind == SCENE_TEXT)
			canvas_text(c, g, &i->at, &i->lettering, i->x, i->baseline, i->cell, i->colour,
				    s->text + i->text, i->len);
		else if (i->kind == SCENE_PICTURE && picture && picture->pixels)
			canvas_picture(c, &i->at, picture->pixels);
		else if (i->kind == SCENE_SPINNER && spinner)
			canvas_copy(c, &i->at, spinner->pixels);
	}
}
