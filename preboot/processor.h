/* Processor: what one that helps does to itself (processor_efi.c; hosted: tests/fake/processors.c). */
#ifndef HOLDFAST_PROCESSOR_H
#define HOLDFAST_PROCESSOR_H

/* May it run our code, which uses SSE? */
int processor_is_ready(void);
/* Forget cached address translations. */
void processor_refresh(void);
/* Wait a moment, in a loop that waits for another processor. */
void processor_pause(void);
/* Wipe the vector registers. */
void processor_wipe(void);

#endif
