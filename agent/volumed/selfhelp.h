/* Self-help: a user's own questions, with which pre-boot lets in who has forgotten the password (common/questions.h).
 * Only with a TPM, whose lockout counts, and only where policy has it. docs/self-help.md. */
#ifndef HOLDFAST_SELFHELP_H
#define HOLDFAST_SELFHELP_H

#include "agent/volumed/unlocked.h"
#include "common/questions.h"

struct selfhelp_form {
	const char *user, *present; /* what the user signs in with now; "": only root may leave it out */
	unsigned count, need;
	const char *questions[QUESTIONS_MAX], *answers[QUESTIONS_MAX];
};

/* Enrol, in the place of what this user had. Errors: those of present_check; ERR_STATE (policy, no TPM, locked: v->about
 * says which), ERR_RANGE, ERR_EXISTS (two answers alike), ERR_SPACE. */
MUST_CHECK enum err selfhelp_set(struct volumed *v, int by_root, const struct selfhelp_form *form);

/* Errors: ERR_NOT_FOUND; those of present_check and rotation_run. */
MUST_CHECK enum err selfhelp_remove(struct volumed *v, int by_root, const char *user, const char *present);

/* The record, its bindings and questions, out of the store; nothing is written. */
MUST_CHECK enum err selfhelp_take_out(struct store *s, const struct record *r);

/* At each settling: policy may have taken it back; who was let in by questions has to choose another password.
 * Errors: those of rotation_run and unlocked_save. */
MUST_CHECK enum err selfhelp_settle(struct volumed *v, struct unlocked *u);

#endif
