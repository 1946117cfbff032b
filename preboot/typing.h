/* Typing: from keys to characters, by the chosen keyboard layout. */
#ifndef HOLDFAST_TYPING_H
#define HOLDFAST_TYPING_H

#include "common/layout.h"
#include "key.h"

/* What a key typed. Holds secrets: wipe. */
struct typed {
	struct key key;
	uint16_t chars[2]; /* UCS-2; control characters come alone */
	unsigned count;
};

/* Begin with a layout by its name, "us" where it is not known. */
void typing_start(const char *layout);
/* The next layout, "us" among the first two. */
void typing_switch(void);
const struct layout *typing_layout(void);

/* Function keys give no character; a dead key gives none until its base is typed. */
void typing_key(struct typed *ret, const struct key *key);

/* The letter A to Z that a key means in a code: by the layout, or by the US layout where the layout has
 * no Latin letters; 0 for none. */
uint16_t typing_letter(const struct typed *t);

/* Forget a dead key that waits. */
void typing_drop(void);

#endif
