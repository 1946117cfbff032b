/* Commands, and who may give them. */
#include "command_host.h"

#include <string.h>

#include "chain_host.h"

#define TYP "holdfast-command"
#define ID_BYTES 16

static const struct rule {
	const char *name;
	const char *permission; /* of the officer; NULL: any officer */
	int server_may;
	int is_kill;
} rules[] = {
	{ "kill", "kill", 0, 1 },
	{ "lock", "lock", 0, 0 },
	{ "reset", "reset", 0, 0 },
	{ "rotate-recovery", "rotate-recovery", 0, 0 },
	{ "sync", NULL, 1, 0 },
};

static const struct rule *rule_find(const char *name)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

void command_drop(struct command *c)
{
	json_drop(&c->args);
	*c = (struct command){ 0 };
}

enum err command_sign(char **ret, const struct command *c, const struct sign_sk *signer)
{
	JSON *payload = NULL;

	if (hex_check(c->id, ID_BYTES) || hex_check(c->device, ID_BYTES) ||
	    hex_check(c->enrolment, ID_BYTES) || !rule_find(c->name) || c->sequence > INT64_MAX ||
	    c->issued > INT64_MAX || c->expires > INT64_MAX)
		return ERR_RANGE;
	payload = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "id", c->id, "command",
			    c->name, "device", c->device, "enrolment", c->enrolment, "sequence",
			    (json_int_t)c->sequence, "issued", (json_int_t)c->issued, "expires",
			    (json_int_t)c->expires, "args",
			    c->args ? json_incref(c->args) : json_object());
	return payload ? jws_sign(ret, TYP, payload, signer) : ERR_MEMORY;
}

static enum err id_copy(char ret[33], const json_t *o, const char *name)
{
	if (json_copy_string(ret, 33, o, name))
		return ERR_FORMAT;
	return hex_check(ret, ID_BYTES);
}

/* Reads on after a bad member, so that the report of a refusal says what it can. */
static enum err command_read(struct command *ret, const json_t *o)
{
	json_t *args = NULL;
	int bad = 0;

	bad |= id_copy(ret->id, o, "id") != OK;
	bad |= id_copy(ret->device, o, "device") != OK;
	bad |= id_copy(ret->enrolment, o, "enrolment") != OK;
	bad |= json_copy_string(ret->name, sizeof ret->name, o, "command") != OK;
	bad |= json_get_u64(&ret->sequence, o, "sequence") != OK;
	bad |= json_get_u64(&ret->issued, o, "issued") != OK;
	bad |= json_get_u64(&ret->expires, o, "expires") != OK;
	bad |= json_get_object(&args, o, "args") != OK;
	ret->args = json_incref(args);
	return bad ? ERR_FORMAT : OK;
}

/* A laptop whose clock was turned back or forward must still get its kill: the signer's certificate is
 * held against the time that the kill itself names. */
static uint64_t time_of(const struct rule *rule, const struct command *c,
			const struct command_trust *trust)
{
	return rule && rule->is_kill ? c->issued : trust->now;
}

static enum err authority_check(const struct command *c, const char *jws, const json_t *certs,
				const struct command_trust *trust)
{
	const struct rule *rule = rule_find(c->name);
	struct chain_signer signer;
	enum err e;

	e = chain_verify(&signer, TYP, jws, certs, trust, time_of(rule, c, trust));
	if (e)
		return e;
	if (!rule || (signer.is_server && !rule->server_may))
		return ERR_DENIED;
	if (!signer.is_server && rule->permission && !cert_permits(&signer.officer, rule->permission))
		return ERR_DENIED;
	return OK;
}

static enum err order_check(const struct command *c, const struct command_trust *trust)
{
	int is_kill = rule_find(c->name)->is_kill;

	if (strcmp(c->device, trust->device) != 0 || strcmp(c->enrolment, trust->enrolment) != 0)
		return ERR_MISDIRECTED;
	if (!is_kill && c->expires && trust->now >= c->expires)
		return ERR_EXPIRED;
	return c->sequence > (is_kill ? trust->kill_seq : trust->command_seq) ? OK : ERR_REPLAY;
}

enum err command_verify(struct command *ret, const char *jws, const json_t *certs,
			const struct command_trust *trust)
{
	JSON *payload = NULL;
	enum err e;

	*ret = (struct command){ 0 };
	e = jws_peek(&payload, NULL, TYP, jws);
	if (e)
		return e;
	e = command_read(ret, payload);
	if (!e)
		e = authority_check(ret, jws, certs, trust);
	if (!e)
		e = order_check(ret, trust);
	return e;
}
