/* Keyboard: every keyboard and serial terminal of the machine, each read by its own handle
 * (EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL), because the firmware's merged input hides which is which and
 * what the modifiers were. The merged input is read where there is no keyboard of its own, and now and
 * then until the first key has come from anywhere. What firmware reports: docs/keyboard.md. */
#ifndef HOLDFAST_KEYBOARD_H
#define HOLDFAST_KEYBOARD_H

#include <efi.h>

#include "key.h"

/* Find them. keyboard_read looks again about each second, for what is plugged in later. */
void keyboard_start(void);

/* The next key, if there is one; *ret is a typed secret. */
int keyboard_read(struct key *ret);

/* Is Caps Lock on, as far as the keyboards tell? */
int keyboard_caps(void);

/* Sleep, at most so long, and never longer than a key may wait: come back to keyboard_read at once. */
void keyboard_wait(unsigned timeout_ms);

/* Forget what was typed and not read. */
void keyboard_drop(void);

#endif
