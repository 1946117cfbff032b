/* The enrolment token as people paste it, and holdfastd's memory of an enrolment. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "agent/holdfastd/enrolment.h"
#include "common/jws_host.h"

#define ROOT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define ID "00112233445566778899aabbccddeeff"
#define SECRET_TEXT "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define WHOLE(url, root, id, secret, pin, enterprise)                                        \
	"{\"url\":\"" url "\",\"root\":\"" root "\",\"id\":\"" id "\",\"secret\":\"" secret \
	"\",\"pin\":\"" pin "\",\"enterprise\":\"" enterprise "\"}"
#define GOOD WHOLE("https://hf.example.org:8443", ROOT, ID, SECRET_TEXT, PIN, ID)

static char *token_of(const char *before, const char *json, const char *after)
{
	char *body = NULL, *token = NULL;

	assert_int_equal(b64_encode(&body, json, strlen(json)), OK);
	assert_true(asprintf(&token, "%sholdfast-enrol:%s%s", before, body, after) > 0);
	free(body);
	return token;
}

static void test_good_token(void **state)
{
	char *token = token_of("  \n", GOOD, " \r\n");
	struct enrol_token t;
	const char *why = NULL;

	(void)state;
	assert_int_equal(enrol_token_parse(&t, &why, token), OK);
	assert_null(why);
	assert_string_equal(t.url, "https://hf.example.org:8443");
	assert_string_equal(t.pin, PIN);
	assert_string_equal(t.root, ROOT);
	assert_string_equal(t.enterprise, ID);
	free(token);
}

static void assert_refused(const char *why, const char *token, const char *words)
{
	struct enrol_token t, untouched;
	const char *said = NULL;

	memset(&t, 0x55, sizeof(t));
	untouched = t;
	if (enrol_token_parse(&t, &said, token) != ERR_FORMAT)
		fail_msg("%s was not refused", why);
	if (!said || !strstr(said, words))
		fail_msg("%s: the sentence \"%s\" does not say \"%s\"", why, said ? said : "", words);
	assert_memory_equal(&t, &untouched, sizeof(t));
}

static void test_members(void **state)
{
	static const struct {
		const char *why, *json, *words;
	} rows[] = {
		{ "no JSON", "hello", "whole" },
		{ "an array", "[1]", "whole" },
		{ "plain http", WHOLE("http://h", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "no host", WHOLE("https://", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "a user", WHOLE("https://a@b", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "a path", WHOLE("https://a/b", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "a blank", WHOLE("https://a b", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "no port after colon", WHOLE("https://a:", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "open bracket", WHOLE("https://[::1", ROOT, ID, SECRET_TEXT, PIN, ID), "server" },
		{ "another pin", WHOLE("https://a", ROOT, ID, SECRET_TEXT, "md5//abc", ID), "pin" },
		{ "short pin", WHOLE("https://a", ROOT, ID, SECRET_TEXT, "sha256//abc=", ID), "pin" },
		{ "short root", WHOLE("https://a", "abc", ID, SECRET_TEXT, PIN, ID), "officer root" },
		{ "short id", WHOLE("https://a", ROOT, "00", SECRET_TEXT, PIN, ID), "secret" },
		{ "short secret", WHOLE("https://a", ROOT, ID, "c2Vj", PIN, ID), "secret" },
		{ "no enterprise", WHOLE("https://a", ROOT, ID, SECRET_TEXT, PIN, ""), "enterprise" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *token = token_of("", rows[i].json, "");

		assert_refused(rows[i].why, token, rows[i].words);
		free(token);
	}
}

static void test_text(void **state)
{
	char *good = token_of("", GOOD, ""), *tail = token_of("", GOOD, " and more");
	char *padded = token_of("", GOOD, "="), *huge = malloc(10000);

	(void)state;
	assert_refused("an empty text", "", "whole");
	assert_refused("the prefix alone", "holdfast-enrol:", "whole");
	assert_refused("a claim token", "holdfast-claim:abcd", "whole");
	assert_refused("text behind", tail, "whole");
	assert_refused("padding", padded, "whole");
	for (size_t len = strlen(good) - 1; len > 0; len--) {
		good[len] = '\0';
		assert_refused("a token cut short", good, "whole");
	}
	assert_non_null(huge);
	memset(huge, 'A', 9999);
	memcpy(huge, "holdfast-enrol:", 15);
	huge[9999] = '\0';
	assert_refused("a huge text", huge, "whole");
	free(good);
	free(tail);
	free(padded);
	free(huge);
}

static void test_urls(void **state)
{
	(void)state;
	assert_true(enrol_url_is_valid("https://a"));
	assert_true(enrol_url_is_valid("https://127.0.0.1:1"));
	assert_true(enrol_url_is_valid("https://[::1]:8443"));
	assert_false(enrol_url_is_valid("https://[]:8443"));
	assert_false(enrol_url_is_valid("https://a:123456"));
	assert_false(enrol_url_is_valid("https://a:1x"));
	assert_false(enrol_url_is_valid("https:/a"));
}

static char folder[] = "/tmp/token-test-XXXXXX";

static void write_file(const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/enrolment.json", folder);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_enrolment_file(void **state)
{
	struct enrolment n, got;

	(void)state;
	memset(&n, 0, sizeof(n));
	memset(&got, 0, sizeof(got));
	assert_int_equal(enrolment_load(&got, folder), ERR_NOT_FOUND);
	strcpy(n.url, "https://hf.example.org");
	strcpy(n.pin, PIN);
	strcpy(n.device, ID);
	strcpy(n.enrolment, "ffeeddccbbaa99887766554433221100");
	assert_int_equal(enrolment_save(&n, folder), OK);
	assert_int_equal(enrolment_load(&got, folder), OK);
	assert_memory_equal(&n, &got, sizeof(n));
	write_file("{\"url\":");
	assert_int_equal(enrolment_load(&got, folder), ERR_FORMAT);
	write_file("{\"url\":\"http://x\",\"pin\":\"" PIN "\",\"device\":\"" ID "\",\"enrolment\":\"" ID "\"}");
	assert_int_equal(enrolment_load(&got, folder), ERR_FORMAT);
	assert_memory_equal(&n, &got, sizeof(n));
	enrolment_remove(folder);
	assert_int_equal(enrolment_load(&got, folder), ERR_NOT_FOUND);
}

static void test_ids_of_an_answer(void **state)
{
	struct enrolment n;
	struct sign_sk server;
	char *jws = NULL;
	json_t *payload = json_pack("{s:s, s:s}", "device", ID, "enrolment", ID);

	(void)state;
	memset(&n, 0, sizeof(n));
	sign_sk_new(&server);
	assert_int_equal(jws_sign(&jws, "holdfast-enrolled", payload, &server), OK);
	assert_int_equal(enrolment_read_ids(&n, jws), OK);
	assert_string_equal(n.device, ID);
	free(jws);
	assert_int_equal(jws_sign(&jws, "holdfast-receipt", payload, &server), OK);
	assert_int_not_equal(enrolment_read_ids(&n, jws), OK);
	free(jws);
	json_object_set_new(payload, "device", json_string("../../etc"));
	assert_int_equal(jws_sign(&jws, "holdfast-enrolled", payload, &server), OK);
	assert_int_equal(enrolment_read_ids(&n, jws), ERR_FORMAT);
	free(jws);
	json_decref(payload);
	assert_int_equal(enrolment_read_ids(&n, "<html>"), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_token),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_enrolment_file),
		cmocka_unit_test(test_ids_of_an_answer),
	};
	int failures;

	if (sodium_init() < 0 || !mkdtemp(folder))
		return 1;
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failures;
}
