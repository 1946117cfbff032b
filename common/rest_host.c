/* REST client over libcurl. */
#include "rest_host.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEME "https://"
#define CONNECT_TIMEOUT_MS 10000
#define TIMEOUT_MS 30000
#define POLL_MS 1000
#define REPLY_BYTES_MAX JWE_BYTES_MAX
#define PATH_BYTES_MAX 2048
#define PROBLEM_BYTES 512

struct rest {
	CURL *easy;
	CURLM *multi; /* keeps the connections */
	char *url, *pin;
	struct sign_pk server;
	struct session session;
	int has_session;
	char *token;
	uint32_t timeout_ms; /* rest_limits */
	int cancel_fd;
	uint32_t retry_after_s;
	char problem[PROBLEM_BYTES];
};

struct reply {
	char *text;
	size_t len;
	int status;
	int too_long;
};

static void reply_drop(struct reply *r)
{
	text_drop(&r->text);
}
#define REPLY __attribute__((cleanup(reply_drop))) struct reply

struct request {
	const char *method, *path, *body, *type;
	const char *sealed; /* for the Authorization header, or NULL */
	uint32_t timeout_ms;
	int cancel_fd;
};

static void slist_drop(struct curl_slist **l)
{
	curl_slist_free_all(*l);
}
#define HEADERS __attribute__((cleanup(slist_drop))) struct curl_slist

/* What a stranger may have written goes to a terminal: printable characters only. */
__attribute__((format(printf, 2, 3)))
static void problem_set(struct rest *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->problem, sizeof r->problem, format, args);
	va_end(args);
	for (char *c = r->problem; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

static void session_end(struct rest *r)
{
	session_drop(&r->session);
	r->has_session = 0;
	text_wipe(&r->token);
}

static enum err url_check(const char *url)
{
	size_t len = strlen(url), host = strlen(SCHEME);

	if (strncmp(url, SCHEME, host) != 0 || len <= host || len > PATH_BYTES_MAX)
		return ERR_FORMAT;
	for (const char *c = url + host; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("@?#\\\"<>", *c) || (*c == '/' && c[1]))
			return ERR_FORMAT;
	return url[host] == '/' ? ERR_FORMAT : OK;
}

static enum err pin_check(const char *pin)
{
	return !pin || !strncmp(pin, "sha256//", 8) ? OK : ERR_FORMAT;
}

static enum err handles_new(struct rest *r, const struct rest_target *target)
{
	size_t len = strlen(target->url);

	r->url = strndup(target->url, len - (target->url[len - 1] == '/'));
	r->pin = target->pin ? strdup(target->pin) : NULL;
	r->easy = curl_easy_init();
	r->multi = curl_multi_init();
	if (!r->url || (target->pin && !r->pin) || !r->easy || !r->multi)
		return ERR_MEMORY;
	r->server = target->server;
	rest_limits(r, TIMEOUT_MS, -1);
	return OK;
}

enum err rest_new(struct rest **ret, const struct rest_target *target)
{
	struct rest *r;
	enum err e;

	if (!target->url || url_check(target->url) || pin_check(target->pin))
		return ERR_FORMAT;
	if (sodium_init() < 0)
		return ERR_INTERNAL;
	r = calloc(1, sizeof *r);
	if (!r)
		return ERR_MEMORY;
	e = handles_new(r, target);
	if (e)
		rest_drop(&r);
	else
		*ret = r;
	return e;
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
	curl_easy_cleanup(r->easy);
	curl_multi_cleanup(r->multi);
	free(r->url);
	free(r->pin);
	free(r);
}

const char *rest_problem(const struct rest *r)
{
	return r->problem;
}

uint32_t rest_retry_after_s(const struct rest *r)
{
	return r->retry_after_s;
}

/* libcurl's write callback: another length than the given one ends the transfer. */
static size_t reply_write(char *bytes, size_t one, size_t len, void *to)
{
	struct reply *reply = to;
	char *text;

	(void)one;
	if (len > REPLY_BYTES_MAX - reply->len) {
		reply->too_long = 1;
		return 0;
	}
	text = realloc(reply->text, reply->len + len + 1);
	if (!text)
		return 0;
	memcpy(text + reply->len, bytes, len);
	reply->text = text;
	reply->len += len;
	text[reply->len] = '\0';
	return len;
}

/* With a pin, exactly one TLS key is right, and it is known from the enrolment token: a name or a chain that
 * somebody else vouches for adds nothing, and would keep out the self-signed certificates of servers that
 * need no authority. Without one, the system's authorities and the name decide. */
static void options_tls(const struct rest *r)
{
	CURL *c = r->easy;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, r->pin ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, r->pin ? 0L : 2L);
	if (r->pin)
		curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, r->pin);
}

