/* Questions: a user's self-help. k of n answers give a 32-byte secret by threshold shares; no answer can be
 * checked by itself. The secret is then what is "typed" for the record of kind CREDENTIAL_SELF_HELP: one
 * Argon2id, and a secret of the TPM with its lockout. More than k answers guessed together could be tested
 * against each other; that is why questions and shares lie in a box whose key only the TPM gives, to genuine
 * pre-boot. Tables: questions_v1.inc, questions_box_v1.inc. */
#ifndef HOLDFAST_QUESTIONS_H
#define HOLDFAST_QUESTIONS_H

#include "format.h"
#include "secret.h"
#include "tpm.h"

#define QUESTIONS_MAX 8
#define QUESTIONS_NEED_MIN 2
#define QUESTION_TEXT_MAX 95
#define ANSWER_BYTES_MAX 255
#define ANSWER_CHARACTERS_MIN 2 /* after normalization */
#define QUESTIONS_BYTES 1084
#define QUESTIONS_USERS_MAX 32

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct questions {
#include "questions_v1.inc"
};
struct questions_box {
#include "questions_box_v1.inc"
};
#undef FIELD
void questions_box_wipe(struct questions_box *b);
#define QUESTIONS_BOX __attribute__((cleanup(questions_box_wipe))) struct questions_box

/* What people type differently each time is taken out (docs/formats.md, "Self-help"): case (Latin, Greek,
 * Cyrillic), white space, punctuation and symbols, the Greek accent; sharp s is ss, the four Turkish i are
 * one, Cyrillic io is ie. typed: UTF-8, NFC. The result is no longer than what was typed.
 * Errors: ERR_RANGE (less than ANSWER_CHARACTERS_MIN are left, more than ANSWER_BYTES_MAX were typed),
 * ERR_FORMAT (no UTF-8, control characters), ERR_MEMORY. */
MUST_CHECK enum err answer_normalize(struct secret *ret, const struct secret *typed);

/* Make the box's inside and the secret: answers[i] to texts[i] (normalized here), need of count. salt: the
 * record's, so that the record comes first: credential_new_bound takes a salt (credential_spec).
 * *ret_secret: 64 hex digits, what credential_new_bound takes as typed.
 * Errors: ERR_RANGE (counts, texts, answers), ERR_FORMAT (an answer), ERR_EXISTS (two answers or two
 * questions alike), ERR_MEMORY. */
MUST_CHECK enum err questions_make(struct questions_box *ret, struct secret *ret_secret,
				   const char *const *texts, const struct secret *answers,
				   unsigned count, unsigned need, const uint8_t salt[static 16]);
/* The secret from exactly `need` answers; chosen[j] is the number of the question that answers[j] is to.
 * Wrong answers give a wrong secret, nothing tells. Errors: ERR_RANGE, ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err questions_answer(struct secret *ret_secret, const struct questions_box *b,
				     const unsigned *chosen, const struct secret *answers,
				     const uint8_t salt[static 16]);

/* Question i, as text: safe to show. */
const char *questions_text(const struct questions_box *b, unsigned i);

/* aad = "holdfast questions v1" || credential. Errors of open: ERR_AUTH, ERR_FORMAT (the inside). */
void questions_close(struct questions *q, const struct questions_box *b,
		     const uint8_t key[static TPM_SECRET_BYTES]);
MUST_CHECK enum err questions_open(struct questions_box *ret, const struct questions *q,
				   const uint8_t key[static TPM_SECRET_BYTES]);

#endif
