/* REST client: sessions and sealed bodies over rest_http_host.h. */
#include "rest_host.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rest_http_host.h"

struct rest {
	struct http http;
	struct sign_pk server;
	struct session session;
	int has_session;
	char *token;
	uint32_t timeout_ms; /* rest_limits */
	int cancel_fd;
};

static void session_end(struct rest *r)
{
	session_drop(&r->session);
	r->has_session = 0;
	text_wipe(&r->token);
}

enum err rest_new(struct rest **ret, const struct rest_target *target)
{
	struct rest *r;
	enum err e;

	if (sodium_init() < 0)
		return ERR_INTERNAL;
	r = calloc(1, sizeof *r);
	if (!r)
		return ERR_MEMORY;
	e = http_new(&r->http, target->url, target->pin);
	if (e) {
		rest_drop(&r);
		return e;
	}
	r->server = target->server;
	rest_limits(r, HTTP_TIMEOUT_MS, -1);
	*ret = r;
	return OK;
}

void rest_limits(struct rest *r, uint32_t timeout_ms, int cancel_fd)
{
	r->timeout_ms = timeout_ms;
	r->cancel_fd = cancel_fd;
}

void rest_drop(struct rest **rp)
{
	struct rest *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	session_end(r);
	http_drop(&r->http);
	free(r);
}

const char *rest_problem(const struct rest *r)
{
	return r->http.problem;
}

uint32_t rest_retry_after_s(const struct rest *r)
{
	return r->http.retry_after_s;
}

static enum err text_of(char **ret, struct http_reply *reply)
{
	char *text = reply->text ? reply->text : strdup("");

	if (!text)
		return ERR_MEMORY;
	reply->text = NULL;
	*ret = text;
	return OK;
}

enum err rest_plain(char **ret, int *ret_status, struct rest *r, const char *method,
		    const char *path, const char *body)
{
	const struct http_request q = {
		.method = method, .path = path, .body = body, .timeout_ms = r->timeout_ms,
		.cancel_fd = r->cancel_fd,
		.type = body && *body == '{' ? "application/json" : "application/jose",
	};
	HTTP_REPLY reply = { 0 };
	enum err e;

	e = http_transfer(&reply, &r->http, &q);
	if (!e)
		e = text_of(ret, &reply);
	if (!e)
		*ret_status = reply.status;
	return e;
}

/* An answer in the clear: from the server before it knew the session, or from something in between. */
static enum err hint(struct rest *r, int status, const char *text)
{
	JSON *o = NULL;
	const json_t *error;
	const char *message = NULL, *advice = "";

	if (!text || json_parse(&o, text, strlen(text)) ||
	    json_get_string(&message, error = json_object_get(o, "error"), "message")) {
		http_problem_set(&r->http, "%s answered with status %d and no message that Holdfast knows: is "
			    "there a proxy in between?", r->http.url, status);
		return status >= 200 && status < 300 ? ERR_FORMAT : ERR_NETWORK;
	}
	if (json_get_string(&advice, error, "hint"))
		advice = "";
	http_problem_set(&r->http, "the server says: %.200s%s%.200s", message, *advice ? ": " : "", advice);
	if (status == 401)
		return ERR_STATE;
	return status == 408 || status == 429 || status >= 500 ? ERR_NETWORK : ERR_FORMAT;
}

static enum err accept_take(struct rest *r, const char *open_jws, const char *accept,
			    const struct agree_sk *esk)
{
	enum err e = session_accepted(&r->session, open_jws, accept, esk, &r->server);

	r->has_session = !e;
	if (e)
		http_problem_set(&r->http, "the answer to the session's opening is not the enrolled server's: %s",
			    err_text(e));
	return e == ERR_CHANGED ? ERR_SIGNATURE : e;
}

