/* No vector register holds a secret when the firmware is called: whoever wipes its stack wipes them, and so does
 * the way to the TPM. */
#include "core_test.h"

#include "common/registers.h"
#include "common/stack.h"
#include "preboot/tpm.h"
#include "tests/fake/fake.h"
#include "tests/fake/tcg2.h"

static const uint8_t key[32] __attribute__((aligned(16))) = "0123456789abcdefghijklmnopqrstu";

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(n) "movdqu (%0), %%xmm" #n "\n\t"
#define CLOBBER(n) "xmm" #n,
#define REGISTERS 16

/* As a copy of a key leaves them. */
static inline __attribute__((always_inline)) void registers_fill(void)
{
	__asm__ volatile(EACH(LOAD) : : "r"(key) : EACH(CLOBBER) "memory");
}

/* In how many is the key? */
static inline __attribute__((always_inline)) unsigned registers_filled(void)
{
	static uint8_t bytes[REGISTERS][16];
	unsigned filled = 0;

#define STORE(n) "movdqu %%xmm" #n ", 16*" #n "(%0)\n\t"
	__asm__ volatile(EACH(STORE) : : "r"(bytes) : "memory");
	for (size_t i = 0; i < REGISTERS; i++)
		filled += !memcmp(bytes[i], key, 16);
	return filled;
}

static void what_is_left_is_found(void **state)
{
	(void)state;
	registers_fill();
	assert_int_equal(registers_filled(), REGISTERS);
}

static void each_is_wiped(void **state)
{
	(void)state;
	registers_fill();
	registers_wipe();
	assert_int_equal(registers_filled(), 0);
	registers_fill();
	stack_wipe();
	assert_int_equal(registers_filled(), 0);
}

static unsigned seen;

static enum err spy(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	seen = registers_filled();
	(void)context;
	(void)ret;
	(void)ret_len;
	(void)command;
	(void)len;
	return ERR_IO;
}

static void submit(void *argument)
{
	uint8_t command[12] = { 0 }, answer[64];
	size_t len = sizeof(answer);
	const struct tpm *t;

	fake_tcg2_start(argument);
	t = tpm_efi();
	assert_non_null(t);
	seen = REGISTERS;
	registers_fill();
	expect("submit", ERR_IO, t->submit(t->context, answer, &len, command, sizeof(command)));
	assert_int_equal(seen, 0);
}

static void the_firmwares_way_to_the_tpm_sees_none(void **state)
{
	struct fake *f = fake_new(1);
	struct fake_tcg2 *tcg2 = fake_tcg2_new();

	(void)state;
	tcg2->submit = spy;
	assert_int_equal(fake_call(f, submit, tcg2), FAKE_RETURNED);
	assert_int_equal(tcg2->submits, 1);
	fake_tcg2_free(tcg2);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_found),
		cmocka_unit_test(each_is_wiped),
		cmocka_unit_test(the_firmwares_way_to_the_tpm_sees_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
