/* Prompt: asks for one line in a field of the page. Nothing typed leaves it but Enter and the keys that
 * choose another way to authenticate. */
#ifndef HOLDFAST_PROMPT_H
#define HOLDFAST_PROMPT_H

#include "ui.h"

enum prompt_end {
	PROMPT_ENTER,
	PROMPT_BACK,     /* Esc */
	PROMPT_CODE,     /* F2 or Ctrl-R: one-time code */
	PROMPT_RECOVERY, /* F3 or Ctrl-K: recovery key */
	PROMPT_CHANGE,   /* F7 or Ctrl-P: change the password */
	PROMPT_QUESTIONS,/* F8 or Ctrl-F: forgotten, self-help */
};

/* A line of at most max bytes. Empty unless Enter (or Tab) ended it. */
enum prompt_end prompt_line(struct line *ret, const char *label, size_t max, enum ui_echo echo);

/* A code, letter by letter in groups; a group that is wrong is named and taken back at once. Returns
 * with ret complete and well-formed after Enter, empty after Enter on an empty line, or with another
 * key's choice. */
enum prompt_end prompt_code(struct line *ret, const char *label, enum code_kind kind);

#endif
