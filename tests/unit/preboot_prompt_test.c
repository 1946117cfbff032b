/* Prompt and page (ui.c) over a terminal of the test's own: a script of keys, and a screen that obeys
 * Backspace. There is no panel here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preboot/choice.h"
#include "preboot/clock.h"
#include "preboot/heap.h"
#include "preboot/keyboard.h"
#include "preboot/prompt.h"
#include "preboot/screen.h"
#include "preboot/sound.h"
#include "preboot/terminal.h"

static const char *script;
static char screen[65536];
static size_t screen_len;
static int (*next_random)(void);

static void show(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\b')
			assert_true(screen_len-- > 0);
		else if (screen_len < sizeof(screen) - 1)
			screen[screen_len++] = *c;
	}
	screen[screen_len] = 0;
}

void terminal_start(int graphics)
{
	(void)graphics;
}

void terminal_say(const char *format, ...)
{
	char text[TERMINAL_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	show(text);
}

void terminal_paragraph(const char *text)
{
	show(text);
	show("\n");
}

enum err screen_start(void)
{
	return ERR_UNSUPPORTED;
}

void screen_draw(const struct view *v)
{
	(void)v;
	fail_msg("drawn without a screen");
}

void screen_spin(void)
{
}

void screen_stop(void)
{
}

void sound_play(enum sound sound)
{
	(void)sound;
}

void choice_load(struct choice *ret, const struct rules *r)
{
	(void)r;
	*ret = (struct choice){ 0 };
}

void choice_save(const struct choice *c)
{
	(void)c;
}

void keyboard_start(void)
{
}

void keyboard_drop(void)
{
}

int keyboard_caps(void)
{
	return 0;
}

void keyboard_wait(unsigned timeout_ms)
{
	(void)timeout_ms;
}

void heap_wipe(void)
{
}

void clock_start(void)
{
}

uint64_t clock_ms(void)
{
	return 0;
}

/* In a script '\r' is Enter, "\001" F2, "\002" F3, "\003" F5 and "\004" Esc. */
int keyboard_read(struct key *ret)
{
	static const uint16_t scans[] = { 0, KEY_SCAN_F2, KEY_SCAN_F3, KEY_SCAN_F5, KEY_SCAN_ESC };
	int c = next_random ? next_random() : *script++;

	assert_int_not_equal(c, 0);
	*ret = (struct key){ .unicode = (uint16_t)c, .terminal = 1 };
	if (c < 5)
		*ret = (struct key){ .scan = scans[c], .terminal = 1 };
	return 1;
}

static enum prompt_end ask(struct line *ret, const char *keys, enum ui_echo echo)
{
	script = keys;
	screen_len = 0;
	ui_page("Page", "", "");
	screen_len = 0;
	return prompt_line(ret, "User name", 63, echo);
}

static enum prompt_end ask_code(struct line *ret, const char *keys)
{
	script = keys;
	ui_page("Page", "", "");
	screen_len = 0;
	return prompt_code(ret, "Code", CODE_ONE_TIME);
}

static void line_is_echoed_and_edited(void **state)
{
	LINE l = { 0 };

	(void)state;
	assert_int_equal(ask(&l, "annn\ba\r", UI_CLEAR), PROMPT_ENTER);
	assert_string_equal(l.bytes, "anna");
	assert_string_equal(screen, "User name: anna\n");
	assert_int_equal(ask(&l, "wrong\x15" "anna\r", UI_CLEAR), PROMPT_ENTER);
	assert_string_equal(l.bytes, "anna");
}

static void hidden_line_shows_stars_of_one_screen_line_only(void **state)
{
	LINE l = { 0 };
	char keys[120];

	(void)state;
	memset(keys, 'p', 63);
	strcpy(keys + 63, "\b\b\r");
	assert_int_equal(ask(&l, keys, UI_HIDDEN), PROMPT_ENTER);
	assert_int_equal(l.len, 61);
	assert_null(strchr(screen, 'p'));
	assert_int_equal(strspn(screen + strlen("User name: "), "*"), 40);
	memset(keys, '\b', 100); /* never further than the prompt: show asserts it */
	strcpy(keys + 100, "x\r");
	assert_int_equal(ask(&l, keys, UI_HIDDEN), PROMPT_ENTER);
	assert_string_equal(screen, "User name: *\n");
}

