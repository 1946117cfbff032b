/* Passwords from a pipe, and from a terminal. */
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "agent/cli/password.h"

/* password_read from a pipe that holds text. */
static enum err from_pipe(struct secret *ret, const char *text, size_t len)
{
	int fds[2];
	FILE *in;
	enum err e;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, len), (ssize_t)len);
	close(fds[1]);
	in = fdopen(fds[0], "r");
	assert_non_null(in);
	e = password_read(ret, in, "somebody");
	fclose(in);
	return e;
}

static void test_pipe(void **state)
{
	char longest[PASSWORD_BYTES_MAX + 2];
	const struct {
		const char *why, *text;
		enum err want;
	} rows[] = {
		{ "one line", "correct horse\n", OK },
		{ "no newline at the end", "correct horse", OK },
		{ "only the first line counts", "correct horse\nbattery\n", OK },
		{ "empty line", "\n", ERR_FORMAT },
		{ "no input", "", ERR_IO },
		{ "control character", "a\tb\n", ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		SECRET struct secret got = { 0 };
		enum err e = from_pipe(&got, rows[i].text, strlen(rows[i].text));

		if (e != rows[i].want)
			fail_msg("%s: got %s", rows[i].why, err_name(e));
		if (e)
			assert_null(got.bytes);
		else
			assert_string_equal((char *)got.bytes, "correct horse");
	}
	SECRET struct secret got = { 0 };
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(from_pipe(&got, longest, PASSWORD_BYTES_MAX + 1), ERR_RANGE);
	assert_int_equal(from_pipe(&got, longest, PASSWORD_BYTES_MAX), OK);
	assert_int_equal(got.len, PASSWORD_BYTES_MAX);
}

/* Types two lines at a terminal; the child's exit status is the error. *ret_seen: what the terminal showed. */
static enum err at_terminal(char *ret_seen, size_t len, const char *first, const char *second)
{
	int master, status;
	size_t at = 0;
	ssize_t n;
	pid_t child = forkpty(&master, NULL, NULL, NULL);

	assert_true(child >= 0);
	if (!child) {
		SECRET struct secret got = { 0 };

		_exit((int)password_read(&got, stdin, "somebody"));
	}
	memset(ret_seen, 0, len);
	for (int prompts = 0; at < len - 1 && (n = read(master, ret_seen + at, len - 1 - at)) > 0;) {
		const char *typed = prompts ? second : first;

		at += (size_t)n;
		if (prompts < 2 && strstr(ret_seen, prompts ? "again for somebody: " : "New password for somebody: ")) {
			assert_int_equal(write(master, typed, strlen(typed)), (ssize_t)strlen(typed));
			prompts++;
		}
	}
	close(master);
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	return (enum err)WEXITSTATUS(status);
}

static void test_terminal(void **state)
{
	char seen[2048];

	(void)state;
	assert_int_equal(at_terminal(seen, sizeof(seen), "hidden one\n", "hidden one\n"), OK);
	assert_null(strstr(seen, "hidden"));
	assert_int_equal(at_terminal(seen, sizeof(seen), "hidden one\n", "hidden two\n"), ERR_CHANGED);
	assert_null(strstr(seen, "hidden"));
	assert_non_null(strstr(seen, "differ"));
}

static void test_remarks(void **state)
{
	const struct {
		const char *why, *layout, *password, *want; /* a part of the remark; NULL: none */
	} rows[] = {
		{ "plain", "us", "~ Az9!", NULL },
		{ "umlauts where they are at home", "de", "gr\xc3\xbc\xc3\x9f", NULL },
		{ "by a dead key", "us(intl)", "caf\xc3\xa9", NULL },
		{ "the ISO key", "de", "a<b", "character 2 needs the key beside the left Shift" },
		{ "Latin letters in Cyrillic", "ru", "secret", "press F4 until the layout is us" },
		{ "typable nowhere: holdfast-volumed refuses", "us", "\xd1\x8f", NULL },
		{ "digits that need Shift", "fr", "azerty12", "with the top row" },
		{ "no digits", "fr", "azerty", NULL },
		{ "digits", "de", "qwertz12", NULL },
		{ "unknown layout counts as us", "xx", "q<", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		SECRET struct secret password = { 0 };
		char said[1000] = "";
		FILE *to = fmemopen(said, sizeof(said), "w");

		assert_non_null(to);
		assert_int_equal(secret_copy(&password, rows[i].password, strlen(rows[i].password)), OK);
		password_remarks(to, &password, rows[i].layout);
		fclose(to);
		if (rows[i].want ? !strstr(said, rows[i].want) : *said)
			fail_msg("%s: \"%s\"", rows[i].why, said);
		if (strstr(said, rows[i].password))
			fail_msg("%s: the password is in the warning", rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_remarks),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
