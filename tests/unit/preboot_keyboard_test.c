/* Keyboard: what a firmware reports, event by event, and which keys come of it. The firmware here is a table of its own,
 * because the fake's script has no keys that are modifiers, locks or unplugged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <efi.h>

#include "common/layout.h"
#include "preboot/clock.h"
#include "preboot/firmware.h"
#include "preboot/heap.h"
#include "preboot/keyboard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LSHIFT EFI_LEFT_SHIFT_PRESSED
#define RALT EFI_RIGHT_ALT_PRESSED
#define LCTRL EFI_LEFT_CONTROL_PRESSED
#define LALT EFI_LEFT_ALT_PRESSED
#define CAPS EFI_CAPS_LOCK_ACTIVE

enum { KEYBOARD, SECOND, TERMINAL, VT_UTF8, MERGED, DEVICES };
#define EVENTS_MAX 16

/* One report, or with no_key the state that goes with "no key". */
struct event {
	uint16_t scan, unicode;
	uint32_t shift;
	uint8_t toggle;
};

struct device {
	EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL ex;
	SIMPLE_INPUT_INTERFACE plain;
	int here, has_ex;
	struct event events[EVENTS_MAX];
	unsigned count, at;
	struct event idle;
	int says_nothing; /* no state but with a key */
	int no_valid_bits;
	int endless; /* success without a key, for ever */
};
static struct device devices[DEVICES];
static uint64_t now_ms;
static unsigned waits, stalls;
static int no_timers;
static uint64_t timer_100ns;

