#include <stdio.h>
#include <unistd.h>

#include "common/questions.h"
#include "password.h"
#include "user.h"

#define PRESET_COUNT 5
#define PRESET_NEED 3

struct form {
	unsigned count, need;
	struct secret present, questions[QUESTIONS_MAX], answers[QUESTIONS_MAX];
};

static void form_drop(struct form *f)
{
	secret_drop(&f->present);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
		secret_drop(&f->questions[i]);
		secret_drop(&f->answers[i]);
	}
}
#define FORM __attribute__((cleanup(form_drop))) struct form

static int send(const struct cli *cli, const char *user, const struct form *f)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_USER_SELF_HELP);
	ipc_add_text(&question, user);
	ipc_add_text(&question, f->present.len ? (const char *)f->present.bytes : "");
	ipc_add_number(&question, f->need);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
		ipc_add_text(&question, i < f->count ? (const char *)f->questions[i].bytes : "");
		ipc_add_text(&question, i < f->count ? (const char *)f->answers[i].bytes : "");
	}
	return cli_ask(&answer, cli, CLI_VOLUMED, &question, USER_SLOW_MS);
}

/* Root is let in without: the helpdesk's hands may enrol somebody who sits beside it. */
static enum err present_ask(struct form *f, const char *user)
{
	return geteuid() ? password_present(&f->present, stdin, user) : OK;
}

static enum err pair_ask(struct form *f, unsigned i)
{
	char prompt[32], whose[32];
	enum err e;

	(void)snprintf(prompt, sizeof(prompt), "Question %u: ", i + 1);
	e = password_shown(&f->questions[i], stdin, prompt);
	if (e)
		return e;
	(void)snprintf(whose, sizeof(whose), "question %u", i + 1);
	return password_new(&f->answers[i], stdin, "Answer", whose);
}

static int enrol(const struct cli *cli, const char *user, unsigned need)
{
	FORM f = { .count = PRESET_COUNT, .need = need ? need : PRESET_NEED };
	int status;

	if (f.need > f.count)
		f.count = f.need < QUESTIONS_MAX ? f.need + 1 : QUESTIONS_MAX;
	if (present_ask(&f, user))
		return CLI_FAILED;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "%u questions of your own, of which any %u have to be answered. Choose what others can't "
			"look up.\nUpper and lower case, blanks and punctuation do not count.\n", f.count, f.need);
	for (unsigned i = 0; i < f.count; i++)
		if (pair_ask(&f, i))
			return CLI_FAILED;
	status = send(cli, user, &f);
	if (!status)
		printf("%s can sign in with %u of %u answers from the next start, and has to choose a new password "
		       "then.\n", user, f.need, f.count);
	return status;
}

int user_self_help(const struct cli *cli, const char *user, const struct user_options *o)
{
	FORM f = { 0 };
	int status;

	if (o->need && (o->remove || o->need < QUESTIONS_NEED_MIN || o->need > QUESTIONS_MAX))
		return cli_misused("--need takes a number from %d to %d, and no --remove", QUESTIONS_NEED_MIN,
				   QUESTIONS_MAX);
	if (!o->remove)
		return enrol(cli, user, o->need);
	if (present_ask(&f, user))
		return CLI_FAILED;
	status = send(cli, user, &f);
	if (!status)
		printf("%s has no self-help questions any more.\n", user);
	return status;
}
