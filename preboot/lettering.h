/* Lettering: text of one face and size: how wide it is, where its lines break, and where each
 * character stands. Text is UTF-8; what is malformed counts as one unknown character a byte. Widths
 * are in pixels, rounded up. */
#ifndef HOLDFAST_LETTERING_H
#define HOLDFAST_LETTERING_H

#include <stddef.h>
#include <stdint.h>

#include "font.h"

struct lettering {
	enum font_face face;
	unsigned size; /* pixels of an em */
};

#define LETTERING_UNKNOWN 0xfffd

/* The next character; *at moves on, never beyond end. *at < end is required. */
uint32_t lettering_character(const char **at, const char *end);

/* Goes along a text: start with lettering_walk, then lettering_step until it returns 0. */
struct lettering_walk {
	const struct lettering *lettering;
	const char *at, *end;
	uint32_t character; /* the one that the pen stands before */
	int x;              /* of it, in 1/1024 px */
	int next;           /* x of the one after it */
};
struct lettering_walk lettering_walk(const struct lettering *l, const char *text, size_t len);
int lettering_step(struct lettering_walk *w);

int lettering_width(const struct lettering *l, const char *text, size_t len);

/* Bytes of the longest beginning, or end, of the text that is no wider. */
size_t lettering_fit(const struct lettering *l, const char *text, size_t len, int width);
size_t lettering_fit_end(const struct lettering *l, const char *text, size_t len, int width);

/* The next line: returns its bytes, without blanks at its end; *ret_used bytes are done with then,
 * at least 1 of a text that is not empty. Lines end at "\n", else at the last blank that fits, else
 * (a word wider than the line) inside the word. */
size_t lettering_line(size_t *ret_used, const struct lettering *l, const char *text, size_t len, int width);

#endif
