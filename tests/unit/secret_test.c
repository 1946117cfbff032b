/* Secrets: bounds, copies, dropping twice; and freed memory that can't be read any more. */
#include "core_test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/secret.h"

static void bounds(void **state)
{
	struct secret s = { 0 };

	(void)state;
	expect("no bytes at all", ERR_RANGE, secret_new(&s, 0));
	expect("one too many", ERR_RANGE, secret_new(&s, SECRET_MAX + 1));
	expect("copy of nothing", ERR_RANGE, secret_copy(&s, "", 0));
	assert_null(s.bytes);
	expect("the largest", OK, secret_new(&s, SECRET_MAX));
	assert_true(sodium_is_zero(s.bytes, s.len));
	secret_drop(&s);
}

static void copy_and_drop(void **state)
{
	struct secret s = { 0 };

	(void)state;
	expect("copy", OK, secret_copy(&s, "abc", 3));
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.bytes, "abc", 3);
	secret_drop(&s);
	assert_null(s.bytes);
	assert_int_equal(s.len, 0);
	secret_drop(&s);
}

static void wipe(void **state)
{
	uint8_t bytes[5] = { 1, 2, 3, 4, 5 };

	(void)state;
	secret_wipe(bytes, 4);
	assert_true(sodium_is_zero(bytes, 4));
	assert_int_equal(bytes[4], 5);
}

static void caught(int signal)
{
	(void)signal;
	_exit(7);
}

/* A child that does it must die of it; handled, since a sanitizer would turn the signal into its own
 * report. */
static int dies(int after_drop)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct secret s = { 0 };
		volatile uint8_t *at;

		signal(SIGSEGV, caught);
		signal(SIGBUS, caught);
		signal(SIGABRT, caught);
		if (secret_copy(&s, "abc", 3))
			_exit(1);
		at = s.bytes;
		if (after_drop)
			secret_drop(&s);
		else
			at += 3;
		(void)*at;
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static void guarded(void **state)
{
	(void)state;
	assert_true(dies(0)); /* the byte behind the secret */
	assert_true(dies(1)); /* a secret after its drop */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(copy_and_drop),
		cmocka_unit_test(wipe),
		cmocka_unit_test(guarded),
	};

	return RUN(tests);
}
