/* Requests: routing and reading, without a network. */
#include "jose_fixture.h"

#include "server/frontend/request.h"

static enum err parse(struct request *r, const char *method, const char *path)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->method, sizeof(r->method), "%s", method);
	snprintf(r->path, sizeof(r->path), "%s", path);
	return request_parse(r, NULL);
}

static void paths_find_their_route(void **state)
{
	static const struct {
		const char *method, *path;
		enum fault_code want;
		const char *name;
	} rows[] = {
		{ "GET", "/v1/health", FAULT_NONE, "health" },
		{ "GET", "/v1/health?x=1", FAULT_NONE, "health" },
		{ "GET", "/v1/officers/ada/sign-in", FAULT_NONE, "sign_in" },
		{ "GET", "/v1/devices/x", FAULT_NO_SESSION, "device" },
		{ "GET", "/v1/devices/x/commands/y?wait=3", FAULT_NO_SESSION, "command_wait" },
		{ "POST", "/v1/devices/x/escrow/y/release", FAULT_NO_SESSION, "release" },
		{ "PUT", "/v1/health", FAULT_BAD_METHOD, NULL },
		{ "get", "/v1/health", FAULT_BAD_METHOD, NULL },
		{ "GET", "/v1/health/", FAULT_NOT_FOUND, NULL },
		{ "GET", "/v1/healt", FAULT_NOT_FOUND, NULL },
		{ "GET", "/v1/devices//escrow", FAULT_NOT_FOUND, NULL },
		{ "GET", "/v1/devices/a%2fb", FAULT_NOT_FOUND, NULL },
		{ "GET", "", FAULT_NOT_FOUND, NULL },
		{ "GET", "?", FAULT_NOT_FOUND, NULL },
		{ "GET", "/v1/devices/{}", FAULT_NOT_FOUND, NULL },
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum err e = parse(&r, rows[i].method, rows[i].path);

		if (!e != !rows[i].want || r.fault.code != rows[i].want ||
		    (rows[i].name && strcmp(r.route->name, rows[i].name)))
			fail_msg("%s %s: %s", rows[i].method, rows[i].path,
				 fault_text(r.fault.code));
	}
	assert_ok(parse(&r, "GET", "/v1/officers/ada.l@x-1_2/sign-in"));
	assert_string_equal(r.param[0], "ada.l@x-1_2");
}

static void names_have_a_bound(void **state)
{
	char path[200];
	struct request r;

	(void)state;
	for (int n = 60; n < 70; n++) {
		snprintf(
			path, sizeof(path), "/v1/officers/%.*s/sign-in", n,
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		assert_int_equal(parse(&r, "GET", path), n <= NAME_MAX_BYTES ? OK : ERR_NOT_FOUND);
	}
}

static void query_members(void **state)
{
	static const struct {
		const char *query;
		int fails;
		uint64_t want;
	} rows[] = {
		{ "", 0, 7 },
		{ "?wait=3", 0, 3 },
		{ "?a=1&wait=4&wait=5", 0, 4 },
		{ "?xwait=3", 0, 7 },
		{ "?wait", 0, 7 },
		{ "?wait=", 0, 7 },
		{ "?wait=-1", 1, 0 },
		{ "?wait=3x", 1, 0 },
		{ "?wait=%33", 1, 0 },
		{ "?wait=999999999999999999", 0, 999999999999999999 },
		{ "?wait=9999999999999999999", 1, 0 },
		{ "?&&&wait=8", 0, 8 },
		{ "?wait=1 2", 1, 0 },
	};
	struct request r;
	char path[100];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got = 0;

		snprintf(path, sizeof(path), "/v1/health%s", rows[i].query);
		assert_ok(parse(&r, "GET", path));
		if ((request_number(&got, &r, "wait", 7) != OK) != rows[i].fails ||
		    got != rows[i].want)
			fail_msg("%s: %d", rows[i].query, (int)got);
	}
}

static void sealed_requests_name_their_session(void **state)
{
	static const char *const bad[] = {
		"",         "Holdfast",           "Holdfast ",
		"Bearer x", "Holdfast a.b.c.d.e", "Holdfast e30.AAAA.AAAA.AAAA.AAAA"
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		memset(&r, 0, sizeof(r));
		strcpy(r.method, "GET");
		strcpy(r.path, "/v1/me");
		if (!request_parse(&r, bad[i]) || r.fault.code != FAULT_NO_SESSION)
			fail_msg("taken: %s", bad[i]);
	}
	memset(&r, 0, sizeof(r));
	strcpy(r.method, "POST");
	strcpy(r.path, "/v1/enrol");
	r.len = REQUEST_BODY_MAX + 1;
	assert_err("a body that is too long", request_parse(&r, NULL), ERR_SPACE);
	assert_int_equal(fault_status(r.fault.code), 413);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_route),
		cmocka_unit_test(names_have_a_bound),
		cmocka_unit_test(query_members),
		cmocka_unit_test(sealed_requests_name_their_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
