/* One HTTPS server and the connections to it: requests in, bounded answers out. Knows nothing of
 * sessions: that is rest_host.h, whose only helper this is. */
#ifndef HOLDFAST_REST_HTTP_HOST_H
#define HOLDFAST_REST_HTTP_HOST_H

#include <curl/curl.h>

#include "json_host.h"

#define HTTP_TIMEOUT_MS 30000
#define HTTP_PROBLEM_BYTES 512

struct http {
	CURL *easy;
	CURLM *multi; /* keeps the connections */
	char *url, *pin;
	uint32_t retry_after_s;           /* of the last answer; 0: none */
	char problem[HTTP_PROBLEM_BYTES]; /* of the last transfer, for people */
};

/* url: https://HOST[:PORT]; pin: "sha256//…" of the TLS key, or NULL: the system's authorities
 * count. Errors: ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err http_new(struct http *ret, const char *url, const char *pin);
void http_drop(struct http *h); /* accepts zeroed and dropped ones */

/* What a stranger may have written goes to a terminal: printable ASCII only is kept. */
__attribute__((format(printf, 2, 3))) void http_problem_set(struct http *h, const char *format, ...);

struct http_request {
	const char *method, *path, *body, *type; /* body: text or NULL; type: of the body */
	const char *sealed;                      /* for the Authorization header, or NULL */
	uint32_t timeout_ms;                     /* 0: HTTP_TIMEOUT_MS */
	int cancel_fd;                           /* readable: ends the transfer; or -1 */
};

struct http_reply {
	char *text; /* NULL when empty; at most 1 MiB */
	size_t len;
	int status;
	int too_long;
};
void http_reply_drop(struct http_reply *r);
#define HTTP_REPLY __attribute__((cleanup(http_reply_drop))) struct http_reply

/* ret must be zeroed. Errors, each with a problem: ERR_NETWORK, ERR_FORMAT (path; answer too long),
 * ERR_BUSY (cancelled), ERR_MEMORY, ERR_UNSUPPORTED (libcurl without pinning). */
MUST_CHECK enum err http_transfer(struct http_reply *ret, struct http *h, const struct http_request *q);

#endif
