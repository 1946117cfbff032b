#include <stdio.h>
#include <string.h>

#include "cli.h"

#define SEAL_MS 300000

static const char usage[] =
	"Usage: holdfast tpm reseal\n\n"
	"Seals what bound users sign in with to this start of the laptop. The agent does so by itself after firmware\n"
	"updates; it is needed where Secure Boot has been switched off, and shall stay off.\n";

int cli_tpm(const struct cli *cli, int argc, char **argv)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	int status;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return puts(usage) < 0 ? CLI_FAILED : CLI_OK;
	if (argc != 2 || strcmp(argv[1], "reseal"))
		return cli_misused("tpm takes: reseal");
	ipc_start(&question, IPC_TPM_RESEAL);
	status = cli_ask(&answer, cli, CLI_VOLUMED, &question, SEAL_MS);
	if (!status)
		puts("Everything is sealed to this start: bound users sign in as before.");
	return status;
}
