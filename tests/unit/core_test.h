/* For the tests of the formats: a row of damage, and what must come of it. */
#ifndef HOLDFAST_CORE_TEST_H
#define HOLDFAST_CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* `len` bytes at `at` become `bytes`. */
struct damage {
	const char *why;
	size_t at;
	const char *bytes;
	size_t len;
	enum err want;
};

static inline void expect(const char *why, enum err want, enum err got)
{
	if (want == got)
		return;
	fail_msg("%s: expected %s, got %s", why, err_name(want), err_name(got));
}

static inline void damage_apply(uint8_t *bytes, const struct damage *d)
{
	memcpy(bytes + d->at, d->bytes, d->len);
}

/* Is the out-parameter still filled with the pattern? */
static inline int untouched(const void *object, size_t len)
{
	const uint8_t *bytes = object;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0xa5)
			return 0;
	return 1;
}

static inline int sodium_setup(void **state)
{
	(void)state;
	return sodium_init() < 0;
}

#define RUN(tests) cmocka_run_group_tests(tests, sodium_setup, NULL)

#endif
