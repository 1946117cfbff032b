#include "agent/volumed/trust.h"

#include <string.h>

static enum err cert_read(struct cert *ret, const char **ret_what, const json_t *enrolled,
			  const char *member, const char *role, const struct sign_pk *root,
			  uint64_t now)
{
	const char *jws;
	enum err e = json_get_string(&jws, enrolled, member);

	if (!e)
		e = cert_verify(ret, jws, role, root, now);
	if (e)
		*ret_what = member;
	return e;
}

static enum err root_read(struct sign_pk *ret, const json_t *enrolled, const char *root_kid)
{
	char kid[KID_BYTES];
	struct sign_pk root;
	json_t *jwk;
	enum err e = json_get_object(&jwk, enrolled, "root");

	if (!e)
		e = jwk_to_sign(&root, jwk);
	if (e)
		return e;
	kid_of_sign(kid, &root);
	if (strcmp(kid, root_kid))
		return ERR_MISDIRECTED;
	*ret = root;
	return OK;
}

static enum err id_read(char ret[static 33], const json_t *o, const char *member)
{
	uint8_t id[16];
	enum err e = json_get_hex(id, sizeof(id), o, member);

	if (!e)
		hex_encode(ret, id, sizeof(id));
	return e;
}

enum err trust_read(struct trust *ret, const char **ret_what, const json_t *enrolled,
		    const char *root_kid, uint64_t now)
{
	struct trust t = { .enrolled = 1 };
	struct cert server, help, recovery;
	enum err e;

	*ret_what = "officer root";
	e = root_read(&t.root, enrolled, root_kid);
	if (e)
		return e;
	*ret_what = "ids";
	e = id_read(t.device, enrolled, "device");
	if (!e)
		e = id_read(t.enrolment, enrolled, "enrolment");
	if (!e)
		e = id_read(t.enterprise, enrolled, "enterprise");
	if (!e)
		e = cert_read(&server, ret_what, enrolled, "server", "server", &t.root, now);
	if (!e)
		e = cert_read(&help, ret_what, enrolled, "escrow_help", "escrow-help", &t.root, now);
	if (!e)
		e = cert_read(&recovery, ret_what, enrolled, "escrow_recovery", "escrow-recovery",
			      &t.root, now);
	if (e)
		return e;
	*ret_what = "enterprise";
	if (strcmp(server.enterprise, t.enterprise) || strcmp(help.enterprise, t.enterprise) ||
	    strcmp(recovery.enterprise, t.enterprise))
		return ERR_MISDIRECTED;
	if (server.agrees || !help.agrees || !recovery.agrees)
		return ERR_FORMAT;
	t.server = server.sign;
	t.escrow_help = help.agree;
	t.escrow_recovery = recovery.agree;
	*ret = t;
	return OK;
}

enum err trust_load(struct trust *ret, const struct vstate *s, const char *device)
{
	const json_t *section = vstate_find(s, "enrolment");
	const char *kid = vstate_text(section, "root_kid"), *what;
	struct trust t = { 0 };
	enum err e;

	if (!section) {
		memset(ret, 0, sizeof(*ret));
		memcpy(ret->device, device, sizeof(ret->device));
		return OK;
	}
	/* Validity counted when the enrolment was made: a clock that is wrong now must not undo it. */
	e = kid ? trust_read(&t, &what, json_object_get(section, "enrolled"), kid, 0) : ERR_FORMAT;
	if (!e && strcmp(t.device, device))
		e = ERR_MISDIRECTED;
	if (!e)
		*ret = t;
	return e;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void trust_for_command(struct command_trust *ret, const struct trust *t, const struct vstate *s,
		       uint64_t store_command_seq, uint64_t store_kill_seq, uint64_t now)
{
	const json_t *counters = vstate_find(s, "counters");

	memset(ret, 0, sizeof(*ret));
	ret->root = t->root;
	ret->server = t->server;
	memcpy(ret->device, t->device, sizeof(ret->device));
	memcpy(ret->enrolment, t->enrolment, sizeof(ret->enrolment));
	memcpy(ret->enterprise, t->enterprise, sizeof(ret->enterprise));
	ret->command_seq = larger(store_command_seq, vstate_number(counters, "command_seq"));
	ret->kill_seq = larger(store_kill_seq, vstate_number(counters, "kill_seq"));
	ret->now = now;
}

enum err trust_carried_out(struct vstate *s, int kill, uint64_t sequence)
{
	json_t *counters = vstate_make(s, "counters");

	if (!counters || sequence > INT64_MAX ||
	    json_object_set_new(counters, kill ? "kill_seq" : "command_seq",
				json_integer((json_int_t)sequence)))
		return ERR_MEMORY;
	return OK;
}
