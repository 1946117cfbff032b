#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "common/json_host.h"
#include "password.h"
#include "user.h"

static const char usage[] =
	"Usage: holdfast user add NAME [--must-change]     let somebody unlock this laptop\n"
	"       holdfast user passwd NAME [--must-change]  give somebody a new password\n"
	"       holdfast user bind NAME [--pin | --password | --remove]\n"
	"                                   let only this laptop's TPM open for somebody, with a PIN or password\n"
	"       holdfast user self-help NAME [--need K] [--remove]\n"
	"                                   questions for who forgets the password; needs a TPM\n"
	"       holdfast user duress NAME [--remove]       a second password, which erases the laptop\n"
	"       holdfast user remove NAME   lock somebody out, also with an old copy of the boot partition\n"
	"       holdfast user list [--json]\n\n"
	"  --must-change  the user has to choose another password at the next start\n"
	"  --pin          TPM and PIN: 6 characters or more are enough, as the TPM counts wrong tries\n"
	"  --password     TPM and password\n"
	"  --need K       so many answers have to be right (3 of 5)\n"
	"  --remove       take the duress password, the questions or the bond to the TPM away\n\n"
	"Whoever types a duress password before the start destroys all data for ever. Policy has to allow it.\n"
	"A new password (user passwd) takes it away.\n\n"
	"bind and self-help may be called by the user, who is asked for the present password; the others by root.\n"
	"The password is asked for twice; when input is no terminal, it is its first line.\n"
	"It may be whatever can be typed with this laptop's keyboard layout, or with the US one.\n";

static int set_password(const struct cli *cli, uint16_t type, const char *user, int must_change)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	SECRET struct secret password = { 0 };

	if (password_read(&password, stdin, user))
		return CLI_FAILED;
	password_warn(cli, &password);
	ipc_start(&question, type);
	ipc_add_text(&question, user);
	ipc_add_text(&question, (const char *)password.bytes);
	ipc_add_number(&question, (uint64_t)must_change);
	return cli_ask(&answer, cli, CLI_VOLUMED, &question, USER_SLOW_MS);
}

static int add(const struct cli *cli, const char *user, const struct user_options *o)
{
	int status = set_password(cli, IPC_USER_ADD, user, o->must_change);

	if (!status)
		printf("%s can unlock this laptop from its next start.\n", user);
	return status;
}

static int passwd(const struct cli *cli, const char *user, const struct user_options *o)
{
	int status = set_password(cli, IPC_USER_PASSWD, user, o->must_change);

	if (!status)
		printf("%s has a new password; the old one opens nothing any more.\n", user);
	return status;
}

static int set_duress(const struct cli *cli, const char *user, const char *password)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_USER_DURESS);
	ipc_add_text(&question, user);
	ipc_add_text(&question, password);
	return cli_ask(&answer, cli, CLI_VOLUMED, &question, USER_SLOW_MS);
}

static int duress(const struct cli *cli, const char *user, const struct user_options *o)
{
	SECRET struct secret password = { 0 };
	char whose[96];
	int status;

	if (o->remove) {
		status = set_duress(cli, user, "");
		if (!status)
			printf("%s has no duress password.\n", user);
		return status;
	}
	(void)snprintf(whose, sizeof(whose), "%.64s under duress", user);
	if (password_read(&password, stdin, whose))
		return CLI_FAILED;
	password_warn(cli, &password);
	status = set_duress(cli, user, (const char *)password.bytes);
	if (!status)
		printf("Typed at the next start, it erases this laptop.\n");
	return status;
}

static int remove_user(const struct cli *cli, const char *user, const struct user_options *o)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	int status;

	(void)o;
	ipc_start(&question, IPC_USER_REMOVE);
	ipc_add_text(&question, user);
	status = cli_ask(&answer, cli, CLI_VOLUMED, &question, USER_SLOW_MS);
	if (!status)
		printf("%s cannot unlock this laptop any more.\n", user);
	return status;
}

static void print_expiry(const json_t *u)
{
	uint64_t expires;
	time_t at;
	struct tm tm;
	char day[16];

	if (json_get_u64(&expires, u, "expires"))
		return;
	at = (time_t)expires;
	if (!gmtime_r(&at, &tm) || !strftime(day, sizeof(day), "%Y-%m-%d", &tm))
		return;
	printf("  %s %s", at > time(NULL) ? "password expires" : "password has expired", day);
}

