#include <stdio.h>

#include "common/credential.h"
#include "password.h"
#include "user.h"

/* 0: what policy asks for, else TPM and password. */
static uint64_t kind_of(const struct user_options *o)
{
	if (o->remove)
		return CREDENTIAL_PASSWORD;
	if (o->pin)
		return CREDENTIAL_TPM_PIN;
	return o->password ? CREDENTIAL_TPM_PASSWORD : 0;
}

static const char *what_new(const struct user_options *o)
{
	if (o->pin)
		return "New PIN";
	return o->password || o->remove ? "New password" : "New password or PIN";
}

static int send(const struct cli *cli, const char *user, const struct secret *present, const struct secret *fresh,
		uint64_t kind)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, IPC_USER_BIND);
	ipc_add_text(&question, user);
	ipc_add_text(&question, (const char *)present->bytes);
	ipc_add_text(&question, (const char *)fresh->bytes);
	ipc_add_number(&question, kind);
	return cli_ask(&answer, cli, CLI_VOLUMED, &question, USER_SLOW_MS);
}

int user_bind(const struct cli *cli, const char *user, const struct user_options *o)
{
	SECRET struct secret present = { 0 }, fresh = { 0 };
	int status;

	if (o->pin + o->password + o->remove > 1)
		return cli_misused("user bind takes one of --pin, --password and --remove");
	if (password_present(&present, stdin, user) || password_new(&fresh, stdin, what_new(o), user))
		return CLI_FAILED;
	password_warn(cli, &fresh);
	status = send(cli, user, &present, &fresh, kind_of(o));
	if (status)
		return status;
	if (o->remove)
		printf("%s signs in with a password alone, which is not bound to this laptop.\n", user);
	else
		printf("%s signs in on this laptop only: its TPM is needed, and counts wrong tries.\n", user);
	return CLI_OK;
}
