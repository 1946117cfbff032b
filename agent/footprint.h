/* Footprint: a daemon that waits most of its life gives back what only its start and its busy moments
 * needed. */
#ifndef HOLDFAST_FOOTPRINT_H
#define HOLDFAST_FOOTPRINT_H

/* Before threads start: one heap for all of them, that shrinks again. */
void footprint_limit(void);

/* When idle: return free heap to the system, and unmap the unchanged pages of program and libraries. They stay
 * in the page cache, and what is needed comes back by itself at its next use. */
void footprint_release(void);

#endif
