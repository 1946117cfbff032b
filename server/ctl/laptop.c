#include "laptop.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/command_host.h"

/* A destructive order that nobody picked up for a week is not what the officer means any more; a kill is. */
#define COMMAND_LIFETIME_S (7 * 24 * 3600)
#define POLL_S 20u
#define HTTP_CONFLICT 409
#define TRIES_AT_SEQUENCE 3

void laptop_drop(struct laptop *p)
{
	json_drop(&p->detail);
}

static enum err copy_text(char *ret, size_t size, const json_t *o, const char *name)
{
	const char *text;
	enum err e = json_get_string(&text, o, name);

	if (!e && strlen(text) >= size)
		e = ERR_FORMAT;
	if (!e)
		strcpy(ret, text);
	return e;
}

static int is_word(const char *text)
{
	return *text && strlen(text) <= 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(text);
}

static enum err read_laptop(struct laptop *p, const json_t *o)
{
	json_t *jwk;
	enum err e = copy_text(p->device, sizeof p->device, o, "device");

	if (!e)
		e = copy_text(p->enrolment, sizeof p->enrolment, o, "enrolment");
	if (!e)
		e = copy_text(p->name, sizeof p->name, o, "name");
	/* They go into paths, signatures and onto the terminal. */
	if (!e && (hex_check(p->device, 16) || hex_check(p->enrolment, 16) || !is_word(p->name)))
		e = ERR_FORMAT;
	if (!e)
		e = json_get_u64(&p->next_sequence, o, "next_sequence");
	if (!e)
		e = json_get_u64(&p->next_kill_sequence, o, "next_kill_sequence");
	if (!e)
		e = json_get_object(&jwk, o, "attestation");
	return e ? e : jwk_to_sign(&p->attestation, jwk);
}

int laptop_find(struct laptop *ret, struct link *l, const char *id)
{
	LAPTOP p = { 0 };
	char path[128];
	enum err e;
	int status;

	if (!is_word(id))
		return ctl_usage("device", "'%s' is no laptop's id, name or tag", id);
	snprintf(path, sizeof path, "/v1/devices/%s", id);
	status = link_call(&p.detail, l, "GET", path, NULL, LINK_TIMEOUT_MS);
	if (status)
		return status;
	e = read_laptop(&p, p.detail);
	if (e)
		return ctl_fail(e, "the server's answer about %s", id);
	*ret = p;
	p = (struct laptop){ 0 };
	return CTL_DONE;
}

/* The laptop's own word, signed by its attestation key. */
static int print_result(const struct laptop *p, const char *name, const json_t *result)
{
	JSON *event = NULL;
	json_t *detail;
	const char *kind = "", *reason = "";
	char shown[400];
	enum err e = json_is_string(result) ? jws_verify(&event, "holdfast-event", json_string_value(result),
							 &p->attestation)
					    : ERR_FORMAT;

	if (!e)
		e = json_get_string(&kind, event, "kind");
	if (!e)
		e = json_get_object(&detail, event, "detail");
	if (e)
		return ctl_fail(e, "the signed answer of %s", p->name);
	if (strcmp(kind, "command-done")) {
		(void)!json_get_string(&reason, detail, "reason");
		fprintf(stderr, "holdfast-ctl: %s refuses %s: %s\n", p->name, name,
			ctl_plain(shown, sizeof shown, reason));
		return CTL_REFUSED;
	}
	printf("%s: %s is done; signed by the laptop's attestation key.\n", p->name, name);
	return CTL_DONE;
}

static int await_result(struct link *l, const struct laptop *p, const char *name, const char *id, unsigned wait_s)
{
	time_t end = time(NULL) + (time_t)wait_s;

	do {
		JSON *answer = NULL;
		char path[160];
		const char *state = "";
		unsigned left = (unsigned)(end > time(NULL) ? end - time(NULL) : 0);
		unsigned wait = left < POLL_S ? left : POLL_S;
		int status;

		snprintf(path, sizeof path, "/v1/devices/%s/commands/%s?wait=%u", p->device, id, wait);
		status = link_call(&answer, l, "GET", path, NULL, wait * 1000 + LINK_TIMEOUT_MS);
		if (status)
			return status;
		(void)!json_get_string(&state, answer, "state");
		if (!strcmp(state, "done") || !strcmp(state, "refused"))
			return print_result(p, name, json_object_get(answer, "result"));
	} while (time(NULL) < end);
	printf("%s: %s waits at the server for the laptop (command %s).\n", p->name, name, id);
	return CTL_DONE;
}

static enum err make_command(char **ret, char ret_id[33], const struct link *l, const struct laptop *p,
			     const char *name, uint64_t sequence)
{
	struct command c = { .sequence = sequence, .issued = (uint64_t)time(NULL) };
	uint8_t id[16];

	randombytes_buf(id, sizeof id);
	hex_encode(c.id, id, sizeof id);
	strcpy(c.device, p->device);
	strcpy(c.enrolment, p->enrolment);
	snprintf(c.name, sizeof c.name, "%s", name);
	if (strcmp(name, "kill"))
		c.expires = c.issued + COMMAND_LIFETIME_S;
	strcpy(ret_id, c.id);
	return command_sign(ret, &c, &l->keys.sign);
}

static int send_command(char ret_id[33], int *ret_http, struct link *l, const struct laptop *p,
			const char *name, uint64_t sequence)
{
	TEXT *jws = NULL;
	JSON *body = NULL;
	JSON *answer = NULL;
	char path[96];
	enum err e = make_command(&jws, ret_id, l, p, name, sequence);
	int status;

	if (e)
		return ctl_fail(e, "signing %s", name);
	body = json_pack("{s:s}", "command", jws);
	snprintf(path, sizeof path, "/v1/devices/%s/commands", p->device);
	status = link_try(&answer, ret_http, l, "POST", path, body, LINK_TIMEOUT_MS);
	if (status || *ret_http == 201 || *ret_http == HTTP_CONFLICT)
		return status;
	return link_refused(answer);
}

int laptop_command(struct link *l, const struct laptop *p, const char *name, unsigned wait_s)
{
	uint64_t sequence = strcmp(name, "kill") ? p->next_sequence : p->next_kill_sequence;
	char id[33];

	/* Another officer may have taken the number in between: gaps are legal, so the next one will do. */
	for (int i = 0; i < TRIES_AT_SEQUENCE; i++) {
		int http = 0, status = send_command(id, &http, l, p, name, sequence + (uint64_t)i);

		if (status)
			return status;
		if (http == 201)
			return await_result(l, p, name, id, wait_s);
	}
	return ctl_fail(ERR_BUSY, "%s: other officers send commands to %s just now", name, p->name);
}

int laptop_sync(struct link *l, const struct laptop *p, unsigned wait_s)
{
	JSON *body = json_object();
	JSON *answer = NULL;
	char path[96];
	const char *id;
	int status;

	snprintf(path, sizeof path, "/v1/devices/%s/sync", p->device);
	status = link_call(&answer, l, "POST", path, body, LINK_TIMEOUT_MS);
	if (status)
		return status;
	if (json_get_string(&id, answer, "id"))
		return ctl_fail(ERR_FORMAT, "the server's answer to sync");
	return await_result(l, p, "sync", id, wait_s);
}
