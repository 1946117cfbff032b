/* One request, from its bytes to its answer: open, permit, handle, seal. Everything is refused that
 * the table does not allow. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "server/log.h"

struct front_session *front_session_of(struct front *f, const struct request *r)
{
	return (struct front_session *)sidmap_find(&f->sessions, r->sid, sidmap_now());
}

/* Undo the sealing. A fault here is answered in the clear: a counter that was used, or was never
 * authentic, must not be sealed under. */
static enum err open_request(char **ret_token, struct front *f, struct request *r)
{
	struct front_session *s = front_session_of(f, r);
	enum err e;

	if (!s)
		return fault_say(&r->fault, FAULT_NO_SESSION, ERR_STATE,
				 "this session is not known, or over");
	e = session_request_open(&r->json, ret_token, &r->counter, &s->session, r->jwe, r->method,
				 r->path);
	if (e)
		return fault_say(&r->fault, FAULT_NO_SESSION, e, "the sealed request: %s",
				 err_text(e));
	r->sealed = 1;
	snprintf(r->actor, sizeof(r->actor), "%s", s->entry.owner);
	return OK;
}

static enum err token_check(const struct front_session *s, struct request *r, const char *token)
{
	if (!s->entry.confirmed)
		return fault_say(&r->fault, FAULT_NOT_CONFIRMED, ERR_STATE,
				 "the session is not confirmed");
	if (!token || strlen(token) != strlen(s->token) ||
	    sodium_memcmp(token, s->token, strlen(s->token)))
		return fault_say(&r->fault, FAULT_TOKEN_WRONG, ERR_AUTH,
				 "the token is another one");
	return OK;
}

static int has_word(const char *joined, const char *word)
{
	size_t len = strlen(word);

	while (*joined) {
		size_t n = strcspn(joined, " ");

		if (n == len && !memcmp(joined, word, len))
			return 1;
		joined += n + (joined[n] == ' ');
	}
	return 0;
}

static int is_officers(const struct route *route)
{
	return route->scope == SCOPE_OFFICER || route->scope == SCOPE_APPOINTER;
}

static enum err scope_check(const struct front *f, const struct front_session *s, struct request *r)
{
	const struct route *route = r->route;

	if (is_officers(route) != (*s->officer != 0))
		return fault_say(&r->fault, FAULT_NOT_ALLOWED, ERR_DENIED, "this is for %s",
				 is_officers(route) ? "officers" : "devices");
	if (route->scope == SCOPE_OFFICER && s->scope != SCOPE_OFFICER)
		return fault_say(&r->fault, FAULT_NOT_ALLOWED, ERR_DENIED,
				 "the officer root appoints officers, nothing else");
	if (route->scope == SCOPE_USER && s->scope != SCOPE_USER)
		return fault_say(&r->fault, FAULT_USER_NEEDED, ERR_DENIED,
				 "denied until a user has authenticated at pre-boot");
	if (route->scope == SCOPE_USER && s->token_policy != f->policy.version)
		return fault_say(&r->fault, FAULT_TOKEN_OUTDATED, ERR_STATE,
				 "the token is for an older policy");
	if (*route->permission && !has_word(s->permissions, route->permission))
		return fault_say(&r->fault, FAULT_NOT_ALLOWED, ERR_DENIED,
				 "this needs the permission %s", route->permission);
	return OK;
}

static enum err permit(struct front *f, struct request *r, const char *token)
{
	const struct front_session *s = front_session_of(f, r);
	enum err e;

	if (r->route->scope == SCOPE_CONFIRM)
		return OK;
	e = token_check(s, r, token);
	if (!e)
		e = scope_check(f, s, r);
	return e;
}

static int officer_acts(const struct request *r)
{
	return is_officers(r->route) && strcmp(r->method, "GET");
}

/* Officers' changes and everybody's denials are on record; reading is not. */
static enum err audit_outcome(struct front *f, struct request *r)
{
	int denied = fault_status(r->fault.code) == 403;

	if (!denied && !officer_acts(r))
		return OK;
	return front_audit(f, r->actor, r->route->name, r->param[0],
			   r->fault.code ? fault_text(r->fault.code) : "ok",
			   r->fault.code ? r->fault.message : r->detail);
}

/* An officer's change and its record are one transaction: neither is there without the other. */
static enum err handle_and_record(struct front *f, struct request *r, const char *token)
{
	enum err e = officer_acts(r) ? db_begin(f->db) : OK, recorded;

	if (!e)
		e = permit(f, r, token);
	if (!e)
		e = r->route->handler(f, r);
	fault_complete(&r->fault, e);
	if (r->wait_until_ms)
		return e;
	recorded = audit_outcome(f, r);
	if (!recorded && officer_acts(r))
		recorded = db_commit(f->db);
	if (!recorded)
		return e;
	db_rollback(f->db);
	json_drop(&r->answer);
	r->fault = (struct fault){ 0 };
	return fault_say(&r->fault, FAULT_INTERNAL, ERR_IO, "the audit log cannot be written");
}

static enum err first_pass(struct front *f, struct request *r, const char *authorization)
{
	TEXT_SECRET *token = NULL;
	enum err e = request_parse(r, authorization);

	if (e || r->route->scope == SCOPE_NONE)
		return e ? e : r->route->handler(f, r);
	e = open_request(&token, f, r);
	return e ? e : handle_and_record(f, r, token);
}

static enum err next_pass(struct front *f, struct request *r)
{
	if (r->sealed && !front_session_of(f, r)) {
		r->sealed = 0;
		return fault_say(&r->fault, FAULT_NO_SESSION, ERR_STATE,
				 "the session ended while waiting");
	}
	r->wait_until_ms = front_now_ms() >= r->wait_until_ms ? 1 : r->wait_until_ms;
	return r->route->handler(f, r);
}

static void text_of(char **ret, json_t *answer, int is_error)
{
	JSON *o = is_error ? json_pack("{s:O}", "error", answer) : json_incref(answer);

	*ret = o ? json_dumps(o, JSON_COMPACT) : NULL;
}

/* A session that ended meanwhile leaves nothing to seal with: then nothing of the answer is told. */
static void seal(char **ret_text, struct front *f, struct request *r, const json_t *answer,
		 int is_error)
{
	const struct front_session *s = front_session_of(f, r);

	if (s &&
	    !session_answer_seal(ret_text, &s->session, r->counter, r->status, answer, is_error))
		return;
	*ret_text = NULL;
	r->sealed = 0;
	r->status = s ? 500 : 401;
}

void front_handle(char **ret_text, struct front *f, struct request *r, const char *authorization)
{
	enum err e = r->wait_until_ms ? next_pass(f, r) : first_pass(f, r, authorization);
	JSON *error = NULL;

	*ret_text = NULL;
	if (!e && r->wait_until_ms > 1)
		return;
	r->wait_until_ms = 0;
	if (e) {
		fault_complete(&r->fault, e);
		error = fault_json(&r->fault);
	}
	if (r->fault.code == FAULT_INTERNAL)
		log_line(
			"%s %s failed: %s. Check free space and the file system of the state folder",
			r->method, r->route ? r->route->path : "?", err_text(e));
	r->status = e ? fault_status(r->fault.code) : r->status ? r->status : 200;
	if (r->sealed)
		seal(ret_text, f, r, e ? error : r->answer, e != OK);
	else if (!e && r->jose)
		*ret_text = strdup(r->jose);
	else
		text_of(ret_text, e ? error : r->answer, e != OK);
}
