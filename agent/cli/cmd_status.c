#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "common/json_host.h"
#include "page.h"
#include "state.h"

static const char usage[] =
	"Usage: holdfast status [--watch] [--json]\n\n"
	"Shows whether this laptop is protected, what it waits for, since when, and what to do.\n\n"
	"  --watch  go on, and show every change, until interrupted\n"
	"  --json   for programs: the whole state, one line each time\n";

struct view {
	int watch, as_json, on_terminal;
};

static int show_text(const char *text)
{
	return puts(text) < 0 || fflush(stdout) ? CLI_FAILED : CLI_OK;
}

/* The page holds ages, so on a terminal it is drawn anew each second. */
static int show(const struct view *view, const json_t *status, const char *text, char **last)
{
	int is_new = !*last || strcmp(*last, text);

	if (is_new) {
		text_drop(last);
		*last = strdup(text);
	}
	if (view->as_json)
		return is_new ? show_text(text) : CLI_OK;
	if (view->watch && view->on_terminal)
		fputs("\033[H\033[2J", stdout);
	else if (!is_new)
		return CLI_OK;
	page_print(stdout, status, (uint64_t)time(NULL));
	return fflush(stdout) ? CLI_FAILED : CLI_OK;
}

static int run(const struct cli *cli, const struct view *view)
{
	TEXT *last = NULL;
	int code;

	do {
		JSON *status = NULL;
		TEXT *text = NULL;

		code = state_get(&status, &text, cli);
		if (!code)
			code = show(view, status, text, &last);
		/* While watching, a daemon may come back. */
		if (view->watch && code != CLI_FAILED)
			sleep(1);
	} while (view->watch && code != CLI_FAILED);
	return code;
}

int cli_status(const struct cli *cli, int argc, char **argv)
{
	static const struct option known[] = {
		{ "watch", no_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct view view = { .on_terminal = isatty(STDOUT_FILENO) };
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 'h')
			return puts(usage) < 0 ? CLI_FAILED : CLI_OK;
		if (c == 'w')
			view.watch = 1;
		else if (c == 'j')
			view.as_json = 1;
		else
			return CLI_USAGE;
	}
	return optind == argc ? run(cli, &view) : cli_misused("status takes no argument");
}
