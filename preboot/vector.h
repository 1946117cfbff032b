/* Vector: AVX2 for as long as Argon2id runs. Firmware leaves it off, and Argon2id then takes up to
 * twice the time that anybody who guesses needs for it under an operating system.
 * Interrupts may come meanwhile: firmware's handlers save the SSE half (FXSAVE) and know no AVX
 * instruction, and without one the upper halves keep their content. */
#ifndef HOLDFAST_VECTOR_H
#define HOLDFAST_VECTOR_H

/* Without effect on a processor that lacks AVX2. */
void vector_start(void);
/* Wipes the vector registers, and leaves the processor as vector_start found it. */
void vector_stop(void);

#endif
