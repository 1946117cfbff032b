/* Refusal: the TPM has not given its secret, and that says nothing of what was typed. Tells the person why
 * and what to do, and notes the event for the server. */
#ifndef HOLDFAST_REFUSAL_H
#define HOLDFAST_REFUSAL_H

#include <stdint.h>

#include "common/err.h"

/* e: an error of tpm_unseal other than ERR_AUTH. word: what was typed, as in a sentence (wording.h). */
void refusal_tell(enum err e, const char *word);

/* Tries that the TPM leaves before it locks itself; UINT32_MAX: it does not say. */
uint32_t refusal_tries_left(void);

/* Values of the events; docs/preboot.md. */
enum refusal_gone { REFUSAL_MISSING = 1, REFUSAL_EXCHANGED = 2 };
enum refusal_failed { REFUSAL_BROKEN = 1, REFUSAL_TAMPERED = 2 };

#endif
