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

/* For whoever looks for a text on a panel: the sizes that the em may have, in percent, ended by 0,
 * and the widths of the cells in which the challenge and a code field show their letters. */
extern const int arrangement_shrinks[];
int arrangement_challenge_cell(int em);

#endif
