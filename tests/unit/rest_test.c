/* REST client: arguments and failures. Talking to a server is tested with the server. */
#include "tests/unit/jose_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/rest_host.h"
#include "common/rest_http_host.h"

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void targets(void **state)
{
	static const struct {
		const char *why, *url, *pin;
		enum err want;
	} rows[] = {
		{ "with a pin", "https://127.0.0.1:8443", PIN, OK },
		{ "without", "https://holdfast.example", NULL, OK },
		{ "a final slash", "https://holdfast.example/", NULL, OK },
		{ "IPv6", "https://[::1]:8443", PIN, OK },
		{ "not encrypted", "http://holdfast.example", PIN, ERR_FORMAT },
		{ "a file", "file:///etc/passwd", NULL, ERR_FORMAT },
		{ "no scheme", "holdfast.example", NULL, ERR_FORMAT },
		{ "no host", "https://", NULL, ERR_FORMAT },
		{ "only a slash", "https:///", NULL, ERR_FORMAT },
		{ "a path", "https://holdfast.example/v1", NULL, ERR_FORMAT },
		{ "a query", "https://holdfast.example?x", NULL, ERR_FORMAT },
		{ "a user", "https://a@holdfast.example", NULL, ERR_FORMAT },
		{ "a line end", "https://holdfast.example\r\nX: y", NULL, ERR_FORMAT },
		{ "empty", "", NULL, ERR_FORMAT },
		{ "none", NULL, NULL, ERR_FORMAT },
		{ "another digest", "https://holdfast.example", "sha1//AAAA", ERR_FORMAT },
		{ "a file as pin", "https://holdfast.example", "/etc/key.pem", ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rest_target target = { .url = rows[i].url, .pin = rows[i].pin };
		struct rest *r = NULL;

		assert_err(rows[i].why, rest_new(&r, &target), rows[i].want);
		assert_int_equal(r != NULL, rows[i].want == OK);
		rest_drop(&r);
		rest_drop(&r);
	}
}

static struct rest *client(const char *url)
{
	struct rest_target target = { .url = url, .pin = PIN };
	struct rest *r = NULL;

	assert_ok(rest_new(&r, &target));
	return r;
}

/* A socket that accepts (the kernel does) and never says a word. */
static int silent_server(char ret_url[64])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(ret_url, 64, "https://127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

static void paths(void **state)
{
	static const char *const wrong[] = { "", "v1/health", "/v1/a b", "/v1/\r\nX:y", "/v1/#x",
					     "/v1/\xc3\xa9" };
	struct rest *r = client("https://127.0.0.1:1");

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		TEXT *text = NULL;
		int status;

		assert_err(wrong[i], rest_plain(&text, &status, r, "GET", wrong[i], NULL), ERR_FORMAT);
		assert_non_null(strstr(rest_problem(r), "path"));
	}
	rest_drop(&r);
}

static void nobody_listens(void **state)
{
	char url[64];
	struct rest *r;
	struct sign_sk signer_1 = signer(1);
	TEXT *text = NULL;
	int status = -1, fd = silent_server(url);

	(void)state;
	close(fd);
	r = client(url);
	assert_err("plain", rest_plain(&text, &status, r, "GET", "/v1/health", NULL), ERR_NETWORK);
	assert_null(text);
	assert_int_equal(status, -1);
	assert_non_null(strstr(rest_problem(r), url));
	assert_err("open", rest_open(r, "device:" DEVICE, NULL, &signer_1), ERR_NETWORK);
	assert_int_equal(rest_retry_after_s(r), 0);
	rest_drop(&r);
}

static void no_session(void **state)
{
	struct rest *r = client("https://127.0.0.1:1");
	struct sign_sk signer_1 = signer(1);
	JSON *body = NULL;
	TEXT *scope = NULL;
	int status;

	(void)state;
	assert_err("call", rest_call(&body, &status, r, "GET", "/v1/policy", NULL, 100, -1), ERR_STATE);
	assert_non_null(strstr(rest_problem(r), "session"));
	assert_err("confirm", rest_confirm(&scope, r, NULL, 1, &signer_1), ERR_STATE);
	rest_drop(&r);
}

static void silence_of_a_server(void **state)
{
	char url[64];
	struct rest *r;
	struct sign_sk signer_1 = signer(1);
	int fd = silent_server(url), status, ends[2];
	TEXT *text = NULL;

	(void)state;
	r = client(url);
	rest_limits(r, 100, -1);
	assert_err("time-out", rest_plain(&text, &status, r, "GET", "/v1/health", NULL), ERR_NETWORK);
	assert_non_null(strstr(rest_problem(r), "in time"));
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	rest_limits(r, 60000, ends[0]);
	assert_err("cancelled", rest_plain(&text, &status, r, "GET", "/v1/health", NULL), ERR_BUSY);
	assert_err("cancelled", rest_open(r, "device:" DEVICE, NULL, &signer_1), ERR_BUSY);
	assert_non_null(strstr(rest_problem(r), "interrupted"));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	rest_drop(&r);
}

/* Bug: what a server that nobody has checked yet says kept C1 controls (CSI is U+009B) and changes of writing
 * direction, which a terminal obeys. */
static void words_of_a_stranger(void **state)
{
	struct http h = { 0 };

	(void)state;
	http_problem_set(&h, "%s", "a\x1b[2Jb\nc\xc2\x9b" "2Jd\xe2\x80\xae" "e\x7f");
	assert_string_equal(h.problem, "a?[2Jb c??2Jd???e?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),	cmocka_unit_test(paths),
		cmocka_unit_test(nobody_listens), cmocka_unit_test(no_session),
		cmocka_unit_test(silence_of_a_server), cmocka_unit_test(words_of_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