static const EFI_GUID input_guid = EFI_SIMPLE_TEXT_INPUT_PROTOCOL_GUID;
static const EFI_GUID input_ex_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2, { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

/* Instead of pre-boot's own. */
uint64_t clock_ms(void)
{
	return now_ms;
}

void heap_wipe(void)
{
}

static EFI_STATUS take(struct device *d, EFI_KEY_DATA *ret)
{
	const struct event *e = d->at < d->count ? &d->events[d->at] : &d->idle;
	int is_key = d->at < d->count;

	d->at += is_key ? 1 : 0;
	if (is_key)
		d->idle.toggle = e->toggle;
	if (d->endless) {
		*ret = (EFI_KEY_DATA){ 0 };
		return EFI_SUCCESS;
	}
	if (!is_key && d->says_nothing)
		return EFI_NOT_READY;
	ret->Key.ScanCode = is_key ? e->scan : 0;
	ret->Key.UnicodeChar = is_key ? e->unicode : 0;
	ret->KeyState.KeyShiftState = e->shift | (d->no_valid_bits ? 0 : EFI_SHIFT_STATE_VALID);
	ret->KeyState.KeyToggleState = (UINT8)(e->toggle | (d->no_valid_bits ? 0 : EFI_TOGGLE_STATE_VALID | 0x40));
	return is_key ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI read_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self, EFI_KEY_DATA *ret)
{
	return take((struct device *)self, ret);
}

static EFI_STATUS EFIAPI read_plain(SIMPLE_INPUT_INTERFACE *self, EFI_INPUT_KEY *ret)
{
	EFI_KEY_DATA data = { 0 };
	EFI_STATUS s = take((struct device *)((uint8_t *)self - offsetof(struct device, plain)), &data);

	if (!s)
		*ret = data.Key;
	return s;
}

static uint8_t path_ps2[] = { ACPI_DEVICE_PATH, ACPI_DP, 12, 0, 0xd0, 0x41, 0x03, 0x03, 0, 0, 0, 0,
			      END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 };
static uint8_t path_terminal[2][43] = {
	/* PC-ANSI */
	{ MESSAGING_DEVICE_PATH, MSG_UART_DP, 19, 0, [19] = MESSAGING_DEVICE_PATH, MSG_VENDOR_DP, 20, 0, 0x53, 0x47, 0xc1,
	  0xe0, 0xbe, 0xf9, 0xd2, 0x11, 0x9a, 0x0c, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d, END_DEVICE_PATH_TYPE,
	  END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 },
	/* VT-UTF8 */
	{ MESSAGING_DEVICE_PATH, MSG_UART_DP, 19, 0, [19] = MESSAGING_DEVICE_PATH, MSG_VENDOR_DP, 20, 0, 0xd6, 0xa0, 0x15,
	  0xad, 0xec, 0x8b, 0xcf, 0x4a, 0xa0, 0x73, 0xd0, 0x1d, 0xe7, 0x7e, 0x2d, 0x88, END_DEVICE_PATH_TYPE,
	  END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 },
};

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret)
{
	struct device *d = handle;
	ptrdiff_t n = d - devices;

	if (!handle || !d->here)
		return EFI_INVALID_PARAMETER;
	if (!memcmp(guid, &input_guid, sizeof(*guid)))
		*ret = &d->plain;
	else if (!memcmp(guid, &input_ex_guid, sizeof(*guid)) && d->has_ex)
		*ret = &d->ex;
	else if (!memcmp(guid, &path_guid, sizeof(*guid)) && n != MERGED)
		*ret = n == TERMINAL || n == VT_UTF8 ? path_terminal[n - TERMINAL] : path_ps2;
	else
		return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *ret_count,
					EFI_HANDLE **ret)
{
	(void)how;
	(void)key;
	assert_memory_equal(guid, &input_guid, sizeof(*guid));
	*ret = calloc(DEVICES, sizeof(EFI_HANDLE));
	*ret_count = 0;
	for (unsigned i = 0; i < DEVICES; i++)
		if (devices[i].here)
			(*ret)[(*ret_count)++] = &devices[i];
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *pool)
{
	free(pool);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, void *context, EFI_EVENT *ret)
{
	static int event;

	(void)tpl;
	(void)notify;
	(void)context;
	assert_int_equal(type, EVT_TIMER);
	if (no_timers)
		return EFI_OUT_OF_RESOURCES;
	*ret = &event;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time_100ns)
{
	(void)event;
	assert_int_equal(type, TimerRelative);
	timer_100ns = time_100ns;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret)
{
	(void)events;
	assert_int_equal(count, 1); /* the keyboards' own events throw keys away */
	waits++;
	now_ms += timer_100ns / 10000;
	*ret = 0;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stall(UINTN us)
{
	stalls++;
	now_ms += us / 1000;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI no_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *text)
{
	(void)seconds;
	(void)code;
	(void)size;
	(void)text;
	return EFI_SUCCESS;
}

/* A PS/2 keyboard and a terminal, as QEMU has them. */
static int setup(void **state)
{
	static EFI_BOOT_SERVICES boot;
	static EFI_SYSTEM_TABLE table;

	(void)state;
	boot = (EFI_BOOT_SERVICES){ .HandleProtocol = handle_protocol, .LocateHandleBuffer = locate_handles,
				    .FreePool = free_pool, .CreateEvent = create_event, .SetTimer = set_timer,
				    .WaitForEvent = wait_for_event, .Stall = stall, .SetWatchdogTimer = no_watchdog };
	memset(devices, 0, sizeof(devices));
	for (unsigned i = 0; i < DEVICES; i++) {
		devices[i].ex.ReadKeyStrokeEx = read_ex;
		devices[i].plain.ReadKeyStroke = read_plain;
		devices[i].has_ex = 1;
		devices[i].here = i == KEYBOARD || i == TERMINAL || i == MERGED;
	}
	table = (EFI_SYSTEM_TABLE){ .BootServices = &boot, .ConsoleInHandle = &devices[MERGED],
				    .ConIn = &devices[MERGED].plain };
	waits = stalls = 0;
	no_timers = 0;
	now_ms += 100000; /* the module's statics stay from test to test: long ago */
	firmware_start(NULL, &table);
	keyboard_start();
	return 0;
}

static void report(unsigned device, struct event e)
{
	struct device *d = &devices[device];

	if (d->at == d->count)
		d->at = d->count = 0;
	assert_true(d->count < EVENTS_MAX);
	d->events[d->count++] = e;
}

/* All keys that come now, as text: characters; "<" and ">" for the ISO key without and with Shift, "|" with AltGr;
 * "{scan}". */
static const char *keys(void)
{
	static char text[64];
	struct key k;
	size_t n = 0;

	while (keyboard_read(&k)) {
		if (k.scan)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "{%x}", k.scan);
		else if (!k.unicode)
			text[n++] = k.modifiers & LAYOUT_ALTGR ? '|' : k.modifiers & LAYOUT_SHIFT ? '>' : '<';
		else
			text[n++] = (char)k.unicode;
		assert_true(n < sizeof(text) - 8);
	}
	text[n] = 0;
	return text;
}

static struct key one(void)
{
	struct key k, more;

	assert_true(keyboard_read(&k));
	assert_false(keyboard_read(&more));
	return k;
}

