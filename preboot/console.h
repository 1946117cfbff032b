/* Console: screen and keyboard, and the serial port where the firmware's console leaves it out.
 * Keys come from the firmware's merged input. */
#ifndef HOLDFAST_CONSOLE_H
#define HOLDFAST_CONSOLE_H

#include <stdint.h>

#include "key.h"

/* Clears the screen. Before it, console_say is silent. */
void console_start(void);

/* Print; UTF-8, "\n" begins a line, "\b" goes back one place. Texts of up to 400 bytes. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Wait for a key. While waiting, work is called again and again until it returns 0. */
void console_key(struct key *ret);
void console_while_idle(int (*work)(void));

/* Clock of the last key that console_key returned, ms. */
uint64_t console_last_key_ms(void);

/* Wait, counting down on one line "TEXT N s."; keys typed meanwhile are thrown away. */
void console_count_down(const char *text, unsigned seconds);

/* Wait for any key, at most so long. */
void console_pause(unsigned seconds);

#endif
