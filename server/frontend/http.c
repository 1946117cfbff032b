/* HTTP with libmicrohttpd. Every connection is bounded in memory and in time: who does not finish a
 * request within CONNECTION_SECONDS is cut off, however diligently it drips. */
#include "http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/log.h"

#define CONNECTIONS_MAX 4096
#define CONNECTION_SECONDS 60
#define POOL_BYTES 16384
#define SWEEP_MS 2000
#define BODY_GIVE_UP ((size_t)4 << 20)

struct conn {
	int fd;
	int serving;       /* a whole request was read; we owe an answer */
	uint64_t since_ms; /* of the present state */
	struct conn *next, **from;
};

/* A request under way. */
struct exchange {
	struct request request; /* first */
	struct http *http;
	struct MHD_Connection *connection;
	struct conn *conn;
	int begun, suspended, woken;
	size_t received;
	struct exchange *next, **from; /* in the list of waiters */
};

struct http {
	struct front *front;
	struct MHD_Daemon *daemon;
	struct conn *conns;
	struct exchange *waiters;
	uint64_t swept_ms;
};

static void waiter_add(struct http *h, struct exchange *x)
{
	x->next = h->waiters;
	x->from = &h->waiters;
	if (x->next)
		x->next->from = &x->next;
	h->waiters = x;
	x->suspended = 1;
	x->woken = 0;
}

static void waiter_remove(struct exchange *x)
{
	if (!x->suspended)
		return;
	*x->from = x->next;
	if (x->next)
		x->next->from = x->from;
	x->suspended = 0;
}

static void wake(struct exchange *x)
{
	waiter_remove(x);
	MHD_resume_connection(x->connection);
}

void front_wake(struct front *f, const char *device)
{
	struct exchange *next;

	/* Unit tests run handlers without a network. */
	if (!f->http)
		return;
	for (struct exchange *x = f->http->waiters; x; x = next) {
		next = x->next;
		if (!device || !strcmp(x->request.wait_key, device))
			wake(x);
	}
}

static enum MHD_Result answer(struct exchange *x, char *text)
{
	static char empty[] = "";
	struct request *r = &x->request;
	const char *type = r->sealed || r->jose ? "application/jose" : "application/json";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		text ? strlen(text) : 0, text ? text : empty,
		text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;
	char seconds[16];

	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (r->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%u", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
	result = MHD_queue_response(x->connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return result;
}

static void address_of(struct exchange *x)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;
	const void *bytes = NULL;

	if (a && a->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	else if (a && a->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (!bytes ||
	    !inet_ntop(a->sa_family, bytes, x->request.address, sizeof(x->request.address)))
		strcpy(x->request.address, "unknown");
}

static enum MHD_Result begin(struct exchange *x, struct MHD_Connection *connection,
			     const char *method)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	x->begun = 1;
	x->connection = connection;
	x->conn = info ? info->socket_context : NULL;
	snprintf(x->request.method, sizeof(x->request.method), "%s", method);
	address_of(x);
	return MHD_YES;
}

/* Keep what fits; what does not is read and thrown away, so that the answer can say so. */
static enum MHD_Result take_body(struct exchange *x, const char *data, size_t *len)
{
	struct request *r = &x->request;

	x->received += *len;
	if (x->received > BODY_GIVE_UP)
		return MHD_NO;
	if (x->received <= REQUEST_BODY_MAX) {
		if (!r->body)
			r->body = malloc(REQUEST_BODY_MAX + 1);
		if (!r->body)
			return MHD_NO;
		memcpy(r->body + r->len, data, *len);
		r->body[r->len + *len] = 0;
	}
	r->len = x->received;
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result serve(struct exchange *x)
{
	struct request *r = &x->request;
	const char *authorization = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
								"Authorization");
	char *text = NULL;

	if (x->conn && !x->conn->serving) {
		x->conn->serving = 1;
		x->conn->since_ms = front_now_ms();
	}
	front_handle(&text, x->http->front, r, authorization);
	if (!text && r->wait_until_ms) {
		MHD_suspend_connection(x->connection);
		waiter_add(x->http, x);
		return MHD_YES;
	}
	if (x->conn)
		x->conn->since_ms = front_now_ms();
	return answer(x, text);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	struct exchange *x = *state;

	(void)cls;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->begun)
		return begin(x, connection, method);
	if (*len)
		return take_body(x, data, len);
	return serve(x);
}

/* The path as it was sent: MHD decodes it before the handler sees it. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *x = calloc(1, sizeof(*x));
	size_t len = strlen(uri);

	(void)connection;
	if (!x)
		return NULL;
	x->http = cls;
	/* A longer one matches no route, cut or whole. */
	if (len >= sizeof(x->request.path))
		len = 0;
	memcpy(x->request.path, uri, len);
	return x;
}