enum err rest_open(struct rest *r, const char *sub, const json_t *certs,
		   const struct sign_sk *signer)
{
	char kid[KID_BYTES];
	TEXT *open_jws = NULL, *answer = NULL;
	AGREE_SK esk;
	int status;
	enum err e;

	session_end(r);
	kid_of_sign(kid, &r->server);
	e = session_open(&open_jws, &esk, sub, kid, certs, (uint64_t)time(NULL), signer);
	if (!e)
		e = rest_plain(&answer, &status, r, "POST", "/v1/session", open_jws);
	if (e)
		return e;
	if (status >= 200 && status < 300)
		return accept_take(r, open_jws, answer, &esk);
	e = hint(r, status, answer);
	return e == ERR_NETWORK ? e : ERR_DENIED;
}

const uint8_t *rest_transcript(const struct rest *r)
{
	return r->session.transcript;
}

static enum err answer_open(json_t **ret, int *ret_status, struct rest *r,
			    const struct http_reply *reply, uint64_t counter)
{
	enum err e;

	if (!reply->text || *reply->text == '{' || !strchr(reply->text, '.') ||
	    strpbrk(reply->text, " <\n")) {
		e = hint(r, reply->status, reply->text);
		if (e == ERR_STATE)
			session_end(r);
		return e;
	}
	e = session_unseal(ret, &r->session, reply->text, counter, reply->status);
	if (e)
		http_problem_set(&r->http, "an answer of the server was changed on the way: %s", err_text(e));
	else
		*ret_status = reply->status;
	return e;
}

static int has_body(const char *method)
{
	return !strcmp(method, "POST") || !strcmp(method, "PUT");
}

static enum err sealed_call(json_t **ret, int *ret_status, struct rest *r, struct http_request *q,
			    const char *token, const json_t *body)
{
	TEXT *jwe = NULL;
	HTTP_REPLY reply = { 0 };
	uint64_t counter;
	enum err e;

	if (!r->has_session) {
		http_problem_set(&r->http, "there is no session with the server");
		return ERR_STATE;
	}
	e = session_seal(&jwe, &counter, &r->session, q->method, q->path, token, body);
	if (e)
		return e;
	q->type = "application/jose";
	*(has_body(q->method) ? &q->body : &q->sealed) = jwe;
	e = http_transfer(&reply, &r->http, q);
	return e ? e : answer_open(ret, ret_status, r, &reply, counter);
}

enum err rest_call(json_t **ret, int *ret_status, struct rest *r, const char *method,
		   const char *path, const json_t *body, uint32_t timeout_ms, int cancel_fd)
{
	struct http_request q = { .method = method, .path = path, .timeout_ms = timeout_ms,
			     .cancel_fd = cancel_fd };

	return sealed_call(ret, ret_status, r, &q, r->token, body);
}

static enum err confirm_take(char **ret_scope, struct rest *r, const json_t *answer, int status)
{
	const char *token, *scope, *message = "no reason given";
	char *copy;

	if (status < 200 || status >= 300) {
		if (json_get_string(&message, answer, "message"))
			message = "no reason given";
		http_problem_set(&r->http, "the server refused the sign-in: %.300s", message);
		return ERR_DENIED;
	}
	if (json_get_string(&token, answer, "token") || json_get_string(&scope, answer, "scope"))
		return ERR_FORMAT;
	text_wipe(&r->token);
	r->token = strdup(token);
	copy = strdup(scope);
	if (!r->token || !copy) {
		free(copy);
		return ERR_MEMORY;
	}
	*ret_scope = copy;
	return OK;
}

enum err rest_confirm(char **ret_scope, struct rest *r, const char *user_proof,
		      uint64_t policy_version, const struct sign_sk *signer)
{
	struct http_request q = { .method = "POST", .path = "/v1/session/confirm",
			     .timeout_ms = r->timeout_ms, .cancel_fd = r->cancel_fd };
	TEXT *confirm = NULL;
	JSON *body = NULL, *answer = NULL;
	int status;
	enum err e;

	e = session_confirm(&confirm, &r->session, signer);
	if (e)
		return e;
	body = json_pack("{s:s, s:s*, s:I}", "confirm", confirm, "user", user_proof,
			 "policy_version", (json_int_t)policy_version);
	if (!body)
		return ERR_MEMORY;
	e = sealed_call(&answer, &status, r, &q, NULL, body);
	return e ? e : confirm_take(ret_scope, r, answer, status);
}
