/* Enrolment: where this laptop's server is, and as what the server knows the laptop. Kept in
 * enrolment.json of holdfastd's state directory. It is no trust anchor: who the server is, and what it
 * may order, is known to volumed alone. */
#ifndef HOLDFAST_ENROLMENT_H
#define HOLDFAST_ENROLMENT_H

#include "token.h"

struct enrolment {
	char url[TOKEN_URL_MAX];
	char pin[TOKEN_PIN_TEXT];
	char device[33], enrolment[33]; /* hex */
};

/* Errors: ERR_NOT_FOUND (not enrolled), ERR_FORMAT, ERR_IO. */
MUST_CHECK enum err enrolment_load(struct enrolment *ret, const char *state_dir);
/* Written whole or not at all, also in a power cut. Errors: ERR_SPACE, ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err enrolment_save(const struct enrolment *e, const char *state_dir);
void enrolment_remove(const char *state_dir);

/* Ids as in a holdfast-enrolled message. Not verified: volumed does. Errors: ERR_FORMAT. */
MUST_CHECK enum err enrolment_read_ids(struct enrolment *ret, const char *enrolled);

#endif
