/* Card: the middle of the screen, with all that a person reads and types: title, body, challenge, fields,
 * message. */
#ifndef HOLDFAST_CARD_H
#define HOLDFAST_CARD_H

#include "plan.h"

/* With its padding. */
int card_height(const struct plan *p);

/* Between two heights of the panel. Its upper edge does not depend on how much it holds, as long as it fits. */
void card_put(struct plan *p, int top, int bottom);

#endif
