/* Keyboard: every keyboard and serial terminal of the machine, each read by its own handle
 * (EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL), because the firmware's merged input hides which is which and
 * what the modifiers were. Where firmware has none of them, the merged input is read. */
#ifndef HOLDFAST_KEYBOARD_H
#define HOLDFAST_KEYBOARD_H

#include <efi.h>

#include "key.h"

/* Find them. Called again now and then by keyboard_read, for what is plugged in later. */
void keyboard_start(void);

/* The next key, if there is one. */
int keyboard_read(struct key *ret);

/* Is Caps Lock on, as far as the keyboards tell? */
int keyboard_caps(void);

/* Sleep until a key comes, at most so long. */
void keyboard_wait(unsigned timeout_ms);

#endif