static void modifiers_come_with_the_key(void **state)
{
	static const struct {
		const char *why;
		struct event e;
		uint16_t unicode;
		uint8_t modifiers;
	} rows[] = {
		{ "plain", { 0, 'q', 0, 0 }, 'q', 0 },
		{ "right Alt", { 0, 'q', RALT, 0 }, 'q', LAYOUT_ALTGR },
		{ "Ctrl and left Alt", { 0, 'q', LCTRL | LALT, 0 }, 'q', LAYOUT_ALTGR },
		{ "left Alt alone", { 0, 'q', LALT, 0 }, 'q', 0 },
		{ "Ctrl and a letter", { 0, 'r', LCTRL, 0 }, 0x12, 0 },
		{ "Ctrl and a capital", { 0, 'R', EFI_RIGHT_CONTROL_PRESSED, CAPS }, 0x12, LAYOUT_CAPS },
		{ "Ctrl and a digit", { 0, '1', LCTRL, 0 }, '1', 0 },
		{ "Shift with Space stays to be seen", { 0, ' ', LSHIFT, 0 }, ' ', LAYOUT_SHIFT },
		{ "Caps Lock", { 0, 'A', 0, CAPS }, 'A', LAYOUT_CAPS },
		{ "Num Lock", { 0, '1', 0, EFI_NUM_LOCK_ACTIVE }, '1', 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key k;

		report(KEYBOARD, rows[i].e);
		k = one();
		if (k.unicode != rows[i].unicode || k.modifiers != rows[i].modifiers || k.scan || k.terminal)
			fail_msg("%s: U+%04X, modifiers %x", rows[i].why, k.unicode, k.modifiers);
	}
	report(KEYBOARD, (struct event){ KEY_SCAN_F5, 0, 0, 0 });
	assert_int_equal(one().scan, KEY_SCAN_F5);
}

/* What QEMU's PS/2 and USB keyboards were seen to report (docs/keyboard.md). */
static void iso_key_is_told_from_modifiers_and_locks(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "<");

	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 }); /* Shift alone, at once with ... */
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 }); /* ... the key */
	assert_string_equal(keys(), ">");

	report(KEYBOARD, (struct event){ 0, 0, RALT, 0 });
	report(KEYBOARD, (struct event){ 0, 0, RALT, 0 });
	assert_string_equal(keys(), "|");

	report(KEYBOARD, (struct event){ 0, 0, RALT, 0 });
	report(KEYBOARD, (struct event){ 0, 0, RALT | LSHIFT, 0 });
	report(KEYBOARD, (struct event){ 0, 'Q', RALT, 0 });
	assert_string_equal(keys(), "Q");

	report(KEYBOARD, (struct event){ 0, 0, 0, CAPS });
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, 0, CAPS });
	assert_string_equal(keys(), "<");
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "");

	report(KEYBOARD, (struct event){ 0, 0, EFI_SYS_REQ_PRESSED, 0 }); /* PrintScreen */
	report(KEYBOARD, (struct event){ 0, 0, EFI_LEFT_LOGO_PRESSED, 0 });
	assert_string_equal(keys(), "");
}

/* A slow typist holds Shift until it repeats itself: that must not type anything. */
static void held_shift_that_repeats_types_nothing(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	devices[KEYBOARD].idle.shift = LSHIFT;
	for (unsigned ms = 0; ms < 2000; ms += 20) {
		if (ms >= 500 && ms % 40 == 0)
			report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
		assert_string_equal(keys(), "");
		now_ms += 20;
	}
	report(KEYBOARD, (struct event){ 0, 'A', 0, 0 });
	assert_string_equal(keys(), "A");
	devices[KEYBOARD].idle.shift = 0;
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "<");
}

static void shift_then_iso_key_like_a_person(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	devices[KEYBOARD].idle.shift = LSHIFT;
	for (unsigned ms = 0; ms < 120; ms += 20, now_ms += 20)
		assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	assert_string_equal(keys(), ">");
}

/* While pre-boot computes, keys wait in the firmware, and when they were pressed cannot be told. */
static void after_an_absence_shift_is_not_guessed_about(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	now_ms += 200; /* too short for a repetition */
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	assert_string_equal(keys(), ">");
	now_ms += 300;
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
	report(KEYBOARD, (struct event){ 0, 'A', 0, 0 });
	assert_string_equal(keys(), "A");
}

/* A firmware whose keyboards tell no state without a key: a Shift that was let go is not seen. */
static void without_live_state_shift_is_not_guessed_about(void **state)
{
	(void)state;
	devices[KEYBOARD].says_nothing = 1;
	assert_string_equal(keys(), "");
	for (int i = 0; i < 3; i++) {
		report(KEYBOARD, (struct event){ 0, 0, LSHIFT, 0 });
		assert_string_equal(keys(), "");
		now_ms += 20;
	}
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "<");
}

