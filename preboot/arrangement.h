/* Arrangement: where everything of a view stands on a panel, from 640x480 up. Makes the scene that
 * screen.c paints; touches neither firmware nor pixels.
 *
 * From above: header (logo, organisation; laptop's name and tag), card (title, body, challenge,
 * fields, message), footer (function keys, layout, Caps Lock), banner. The card's top stays where it
 * is while fields and messages come and go. What does not fit gets less space, then labels beside the
 * fields and a wider card, then smaller type; at last banner, body and message lose lines, and end in
 * an ellipsis. */
#ifndef HOLDFAST_ARRANGEMENT_H
#define HOLDFAST_ARRANGEMENT_H

#include "scene.h"
#include "style.h"
#include "view.h"

/* logo: NULL without one. logo_id: another number for another logo; the item's colour. */
void arrangement_make(struct scene *ret, const struct view *v, int width, int height,
		      const struct logo_head *logo, uint32_t logo_id);

/* The ways to arrange, from the roomiest to the tightest, ended by one with shrink 0. Known outside for
 * whoever reads a panel. */
struct arrangement_way {
	int shrink; /* percent of the type's size */
	int space;  /* percent of the space between things */
	int beside; /* labels beside the fields, wide card */
};
extern const struct arrangement_way arrangement_ways[];
/* The header ends there, with a line of the header's edge. */
int arrangement_header_height(int em, int space);

#endif
