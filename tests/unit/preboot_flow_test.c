/* Whole starts, from power on to the kernel: what people do at the prompt, and what comes of it. */
#include "core_test.h"

#include "tests/fake/laptop.h"

static void password_starts_the_kernel(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	HANDOFF h = { 0 };

	(void)state;
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	assert_memory_equal(h.head.unlock_key, l->unlock_key.bytes, sizeof(h.head.unlock_key));
	assert_string_equal((char *)h.head.user, LAPTOP_USER);
	assert_string_equal(l->f->cmdline, LAPTOP_CMDLINE);
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(password_starts_the_kernel),
	};

	return RUN(tests);
}