static void print_kind(const json_t *u)
{
	static const char *const names[][2] = {
		{ "password", "password" }, { "tpm-password", "TPM+password" }, { "tpm-pin", "TPM+PIN" },
	};
	const char *kind = "";

	(void)!json_get_string(&kind, u, "kind");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i][0], kind))
			printf("  %s", names[i][1]);
	if (json_is_true(json_object_get(u, "self_help")))
		fputs(" and self-help", stdout);
}

static void print_user(const json_t *u)
{
	const char *name = "?";

	(void)!json_get_string(&name, u, "name");
	fputs(name, stdout);
	print_kind(u);
	printf("%s%s", json_is_true(json_object_get(u, "locked")) ? "  locked: needs a one-time code" : "",
	       json_is_true(json_object_get(u, "must_change")) ? "  must change the password" : "");
	print_expiry(u);
	putchar('\n');
}

/* Refuses unknown shapes rather than showing an empty list. */
static int print_list(const char *text)
{
	JSON *o = NULL;
	json_t *users, *u;
	size_t i;

	if (json_parse(&o, text, strlen(text)) || json_get_array(&users, o, "users")) {
		fputs("holdfast: holdfast-volumed's answer is not understood: are the versions the same?\n",
		      stderr);
		return CLI_FAILED;
	}
	if (!json_array_size(users))
		puts("Nobody yet: holdfast user add NAME");
	json_array_foreach(users, i, u)
		print_user(u);
	return CLI_OK;
}

static int list(const struct cli *cli, int as_json)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	int status;

	ipc_start(&question, IPC_USER_LIST);
	status = cli_ask(&answer, cli, CLI_VOLUMED, &question, 10000);
	if (status)
		return status;
	if (as_json)
		return puts(answer.value[0].text) < 0 ? CLI_FAILED : CLI_OK;
	return print_list(answer.value[0].text);
}

enum { MUST_CHANGE = 1, REMOVE = 2, KIND = 4, NEED = 8 };

static const struct verb {
	const char *name;
	int (*run)(const struct cli *cli, const char *user, const struct user_options *o);
	unsigned may; /* options */
} verbs[] = {
	{ "add", add, MUST_CHANGE },
	{ "passwd", passwd, MUST_CHANGE },
	{ "bind", user_bind, KIND | REMOVE },
	{ "self-help", user_self_help, NEED | REMOVE },
	{ "duress", duress, REMOVE },
	{ "remove", remove_user, 0 },
};

static unsigned options_given(const struct user_options *o)
{
	return (o->must_change ? MUST_CHANGE : 0u) | (o->remove ? REMOVE : 0u) |
	       (o->pin || o->password ? KIND : 0u) | (o->need ? NEED : 0u);
}

static int run_verb(const struct cli *cli, int argc, char **argv, const struct user_options *o)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(argv[0], verbs[i].name))
			continue;
		if (argc != 2)
			return cli_misused("user %s takes one name", argv[0]);
		if (options_given(o) & ~verbs[i].may)
			return cli_misused("user %s does not take this option", argv[0]);
		return verbs[i].run(cli, argv[1], o);
	}
	return cli_misused("there is no command user %s", argv[0]);
}

int cli_user(const struct cli *cli, int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "must-change", no_argument, NULL, 'm' },
		{ "remove", no_argument, NULL, 'r' },
		{ "pin", no_argument, NULL, 'p' },
		{ "password", no_argument, NULL, 'w' },
		{ "need", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct user_options o = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 'h')
			return puts(usage) < 0 ? CLI_FAILED : CLI_OK;
		if (c == 'j')
			o.as_json = 1;
		else if (c == 'm')
			o.must_change = 1;
		else if (c == 'r')
			o.remove = 1;
		else if (c == 'p')
			o.pin = 1;
		else if (c == 'w')
			o.password = 1;
		else if (c == 'n' && *optarg >= '1' && *optarg <= '9' && !optarg[1])
			o.need = (unsigned)(*optarg - '0');
		else if (c == 'n')
			return cli_misused("--need takes a number from 2 to 8");
		else
			return CLI_USAGE;
	}
	if (optind == argc)
		return cli_misused("user needs add, passwd, bind, self-help, duress, remove or list");
	if (!strcmp(argv[optind], "list"))
		return optind + 1 == argc ? list(cli, o.as_json) : cli_misused("user list takes no name");
	return run_verb(cli, argc - optind, argv + optind, &o);
}
