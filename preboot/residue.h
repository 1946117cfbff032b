/* Residue: what typing a secret has left in the firmware's own memory (scrub.h). */
#ifndef HOLDFAST_RESIDUE_H
#define HOLDFAST_RESIDUE_H

#include "line.h"

/* Search the memory of boot services for a line that Enter has ended, and overwrite it. After every try,
 * right or wrong: a wrong password is often the right one of something else. */
void residue_wipe(const struct line *typed);

#endif
