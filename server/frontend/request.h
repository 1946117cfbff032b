/* Request: from method, path and body to one decision out of one table (routes.inc). Everything
 * here is the network's word; nothing touches keys, sockets or the database. */
#ifndef HOLDFAST_FRONTEND_REQUEST_H
#define HOLDFAST_FRONTEND_REQUEST_H

#include <jansson.h>

#include "common/session_host.h"
#include "server/fault.h"
#include "server/name.h"

#define REQUEST_BODY_MAX ((size_t)256 << 10)
#define REQUEST_PATH_MAX 512 /* with query and NUL */
#define REQUEST_PARAMS_MAX 2
#define REQUEST_WAIT_MAX 50 /* s */

/* APPOINTER: an officer, or the officer root from the recovery sheet. */
enum scope {
	SCOPE_NONE,
	SCOPE_CONFIRM,
	SCOPE_DEVICE,
	SCOPE_USER,
	SCOPE_OFFICER,
	SCOPE_APPOINTER,
};

struct front;
struct request;

struct route {
	const char *method, *path;
	enum scope scope;
	const char *permission;
	enum err (*handler)(struct front *f, struct request *r);
	const char *name; /* in the audit log */
};

struct request {
	char method[8];
	char path[REQUEST_PATH_MAX]; /* as it was sent, with the query, as sealed requests name it */
	char address[64];
	char *body; /* NUL-terminated */
	size_t len;

	/* set by request_parse */
	const struct route *route;
	char param[REQUEST_PARAMS_MAX][NAME_MAX_BYTES + 1];
	const char *query; /* behind '?', or "" */
	const char *jwe;   /* sealed ones */
	char sid[SESSION_ID_TEXT];

	/* set when it was opened */
	int sealed; /* the answer must be, too */
	uint64_t counter;
	json_t *json;
	char actor[80];   /* for the audit log */
	char detail[160]; /* for the audit log, set by handlers */

	/* set by the handler */
	int status;     /* 0: 200 */
	json_t *answer; /* or */
	char *jose;     /* a JWS as the whole answer */
	struct fault fault;
	unsigned retry_after_s; /* with FAULT_SLOW_DOWN */
	char wait_key[ID_TEXT]; /* waiting: wake when this device has news … */
	uint64_t wait_until_ms; /* … or at this time; 0: not waiting */
	uint64_t seen;          /* by a waiter: policy version at its start, and 1 */
};

/* authorization: the header's value or NULL. Errors come with a fault: FAULT_NOT_FOUND,
 * _BAD_METHOD, _BAD_REQUEST, _TOO_LARGE, _NO_SESSION (a sealed route without a sealed request). */
MUST_CHECK enum err request_parse(struct request *r, const char *authorization);
/* Frees what it owns; the struct itself is the caller's. */
void request_drop(struct request *r);

/* A number in the query; preset when absent. Errors: ERR_FORMAT with a fault. */
MUST_CHECK enum err request_number(uint64_t *ret, struct request *r, const char *name,
				   uint64_t preset);
/* A text in the query, cut out into ret; "" when absent. Errors: ERR_FORMAT with a fault. */
MUST_CHECK enum err request_text(char *ret, size_t size, struct request *r, const char *name);

#endif