static void other_ways_leave_nothing_typed(void **state)
{
	static const struct {
		const char *keys;
		enum prompt_end want;
	} rows[] = {
		{ "abc\x12", PROMPT_CODE },
		{ "abc\001", PROMPT_CODE },
		{ "abc\x0b", PROMPT_RECOVERY },
		{ "abc\002", PROMPT_RECOVERY },
		{ "abc\004", PROMPT_BACK },
		{ "abc\x10", PROMPT_CHANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char zeros[LINE_BYTES_MAX + 1];
		LINE l = { 0 };

		assert_int_equal(ask(&l, rows[i].keys, UI_HIDDEN), rows[i].want);
		assert_memory_equal(l.bytes, zeros, sizeof(zeros));
		assert_int_equal(ask_code(&l, rows[i].keys), rows[i].want);
		assert_memory_equal(l.bytes, zeros, sizeof(zeros));
	}
}

static void typed_text_is_shown_on_request(void **state)
{
	LINE l = { 0 };

	(void)state;
	assert_int_equal(ask(&l, "abc\003d\be\r", UI_HIDDEN), PROMPT_ENTER);
	assert_string_equal(screen, "User name: ***\nUser name: abce\n");
	assert_int_equal(ask(&l, "ab\003\003c\r", UI_HIDDEN), PROMPT_ENTER);
	assert_string_equal(screen, "User name: **\nUser name: ab\nUser name: ***\n");
	assert_int_equal(ask(&l, "ab\r", UI_HIDDEN), PROMPT_ENTER);
	assert_string_equal(screen, "User name: **\n"); /* a new page hides again */
	/* Bug: shown in the field of the name, the password was shown as well. */
	assert_int_equal(ask(&l, "a\003\r", UI_CLEAR), PROMPT_ENTER);
	screen_len = 0;
	script = "bc\r";
	assert_int_equal(prompt_line(&l, "Password", 63, UI_HIDDEN), PROMPT_ENTER);
	assert_string_equal(screen, "Password: **\n");
}

static void sample_code(char ret[CODE_TEXT_MAX])
{
	uint8_t bytes[CODE_BYTES_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(37 * i + 11);
	code_format(ret, CODE_ONE_TIME, bytes);
}

static void code_is_taken_in_any_case_with_or_without_hyphens(void **state)
{
	char code[CODE_TEXT_MAX], keys[2 * CODE_TEXT_MAX];
	LINE l = { 0 };
	size_t group;
	SECRET struct secret canonical = { 0 };

	(void)state;
	sample_code(code);
	snprintf(keys, sizeof(keys), "%s\r", code);
	for (char *c = keys; *c; c++)
		if (*c >= 'A' && *c <= 'Z' && (c - keys) % 2)
			*c = (char)(*c - 'A' + 'a');
	assert_int_equal(ask_code(&l, keys), PROMPT_ENTER);
	assert_int_equal(l.len, 35);
	assert_int_equal(code_canonical(&canonical, &group, CODE_ONE_TIME, l.bytes, l.len), OK);
	assert_memory_equal(canonical.bytes, code, canonical.len);
	assert_non_null(strstr(screen, code));
}

static void mistyped_group_is_named_and_taken_back(void **state)
{
	char code[CODE_TEXT_MAX], keys[2 * CODE_TEXT_MAX];
	LINE l = { 0 };

	(void)state;
	sample_code(code);
	/* The third group's first letter wrong, then the whole group right. */
	snprintf(keys, sizeof(keys), "%.12s%c%.4s%s\r", code, code[12] == 'B' ? 'C' : 'B', code + 13, code + 12);
	assert_int_equal(ask_code(&l, keys), PROMPT_ENTER);
	assert_int_equal(l.len, 35);
	assert_non_null(strstr(screen, "Group 3 is mistyped. Type it again."));
	assert_non_null(strstr(screen, code));
	/* A letter that no code has is noticed at once. */
	assert_int_equal(ask_code(&l, "BZ\x15\r"), PROMPT_ENTER);
	assert_non_null(strstr(screen, "Group 1 is mistyped"));
}

static void short_code_stays_in_the_prompt(void **state)
{
	char code[CODE_TEXT_MAX], keys[2 * CODE_TEXT_MAX];
	LINE l = { 0 };

	(void)state;
	sample_code(code);
	snprintf(keys, sizeof(keys), "%.11s\r%s\r", code, code + 11);
	assert_int_equal(ask_code(&l, keys), PROMPT_ENTER);
	assert_non_null(strstr(screen, "25 more to type"));
	assert_int_equal(l.len, 35);
	assert_int_equal(ask_code(&l, "\r"), PROMPT_ENTER);
	assert_int_equal(l.len, 0);
}

static unsigned keys_left;

static int mash(void)
{
	static const char often[] = "\b\x15-\x7f BCDEFGHJKLNPRSTX";
	int c = rand() % 2 ? often[(size_t)rand() % (sizeof(often) - 1)] : rand() % 0x10000;

	if (!keys_left--)
		return 1;
	return c < 5 || c == 0x12 || c == 0x0b || c == 0x10 || c == 0x1b ? 'B' : c;
}

static void mashed_keys_never_break_it(void **state)
{
	(void)state;
	srand(2);
	next_random = mash;
	for (int i = 0; i < 300; i++) {
		LINE l = { 0 };
		enum prompt_end end;

		keys_left = (unsigned)rand() % 400;
		screen_len = 0;
		ui_page("Page", "", "");
		end = i % 2 ? prompt_code(&l, "Code", CODE_RECOVERY)
			    : prompt_line(&l, "User name", 63, i % 4 ? UI_CLEAR : UI_HIDDEN);
		assert_true(end == PROMPT_CODE || end == PROMPT_ENTER);
		assert_true(l.len <= 63);
	}
	next_random = NULL;
}

static int begin(void **state)
{
	(void)state;
	ui_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_echoed_and_edited),
		cmocka_unit_test(hidden_line_shows_stars_of_one_screen_line_only),
		cmocka_unit_test(other_ways_leave_nothing_typed),
		cmocka_unit_test(typed_text_is_shown_on_request),
		cmocka_unit_test(code_is_taken_in_any_case_with_or_without_hyphens),
		cmocka_unit_test(mistyped_group_is_named_and_taken_back),
		cmocka_unit_test(short_code_stays_in_the_prompt),
		cmocka_unit_test(mashed_keys_never_break_it),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
