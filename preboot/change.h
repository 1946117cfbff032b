/* Change: a new password, chosen at pre-boot by who has just unlocked with the old one. */
#ifndef HOLDFAST_CHANGE_H
#define HOLDFAST_CHANGE_H

#include "login.h"

/* After store_verify. Asks for a new password if it must be changed, has expired, or the person wants to,
 * and writes both copies of the store. What goes wrong is told, and keeps nobody out. */
void change_run(struct login *l, struct storefile *f);

#endif
