/* Libraries wipe what they know to be secret, not what the compiler put beside it: libsodium's Argon2id
 * and XChaCha20 leave their key in dead stack frames, and in vector registers (registers.h). So whoever has
 * called them with a secret calls stack_wipe before returning, from the same function or from one above it. */
#ifndef HOLDFAST_STACK_H
#define HOLDFAST_STACK_H

/* Overwrite the STACK_WIPE_BYTES below the caller's frame, twice what the deepest call needs, and the vector
 * registers. */
#define STACK_WIPE_BYTES (16 * 1024)
void stack_wipe(void);

#endif