static void options_transfer(const struct rest *r, const struct request *q)
{
	CURL *c = r->easy;
	long timeout_ms = q->timeout_ms ? (long)q->timeout_ms : TIMEOUT_MS;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	/* The path is sealed into the request as it is. */
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
	if (q->body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(q->body));
	}
}

static enum err header_add(struct curl_slist **list, const char *name, const char *value)
{
	TEXT *line = NULL;
	struct curl_slist *longer;

	if (asprintf(&line, "%s%s", name, value) < 0) {
		line = NULL;
		return ERR_MEMORY;
	}
	longer = curl_slist_append(*list, line);
	if (!longer)
		return ERR_MEMORY;
	*list = longer;
	return OK;
}

static enum err headers_new(struct curl_slist **ret, const struct request *q)
{
	enum err e = header_add(ret, "Expect:", "");

	if (!e && q->body)
		e = header_add(ret, "Content-Type: ", q->type);
	if (!e && q->sealed)
		e = header_add(ret, "Authorization: Holdfast ", q->sealed);
	return e;
}

static enum err cancelled(struct rest *r)
{
	problem_set(r, "the request was interrupted");
	return ERR_BUSY;
}

/* Drive the transfer until it ends or somebody writes to cancel_fd. */
static enum err run(CURLcode *ret, struct rest *r, int cancel_fd)
{
	struct curl_waitfd extra = { cancel_fd, CURL_WAIT_POLLIN, 0 };
	int running = 1, left;
	CURLMsg *m;

	for (;;) {
		if (curl_multi_perform(r->multi, &running))
			return ERR_NETWORK;
		if (!running)
			break;
		extra.revents = 0;
		if (curl_multi_poll(r->multi, &extra, cancel_fd >= 0, POLL_MS, NULL))
			return ERR_NETWORK;
		if (extra.revents)
			return cancelled(r);
	}
	m = curl_multi_info_read(r->multi, &left);
	if (!m || m->msg != CURLMSG_DONE)
		return ERR_NETWORK;
	*ret = m->data.result;
	return OK;
}

static enum err outcome(struct rest *r, CURLcode code, const struct reply *reply)
{
	if (reply->too_long) {
		problem_set(r, "%s answered with more than 1 MiB: is it a Holdfast server?", r->url);
		return ERR_FORMAT;
	}
	switch (code) {
	case CURLE_OK:
		return OK;
	case CURLE_OUT_OF_MEMORY:
		return ERR_MEMORY;
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		problem_set(r, "%s shows another TLS key than the one it was enrolled with: somebody "
			    "may be in between, or the server has a new key", r->url);
		return ERR_NETWORK;
	case CURLE_PEER_FAILED_VERIFICATION:
		problem_set(r, "no trusted authority vouches for the TLS certificate of %s", r->url);
		return ERR_NETWORK;
	case CURLE_OPERATION_TIMEDOUT:
		problem_set(r, "%s did not answer in time: check the network and that the server "
			    "runs", r->url);
		return ERR_NETWORK;
	default:
		problem_set(r, "%s cannot be reached: %s", r->url, curl_easy_strerror(code));
		return ERR_NETWORK;
	}
}

static enum err transfer_begun(struct reply *ret, struct rest *r, int cancel_fd)
{
	CURLcode code = CURLE_OK;
	curl_off_t retry_after = 0;
	long status = 0;
	enum err e;

