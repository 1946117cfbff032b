#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ipc.h"

#define QUICK_MS 10000
#define SLOW_MS 300000 /* enrolment makes keyslots, a kill overwrites volumes */

void link_identity_drop(struct link_identity *i)
{
	free(i->cert);
	free(i->sub);
	memset(i, 0, sizeof(*i));
}

static void note_refusal(struct link *l, const struct ipc_message *answer)
{
	if (answer->type != IPC_ERROR)
		return;
	l->refused = 1;
	snprintf(l->about, sizeof(l->about), "%s", answer->value[1].text ? answer->value[1].text : "");
}

static enum err ask(struct ipc_message *ret, struct link *l, const struct ipc_message *question,
		    int timeout_ms)
{
	enum err e;
	int fd;

	l->refused = 0;
	l->about[0] = '\0';
	e = ipc_connect(&fd, l->path);
	if (e)
		return e;
	e = ipc_call(ret, NULL, fd, question, timeout_ms);
	if (e)
		note_refusal(l, ret);
	close(fd);
	return e;
}

static char *take_text(struct ipc_message *m, unsigned field)
{
	char *text = m->value[field].text;

	m->value[field].text = NULL;
	m->value[field].len = 0;
	return text;
}

static enum err ask_text(char **ret, struct link *l, const struct ipc_message *question, int timeout_ms)
{
	IPC_MESSAGE answer = { 0 };
	enum err e = ask(&answer, l, question, timeout_ms);

	if (e)
		return e;
	*ret = take_text(&answer, 0);
	return *ret ? OK : ERR_FORMAT;
}

/* Questions made of texts and answered by nothing. */
static enum err tell(struct link *l, uint16_t type, const char *first, const char *second, int timeout_ms)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };

	ipc_start(&question, type);
	ipc_add_text(&question, first);
	if (second)
		ipc_add_text(&question, second);
	return ask(&answer, l, &question, timeout_ms);
}

enum err link_status(char **ret, struct link *l, int timeout_ms)
{
	IPC_MESSAGE question = { 0 };

	ipc_start(&question, IPC_STATUS);
	return ask_text(ret, l, &question, timeout_ms);
}

enum err link_enrol_begin(char **ret, struct link *l, const char *token, const struct sign_pk *session)
{
	IPC_MESSAGE question = { 0 };

	ipc_start(&question, IPC_ENROL_BEGIN);
	ipc_add_text(&question, token);
	ipc_add_key(&question, session->bytes);
	return ask_text(ret, l, &question, SLOW_MS);
}

enum err link_enrol_finish(struct link *l, const char *enrolled)
{
	return tell(l, IPC_ENROL_FINISH, enrolled, NULL, SLOW_MS);
}

enum err link_identity(struct link_identity *ret, struct link *l, const struct sign_pk *session)
{
	IPC_MESSAGE question = { 0 }, answer = { 0 };
	enum err e;

	ipc_start(&question, IPC_SESSION_CERT);
	ipc_add_key(&question, session->bytes);
	e = ask(&answer, l, &question, QUICK_MS);
	if (e)
		return e;
	ret->cert = take_text(&answer, 0);
	ret->sub = take_text(&answer, 1);
	memcpy(ret->server.bytes, answer.value[2].key, KEY_BYTES);
	return OK;
}

enum err link_user_proof(char **ret, struct link *l, const uint8_t transcript[static DIGEST_BYTES])
{
	IPC_MESSAGE question = { 0 };

	ipc_start(&question, IPC_USER_PROOF);
	ipc_add_key(&question, transcript);
	return ask_text(ret, l, &question, QUICK_MS);
}

enum err link_receipt(struct link *l, const char *receipt)
{
	return tell(l, IPC_RECEIPT, receipt, NULL, QUICK_MS);
}

enum err link_sent(struct link *l, const char *id)
{
	return tell(l, IPC_SENT, id, NULL, QUICK_MS);
}

enum err link_time(struct link *l, const char *time)
{
	return tell(l, IPC_TIME, time, NULL, SLOW_MS);
}

enum err link_command(struct link *l, const char *command, const char *certs)
{
	return tell(l, IPC_COMMAND, command, certs, SLOW_MS);
}

enum err link_policy(struct link *l, const char *policy, const char *certs)
{
	return tell(l, IPC_POLICY, policy, certs, SLOW_MS);
}

uint64_t link_policy_version(struct link *l)
{
	TEXT *text = NULL;
	JSON *status = NULL;
	json_t *policy;
	uint64_t version = 0;

	if (link_status(&text, l, QUICK_MS) || json_parse(&status, text, strlen(text)) ||
	    json_get_object(&policy, status, "policy") || json_get_u64(&version, policy, "version"))
		return 0;
	return version;
}

int link_is_final(const struct link *l, enum err e)
{
	return l->refused && e != ERR_BUSY && e != ERR_IO && e != ERR_SPACE && e != ERR_MEMORY &&
	       e != ERR_NETWORK;
}
