/* From keys to characters, over the layouts that are built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "preboot/typing.h"

static struct typed press(uint16_t us)
{
	struct key key = { .unicode = us };
	struct typed t;

	typing_key(&t, &key);
	return t;
}

static void switch_goes_to_us_first_and_comes_round(void **state)
{
	unsigned count = layouts_builtin()->count, met = 0;

	(void)state;
	typing_start("ru");
	typing_switch();
	assert_string_equal(typing_layout()->name, "us");
	for (unsigned i = 2; i < count; i++) {
		typing_switch();
		met += !strcmp(typing_layout()->name, "ru") || !strcmp(typing_layout()->name, "us");
	}
	assert_int_equal(met, 0);
	typing_switch();
	assert_string_equal(typing_layout()->name, "ru");
}

static void us_as_the_first_choice_comes_round_too(void **state)
{
	(void)state;
	typing_start("us");
	for (unsigned i = 0; i < layouts_builtin()->count; i++)
		typing_switch();
	assert_string_equal(typing_layout()->name, "us");
}

static void unknown_layout_is_us(void **state)
{
	(void)state;
	typing_start("xx");
	assert_string_equal(typing_layout()->name, "us");
	assert_int_equal(press('y').chars[0], 'y');
}

static void code_letters_follow_a_latin_layout(void **state)
{
	struct typed t;

	(void)state;
	typing_start("de");
	t = press('y');
	assert_int_equal(t.chars[0], 'z');
	assert_int_equal(typing_letter(&t), 'Z');
}

/* Bug to guard against: who has a Cyrillic keyboard could not type the code that gets them out. */
static void code_letters_are_there_without_latin_letters(void **state)
{
	struct typed t;

	(void)state;
	typing_start("ru");
	t = press('b');
	assert_int_equal(t.chars[0], 0x438);
	assert_int_equal(typing_letter(&t), 'B');
	t = press('1');
	assert_int_equal(typing_letter(&t), 0);
}

static void terminal_brings_its_own_layout(void **state)
{
	struct key key = { .unicode = 'y', .terminal = 1 };
	struct typed t;

	(void)state;
	typing_start("de");
	typing_key(&t, &key);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.chars[0], 'y');
	assert_int_equal(typing_letter(&t), 'Y');
}

static void function_keys_type_nothing(void **state)
{
	struct key key = { .scan = KEY_SCAN_F2 };
	struct typed t;

	(void)state;
	typing_key(&t, &key);
	assert_int_equal(t.count, 0);
	assert_int_equal(typing_letter(&t), 0);
}

/* A dead key that waits must not change the next line's first letter. */
static void enter_forgets_a_dead_key(void **state)
{
	(void)state;
	typing_start("de");
	assert_int_equal(press('=').count, 0);
	assert_int_equal(press('e').chars[0], 0xe9);
	assert_int_equal(press('=').count, 0);
	assert_int_equal(press('\r').chars[0], '\r');
	assert_int_equal(press('e').chars[0], 'e');
}

static void backspace_takes_back_a_dead_key_alone(void **state)
{
	(void)state;
	typing_start("de");
	assert_int_equal(press('=').count, 0);
	assert_int_equal(press('\b').count, 0);
	assert_int_equal(press('e').chars[0], 'e');
	assert_int_equal(press('\b').chars[0], '\b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switch_goes_to_us_first_and_comes_round),
		cmocka_unit_test(us_as_the_first_choice_comes_round_too),
		cmocka_unit_test(unknown_layout_is_us),
		cmocka_unit_test(code_letters_follow_a_latin_layout),
		cmocka_unit_test(code_letters_are_there_without_latin_letters),
		cmocka_unit_test(terminal_brings_its_own_layout),
		cmocka_unit_test(function_keys_type_nothing),
		cmocka_unit_test(enter_forgets_a_dead_key),
		cmocka_unit_test(backspace_takes_back_a_dead_key_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
