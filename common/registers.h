/* Registers: what copies and ciphers leave in the vector registers. To the firmware, whose calling
 * convention lets it expect some of them back, they are values to be saved on its stack; so whoever has
 * worked with keys wipes them before the firmware is called. */
#ifndef HOLDFAST_REGISTERS_H
#define HOLDFAST_REGISTERS_H

void registers_wipe(void);

#endif
