/* Plan: an arrangement (arrangement.h) that is tried: its measures, and the items it is made of. Without
 * a scene it is only measured. */
#ifndef HOLDFAST_PLAN_H
#define HOLDFAST_PLAN_H

#include "arrangement.h"

struct plan {
	struct scene *scene; /* NULL: it is only measured */
	const struct view *view;
	const struct style_colours *colours;
	const struct logo_head *logo;
	uint32_t logo_id;
	int width, height, em;
	struct arrangement_way way;
	unsigned banner_lines, body_lines, message_lines; /* at most */
	int bottom;                                       /* nothing reaches below */
};

#define PLAN_CAPS "Caps Lock is on"

/* Hundredths of an em, in pixels; space: of what shrinks first. */
int plan_hundredths(int em, int of);
int plan_ems(const struct plan *p, int of);
int plan_space(const struct plan *p, int of);

int plan_thickness(const struct plan *p); /* of lines */
int plan_margin(const struct plan *p);    /* left and right of everything */
struct lettering plan_lettering(const struct plan *p, enum style_text style);
int plan_line_height(const struct plan *p, enum style_text style);
int plan_text_width(const struct plan *p, enum style_text style, const char *text);

static inline int plan_least(int a, int b)
{
	return a < b ? a : b;
}

static inline int plan_most(int a, int b)
{
	return a > b ? a : b;
}

/* What does not lie on the panel as a whole, and above the bottom, is left out. */
void plan_add(const struct plan *p, const struct scene_item *item, const char *text, size_t len);

void plan_box(const struct plan *p, struct rect at, const struct style_box *box, int radius, int border);
void plan_bar(const struct plan *p, struct rect at, uint32_t colour);

/* One line of text that fits, capitals in the middle of the height. */
enum plan_align { PLAN_LEFT, PLAN_RIGHT, PLAN_CENTRE };
void plan_line(const struct plan *p, enum style_text style, struct rect at, enum plan_align align, uint32_t colour,
	       const char *text, size_t len);

/* One line that ends in an ellipsis where it does not fit. */
void plan_name(const struct plan *p, enum style_text style, struct rect at, enum plan_align align, uint32_t colour,
	       const char *text);

/* Characters in the middle of cells, in smaller type where the cells are narrow. */
void plan_cells(const struct plan *p, enum style_text style, struct rect at, int cell, uint32_t colour,
		const char *text, size_t len);

/* Lines of a text, at most so many; the last one may end in an ellipsis. at.height does not count.
 * Returns their height. */
int plan_paragraph(const struct plan *p, enum style_text style, struct rect at, uint32_t colour, const char *text,
		   unsigned lines);

#define PLAN_ELLIPSIS "\xe2\x80\xa6"

#endif
