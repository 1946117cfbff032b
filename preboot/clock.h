/* Clock: milliseconds since clock_start, from the time stamp counter, which clock_start measures
 * against the firmware once. */
#ifndef HOLDFAST_CLOCK_H
#define HOLDFAST_CLOCK_H

#include <stdint.h>

void clock_start(void);
uint64_t clock_ms(void);

#endif
