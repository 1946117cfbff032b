/* Session: sealed requests and answers. */
#include <string.h>

#include "session_host.h"

#define TYP_REQUEST "holdfast-request"
#define TYP_RESPONSE "holdfast-response"
#define REQUEST_MEMBERS 8  /* alg enc typ sid dir ctr method path */
#define RESPONSE_MEMBERS 7 /* alg enc typ sid dir ctr status */
#define WINDOW_BITS 64u
/* Sealed, in base64url, it still fits JWE_BYTES_MAX. */
#define BODY_BYTES_MAX (JWE_BYTES_MAX / 4 * 3 - 4096)
/* Beyond what JSON numbers hold exactly in every language. */
#define COUNTER_MAX ((uint64_t)1 << 53)

static void iv_of(uint8_t ret[static 12], uint64_t counter)
{
	memset(ret, 0, 4);
	for (int i = 0; i < 8; i++)
		ret[4 + i] = (uint8_t)(counter >> (56 - 8 * i));
}

static enum err body_seal(char **ret, const json_t *header, const uint8_t key[static KEY_BYTES],
			  uint64_t counter, const json_t *plain)
{
	TEXT_SECRET *text = NULL;
	uint8_t iv[12];
	enum err e;

	iv_of(iv, counter);
	e = json_print(&text, plain);
	if (!e && strlen(text) > BODY_BYTES_MAX)
		e = ERR_RANGE;
	return e ? e : jwe_dir_encrypt(ret, header, key, iv, text, strlen(text));
}

static enum err body_open(json_t **ret, const char *jwe, const uint8_t key[static KEY_BYTES],
			  uint64_t counter)
{
	SECRET struct secret plain = { 0 };
	JSON *header = NULL, *o = NULL;
	uint8_t iv[12];
	enum err e;

	iv_of(iv, counter);
	e = jwe_dir_decrypt(&plain, &header, jwe, key, iv);
	if (!e)
		e = json_parse(&o, (const char *)plain.bytes, plain.len);
	if (!e && !json_is_object(o))
		e = ERR_FORMAT;
	if (!e)
		*ret = json_incref(o);
	return e;
}

static int same(const json_t *o, const char *name, const char *want)
{
	const char *text;

	return !json_get_string(&text, o, name) && !strcmp(text, want);
}

enum err session_seal(char **ret_jwe, uint64_t *ret_ctr, struct session *s, const char *method,
		      const char *path, const char *token, const json_t *body)
{
	JSON *header = NULL, *plain = json_object();
	uint64_t counter = s->counter + 1;
	enum err e;

	if (counter > COUNTER_MAX)
		return ERR_STATE;
	header = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "typ", TYP_REQUEST, "sid", s->id,
			   "dir", "c2s", "ctr", (json_int_t)counter, "method", method, "path", path);
	if (!header || !plain ||
	    (token && json_object_set_new(plain, "token", json_string(token))) ||
	    (body && json_object_set(plain, "body", (json_t *)(uintptr_t)body)))
		return ERR_MEMORY;
	/* Used up even when the sealing fails: a counter is an IV. */
	s->counter = counter;
	e = body_seal(ret_jwe, header, s->c2s, counter, plain);
	if (!e)
		*ret_ctr = counter;
	return e;
}

static enum err response_header(const struct session *s, const char *jwe, uint64_t ctr,
				int http_status)
{
	JSON *header = NULL;
	uint64_t got, status;
	enum err e;

	e = jwe_peek(&header, jwe);
	if (e)
		return e;
	if (json_object_size(header) != RESPONSE_MEMBERS || !same(header, "typ", TYP_RESPONSE) ||
	    json_get_u64(&got, header, "ctr") || json_get_u64(&status, header, "status"))
		return ERR_FORMAT;
	if (!same(header, "sid", s->id) || !same(header, "dir", "s2c") || got != ctr ||
	    http_status < 0 || status != (uint64_t)http_status)
		return ERR_AUTH;
	return OK;
}

