/* Requests: parsing and routing. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "handlers.h"

static const struct route routes[] = {
#define ROUTE(method, path, scope, permission, handler)                                            \
	{ method, path, SCOPE_##scope, permission, front_do_##handler, #handler },
#include "routes.inc"
#undef ROUTE
};
#define ROUTES (sizeof(routes) / sizeof(*routes))

/* One part of a path: NAME, ID, RECORD or CMD. */
static size_t part_len(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@");
}

static int match(struct request *r, const char *pattern, const char *path)
{
	size_t params = 0;

	while (*pattern) {
		size_t len;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return 0;
			continue;
		}
		len = part_len(path);
		if (!len || len > NAME_MAX_BYTES)
			return 0;
		memcpy(r->param[params], path, len);
		r->param[params++][len] = 0;
		path += len;
		pattern += 2;
	}
	return !*path;
}

static enum err find_route(struct request *r, const char *path)
{
	int other_method = 0;

	for (size_t i = 0; i < ROUTES; i++) {
		memset(r->param, 0, sizeof(r->param));
		if (!match(r, routes[i].path, path))
			continue;
		if (!strcmp(routes[i].method, r->method)) {
			r->route = &routes[i];
			return OK;
		}
		other_method = 1;
	}
	return other_method ? fault_say(&r->fault, FAULT_BAD_METHOD, ERR_UNSUPPORTED,
					"not with this method")
			    : fault_say(&r->fault, FAULT_NOT_FOUND, ERR_NOT_FOUND, "no such path");
}

/* The session that a sealed request names; whether it is true is seen when it is opened. */
static enum err find_sid(struct request *r, const char *authorization)
{
	JSON *header = NULL;
	const char *sid;

	if (!strcmp(r->method, "GET") || !strcmp(r->method, "DELETE")) {
		if (!authorization || strncmp(authorization, "Holdfast ", 9))
			return ERR_FORMAT;
		r->jwe = authorization + 9;
	} else {
		r->jwe = r->body ? r->body : "";
	}
	if (jwe_peek(&header, r->jwe) || json_get_string(&sid, header, "sid") ||
	    strlen(sid) != SESSION_ID_TEXT - 1)
		return ERR_FORMAT;
	memcpy(r->sid, sid, SESSION_ID_TEXT);
	return OK;
}

enum err request_parse(struct request *r, const char *authorization)
{
	char path[REQUEST_PATH_MAX];
	size_t len = strcspn(r->path, "?");
	enum err e;

	if (r->len > REQUEST_BODY_MAX)
		return fault_say(&r->fault, FAULT_TOO_LARGE, ERR_SPACE,
				 "bodies are at most 256 KiB");
	if (r->body && strlen(r->body) != r->len)
		return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_FORMAT, "a NUL in the body");
	memcpy(path, r->path, len);
	path[len] = 0;
	r->query = r->path[len] ? r->path + len + 1 : r->path + len;
	e = find_route(r, path);
	if (e || r->route->scope == SCOPE_NONE)
		return e;
	e = find_sid(r, authorization);
	return e ? fault_say(&r->fault, FAULT_NO_SESSION, e, "this needs a session") : OK;
}

void request_drop(struct request *r)
{
	if (r->body)
		secret_wipe(r->body, r->len);
	free(r->body);
	free(r->jose);
	json_drop(&r->json);
	json_drop(&r->answer);
}

enum err request_text(char *ret, size_t size, struct request *r, const char *name)
{
	size_t name_len = strlen(name), len;
	const char *at = r->query;

	*ret = 0;
	while (*at) {
		len = strcspn(at, "&");
		if (len > name_len && !memcmp(at, name, name_len) && at[name_len] == '=') {
			at += name_len + 1;
			len -= name_len + 1;
			if (len >= size || part_len(at) < len)
				return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_FORMAT,
						 "query member %s", name);
			memcpy(ret, at, len);
			ret[len] = 0;
			return OK;
		}
		at += len + (at[len] == '&');
	}
	return OK;
}

enum err request_number(uint64_t *ret, struct request *r, const char *name, uint64_t preset)
{
	char text[20];
	enum err e = request_text(text, sizeof(text), r, name);

	if (e)
		return e;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
		return fault_say(&r->fault, FAULT_BAD_REQUEST, ERR_FORMAT,
				 "query member %s is no number", name);
	*ret = *text ? strtoull(text, NULL, 10) : preset;
	return OK;
}
