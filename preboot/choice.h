/* Choice: what the person has chosen at the prompt, kept in a variable over restarts. */
#ifndef HOLDFAST_CHOICE_H
#define HOLDFAST_CHOICE_H

#include "common/rules.h"

struct choice {
	char layout[RULES_LAYOUT_MAX + 1]; /* keyboard layout; "" is not kept */
	int high_contrast, large_type;
};

/* The kept choice, or what the rules say where there is none (or none that makes sense). */
void choice_load(struct choice *ret, const struct rules *r);

/* Keep it, if it differs from what is kept. Firmware that keeps no variables forgets it. */
void choice_save(const struct choice *c);

#endif
