/* HTTP over TLS with libmicrohttpd, in one thread: connections, bodies, long-polls. */
#ifndef HOLDFAST_FRONTEND_HTTP_H
#define HOLDFAST_FRONTEND_HTTP_H

#include "front.h"

struct http;

/* Takes listen_fd over. Errors: ERR_IO (key or certificate not usable), ERR_MEMORY. */
MUST_CHECK enum err http_start(struct http **ret, struct front *f, int listen_fd,
			       const char *key_pem, const char *cert_pem);
void http_stop(struct http **http);

/* Readable when there is something to do; then, and at the latest after http_timeout ms, run. */
int http_fd(const struct http *http);
int http_timeout(struct http *http);
void http_run(struct http *http);

#endif