enum err session_unseal(json_t **ret_body, const struct session *s, const char *jwe, uint64_t ctr,
			int http_status)
{
	JSON *plain = NULL;
	json_t *body;
	enum err e;

	e = response_header(s, jwe, ctr, http_status);
	if (!e)
		e = body_open(&plain, jwe, s->s2c, ctr);
	if (e)
		return e;
	body = json_object_get(plain, "body");
	if (!body)
		body = json_object_get(plain, "error");
	if (!body)
		return ERR_FORMAT;
	*ret_body = json_incref(body);
	return OK;
}

/* ERR_REPLAY: seen before, or so old that nobody knows any more. */
static enum err window_check(const struct session *s, uint64_t counter)
{
	uint64_t age;

	if (counter > s->counter)
		return OK;
	age = s->counter - counter;
	return age >= WINDOW_BITS || (s->window >> age & 1) ? ERR_REPLAY : OK;
}

static void window_mark(struct session *s, uint64_t counter)
{
	uint64_t step;

	if (counter <= s->counter) {
		s->window |= (uint64_t)1 << (s->counter - counter);
		return;
	}
	step = counter - s->counter;
	s->window = step >= WINDOW_BITS ? 1 : s->window << step | 1;
	s->counter = counter;
}

static enum err request_header(json_t **ret, uint64_t *ret_ctr, const struct session *s,
			       const char *jwe)
{
	JSON *header = NULL;
	uint64_t counter;
	enum err e;

	e = jwe_peek(&header, jwe);
	if (e)
		return e;
	if (json_object_size(header) != REQUEST_MEMBERS || !same(header, "typ", TYP_REQUEST) ||
	    json_get_u64(&counter, header, "ctr") || !counter || counter > COUNTER_MAX)
		return ERR_FORMAT;
	if (!same(header, "sid", s->id) || !same(header, "dir", "c2s"))
		return ERR_AUTH;
	*ret_ctr = counter;
	*ret = json_incref(header);
	return OK;
}

static enum err request_parts(json_t **ret_body, char **ret_token, const json_t *plain)
{
	json_t *body = json_object_get(plain, "body"), *token = json_object_get(plain, "token");
	TEXT *copy = NULL;

	if (token && !json_is_string(token))
		return ERR_FORMAT;
	if (token && !(copy = strdup(json_string_value(token))))
		return ERR_MEMORY;
	*ret_body = body ? json_incref(body) : json_null();
	*ret_token = copy;
	copy = NULL;
	return OK;
}

/* The counter is marked as seen only by what this session's key has sealed for this method and path:
 * whoever moves or damages a request on the way does not use up the real one's counter. */
enum err session_request_open(json_t **ret_body, char **ret_token, uint64_t *ret_ctr,
			      struct session *s, const char *jwe, const char *method,
			      const char *path)
{
	JSON *header = NULL, *plain = NULL;
	uint64_t counter;
	enum err e;

	e = request_header(&header, &counter, s, jwe);
	if (!e)
		e = window_check(s, counter);
	if (!e)
		e = body_open(&plain, jwe, s->c2s, counter);
	if (e)
		return e;
	if (!same(header, "method", method) || !same(header, "path", path))
		return ERR_MISDIRECTED;
	e = request_parts(ret_body, ret_token, plain);
	if (e)
		return e;
	window_mark(s, counter);
	*ret_ctr = counter;
	return OK;
}

enum err session_answer_seal(char **ret_jwe, const struct session *s, uint64_t ctr, int http_status,
			     const json_t *body, int is_error)
{
	JSON *header = json_pack("{s:s, s:s, s:s, s:I, s:i}", "typ", TYP_RESPONSE, "sid", s->id,
				 "dir", "s2c", "ctr", (json_int_t)ctr, "status", http_status);
	JSON *plain = json_object();

	if (!header || !plain ||
	    json_object_set_new(plain, is_error ? "error" : "body",
				body ? json_incref((json_t *)(uintptr_t)body) : json_null()))
		return ERR_MEMORY;
	return body_seal(ret_jwe, header, s->s2c, ctr, plain);
}
