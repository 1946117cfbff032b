#include "selftest.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "common/secret.h"
#include "files.h"
#include "firmware.h"
#include "hardware.h"
#include "keyboard.h"
#include "loader.h"
#include "phrase.h"
#include "prompt.h"
#include "ui.h"

#define REPORT FILES_HOME "selftest.report"
#define REQUEST FILES_HOME "selftest.request"
#define PRESENT_S 60
#define READ_S 60
#define POLL_MS 50
#define TRIES 3
#define LINE_MAX 96

static const char pangram[] = "sphinx of black quartz judge my vow 0123456789";

static struct selftest report;
static char page[VIEW_TEXT_MAX];

static int exists(const char *path)
{
	EFI_FILE_HANDLE file;
	uint64_t size;

	if (files_open(&file, &size, path))
		return 0;
	file->Close(file);
	return 1;
}

static int is_asked(void)
{
	if (loader_was_told("selftest"))
		return 1;
	return exists(REQUEST) && !exists(FILES_HOME "store.0") && !exists(FILES_HOME "store.1");
}

/* One line more; the first ones go when the page is full. */
static void line_add(const struct selftest_test *t)
{
	char text[SELFTEST_TEXT_MAX], line[LINE_MAX + SELFTEST_TEXT_MAX];
	size_t len, have = strlen(page);

	selftest_text(text, t);
	len = phrase_format(line, sizeof(line), "%s: %s\n", selftest_words(t->kind), text);
	while (have && have + len >= sizeof(page)) {
		const char *next = strchr(page, '\n') + 1;

		have -= (size_t)(next - page);
		memmove(page, next, have + 1);
	}
	memcpy(page + have, line, len + 1);
	line[len - 1] = 0;
	ui_body(page, line);
}

static void result_add(const struct selftest_test *t)
{
	selftest_set(&report, t);
	line_add(t);
}

static void person_add(enum selftest_kind kind, enum selftest_result result, enum selftest_cause cause,
		       uint32_t came, uint32_t of)
{
	const struct selftest_test t = { (uint16_t)kind, (uint8_t)result, (uint8_t)cause, came, of };

	result_add(&t);
}

static void machine(void)
{
	ui_page("Self-test", "", "");
	ui_tell(MESSAGE_SELFTEST);
	for (const struct hardware_step *s = hardware_steps; s->run; s++) {
		struct selftest_test t = { .kind = (uint16_t)s->kind };

		ui_busy(selftest_words(t.kind));
		s->run(&t);
		ui_idle();
		result_add(&t);
	}
}

/* A key within so many seconds? What was typed goes with it. */
static int key_within(unsigned seconds)
{
	uint64_t end = clock_ms() + 1000ull * seconds;
	struct key key;
	int came = 0;

	while (!came && clock_ms() < end) {
		came = keyboard_read(&key);
		if (!came)
			keyboard_wait(POLL_MS);
	}
	return came;
}

/* ---- with a person ---- */

static void ask_readable(void)
{
	static const struct view_key keys[] = { { "Y", "I can read it" }, { "N", "I cannot" }, { "Esc", "Skip" } };
	struct typed t;

	ui_page("Can you read this?",
		"The quick brown fox jumps over the lazy dog. 0123456789\n\xc3\x84\xc3\x96\xc3\x9c \xc3\xa9\xc3\xa8 "
		"\xc3\xb1 \xc3\xa7 \xc3\xb8 \xe2\x82\xac\nBCDEF-GHJKL-NPRST",
		"");
	ui_quiet();
	ui_offer(keys, 3);
	do
		ui_key(&t);
	while (t.key.scan != KEY_SCAN_ESC && t.key.unicode != KEY_ESC &&
	       (!t.key.unicode || t.key.unicode > 0x7f || !strchr("yYnN", t.key.unicode)));
	if (t.key.unicode == 'y' || t.key.unicode == 'Y')
		person_add(SELFTEST_READABLE, SELFTEST_OK, SELFTEST_NO_CAUSE, 0, 0);
	else if (t.key.unicode == 'n' || t.key.unicode == 'N')
		person_add(SELFTEST_READABLE, SELFTEST_FAILED, SELFTEST_SAID_NO, 0, 0);
	else
		person_add(SELFTEST_READABLE, SELFTEST_NOT_TESTED, SELFTEST_SKIPPED, 0, 0);
}

/* How many different characters of the pangram are in a text; spaces do not count. */
static uint32_t count_in(const char *text)
{
	uint32_t count = 0;

	for (const char *c = pangram; *c; c++)
		if (*c != ' ' && memchr(pangram, *c, (size_t)(c - pangram)) == NULL && strchr(text, *c))
			count++;
	return count;
}

static void layout_note(void)
{
	memset(report.head.layout, 0, sizeof(report.head.layout));
	phrase_format((char *)report.head.layout, sizeof(report.head.layout), "%s", typing_layout()->name);
}

static void ask_keyboard(void)
{
	static const struct view_key keys[] = { { "Esc", "Skip" } };
	const uint32_t of = count_in(pangram);
	uint32_t came = 0;

	for (int tries = 0; tries < TRIES && came < of; tries++) {
		LINE l = { 0 };
		enum prompt_end end;

		ui_page("Keyboard", pangram, "");
		ui_offer(keys, 1);
		do
			end = prompt_line(&l, "Type this line", LINE_MAX, UI_CLEAR);
		while (end != PROMPT_ENTER && end != PROMPT_BACK);
		if (end == PROMPT_BACK) {
			person_add(SELFTEST_KEYBOARD, SELFTEST_NOT_TESTED, SELFTEST_SKIPPED, 0, 0);
			return;
		}
		came = count_in(l.bytes);
		if (came < of)
			ui_tell(MESSAGE_SELFTEST_KEYS, of - came);
	}
	layout_note();
	person_add(SELFTEST_KEYBOARD, came == of ? SELFTEST_OK : SELFTEST_FAILED,
		   came == of ? SELFTEST_NO_CAUSE : SELFTEST_WRONG, came, of);
}

static void person(void)
{
	ui_tell(MESSAGE_SELFTEST_PRESENT, (unsigned)PRESENT_S);
	if (key_within(PRESENT_S)) {
		ask_readable();
		ask_keyboard();
		return;
	}
	person_add(SELFTEST_READABLE, SELFTEST_NOT_TESTED, SELFTEST_NOBODY, 0, 0);
	person_add(SELFTEST_KEYBOARD, SELFTEST_NOT_TESTED, SELFTEST_NOBODY, 0, 0);
}

/* ---- the report ---- */

static enum err report_write(void)
{
	uint8_t bytes[SELFTEST_BYTES_MAX];
	size_t len;
	enum err e = selftest_encode(bytes, &len, &report);

	if (!e)
		e = files_delete(REPORT);
	return e ? e : files_write(REPORT, bytes, len);
}

static void conclude(void)
{
	enum err e = report_write();

	ui_page("Self-test: the end of the report", page, "");
	ui_tell(MESSAGE_SELFTEST_VERDICT, selftest_verdict(&report));
	if (e)
		ui_tell(MESSAGE_SELFTEST_LOST, err_text(e));
	(void)key_within(READ_S);
	ui_stop();
	firmware_restart();
}

enum err selftest_run_if_asked(void)
{
	if (!is_asked())
		return OK;
	/* First of all: one that hangs must not begin again at the next start. */
	if (files_delete(REQUEST))
		return OK;
	hardware_describe(&report.head);
	phrase_format((char *)report.head.program, sizeof(report.head.program), "%s", HOLDFAST_VERSION);
	machine();
	person();
	conclude();
	return OK;
}
