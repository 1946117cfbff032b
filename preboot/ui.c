#include "ui.h"

#include <stdarg.h>
#include <string.h>

#include "choice.h"
#include "clock.h"
#include "common/secret.h"
#include "firmware.h"
#include "keyboard.h"
#include "phrase.h"
#include "screen.h"
#include "sound.h"
#include "terminal.h"

#define HIDDEN_COLUMNS 40 /* of '*': a terminal's line must not wrap, or Backspace could not go back */
#define WAIT_MS 50
#define KEYS_DISCARDED 256
#define SPIN_100NS 800000 /* 80 ms */
#define DOT "\xe2\x80\xa2"

static struct view view;
static int started, graphics;
static int (*idle_work)(void);
static uint64_t last_key_ms;
static int show_typed; /* F5 was pressed in this field */
static EFI_EVENT spinner;

/* How the terminals' present line stands. */
static struct {
	int ticking;   /* holds a text that writes over itself */
	int open;      /* holds a label and what was typed */
	size_t places; /* columns typed after the label */
	int hidden;
} row;

static void draw(void)
{
	if (graphics)
		screen_draw(&view);
}

void ui_start(void)
{
	/* The screen first: where it takes the panel, the firmware's text console must not write there. */
	graphics = !screen_start();
	terminal_start(graphics);
	keyboard_start();
	typing_start("us");
	started = 1;
	terminal_say("Holdfast\n");
	draw();
}

static void copy_text(char *ret, size_t size, const char *text)
{
	phrase_format(ret, size, "%s", text);
}

static void show_layout(void)
{
	copy_text(view.layout, sizeof(view.layout), typing_layout()->name);
}

void ui_store(const struct store *s)
{
	struct choice chosen = { 0 };
	char challenge[CODE_TEXT_MAX];

	choice_load(&chosen, &s->rules);
	view.rules = &s->rules;
	view.high_contrast = chosen.high_contrast;
	view.large_type = chosen.large_type;
	copy_text(view.laptop, sizeof(view.laptop), (const char *)s->head.name);
	/* The device tag is the challenge's first two groups: the helpdesk knows the laptop by it. */
	challenge_format(challenge, s->head.device, 0);
	challenge[2 * CODE_GROUP_LETTERS + 1] = 0;
	copy_text(view.tag, sizeof(view.tag), challenge);
	typing_start(chosen.layout);
	show_layout();
	if (s->rules.head.organisation[0])
		terminal_say("%s\n", (const char *)s->rules.head.organisation);
	terminal_say("Laptop:  %s\nDevice:  %s\n", view.laptop, view.tag);
	if (s->rules.banner[0])
		terminal_paragraph((const char *)s->rules.banner);
	draw();
}

/* Begin a new line on the terminals, whatever the present one holds. */
static void row_end(void)
{
	if (row.ticking || row.open)
		terminal_say("\n");
	row.ticking = 0;
	row.open = 0;
}

static void fields_wipe(void)
{
	secret_wipe(view.fields, sizeof(view.fields));
	view.field_count = 0;
	view.active = 0;
}

void ui_page(const char *title, const char *body, const char *challenge)
{
	row_end();
	fields_wipe();
	show_typed = 0;
	view.busy = NULL;
	view.key_count = 0;
	copy_text(view.title, sizeof(view.title), title);
	copy_text(view.body, sizeof(view.body), body);
	copy_text(view.challenge, sizeof(view.challenge), challenge);
	terminal_say("\n%s\n", title);
	terminal_paragraph(body);
	if (challenge[0])
		terminal_say("\n  Challenge: %s\n\n", challenge);
	draw();
}

void ui_body(const char *body, const char *line)
{
	row_end();
	copy_text(view.body, sizeof(view.body), body);
	terminal_paragraph(line);
	draw();
}

void ui_offer(const struct view_key *keys, unsigned count)
{
	view.key_count = 0;
	for (unsigned i = 0; i < count && i < VIEW_KEYS_MAX; i++)
		view.keys[view.key_count++] = keys[i];
	for (unsigned i = 0; i < view.key_count; i++)
		terminal_say("%s%s: %s", i ? "   " : "", view.keys[i].key, view.keys[i].does);
	if (view.key_count)
		terminal_say("\n");
	draw();
}

/* The keys that work wherever something is typed; a code is shown anyway. */
static void offer_typing_keys(int is_code)
{
	static const struct view_key keys[] = {
		{ "F4", "Keyboard" },
		{ "F6", "Contrast, size" },
		{ "F5", "Show typing" },
	};
	unsigned count = is_code ? 2 : 3;

	for (unsigned i = 0; i < count && view.key_count < VIEW_KEYS_MAX; i++)
		view.keys[view.key_count++] = keys[i];
}

