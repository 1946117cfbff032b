/* holdfast-ctl: the helpdesk's and the officers' command line. It signs what destroys and opens what is
 * escrowed on the officer's own machine; the server never sees the keys for either.
 * The last function is the entry; a subcommand is a file cmd_NAME.c. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "setting.h"

static const struct ctl_command commands[] = {
	{ "init", cmd_init, "--claim TEXT|FILE --officer NAME [--second-officer NAME [--second-passphrase-file F]] [--recovery-sheet FILE]",
	  "set up a new server: officer root, escrow keys, officers", NULL },
	{ "officer", cmd_officer, "add NAME [--helpdesk] [--sheet FILE] [--new-passphrase-file F] | list", "officers and their certificates", NULL },
	{ "enroll-token", cmd_enroll_token, "[--uses N] [--expires-in S]", "make a token that enrols laptops", NULL },
	{ "device", cmd_device, "list | show ID | events ID [--last N] | kill|lock|reset|rotate-recovery|sync ID [--wait S] [--yes]",
	  "laptops, and the commands to them", NULL },
	{ "escrow", cmd_escrow, "list ID | show ID [RECORD] --reason TEXT", "open an escrowed recovery key or code", NULL },
	{ "remote-help", cmd_remote_help, "CHALLENGE [--reason TEXT]",
	  "the one-time code for a user who reads out a challenge", NULL },
	{ "policy", cmd_policy, "set NAME=VALUE... | show", "the policy of the laptops", settings_help },
	{ "audit", cmd_audit, "[--after N]", "print and verify the audit log", NULL },
};

static void print_help(FILE *to)
{
	fprintf(to, "usage: holdfast-ctl [OPTIONS] COMMAND [ARGUMENTS]\n\nCommands:\n");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(to, "  %-13s %s\n  %-13s   %s\n", commands[i].name, commands[i].usage, "",
			commands[i].about);
	fprintf(to, "\nOptions (before or after COMMAND):\n"
		    "  --dir DIR              officer's folder (default: $HOLDFAST_DIR or ~/.config/holdfast)\n"
		    "  --officer NAME         which officer signs (default: the only key file in DIR)\n"
		    "  --passphrase-file F    read the passphrase from the first line of F\n"
		    "  --json                 print JSON: lists, device show and events, policy show, tokens and codes\n"
		    "  --help                 this text\n"
		    "\nExit status: 0 done, 1 failed, 2 wrong arguments, 3 refused by server or laptop.\n");
}

static const char *default_dir(void)
{
	static char dir[4096];
	const char *home = getenv("HOME");
	const char *given = getenv("HOLDFAST_DIR");

	if (given)
		return given;
	snprintf(dir, sizeof dir, "%s/.config/holdfast", home ? home : ".");
	return dir;
}

/* Take the shared options out of argv, wherever they stand; leave the rest for the subcommand. */
static int take_options(struct ctl *ret, int *argc, char **argv)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char **value = !strcmp(argv[i], "--dir")		   ? &ret->dir
				     : !strcmp(argv[i], "--officer")	   ? &ret->officer
				     : !strcmp(argv[i], "--passphrase-file") ? &ret->passphrase_file
									   : NULL;

		if (!strcmp(argv[i], "--json")) {
			ret->json = 1;
		} else if (!value) {
			argv[kept++] = argv[i];
		} else if (++i < *argc) {
			*value = argv[i];
		} else {
			return ctl_usage("", "%s needs a value", argv[i - 1]);
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

static int wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return 1;
	return 0;
}

static int run_command(const struct ctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		if (!wants_help(argc, argv))
			return commands[i].run(ctl, argc, argv);
		printf("usage: holdfast-ctl %s %s\n%s.\n", commands[i].name, commands[i].usage,
		       commands[i].about);
		if (commands[i].more)
			commands[i].more(stdout);
		return CTL_DONE;
	}
	return ctl_usage("", "there is no command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .dir = default_dir() };

	if (sodium_init() < 0)
		return ctl_fail(ERR_INTERNAL, "starting libsodium");
	if (take_options(&ctl, &argc, argv))
		return CTL_USAGE;
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_help(stdout);
		return CTL_DONE;
	}
	if (argc < 2) {
		print_help(stderr);
		return CTL_USAGE;
	}
	return run_command(&ctl, argc - 1, argv + 1);
}
