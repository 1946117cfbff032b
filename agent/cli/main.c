/* holdfast: what a person at the laptop sees of Holdfast. The last function shows the whole. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct command {
	const char *name;
	int (*run)(const struct cli *cli, int argc, char **argv);
	const char *description;
} commands[] = {
	{ "status", cli_status, "show whether this laptop is protected, and what it waits for" },
	{ "enroll", cli_enroll, "join an organisation with an enrolment token (root)" },
	{ "sync", cli_sync, "exchange everything with the server now" },
	{ "tpm", cli_tpm, "seal to this start what the TPM holds (root)" },
	{ "user", cli_user, "add, remove or list the people who unlock this laptop (root)" },
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int help(FILE *to)
{
	fputs("Usage: holdfast [--run DIR] COMMAND [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].description);
	fputs("\n  --run DIR  folder of the daemons' sockets (default /run/holdfast)\n"
	      "  --help     show this text; after a command: about the command\n\n"
	      "Exit status: 0 done, 1 failed or refused, 2 wrong use, 3 a daemon isn't running,\n"
	      "4 root is needed, 5 time is up (it may still succeed).\n", to);
	return to == stdout ? CLI_OK : CLI_USAGE;
}

static int run(const struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[0], commands[i].name)) {
			optind = 0;
			return commands[i].run(cli, argc, argv);
		}
	return cli_misused("there is no command %s", argv[0]);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "run", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct cli cli = { .run = "/run/holdfast" };
	int c;

	if (sodium_init() < 0)
		return CLI_FAILED;
	while ((c = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
		if (c == 'h')
			return help(stdout);
		if (c != 'r')
			return CLI_USAGE;
		cli.run = optarg;
	}
	return optind < argc ? run(&cli, argc - optind, argv + optind) : help(stderr);
}