static void message_set(const struct message *m, va_list args)
{
	view.tone = m->tone;
	phrase_vformat(view.message, sizeof(view.message), m->text, args);
	phrase_format(view.code, sizeof(view.code), "HF-%u", m->number);
}

static void beep(enum sound sound)
{
	if (view.rules && (view.rules->head.flags & RULES_BEEP))
		sound_play(sound);
}

void ui_tell(enum message_id id, ...)
{
	char text[VIEW_TEXT_MAX + 16];
	va_list args;

	if (!started)
		return;
	va_start(args, id);
	message_set(message_get(id), args);
	va_end(args);
	row_end();
	phrase_format(text, sizeof(text), "%s [%s]", view.message, view.code);
	terminal_paragraph(text);
	draw();
	if (view.tone == VIEW_ERROR)
		beep(SOUND_REFUSED);
}

void ui_tick(enum message_id id, ...)
{
	va_list args;
	char text[VIEW_TEXT_MAX];

	va_start(args, id);
	phrase_vformat(text, sizeof(text), message_get(id)->text, args);
	va_end(args);
	if (!row.ticking)
		row_end();
	terminal_say("\r%s ", text);
	row.ticking = 1;
	copy_text(view.ticking, sizeof(view.ticking), text);
	draw();
}

void ui_quiet(void)
{
	view.message[0] = 0;
	view.code[0] = 0;
	view.ticking[0] = 0;
	view.tone = VIEW_PLAIN;
}

void ui_field(const char *label, int is_code)
{
	struct view_field *f;

	if (view.field_count == VIEW_FIELDS_MAX)
		return;
	f = &view.fields[view.field_count];
	*f = (struct view_field){ .label = label, .is_code = is_code };
	view.active = view.field_count++;
	if (!view.active)
		offer_typing_keys(is_code);
	show_typed = 0;
	row_end();
	beep(SOUND_READY);
	draw();
}

static struct view_field *active(void)
{
	return &view.fields[view.active < VIEW_FIELDS_MAX ? view.active : VIEW_FIELDS_MAX - 1];
}

static void dots(char *ret, size_t size, size_t count)
{
	size_t n = 0;

	for (; count && n + sizeof(DOT) <= size; count--, n += sizeof(DOT) - 1)
		memcpy(ret + n, DOT, sizeof(DOT) - 1);
	ret[n] = 0;
}

/* The line anew: its label, and what is typed. */
static void row_begin(const char *text, size_t places, int hidden)
{
	row_end();
	terminal_say("%s: ", active()->label);
	row.open = 1;
	row.hidden = hidden;
	row.places = places;
	for (size_t i = 0; hidden && i < places; i++)
		terminal_say("*");
	if (!hidden)
		terminal_say("%s", text);
}

static void rub_out(size_t places)
{
	while (places--)
		terminal_say("\b \b");
}

/* Where the last count characters of a text begin. */
static const char *last_chars(const char *text, size_t count)
{
	const char *at = text + strlen(text);

	for (; count && at > text; count--)
		do
			at--;
		while (at > text && ((uint8_t)*at & 0xc0) == 0x80);
	return at;
}

/* One key's effect on the terminals' line. */
static void row_echo(const char *text, size_t places, int hidden)
{
	if (!row.open || row.hidden != hidden) {
		row_begin(text, places, hidden);
		return;
	}
	if (places < row.places)
		rub_out(row.places - places);
	for (size_t i = row.places; hidden && i < places; i++)
		terminal_say("*");
	if (!hidden && places > row.places)
		terminal_say("%s", last_chars(text, places - row.places));
	row.places = places;
}

void ui_echo(const struct line *l, enum ui_echo how)
{
	int hidden = how == UI_HIDDEN && !show_typed;
	size_t places = hidden && l->chars > HIDDEN_COLUMNS ? HIDDEN_COLUMNS : l->chars;

	if (hidden)
		dots(active()->text, sizeof(active()->text), l->chars);
	else
		copy_text(active()->text, sizeof(active()->text), l->bytes);
	row_echo(l->bytes, places, hidden);
	draw();
}

/* Hyphens come by themselves: after each full group, the last one too, so that what is shown depends on
 * the length only. */
