/* holdfast user: what its verbs share; each is in the table of cmd_user.c. */
#ifndef HOLDFAST_USER_H
#define HOLDFAST_USER_H

#include "cli.h"

#define USER_SLOW_MS 180000 /* a new credential costs a full Argon2id, a removal a rotation on all volumes */

struct user_options {
	int as_json, must_change, remove, pin, password;
	unsigned need; /* 0: not said */
};

/* Each returns an exit status. */
int user_bind(const struct cli *cli, const char *user, const struct user_options *o);
int user_self_help(const struct cli *cli, const char *user, const struct user_options *o);

#endif
