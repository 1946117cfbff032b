#include "state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/json_host.h"

#define STATUS_MS 10000

/* 0 when this daemon has answered. */
static enum err ask(json_t **ret, char **ret_text, const struct cli *cli, const char *socket)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	char path[4096];
	enum err e;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cli->run, socket);
	e = ipc_connect(&fd, path);
	if (e)
		return e;
	ipc_start(&question, IPC_STATUS);
	e = ipc_call(&answer, NULL, fd, &question, STATUS_MS);
	close(fd);
	if (!e)
		e = json_parse(ret, answer.value[0].text, strlen(answer.value[0].text));
	if (e)
		return e;
	*ret_text = answer.value[0].text;
	answer.value[0].text = NULL;
	return OK;
}

int state_get(json_t **ret, char **ret_text, const struct cli *cli)
{
	enum err e = ask(ret, ret_text, cli, "agent.sock");

	if (!e)
		return CLI_OK;
	if (e == ERR_BUSY) {
		fputs("holdfast: holdfastd did not answer in time\n", stderr);
		return CLI_TIMEOUT;
	}
	cli_absent(CLI_HOLDFASTD);
	e = ask(ret, ret_text, cli, "volumed.sock");
	return e ? cli_absent(CLI_VOLUMED) : CLI_OK;
}
