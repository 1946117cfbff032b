/* Setting: a policy setting as an officer types and reads it on a command line. */
#ifndef HOLDFAST_CTL_SETTING_H
#define HOLDFAST_CTL_SETTING_H

#include <stdio.h>

#include "common/settings_host.h"

/* The JSON value of what was typed behind "NAME=":
 *   numbers, true and false, words as they are; "\n" in a banner begins a line, "\\" is one backslash;
 *   banner=@FILE takes the file's text, logo=FILE.png the picture; empty takes text or logo away.
 * Whether it is within its bounds is policy_read's to say. Says on standard error what is wrong; returns an
 * exit status. */
int setting_parse(json_t **ret, const struct setting *known, const char *text);

/* One line: name, value (a logo's size), lines of a text joined by "\n". */
void setting_print(FILE *to, const struct setting *known, const struct policy_settings *s);

/* All of them, what they may be, what they do, and their presets. */
void settings_help(FILE *to);

#endif
