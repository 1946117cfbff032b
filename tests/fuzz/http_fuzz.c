/* HTTP requests up to the decision: method, path, Authorization header and body, a line each (the
 * body is the rest). */
#include "core_fuzz.h"

#include "server/frontend/request.h"

static char *line(char **at)
{
	char *start = *at, *end = strchr(start, '\n');

	if (end)
		*end++ = 0;
	*at = end ? end : start + strlen(start);
	return start;
}

static void check_param(const char *text)
{
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@") !=
	    strlen(text))
		abort();
}

/* 1 when a route was found and, where it needs one, a session is named. */
static int try(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1), *at = text;
	struct request r = { .status = 0 };
	const char *authorization;
	uint64_t number;
	int taken;

	if (!text)
		abort();
	if (len)
		memcpy(text, data, len);
	snprintf(r.method, sizeof(r.method), "%.7s", line(&at));
	snprintf(r.path, sizeof(r.path), "%.511s", line(&at));
	authorization = line(&at);
	r.len = len - (size_t)(at - text);
	r.body = calloc(1, r.len + 1);
	memcpy(r.body, at, r.len);
	taken = !request_parse(&r, *authorization ? authorization : NULL);
	/* A refusal always has its reason, and only a refusal has one. */
	if (taken == (r.fault.code != FAULT_NONE) || (taken && !r.route))
		abort();
	if (taken && r.route->scope != SCOPE_NONE && strlen(r.sid) != SESSION_ID_TEXT - 1)
		abort();
	check_param(r.param[0]);
	check_param(r.param[1]);
	if (r.query && request_number(&number, &r, "wait", 0) && r.fault.code == FAULT_NONE)
		abort();
	request_drop(&r);
	free(text);
	return taken;
}

static void seed(char **argv, const char *name, const char *text)
{
	if (!try((const uint8_t *)text, strlen(text)))
		abort();
	fuzz_seed(argv, name, (const uint8_t *)text, strlen(text));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct session s = { .id = "AAAAAAAAAAAAAAAAAAAAAA", .c2s = { 1 } };
	TEXT *jwe = NULL, *get = NULL, *post = NULL;
	uint64_t ctr;

	(void)argc;
	fuzz_begin();
	if (session_seal(&jwe, &ctr, &s, "GET", "/v1/commands?after=1&wait=2", "token", NULL) ||
	    asprintf(&get, "GET\n/v1/commands?after=1&wait=2\nHoldfast %s\n", jwe) < 0 ||
	    asprintf(&post, "POST\n/v1/devices/x/escrow/y/release\n\n%s", jwe) < 0)
		abort();
	seed(*argv, "get", get);
	seed(*argv, "post", post);
	seed(*argv, "plain", "POST\n/v1/claim\n\n{\"bundle\":\"a\",\"proof\":\"b\"}");
	seed(*argv, "name", "GET\n/v1/officers/ada/sign-in?x=1&wait=9\n\n");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