static void on_done(void *cls, struct MHD_Connection *connection, void **state,
		    enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *state;

	(void)cls;
	(void)connection;
	(void)code;
	if (!x)
		return;
	waiter_remove(x);
	if (x->conn) {
		x->conn->serving = 0;
		x->conn->since_ms = front_now_ms();
	}
	/* All of the buffer that was ours, not only what was sent. */
	if (x->request.len > REQUEST_BODY_MAX)
		x->request.len = REQUEST_BODY_MAX;
	request_drop(&x->request);
	free(x);
	*state = NULL;
}

static void conn_start(struct http *h, struct MHD_Connection *connection, void **socket_context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c || !info) {
		free(c);
		return;
	}
	c->fd = info->connect_fd;
	c->since_ms = front_now_ms();
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->next = h->conns;
	c->from = &h->conns;
	if (c->next)
		c->next->from = &c->next;
	h->conns = c;
	*socket_context = c;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct conn *c = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn_start(cls, connection, socket_context);
	} else if (c) {
		*c->from = c->next;
		if (c->next)
			c->next->from = c->from;
		free(c);
	}
}

/* Cut off who takes too long to ask, or to read its answer; a waiter is neither. */
static void sweep(struct http *h, uint64_t now)
{
	if (now < h->swept_ms + SWEEP_MS)
		return;
	h->swept_ms = now;
	for (struct conn *c = h->conns; c; c = c->next) {
		uint64_t limit = CONNECTION_SECONDS * 1000u +
				 (c->serving ? REQUEST_WAIT_MAX * 1000u : 0);

		if (now > c->since_ms + limit)
			shutdown(c->fd, SHUT_RDWR);
	}
}

static void on_log(void *cls, const char *format, va_list args)
{
	(void)cls;
	(void)format;
	(void)args; /* what clients do wrong at this level is theirs to notice */
}

enum err http_start(struct http **ret, struct front *f, int listen_fd, const char *key_pem,
		    const char *cert_pem)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return ERR_MEMORY;
	h->front = f;
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, (void *)NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_HTTPS_MEM_KEY, key_pem,
		MHD_OPTION_HTTPS_MEM_CERT, cert_pem, MHD_OPTION_HTTPS_PRIORITIES,
		"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"
		"+GROUP-SECP384R1:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD:-CIPHER-ALL:"
		"+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE",
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_SECONDS, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_done, (void *)NULL, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_END);
	if (!h->daemon) {
		free(h);
		return ERR_IO;
	}
	*ret = h;
	f->http = h;
	return OK;
}

void http_stop(struct http **http)
{
	struct http *h = *http;

	if (!h)
		return;
	while (h->waiters)
		wake(h->waiters);
	MHD_stop_daemon(h->daemon);
	h->front->http = NULL;
	free(h);
	*http = NULL;
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_timeout(struct http *h)
{
	uint64_t now = front_now_ms(), most = SWEEP_MS;
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms < most)
		most = ms;
	for (const struct exchange *x = h->waiters; x; x = x->next) {
		uint64_t left = x->request.wait_until_ms > now ? x->request.wait_until_ms - now : 0;

		if (left < most)
			most = left;
	}
	return (int)most;
}

void http_run(struct http *h)
{
	uint64_t now = front_now_ms();
	struct exchange *next;

	for (struct exchange *x = h->waiters; x; x = next) {
		next = x->next;
		if (x->request.wait_until_ms <= now)
			wake(x);
	}
	sweep(h, now);
	MHD_run(h->daemon);
}
