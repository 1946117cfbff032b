/* holdfast-ctl: what every subcommand shares: options, messages, and the table's row. */
#ifndef HOLDFAST_CTL_H
#define HOLDFAST_CTL_H

#include <stddef.h>
#include <stdio.h>

#include "common/err.h"

/* Options that every subcommand takes; the strings live as long as argv. */
struct ctl {
	const char *dir;             /* officer's folder: profile, key files, officer root */
	const char *officer;         /* whose keys; NULL: the only key file in dir */
	const char *passphrase_file; /* NULL: asked for on the terminal */
	int json;                    /* print the server's answer as JSON */
};

/* A subcommand gets what follows its name; argv[0] is the name. Returns the exit status. */
struct ctl_command {
	const char *name;
	int (*run)(const struct ctl *ctl, int argc, char **argv);
	const char *usage; /* what follows the name */
	const char *about;
	void (*more)(FILE *to); /* more of the help; NULL: none */
};

enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_REFUSED = 3 };

int cmd_init(const struct ctl *ctl, int argc, char **argv);
int cmd_officer(const struct ctl *ctl, int argc, char **argv);
int cmd_enroll_token(const struct ctl *ctl, int argc, char **argv);
int cmd_device(const struct ctl *ctl, int argc, char **argv);
int cmd_escrow(const struct ctl *ctl, int argc, char **argv);
int cmd_remote_help(const struct ctl *ctl, int argc, char **argv);
int cmd_policy(const struct ctl *ctl, int argc, char **argv);
int cmd_audit(const struct ctl *ctl, int argc, char **argv);

/* What server or laptop say, for a terminal: its printable ASCII, cut to size. Returns ret. */
const char *ctl_plain(char *ret, size_t size, const char *text);

/* One line on standard error: "holdfast-ctl: WHAT: text of e". Returns CTL_FAILED. */
int ctl_fail(enum err e, const char *what, ...) __attribute__((format(printf, 2, 3)));
/* Wrong arguments: what is wrong and how to see the help. Returns CTL_USAGE. */
int ctl_usage(const char *command, const char *what, ...) __attribute__((format(printf, 2, 3)));

#endif
