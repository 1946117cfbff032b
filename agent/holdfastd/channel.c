#include "channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

#define SUB_PREFIX "device:"

void channel_answer_drop(struct channel_answer *a)
{
	json_decref(a->body);
	a->body = NULL;
}

void channel_init(struct channel *c, struct site *site, int wants_user, int cancel_fd)
{
	memset(c, 0, sizeof(*c));
	c->site = site;
	c->wants_user = wants_user;
	c->cancel_fd = cancel_fd;
}

void channel_drop(struct channel *c)
{
	rest_drop(&c->rest);
	channel_close(c);
}

void channel_close(struct channel *c)
{
	c->scope[0] = '\0';
	if (c->wants_user)
		contact_session(&c->site->contact, "none");
}

static enum err fail(struct channel *c, enum err e, const char *what, const char *why)
{
	snprintf(c->problem, sizeof(c->problem), "%s: %s", what, why && *why ? why : err_text(e));
	return e;
}

static enum err server_fail(struct channel *c, enum err e)
{
	const char *why = rest_problem(c->rest);

	c->retry_after_s = rest_retry_after_s(c->rest);
	snprintf(c->problem, sizeof(c->problem), "%s", *why ? why : err_text(e));
	return e;
}

static enum err volumed_fail(struct channel *c, enum err e, const struct link *l)
{
	if (e == ERR_NETWORK && !l->refused)
		return fail(c, e, "holdfast-volumed is not running", "systemctl start holdfast-volumed");
	return fail(c, e, "holdfast-volumed", l->about);
}

static enum err get_identity(struct link_identity *ret, struct channel *c)
{
	struct link l = { .path = c->site->volumed_path };
	struct sign_pk key;
	enum err e;

	sign_pk_of(&key, &c->site->session_key);
	e = link_identity(ret, &l, &key);
	return e ? volumed_fail(c, e, &l) : OK;
}

static enum err read_party(struct queue_party *ret, const struct link_identity *who,
			   const struct enrolment *n)
{
	if (strncmp(who->sub, SUB_PREFIX, strlen(SUB_PREFIX)) ||
	    strcmp(who->sub + strlen(SUB_PREFIX), n->device))
		return ERR_MISDIRECTED;
	memcpy(ret->device, n->device, sizeof(ret->device));
	memcpy(ret->enrolment, n->enrolment, sizeof(ret->enrolment));
	ret->server = who->server;
	return OK;
}

/* A connection is kept as long as it leads to the same server. */
static enum err have_rest(struct channel *c, const struct enrolment *n, const struct queue_party *party)
{
	struct rest_target target = { .url = c->enrolment.url, .pin = c->enrolment.pin,
				      .server = party->server };

	if (c->rest && !memcmp(&c->enrolment, n, sizeof(*n)) &&
	    !memcmp(&c->party, party, sizeof(*party)))
		return OK;
	rest_drop(&c->rest);
	c->enrolment = *n;
	c->party = *party;
	return rest_new(&c->rest, &target);
}

/* NULL when nobody has authenticated: then the session is the device's alone. */
static enum err get_proof(char **ret, struct channel *c, struct link *l)
{
	enum err e = link_user_proof(ret, l, rest_transcript(c->rest));

	return e && l->refused ? OK : e;
}

static enum err confirm(struct channel *c, struct link *l)
{
	const struct sign_sk *key = &c->site->session_key;
	uint64_t version = link_policy_version(l);
	TEXT *proof = NULL;
	TEXT *scope = NULL;
	enum err e = c->wants_user ? get_proof(&proof, c, l) : OK;

	if (e)
		return volumed_fail(c, e, l);
	e = rest_confirm(&scope, c->rest, proof, version, key);
	c->proof_refused = proof && e == ERR_DENIED;
	/* The event that tells the server of the user's key may still be in the queue. */
	if (c->proof_refused)
		e = rest_confirm(&scope, c->rest, NULL, version, key);
	if (e)
		return server_fail(c, e);
	snprintf(c->scope, sizeof(c->scope), "%s", scope);
	if (c->wants_user)
		contact_session(&c->site->contact, c->scope);
	contact_made(&c->site->contact);
	return OK;
}

static enum err open_session(struct channel *c, const struct enrolment *n)
{
	struct link l = { .path = c->site->volumed_path };
	LINK_IDENTITY who = { 0 };
	struct queue_party party;
	JSON *certs = NULL;
	enum err e;

	memset(&party, 0, sizeof(party));
	e = get_identity(&who, c);
	if (e)
		return e;
	e = read_party(&party, &who, n);
	if (e)
		return fail(c, e, "enrolment.json is of another device than holdfast-volumed", NULL);
	e = have_rest(c, n, &party);
	if (e)
		return fail(c, e, "the server's address", NULL);
	rest_limits(c->rest, 0, c->cancel_fd);
	certs = json_pack("[s]", who.cert);
	if (!certs)
		return fail(c, ERR_MEMORY, "session", NULL);
	e = rest_open(c->rest, who.sub, certs, &c->site->session_key);
	return e ? server_fail(c, e) : confirm(c, &l);
}

enum err channel_ready(struct channel *c)
{
	struct enrolment n;

	memset(&n, 0, sizeof(n));
	if (!site_enrolment(&n, c->site))
		return fail(c, ERR_STATE, "not enrolled", "holdfast enroll TOKEN");
	if (c->scope[0] && !memcmp(&n, &c->enrolment, sizeof(n)))
		return OK;
	channel_close(c);
	return open_session(c, &n);
}

static void read_error(struct channel *c, const struct channel_answer *a)
{
	const char *message = NULL, *hint = NULL;

	(void)!json_get_string(&message, a->body, "message");
	(void)!json_get_string(&hint, a->body, "hint");
	snprintf(c->problem, sizeof(c->problem), "the server answered %d: %s%s%s", a->status,
		 message ? message : "no reason given", hint && *hint ? "; " : "", hint ? hint : "");
	c->retry_after_s = rest_retry_after_s(c->rest);
}

enum err channel_call(struct channel_answer *ret, struct channel *c, const char *method, const char *path,
		      const json_t *body, uint32_t timeout_ms)
{
	enum err e = OK;

	c->retry_after_s = 0;
	for (int attempt = 0; attempt < 2; attempt++) {
		CHANNEL_ANSWER a = { 0 };

		e = channel_ready(c);
		if (e)
			return e;
		e = rest_call(&a.body, &a.status, c->rest, method, path, body, timeout_ms,
			      c->cancel_fd);
		if (e == ERR_STATE || (!e && a.status == 401)) {
			if (e)
				snprintf(c->problem, sizeof(c->problem), "%s", rest_problem(c->rest));
			else
				read_error(c, &a);
			channel_close(c);
			e = ERR_STATE;
			continue;
		}
		if (e)
			return server_fail(c, e);
		contact_made(&c->site->contact);
		if (a.status / 100 != 2)
			read_error(c, &a);
		*ret = a;
		a.body = NULL;
		return OK;
	}
	return e;
}
