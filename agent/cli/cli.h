/* The command line: what its subcommands share. Each subcommand is a function in a file of its own,
 * cmd_NAME.c, that gets its own arguments and returns an exit status. */
#ifndef HOLDFAST_CLI_H
#define HOLDFAST_CLI_H

#include "agent/ipc.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,   /* refused or failed; the reason is on standard error */
	CLI_USAGE = 2,    /* wrong arguments */
	CLI_ABSENT = 3,   /* a daemon is not running */
	CLI_DENIED = 4,   /* root only */
	CLI_TIMEOUT = 5,  /* time is up, it may still succeed */
};

struct cli {
	const char *run; /* folder of the sockets */
};

enum cli_daemon { CLI_VOLUMED, CLI_HOLDFASTD };

/* argv[0] is the subcommand's name. */
int cli_enroll(const struct cli *cli, int argc, char **argv);
int cli_status(const struct cli *cli, int argc, char **argv);
int cli_sync(const struct cli *cli, int argc, char **argv);
int cli_tpm(const struct cli *cli, int argc, char **argv);
int cli_user(const struct cli *cli, int argc, char **argv);

/* Connect to a daemon; says on standard error why not. For volumed, makes sure that root is at the other
 * end, as passwords go there. Returns an exit status. */
int cli_connect(int *ret_fd, const struct cli *cli, enum cli_daemon daemon);
/* Connect, ask, and say what went wrong. Returns an exit status. */
int cli_ask(struct ipc_message *ret, const struct cli *cli, enum cli_daemon daemon,
	    const struct ipc_message *question, int timeout_ms);
/* Say that an answer was an error; returns the exit status for it. */
int cli_refused(const struct ipc_message *answer, enum err e);
/* Daemon's name and "systemctl start" on standard error; CLI_ABSENT. */
int cli_absent(enum cli_daemon daemon);

/* Wrong use: a line on standard error with a pointer to --help; CLI_USAGE. */
__attribute__((format(printf, 1, 2))) int cli_misused(const char *format, ...);
/* Number of seconds in an option's argument, 0 to 86400. CLI_OK or CLI_USAGE. */
int cli_seconds(unsigned *ret, const char *text);

#endif