static void reports_without_a_valid_state_are_no_iso_key(void **state)
{
	(void)state;
	devices[KEYBOARD].no_valid_bits = 1;
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	report(KEYBOARD, (struct event){ 0, 'a', 0, 0 });
	assert_string_equal(keys(), "a");
	report(TERMINAL, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "");
}

/* With Num Lock on, keyboards send a Shift of their own before arrows, Delete and PrintScreen. */
static void false_shift_before_arrows_types_nothing(void **state)
{
	(void)state;
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	report(KEYBOARD, (struct event){ KEY_SCAN_UP, 0, 0, 0 });
	assert_string_equal(keys(), "{1}");
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	report(KEYBOARD, (struct event){ 0, 0, EFI_SYS_REQ_PRESSED, 0 });
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	report(KEYBOARD, (struct event){ 0, 'x', 0, 0 });
	assert_string_equal(keys(), "<<x");
}

static void caps_lock_is_followed_without_a_key(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	assert_false(keyboard_caps());
	devices[KEYBOARD].idle.toggle = CAPS;
	assert_string_equal(keys(), "");
	assert_true(keyboard_caps());
	devices[KEYBOARD].idle.toggle = 0;
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 }); /* Caps Lock pressed: its own report */
	assert_string_equal(keys(), "");
	assert_false(keyboard_caps());
}

