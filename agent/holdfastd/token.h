/* Enrolment token: what an officer hands out. docs/protocol.md, at the end of "REST". Its secret is used
 * by volumed; here it is only checked to be there. */
#ifndef HOLDFAST_TOKEN_H
#define HOLDFAST_TOKEN_H

#include "common/jwk_host.h"

#define TOKEN_TEXT_MAX 4096
#define TOKEN_URL_MAX 256
#define TOKEN_PIN_TEXT 53 /* "sha256//", 44 characters and NUL */

struct enrol_token {
	char url[TOKEN_URL_MAX];   /* https://host[:port] */
	char pin[TOKEN_PIN_TEXT];
	char root[KID_BYTES];      /* fingerprint of the officer root */
	char enterprise[33];
};

/* White space around the text is allowed, as it is pasted.
 * Errors: ERR_FORMAT, with *ret_why what is wrong and what to do, a static sentence. */
MUST_CHECK enum err enrol_token_parse(struct enrol_token *ret, const char **ret_why, const char *text);

/* https, a host, at most a port; no user, path, query or blank. */
int enrol_url_is_valid(const char *url);
int enrol_pin_is_valid(const char *pin);

#endif
