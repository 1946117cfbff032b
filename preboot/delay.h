/* Delay after wrong passwords and codes, and between look-ups of questions: 1, 2, 4, 8, 16 and then 30 seconds. */
#ifndef HOLDFAST_DELAY_H
#define HOLDFAST_DELAY_H

/* Seconds to wait after so many failures in a row; 0 for none. */
unsigned delay_s(unsigned failures);

#endif
