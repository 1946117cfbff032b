#include "plan.h"

#include <string.h>

int plan_hundredths(int em, int of)
{
	return (em * of + 50) / 100;
}

int plan_ems(const struct plan *p, int of)
{
	return plan_hundredths(p->em, of);
}

int plan_space(const struct plan *p, int of)
{
	return (p->em * of * p->way.space + 5000) / 10000;
}

int plan_thickness(const struct plan *p)
{
	int t = p->em * p->colours->thick / 16;

	return t ? t : 1;
}

int plan_margin(const struct plan *p)
{
	return plan_space(p, 90) + plan_ems(p, 60);
}

struct lettering plan_lettering(const struct plan *p, enum style_text style)
{
	return style_lettering(style, p->em);
}

int plan_line_height(const struct plan *p, enum style_text style)
{
	return (int)plan_lettering(p, style).size * (p->way.space < 100 ? 128 : 140) / 100;
}

int plan_text_width(const struct plan *p, enum style_text style, const char *text)
{
	struct lettering l = plan_lettering(p, style);

	return lettering_width(&l, text, strlen(text));
}

void plan_add(const struct plan *p, const struct scene_item *item, const char *text, size_t len)
{
	const struct rect panel = { 0, 0, p->width, p->bottom };
	struct rect common = rect_common(&panel, &item->at);

	if (p->scene && !rect_empty(&item->at) && common.width == item->at.width &&
	    common.height == item->at.height)
		scene_add(p->scene, item, text, len);
}

void plan_box(const struct plan *p, struct rect at, const struct style_box *box, int radius, int border)
{
	const struct scene_item item = { .kind = SCENE_BOX, .at = at, .colour = box->fill, .edge = box->edge,
					 .radius = radius, .border = border };

	plan_add(p, &item, NULL, 0);
}

void plan_bar(const struct plan *p, struct rect at, uint32_t colour)
{
	plan_add(p, &(struct scene_item){ .kind = SCENE_BOX, .at = at, .colour = colour }, NULL, 0);
}

/* A text's item. Letters such as J reach beyond their own width: they are not cut off. */
static void add_text(const struct plan *p, struct rect at, uint32_t colour, const struct lettering *l, int x,
		     int cell, const char *text, size_t len)
{
	int over = (int)l->size / 8, cap = (int)l->size * font_regular.cap_height / FONT_EM;
	const struct scene_item item = { .kind = SCENE_TEXT, .colour = colour, .lettering = *l, .x = x, .cell = cell,
					 .at = { at.x - over, at.y, at.width + 2 * over, at.height },
					 .baseline = at.y + (at.height + cap) / 2 };

	plan_add(p, &item, text, len);
}

void plan_line(const struct plan *p, enum style_text style, struct rect at, enum plan_align align,
	       uint32_t colour, const char *text, size_t len)
{
	struct lettering l = plan_lettering(p, style);
	int rest = at.width - lettering_width(&l, text, len);
	int before = align == PLAN_RIGHT ? rest : align == PLAN_CENTRE ? rest / 2 : 0;

	if (len)
		add_text(p, at, colour, &l, at.x + before, 0, text, len);
}

void plan_cells(const struct plan *p, enum style_text style, struct rect at, int cell, uint32_t colour,
		const char *text, size_t len)
{
	struct lettering l = plan_lettering(p, style);

	l.size = (unsigned)plan_least((int)l.size, cell * 100 / 74);
	if (len)
		add_text(p, at, colour, &l, at.x, cell, text, len);
}

/* Text and an ellipsis, cut so that both fit. Returns the bytes in ret. */
static size_t cut(char *ret, size_t size, const struct lettering *l, const char *text, size_t len, int width)
{
	int room = width - lettering_width(l, PLAN_ELLIPSIS, sizeof(PLAN_ELLIPSIS) - 1);
	size_t fits = lettering_fit(l, text, len, room);

	if (fits > size - sizeof(PLAN_ELLIPSIS))
		fits = size - sizeof(PLAN_ELLIPSIS);
	while (fits && text[fits - 1] == ' ')
		fits--;
	memcpy(ret, text, fits);
	memcpy(ret + fits, PLAN_ELLIPSIS, sizeof(PLAN_ELLIPSIS));
	return fits + sizeof(PLAN_ELLIPSIS) - 1;
}

void plan_name(const struct plan *p, enum style_text style, struct rect at, enum plan_align align,
	       uint32_t colour, const char *text)
{
	struct lettering l = plan_lettering(p, style);
	size_t len = strlen(text);
	char shorter[200];

	if (lettering_width(&l, text, len) <= at.width)
		plan_line(p, style, at, align, colour, text, len);
	else
		plan_line(p, style, at, align, colour, shorter,
			  cut(shorter, sizeof(shorter), &l, text, len, at.width));
}

int plan_paragraph(const struct plan *p, enum style_text style, struct rect at, uint32_t colour,
		   const char *text, unsigned lines)
{
	struct lettering l = plan_lettering(p, style);
	size_t left = strlen(text), used;
	int height = plan_line_height(p, style), y = 0;

	for (; left && lines; lines--, y += height, text += used, left -= used) {
		size_t len = lettering_line(&used, &l, text, left, at.width);
		const struct rect line = { at.x, at.y + y, at.width, height };
		char shorter[VIEW_TEXT_MAX];

		if (lines == 1 && used < left) {
			/* What follows counts only as far as the line's end. */
			len = cut(shorter, sizeof(shorter), &l, text, len, at.width);
			plan_line(p, style, line, PLAN_LEFT, colour, shorter, len);
			return y + height;
		}
		plan_line(p, style, line, PLAN_LEFT, colour, text, len);
	}
	return y;
}