void ui_echo_code(const struct line *l, size_t letters)
{
	char text[CODE_TEXT_MAX + 2];
	size_t n = 0;

	for (size_t i = 0; i < l->len; i++) {
		text[n++] = l->bytes[i];
		if (i % CODE_GROUP_LETTERS == CODE_GROUP_LETTERS - 1)
			text[n++] = '-';
	}
	text[n] = 0;
	row_echo(text, n, 0);
	if (l->len == letters && n)
		text[n - 1] = 0;
	copy_text(active()->text, sizeof(active()->text), text);
	secret_wipe(text, sizeof(text));
	draw();
}

void ui_field_done(void)
{
	row_end();
	view.active = view.field_count;
	draw();
}

static void EFIAPI spin(EFI_EVENT event, void *context)
{
	(void)event;
	(void)context;
	screen_spin();
}

void ui_busy(const char *text)
{
	row_end();
	ui_quiet();
	view.busy = text;
	terminal_say("%s", text);
	row.ticking = 1;
	draw();
	if (!graphics ||
	    EFI_ERROR(BOOT->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK, spin, NULL, &spinner)))
		return;
	BOOT->SetTimer(spinner, TimerPeriodic, SPIN_100NS);
}

void ui_idle(void)
{
	if (spinner)
		BOOT->CloseEvent(spinner);
	spinner = NULL;
	view.busy = NULL;
	row_end();
	draw();
}

void ui_while_idle(int (*work)(void))
{
	idle_work = work;
}

/* One slice of work, or a short sleep. */
static void pass_time(void)
{
	if (idle_work && idle_work())
		return;
	idle_work = NULL;
	keyboard_wait(WAIT_MS);
}

static void watch_caps(void)
{
	int caps = keyboard_caps();

	if (caps == view.caps)
		return;
	view.caps = caps;
	draw();
}

static void choice_keep(void)
{
	struct choice c = { .high_contrast = view.high_contrast, .large_type = view.large_type };

	copy_text(c.layout, sizeof(c.layout), typing_layout()->name);
	choice_save(&c);
}

static void switch_layout(int terminal)
{
	typing_switch();
	show_layout();
	ui_tell(MESSAGE_LAYOUT, typing_layout()->name, typing_layout()->title);
	if (terminal)
		ui_tell(MESSAGE_TERMINAL_LAYOUT);
	choice_keep();
}

/* Plain, high contrast, large type, both. */
static void switch_appearance(void)
{
	if (view.high_contrast)
		view.large_type = !view.large_type;
	view.high_contrast = !view.high_contrast;
	choice_keep();
	draw();
}

static void serve_everywhere(const struct key *k)
{
	if (k->scan == KEY_SCAN_F4 || (!k->scan && k->unicode == KEY_CTRL_L))
		switch_layout(k->terminal);
	else if (k->scan == KEY_SCAN_F5 || (!k->scan && k->unicode == KEY_CTRL_T))
		show_typed = !show_typed;
	else if (k->scan == KEY_SCAN_F6)
		switch_appearance();
}

void ui_key(struct typed *ret)
{
	struct key key;

	while (!keyboard_read(&key)) {
		pass_time();
		watch_caps();
	}
	watch_caps();
	last_key_ms = clock_ms();
	serve_everywhere(&key);
	typing_key(ret, &key);
	secret_wipe(&key, sizeof(key));
}

uint64_t ui_last_key_ms(void)
{
	return last_key_ms;
}

static void discard_keys(void)
{
	struct key key;

	/* bounded: a keyboard whose key is held down must not hold up everything */
	for (unsigned i = 0; i < KEYS_DISCARDED && keyboard_read(&key); i++)
		;
	secret_wipe(&key, sizeof(key));
}

/* Until ms, or a key if any_key is set. Idle work goes on. */
static void wait_until(uint64_t ms, int any_key)
{
	struct key key;

	while (clock_ms() < ms) {
		if (keyboard_read(&key) && any_key)
			break;
		pass_time();
	}
	secret_wipe(&key, sizeof(key));
}

void ui_count_down(unsigned seconds)
{
	uint64_t start = clock_ms();

	for (unsigned past = 0; past < seconds; past++) {
		ui_tick(MESSAGE_NEXT_TRY, seconds - past);
		wait_until(start + 1000ull * (past + 1), 0);
	}
	discard_keys();
	view.ticking[0] = 0;
	row_end();
	draw();
}

void ui_pause(unsigned seconds)
{
	discard_keys();
	wait_until(clock_ms() + 1000ull * seconds, 1);
}

void ui_stop(void)
{
	if (spinner)
		BOOT->CloseEvent(spinner);
	spinner = NULL;
	row_end();
	typing_drop();
	keyboard_drop();
	if (graphics)
		screen_stop();
	secret_wipe(&view, sizeof(view));
	graphics = 0;
}
