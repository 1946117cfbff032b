/* Style: the screen's colours, and face and size of each kind of text. All sizes follow from one: the
 * em, in pixels of the panel. */
#ifndef HOLDFAST_STYLE_H
#define HOLDFAST_STYLE_H

#include <stdint.h>

#include "lettering.h"
#include "view.h"

enum style_text {
	STYLE_ORGANISATION,
	STYLE_LAPTOP,
	STYLE_TAG,
	STYLE_TITLE,
	STYLE_BODY,
	STYLE_CHALLENGE,
	STYLE_LABEL,
	STYLE_FIELD,
	STYLE_MESSAGE,
	STYLE_CODE,
	STYLE_TICKING,
	STYLE_BUSY,
	STYLE_KEY,
	STYLE_DOES,
	STYLE_LAYOUT,
	STYLE_CAPS,
	STYLE_BANNER,
	STYLE_TEXTS
};

/* 0x00RRGGBB. The texts' colours keep WCAG AA on what lies below them. */
struct style_box {
	uint32_t fill, edge, text;
};

struct style_colours {
	uint32_t page, accent; /* accent: what has the focus, what moves */
	uint32_t title, body, label, organisation, tag, does;
	uint32_t logo; /* what a logo lies on: those without a background count on white */
	struct style_box header, card, field, challenge, footer, key, caps, banner;
	struct style_box tones[VIEW_ERROR + 1];
	int thick; /* borders, in 1/16 em */
};
const struct style_colours *style_colours(int high_contrast);

/* The em on a panel. shrink: percent that is left of it where not everything fits. */
int style_em(int width, int height, int large_type, int shrink);

struct lettering style_lettering(enum style_text text, int em);

#endif
