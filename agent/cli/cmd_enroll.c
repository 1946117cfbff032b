#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "common/json_host.h"
#include "common/secret.h"
#include "page.h"
#include "state.h"

#define TOKEN_BYTES 8192
#define LOOK_MS 100 /* how often to look whether there is news to show */

static const char usage[] =
	"Usage: holdfast enroll TOKEN [--timeout SECONDS]\n"
	"       holdfast enroll -     the token is read from standard input\n\n"
	"Joins the organisation whose officer made the token, and waits until its policy is enforced.\n"
	"Other users may see a TOKEN among the arguments while the program runs; \"-\" avoids this.\n\n"
	"  --timeout SECONDS  how long to wait for the policy (default 120; 0: do not wait)\n";

struct progress {
	const struct cli *cli;
	char shown[384];
	uint64_t deadline; /* s */
};

static void step_show(struct progress *p, const char *text)
{
	if (!*text || !strcmp(p->shown, text))
		return;
	snprintf(p->shown, sizeof(p->shown), "%s", text);
	printf("  %s\n", text);
	fflush(stdout);
}

static int late(const struct progress *p)
{
	return (uint64_t)time(NULL) >= p->deadline;
}

static void show_activity(struct progress *p)
{
	JSON *status = NULL;
	TEXT *text = NULL;
	const char *activity;

	if (!state_get(&status, &text, p->cli) &&
	    !json_get_string(&activity, json_object_get(status, "network"), "activity"))
		step_show(p, activity);
}

static int read_answer(int fd)
{
	IPC_MESSAGE answer = { 0 };
	uint8_t bytes[4096];
	ssize_t len = recv(fd, bytes, sizeof(bytes), 0);
	enum err e = len <= 0 ? ERR_NETWORK : ipc_decode(&answer, bytes, (size_t)len, IPC_ENROL);

	if (e == ERR_NETWORK)
		return cli_absent(CLI_HOLDFASTD);
	if (!e && answer.type == IPC_OK)
		return CLI_OK;
	return cli_refused(&answer, e ? e : (enum err)answer.value[0].number);
}

/* Root's own word to volumed comes first: without it holdfastd may enrol nowhere. */
static int allow(const struct cli *cli, const char *token)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_ENROL_ALLOW);
	ipc_add_text(&question, token);
	return cli_ask(&answer, cli, CLI_VOLUMED, &question, 10000);
}

/* The answer comes when all is done, so meanwhile another connection shows how far it is. */
static int enrol(struct progress *p, const char *token)
{
	IPC_MESSAGE question = { 0 };
	struct pollfd answer = { .events = POLLIN };
	int code = cli_connect(&answer.fd, p->cli, CLI_HOLDFASTD);

	if (code)
		return code;
	ipc_start(&question, IPC_ENROL);
	ipc_add_text(&question, token);
	if (ipc_send(answer.fd, &question)) {
		close(answer.fd);
		return cli_absent(CLI_HOLDFASTD);
	}
	while (!poll(&answer, 1, LOOK_MS))
		show_activity(p);
	code = read_answer(answer.fd);
	close(answer.fd);
	return code;
}

static int await_policy(struct progress *p)
{
	char headline[384] = "";

	while (!late(p)) {
		JSON *status = NULL;
		TEXT *text = NULL;
		int code = state_get(&status, &text, p->cli);

		if (code)
			return code;
		page_headline(headline, sizeof(headline), status);
		if (page_is_enforced(status)) {
			printf("%s\n", headline);
			return CLI_OK;
		}
		step_show(p, headline);
		poll(NULL, 0, LOOK_MS);
	}
	fputs("holdfast: enrolled, but the policy is not enforced yet; see: holdfast status\n", stderr);
	return CLI_TIMEOUT;
}

/* *ret: the token as one line. */
static int read_token(char ret[TOKEN_BYTES], const char *argument)
{
	if (!strcmp(argument, "-")) {
		if (!fgets(ret, TOKEN_BYTES, stdin))
			return cli_misused("no token on standard input");
	} else if (strlen(argument) >= TOKEN_BYTES) {
		return cli_misused("this is longer than any enrolment token");
	} else {
		strcpy(ret, argument);
	}
	ret[strcspn(ret, "\r\n")] = '\0';
	return CLI_OK;
}

static int run(const struct cli *cli, const char *argument, unsigned timeout_s)
{
	struct progress p = { .cli = cli, .deadline = (uint64_t)time(NULL) + timeout_s };
	char token[TOKEN_BYTES];
	int code = read_token(token, argument);

	if (!code)
		code = allow(cli, token);
	if (!code) {
		puts("Enrolling this laptop");
		code = enrol(&p, token);
	}
	secret_wipe(token, sizeof(token));
	if (code)
		return code;
	step_show(&p, "enrolled");
	return timeout_s ? await_policy(&p) : CLI_OK;
}

int cli_enroll(const struct cli *cli, int argc, char **argv)
{
	static const struct option known[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	unsigned timeout_s = 120;
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 'h')
			return puts(usage) < 0 ? CLI_FAILED : CLI_OK;
		if (c != 't' || cli_seconds(&timeout_s, optarg))
			return CLI_USAGE;
	}
	if (argc - optind != 1)
		return cli_misused("enroll takes one token, or - to read it from standard input");
	return run(cli, argv[optind], timeout_s);
}
