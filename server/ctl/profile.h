/* Profile: which server this folder belongs to, and whom it trusts. DIR/profile.json, made by init or,
 * for a second officer, by `officer add`; no secret in it. */
#ifndef HOLDFAST_CTL_PROFILE_H
#define HOLDFAST_CTL_PROFILE_H

#include "common/jwk_host.h"

struct profile {
	char url[256], pin[80], enterprise[33];
	struct sign_pk server, root;
};

#define PROFILE_FILE "profile.json"

/* Errors: ERR_NOT_FOUND, ERR_FORMAT. */
MUST_CHECK enum err profile_read(struct profile *ret, const char *dir);
MUST_CHECK enum err profile_write(const struct profile *p, const char *dir);

/* The claim that holdfast-server prints at its first start. Errors: ERR_FORMAT. */
struct claim {
	char url[256], pin[80], secret[64];
	struct sign_pk server;
};
MUST_CHECK enum err claim_parse(struct claim *ret, const char *text);

#endif
