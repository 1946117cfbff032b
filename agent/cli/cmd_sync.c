#include <getopt.h>
#include <stdio.h>

#include "cli.h"

static const char usage[] =
	"Usage: holdfast sync [--timeout SECONDS]\n\n"
	"Sends what waits, and fetches the policy, now instead of at the next interval.\n\n"
	"  --timeout SECONDS  how long to wait for the end of it (default 60)\n";

int cli_sync(const struct cli *cli, int argc, char **argv)
{
	static const struct option known[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	unsigned timeout_s = 60;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 'h')
			return puts(usage) < 0 ? CLI_FAILED : CLI_OK;
		if (c != 't' || cli_seconds(&timeout_s, optarg))
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_misused("sync takes no argument");
	ipc_start(&question, IPC_SYNC);
	status = cli_ask(&answer, cli, CLI_HOLDFASTD, &question, (int)timeout_s * 1000);
	if (!status)
		puts("Everything is exchanged with the server.");
	return status;
}
