/* HTTPS over libcurl's multi interface, because a transfer must end when somebody writes to a
 * descriptor. */
#include "rest_http_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwe_host.h"

#define SCHEME "https://"
#define CONNECT_TIMEOUT_MS 10000
#define POLL_MS 60000
#define REPLY_BYTES_MAX JWE_BYTES_MAX
#define PATH_BYTES_MAX 2048

static void slist_drop(struct curl_slist **l)
{
	curl_slist_free_all(*l);
}
#define HEADERS __attribute__((cleanup(slist_drop))) struct curl_slist

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

enum err http_new(struct http *ret, const char *url, const char *pin)
{
	struct http h = { 0 };
	size_t len;

	if (!url || url_check(url) || pin_check(pin))
		return ERR_FORMAT;
	len = strlen(url);
	h.url = strndup(url, len - (url[len - 1] == '/'));
	h.pin = pin ? strdup(pin) : NULL;
	h.easy = curl_easy_init();
	h.multi = curl_multi_init();
	if (!h.url || (pin && !h.pin) || !h.easy || !h.multi) {
		http_drop(&h);
		return ERR_MEMORY;
	}
	*ret = h;
	return OK;
}

void http_drop(struct http *h)
{
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h->url);
	free(h->pin);
	*h = (struct http){ 0 };
}

void http_reply_drop(struct http_reply *r)
{
	text_drop(&r->text);
}

void http_problem_set(struct http *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(h->problem, sizeof h->problem, format, args);
	va_end(args);
	for (char *c = h->problem; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = *c == '\n' || *c == '\t' ? ' ' : '?';
}

/* libcurl's write callback: another length than the given one ends the transfer. */
static size_t reply_write(char *bytes, size_t one, size_t len, void *to)
{
	struct http_reply *reply = to;
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

/* With a pin, exactly one TLS key is right, and it is known from the enrolment token: a name or a
 * chain that somebody else vouches for adds nothing, and would keep out the self-signed
 * certificates of servers that need no authority. Without one, the system's authorities and the
 * name decide. */
static enum err options_tls(const struct http *h)
{
	CURL *c = h->easy;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, h->pin ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, h->pin ? 0L : 2L);
	if (!h->pin)
		return OK;
	/* The authorities' bundle would be read for every connection, and decide nothing. */
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	/* A libcurl that cannot compare keys must not go on without. */
	if (curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, h->pin))
		return ERR_UNSUPPORTED;
	return OK;
}

static void options_transfer(struct http *h, const struct http_request *q)
{
	CURL *c = h->easy;
	long timeout_ms = q->timeout_ms ? (long)q->timeout_ms : HTTP_TIMEOUT_MS;

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

static enum err headers_new(struct curl_slist **ret, const struct http_request *q)
{
	enum err e = header_add(ret, "Expect:", "");

	if (!e && q->body)
		e = header_add(ret, "Content-Type: ", q->type);
	if (!e && q->sealed)
		e = header_add(ret, "Authorization: Holdfast ", q->sealed);
	return e;
}

static enum err cancelled(struct http *h)
{
	http_problem_set(h, "the request was interrupted");
	return ERR_BUSY;
}

/* Drive the transfer until it ends or somebody writes to cancel_fd. */
static enum err run(CURLcode *ret, struct http *h, int cancel_fd)
{
	struct curl_waitfd extra = { cancel_fd, CURL_WAIT_POLLIN, 0 };
	int running = 1, left;
	CURLMsg *m;

	for (;;) {
		if (curl_multi_perform(h->multi, &running))
			return ERR_NETWORK;
		if (!running)
			break;
		extra.revents = 0;
		if (curl_multi_poll(h->multi, &extra, cancel_fd >= 0, POLL_MS, NULL))
			return ERR_NETWORK;
		if (extra.revents)
			return cancelled(h);
	}
	m = curl_multi_info_read(h->multi, &left);
	if (!m || m->msg != CURLMSG_DONE)
		return ERR_NETWORK;
	*ret = m->data.result;
	return OK;
}

static enum err outcome(struct http *h, CURLcode code, const struct http_reply *reply)
{
	if (reply->too_long) {
		http_problem_set(h, "%s answered with more than 1 MiB: is it a Holdfast server?", h->url);
		return ERR_FORMAT;
	}
	switch (code) {
	case CURLE_OK:
		return OK;
	case CURLE_OUT_OF_MEMORY:
		return ERR_MEMORY;
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		http_problem_set(h, "%s shows another TLS key than the one it was enrolled with: somebody "
			    "may be in between, or the server has a new key", h->url);
		return ERR_NETWORK;
	case CURLE_PEER_FAILED_VERIFICATION:
		http_problem_set(h, "no trusted authority vouches for the TLS certificate of %s", h->url);
		return ERR_NETWORK;
	case CURLE_OPERATION_TIMEDOUT:
		http_problem_set(h, "%s did not answer in time: check the network and that the server "
			    "runs", h->url);
		return ERR_NETWORK;
	default:
		http_problem_set(h, "%s cannot be reached: %s", h->url, curl_easy_strerror(code));
		return ERR_NETWORK;
	}
}

static enum err transfer_begun(struct http_reply *ret, struct http *h, int cancel_fd)
{
	CURLcode code = CURLE_OK;
	curl_off_t retry_after = 0;
	long status = 0;
	enum err e;

	if (curl_multi_add_handle(h->multi, h->easy))
		return ERR_MEMORY;
	e = run(&code, h, cancel_fd);
	curl_multi_remove_handle(h->multi, h->easy);
	if (!e)
		e = outcome(h, code, ret);
	if (e)
		return e;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
	ret->status = (int)status;
	if (retry_after > 0)
		h->retry_after_s = retry_after > 86400 ? 86400 : (uint32_t)retry_after;
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

enum err http_transfer(struct http_reply *ret, struct http *h, const struct http_request *q)
{
	HEADERS *headers = NULL;
	TEXT *url = NULL;
	enum err e;

	h->problem[0] = '\0';
	h->retry_after_s = 0;
	if (path_check(q->path)) {
		http_problem_set(h, "the path of the request has characters that a URL cannot have");
		return ERR_FORMAT;
	}
	if (asprintf(&url, "%s%s", h->url, q->path) < 0) {
		url = NULL;
		return ERR_MEMORY;
	}
	e = headers_new(&headers, q);
	if (e)
		return e;
	curl_easy_reset(h->easy);
	e = options_tls(h);
	if (e) {
		http_problem_set(h, "this libcurl cannot compare a server's TLS key with a known one");
		return e;
	}
	options_transfer(h, q);
	curl_easy_setopt(h->easy, CURLOPT_URL, url);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, reply_write);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, ret);
	e = transfer_begun(ret, h, q->cancel_fd);
	curl_easy_reset(h->easy);
	if (e && !h->problem[0])
		http_problem_set(h, "%s: %s", h->url, err_text(e));
	return e;
}