	if (curl_multi_add_handle(r->multi, r->easy))
		return ERR_MEMORY;
	e = run(&code, r, cancel_fd);
	curl_multi_remove_handle(r->multi, r->easy);
	if (!e)
		e = outcome(r, code, ret);
	if (e)
		return e;
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &retry_after);
	ret->status = (int)status;
	if (retry_after > 0)
		r->retry_after_s = retry_after > 86400 ? 86400 : (uint32_t)retry_after;
	return OK;
}

static enum err path_check(const char *path)
{
	if (*path != '/' || strlen(path) > PATH_BYTES_MAX)
		return ERR_FORMAT;
	for (; *path; path++)
		if (*path <= ' ' || *path >= 0x7f || *path == '#')
			return ERR_FORMAT;
	return OK;
}

static enum err transfer(struct reply *ret, struct rest *r, const struct request *q)
{
	HEADERS *headers = NULL;
	TEXT *url = NULL;
	enum err e;

	r->problem[0] = '\0';
	r->retry_after_s = 0;
	if (path_check(q->path)) {
		problem_set(r, "the path of the request has characters that a URL cannot have");
		return ERR_FORMAT;
	}
	if (asprintf(&url, "%s%s", r->url, q->path) < 0) {
		url = NULL;
		return ERR_MEMORY;
	}
	e = headers_new(&headers, q);
	if (e)
		return e;
	curl_easy_reset(r->easy);
	options_tls(r);
	options_transfer(r, q);
	curl_easy_setopt(r->easy, CURLOPT_URL, url);
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, reply_write);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, ret);
	e = transfer_begun(ret, r, q->cancel_fd);
	curl_easy_reset(r->easy);
	if (e && !r->problem[0])
		problem_set(r, "%s: %s", r->url, err_text(e));
	return e;
}

static enum err text_of(char **ret, struct reply *reply)
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
	const struct request q = {
		.method = method, .path = path, .body = body, .timeout_ms = r->timeout_ms,
		.cancel_fd = r->cancel_fd,
		.type = body && *body == '{' ? "application/json" : "application/jose",
	};
	REPLY reply = { 0 };
	enum err e;

	e = transfer(&reply, r, &q);
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
		problem_set(r, "%s answered with status %d and no message that Holdfast knows: is "
			    "there a proxy in between?", r->url, status);
		return status >= 200 && status < 300 ? ERR_FORMAT : ERR_NETWORK;
	}
	if (json_get_string(&advice, error, "hint"))
		advice = "";
	problem_set(r, "the server says: %.200s%s%.200s", message, *advice ? ": " : "", advice);
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
		problem_set(r, "the answer to the session's opening is not the enrolled server's: %s",
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
			    const struct reply *reply, uint64_t counter)
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
		problem_set(r, "an answer of the server was changed on the way: %s", err_text(e));
	else
		*ret_status = reply->status;
	return e;
}

static int has_body(const char *method)
{
	return !strcmp(method, "POST") || !strcmp(method, "PUT");
}

static enum err sealed_call(json_t **ret, int *ret_status, struct rest *r, struct request *q,
			    const char *token, const json_t *body)
{
	TEXT *jwe = NULL;
	REPLY reply = { 0 };
	uint64_t counter;
	enum err e;

	if (!r->has_session) {
		problem_set(r, "there is no session with the server");
		return ERR_STATE;
	}
	e = session_seal(&jwe, &counter, &r->session, q->method, q->path, token, body);
	if (e)
		return e;
	q->type = "application/jose";
	*(has_body(q->method) ? &q->body : &q->sealed) = jwe;
	e = transfer(&reply, r, q);
	return e ? e : answer_open(ret, ret_status, r, &reply, counter);
}

enum err rest_call(json_t **ret, int *ret_status, struct rest *r, const char *method,
		   const char *path, const json_t *body, uint32_t timeout_ms, int cancel_fd)
{
	struct request q = { .method = method, .path = path, .timeout_ms = timeout_ms,
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
		problem_set(r, "the server refused the sign-in: %.300s", message);
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
	struct request q = { .method = "POST", .path = "/v1/session/confirm",
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
