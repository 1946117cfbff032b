/* Self-help: who has forgotten the password or PIN answers questions of his own. The questions lie in a box
 * whose key the TPM gives to genuine pre-boot; enough answers give what is "typed" for the user's self-help
 * record (questions.h), and opening that goes the way of any other try. */
#ifndef HOLDFAST_SELFHELP_H
#define HOLDFAST_SELFHELP_H

#include "common/store.h"
#include "prompt.h"

/* Is it to be offered? Somebody has questions, and there is a TPM. */
int selfhelp_offered(const struct store *s);

/* What belongs to a user. Drop with selfhelp_drop. */
struct selfhelp {
	struct record *record;    /* points into the store */
	struct questions_box box;
	enum err tpm;             /* what the TPM said; OK */
};
void selfhelp_drop(struct selfhelp *h);
#define SELFHELP __attribute__((cleanup(selfhelp_drop))) struct selfhelp

/* A user's questions. One who has none takes as long. ret->tpm is written on failure as well.
 * Errors: ERR_DENIED (none), ERR_SIGNATURE (a box that the key does not open); where ret->tpm is set, that. */
MUST_CHECK enum err selfhelp_open(struct selfhelp *ret, const struct store *s, const char *user);

/* Ask until enough are answered. PROMPT_ENTER: all asked; *ret is what the answers give, and empty if they
 * were too few (said). Else where the person wants to go. */
enum prompt_end selfhelp_ask(struct secret *ret, const struct selfhelp *h);

#endif
