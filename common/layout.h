/* Keyboard layouts: from the key that firmware reports to the character that Linux would give. Built
 * in as one table of bytes, which build/layouts.c makes from the distribution's XKB and Compose data;
 * pre-boot types with it, the agent asks it whether a password can be typed.
 * The bytes: layout_format.h, and docs/keyboard.md, "The table".
 *
 * Firmware reports a key as the character that it has on a US keyboard, with Shift already applied.
 * So a key's place is found by that character, and Shift by which of the two characters it is. */
#ifndef HOLDFAST_LAYOUT_H
#define HOLDFAST_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define LAYOUT_NAME_MAX 15
#define LAYOUT_TITLE_MAX 31

/* All of them, over bytes that stay where they are. */
struct layouts {
	uint16_t count; /* of layouts */
	uint16_t row_count, caps_count, sequence_count, dead_count;
	const uint8_t *entries, *rows, *caps, *sequences;
};

struct layout {
	char name[LAYOUT_NAME_MAX + 1];   /* "de": XKB layout, or "de(nodeadkeys)": with its variant */
	char title[LAYOUT_TITLE_MAX + 1]; /* "German" */
	int latin;                        /* types a to z, each by a key of its own */
	const uint8_t *keys;
};

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_RANGE. */
MUST_CHECK enum err layouts_decode(struct layouts *ret, const uint8_t *bytes, size_t len);
/* The built-in ones; they always decode. "us" is the first. */
const struct layouts *layouts_builtin(void);

/* Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err layouts_get(struct layout *ret, const struct layouts *l, unsigned index);
/* *ret_index may be NULL. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err layouts_find(struct layout *ret, unsigned *ret_index, const struct layouts *l,
				 const char *name);

enum layout_modifier {
	LAYOUT_SHIFT = 1, /* counts only with the ISO key and Space, where no character tells */
	LAYOUT_ALTGR = 2, /* right Alt, or Ctrl and left Alt */
	LAYOUT_CAPS = 4,  /* Caps Lock is on */
};

/* A key as firmware reports it. */
struct layout_stroke {
	uint16_t us;       /* character on a US keyboard, Shift and Caps Lock applied; 0: the ISO key */
	uint8_t modifiers; /* enum layout_modifier */
};

/* Dead key waiting for its base. Zeroed: none, which is also how Backspace takes it back. Holds a typed
 * key: wipe it with the line. */
struct layout_dead {
	uint16_t dead;
};

/* What a stroke types: 0, 1 or 2 UCS-2 characters into ret (2 when a dead key does not combine: the
 * accent alone, then the character). A stroke that the layout has nothing for gives 0, and the dead key
 * goes on waiting. A character that no US keyboard has comes from a firmware with a layout of its own,
 * and types itself; control characters give 0. */
unsigned layout_type(uint16_t ret[static 2], struct layout_dead *d, const struct layouts *all,
		     const struct layout *l, const struct layout_stroke *stroke);

/* Can a text be typed at pre-boot?
 *   LAYOUT_RARE  only with what not every firmware reports: the ISO key beside left Shift, or Shift
 *                with Space
 *   LAYOUT_NEVER not at all, or it is no UTF-8
 * *ret_place is the first such character, from 1; not set for LAYOUT_TYPES. What can be typed is in
 * Unicode's normal form C: the table has no combining marks, and nothing that normalises to others. */
enum layout_verdict { LAYOUT_TYPES, LAYOUT_RARE, LAYOUT_NEVER };
enum layout_verdict layout_check(unsigned *ret_place, const struct layouts *all, const struct layout *l,
				 const char *text, size_t len);

/* Does the text hold a digit that the numeric keypad does not type? Firmware reports the keypad's digits
 * as those of the top row, which in some layouts ("fr", "cz") are other characters. */
int layout_keypad_differs(const struct layouts *all, const struct layout *l, const char *text, size_t len);

#endif
