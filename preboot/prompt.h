/* Prompt: asks for a line on the console. Nothing typed leaves it but Enter and the keys that choose
 * another way to authenticate. */
#ifndef HOLDFAST_PROMPT_H
#define HOLDFAST_PROMPT_H

#include "common/code.h"
#include "line.h"

enum prompt_end {
	PROMPT_ENTER,
	PROMPT_CODE,     /* Ctrl-R or F2: one-time code */
	PROMPT_RECOVERY, /* Ctrl-K or F3: recovery key */
};

/* A line of at most max bytes; hidden shows '*' for each character (of the first 40: the screen's
 * line must not wrap, or Backspace could not go back). */
enum prompt_end prompt_line(struct line *ret, const char *label, size_t max, int hidden);

/* A code, letter by letter in groups; a group that is wrong is named and taken back at once. Returns
 * with ret complete and well-formed after Enter, empty after Enter on an empty line, or with another
 * key's choice. */
enum prompt_end prompt_code(struct line *ret, const char *label, enum code_kind kind);

#endif
