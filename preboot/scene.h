/* Scene: what is on the screen, as a list of boxes and texts in the order of painting, each with its
 * place. Two scenes are compared item by item, so only what differs is painted again; and any part of
 * a scene can be painted by itself, so a part looks the same however it came about. Holds typed text
 * when that is shown: wiped by whoever owns it. */
#ifndef HOLDFAST_SCENE_H
#define HOLDFAST_SCENE_H

#include "canvas.h"
#include "picture.h"
#include "spinner.h"

#define SCENE_ITEMS_MAX 256
#define SCENE_TEXT_MAX 8192

enum scene_kind { SCENE_BOX, SCENE_TEXT, SCENE_PICTURE, SCENE_SPINNER };

struct scene_item {
	enum scene_kind kind;
	struct rect at;              /* nothing is painted outside */
	uint32_t colour, edge;       /* edge: a box's border */
	int radius, border;          /* of a box's corners; thickness of its border */
	struct lettering lettering;
	int x, baseline, cell;       /* as in canvas_text */
	unsigned text, len;          /* in the scene's text */
};

struct scene {
	int width, height; /* of the panel */
	uint32_t page;     /* colour where there is no item */
	unsigned count;
	struct scene_item items[SCENE_ITEMS_MAX];
	unsigned text_len;
	char text[SCENE_TEXT_MAX];
};

/* Empty, of the same memory. */
void scene_clear(struct scene *s, int width, int height, uint32_t page);

/* Put an item at the end; text is copied. An item too much is left out. */
void scene_add(struct scene *s, const struct scene_item *item, const char *text, size_t len);

/* Where the two differ: up to SCENE_CHANGES_MAX parts of the panel, that may overlap. Returns their
 * number; the whole panel where there are too many, or size or page differ. */
#define SCENE_CHANGES_MAX 64
unsigned scene_changes(struct rect ret[SCENE_CHANGES_MAX], const struct scene *before,
		       const struct scene *after);

/* Paint what lies in the canvas. picture and spinner may be NULL: their items are left out. */
void scene_paint(struct canvas *c, const struct scene *s, struct glyphs *g, const struct picture *picture,
		 const struct spinner *spinner);

#endif