static void terminals_say_utf8_byte_by_byte(void **state)
{
	static const struct {
		const char *why;
		uint16_t sent[6];
		uint16_t want[6];
	} rows[] = {
		{ "ASCII", { 'a', 0x12, 0x0d }, { 'a', 0x12, 0x0d } },
		{ "two bytes", { 0xc3, 0xa9 }, { 0xe9 } },
		{ "three bytes", { 0xe2, 0x82, 0xac, 'x' }, { 0x20ac, 'x' } },
		{ "four bytes: not in UCS-2", { 0xf0, 0x9f, 0x98, 0x80, 'x' }, { 0xfffd, 'x' } },
		{ "Latin-1 and a letter", { 0xe9, 'x' }, { 0xe9, 'x' } },
		{ "begun twice", { 0xc3, 0xc3, 0xa9 }, { 0xc3, 0xe9 } },
		{ "lone continuation", { 0xa9, 'x' }, { 0xa9, 'x' } },
		{ "real characters of a better terminal", { 0x20ac, 'x' }, { 0x20ac, 'x' } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key k;

		for (size_t n = 0; n < COUNT(rows[i].sent) && rows[i].sent[n]; n++) {
			report(TERMINAL, (struct event){ 0, rows[i].sent[n], 0, 0 });
		}
		for (size_t n = 0; n < COUNT(rows[i].want) && rows[i].want[n]; n++)
			if (!keyboard_read(&k) || k.unicode != rows[i].want[n] || !k.terminal || k.modifiers)
				fail_msg("%s: character %zu", rows[i].why, n);
		if (keyboard_read(&k))
			fail_msg("%s: one too many", rows[i].why);
	}
}

/* Also when its bytes come one by one; and a function key ends what was begun. */
static void utf8_waits_for_its_end(void **state)
{
	(void)state;
	report(TERMINAL, (struct event){ 0, 0xc3, 0, 0 });
	assert_string_equal(keys(), "");
	report(KEYBOARD, (struct event){ 0, 'k', 0, 0 });
	assert_string_equal(keys(), "k");
	report(TERMINAL, (struct event){ 0, 0xa9, 0, 0 });
	assert_string_equal(keys(), "\xe9");
	report(TERMINAL, (struct event){ 0, 0xc3, 0, 0 });
	report(TERMINAL, (struct event){ KEY_SCAN_F2, 0, 0, 0 });
	assert_string_equal(keys(), "\xc3{c}");
}

static void vt_utf8_terminal_sends_characters(void **state)
{
	(void)state;
	devices[TERMINAL].here = 0;
	devices[VT_UTF8].here = 1;
	keyboard_start();
	report(VT_UTF8, (struct event){ 0, 0xc3, 0, 0 });
	report(VT_UTF8, (struct event){ 0, 0xa9, 0, 0 });
	assert_string_equal(keys(), "\xc3\xa9");
}

static void keyboards_come_and_go(void **state)
{
	(void)state;
	assert_string_equal(keys(), "");
	devices[SECOND].here = 1;
	report(SECOND, (struct event){ 0, 'n', 0, 0 });
	assert_string_equal(keys(), "");
	now_ms += 1000;
	assert_string_equal(keys(), "n");
	/* unplugged: its handle is no longer valid */
	devices[KEYBOARD].here = 0;
	report(KEYBOARD, (struct event){ 0, 'x', 0, 0 });
	report(SECOND, (struct event){ 0, 'y', 0, 0 });
	assert_string_equal(keys(), "y");
	now_ms += 1000;
	assert_string_equal(keys(), "");
	/* and back */
	devices[KEYBOARD].here = 1;
	now_ms += 1000;
	assert_string_equal(keys(), "x");
}

/* A keyboard's driver that has only the plain protocol. */
static void keyboard_without_modifiers_works(void **state)
{
	(void)state;
	devices[KEYBOARD].has_ex = 0;
	report(KEYBOARD, (struct event){ 0, 'p', RALT, CAPS });
	report(KEYBOARD, (struct event){ 0, 0, 0, 0 });
	assert_string_equal(keys(), "p");
	report(KEYBOARD, (struct event){ 0, 'p', RALT, CAPS });
	assert_int_equal(one().modifiers, 0);
}

static void merged_input_serves_where_there_is_no_keyboard(void **state)
{
	(void)state;
	devices[KEYBOARD].here = 0;
	keyboard_start();
	report(MERGED, (struct event){ 0, 'm', RALT, CAPS });
	report(MERGED, (struct event){ 0, 'n', 0, CAPS });
	assert_string_equal(keys(), "mn");
	assert_true(keyboard_caps());
	devices[MERGED].has_ex = 0;
	report(MERGED, (struct event){ 0, 'o', 0, 0 });
	assert_string_equal(keys(), "o");
	devices[MERGED].here = 0; /* no handle at all: ConIn still is there */
	report(MERGED, (struct event){ 0, 'p', 0, 0 });
	assert_string_equal(keys(), "p");
}

/* Once a keyboard of its own has given a key, the merged input would only take keys away from it. */
static void merged_input_is_left_alone_once_keyboards_work(void **state)
{
	(void)state;
	report(KEYBOARD, (struct event){ 0, 'k', 0, 0 });
	assert_string_equal(keys(), "k");
	now_ms += 5000;
	report(MERGED, (struct event){ 0, 'm', 0, 0 });
	assert_string_equal(keys(), "");
}

static void wait_is_short_and_never_busy(void **state)
{
	uint64_t before = now_ms;

	(void)state;
	no_timers = 1;
	keyboard_wait(50);
	assert_int_equal(stalls, 1);
	assert_int_equal(now_ms - before, 20);
	no_timers = 0;
	keyboard_wait(50);
	assert_int_equal(now_ms - before, 40);
	keyboard_wait(5);
	assert_int_equal(now_ms - before, 45);
	assert_int_equal(waits, 2);
	assert_int_equal(stalls, 1);
}

/* Bug: a device that reports success without a key for ever held up all keyboards. */
static void device_without_end_holds_up_nobody(void **state)
{
	(void)state;
	devices[SECOND].here = 1;
	now_ms += 1000;
	assert_string_equal(keys(), "");
	devices[KEYBOARD].endless = 1;
	report(SECOND, (struct event){ 0, 'y', 0, 0 });
	assert_string_equal(keys(), "y");
}

static void dropped_keys_are_gone(void **state)
{
	struct key k;

	(void)state;
	report(TERMINAL, (struct event){ 0, 0xc3, 0, 0 });
	assert_string_equal(keys(), "");
	keyboard_drop();
	report(TERMINAL, (struct event){ 0, 0xa4, 0, 0 });
	assert_true(!keyboard_read(&k) || k.unicode != 0xe4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(modifiers_come_with_the_key),
		TEST(iso_key_is_told_from_modifiers_and_locks),
		TEST(held_shift_that_repeats_types_nothing),
		TEST(shift_then_iso_key_like_a_person),
		TEST(after_an_absence_shift_is_not_guessed_about),
		TEST(without_live_state_shift_is_not_guessed_about),
		TEST(reports_without_a_valid_state_are_no_iso_key),
		TEST(false_shift_before_arrows_types_nothing),
		TEST(caps_lock_is_followed_without_a_key),
		TEST(terminals_say_utf8_byte_by_byte),
		TEST(utf8_waits_for_its_end),
		TEST(vt_utf8_terminal_sends_characters),
		TEST(keyboards_come_and_go),
		TEST(keyboard_without_modifiers_works),
		TEST(merged_input_serves_where_there_is_no_keyboard),
		TEST(merged_input_is_left_alone_once_keyboards_work),
		TEST(wait_is_short_and_never_busy),
		TEST(device_without_end_holds_up_nobody),
		TEST(dropped_keys_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
