/* Accounts of the server's two processes. Only root can change them; started by anybody else, both
 * processes run as that user, and every call here does nothing. */
#ifndef HOLDFAST_SERVER_USER_H
#define HOLDFAST_SERVER_USER_H

#include <sys/types.h>

struct user {
	const char *name;
	uid_t uid;
	gid_t gid;
	int change; /* 0: stay who we are */
};

/* wanted: a name or number, or NULL: preset, when there is such an account. 0, or 1 after a log
 * line. */
int user_find(struct user *ret, const char *wanted, const char *preset);
/* 0, or -1 with errno. */
int user_own(const char *path, const struct user *u);
int user_own_files(const char *dir, const struct user *u);
int user_become(const struct user *u);

#endif
