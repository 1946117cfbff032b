#include "keyboard.h"

#include <string.h>

#include "clock.h"
#include "common/layout.h"
#include "common/secret.h"
#include "firmware.h"

#define DEVICES_MAX 16
#define LOOK_AGAIN_MS 1000
#define POLL_MS 20
#define QUEUE_MAX 8
#define NOT_A_CHARACTER 0xfffd /* what a terminal sent does not fit into UCS-2 */

/* Readings of one device before the next one has its turn. */
#define READINGS_MAX 64

/* A modifier that is held repeats itself, the earliest keyboards after 250 ms. */
#define REPEAT_MS 240

#define SHIFTS (EFI_LEFT_SHIFT_PRESSED | EFI_RIGHT_SHIFT_PRESSED)
#define CONTROLS (EFI_LEFT_CONTROL_PRESSED | EFI_RIGHT_CONTROL_PRESSED)
#define MODIFIERS (SHIFTS | CONTROLS | EFI_LEFT_ALT_PRESSED | EFI_RIGHT_ALT_PRESSED | EFI_LEFT_LOGO_PRESSED | \
		   EFI_RIGHT_LOGO_PRESSED | EFI_MENU_KEY_PRESSED)
#define TOGGLES (EFI_CAPS_LOCK_ACTIVE | EFI_NUM_LOCK_ACTIVE | EFI_SCROLL_LOCK_ACTIVE)

struct device {
	EFI_HANDLE handle;
	int terminal;
	int sends_bytes;      /* a terminal that hands on the bytes of UTF-8 one by one */
	UINT8 toggles;
	UINT32 modifiers;     /* held, as far as is known */
	int live;             /* tells its state without a key as well */
	uint64_t idle_ms;     /* when it had no key last */
	uint64_t modifier_ms; /* when the last modifier was not yet pressed */
	EFI_KEY_DATA ahead;   /* read too early */
	int has_ahead;
	uint8_t utf8[4];      /* the beginning of a character */
	unsigned utf8_len;
};

static struct device devices[DEVICES_MAX];
static unsigned device_count;
static struct device merged;
static int merged_works, any_key_seen;
static uint64_t looked_ms, merged_ms;
static EFI_EVENT timer;

/* Keys that are read and not yet given out. */
static struct key queue[QUEUE_MAX];
static unsigned queued;

static const EFI_GUID input_guid = EFI_SIMPLE_TEXT_INPUT_PROTOCOL_GUID;
static const EFI_GUID input_ex_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;

static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID vt_utf8_guid = { 0xAD15A0D6, 0x8BEC, 0x4ACF,
				       { 0xA0, 0x73, 0xD0, 0x1D, 0xE7, 0x7E, 0x2D, 0x88 } };

/* ---- which there are ---- */

/* A terminal whose kind is VT-UTF8: the firmware puts its characters together. */
static int has_vt_utf8(EFI_HANDLE handle)
{
	EFI_DEVICE_PATH *node = firmware_protocol(handle, &path_guid);

	for (; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
		if ((size_t)DevicePathNodeLength(node) < sizeof(*node))
			return 0;
		if (DevicePathType(node) == MESSAGING_DEVICE_PATH && DevicePathSubType(node) == MSG_VENDOR_DP &&
		    (size_t)DevicePathNodeLength(node) >= sizeof(*node) + sizeof(EFI_GUID) &&
		    !memcmp(node + 1, &vt_utf8_guid, sizeof(EFI_GUID)))
			return 1;
	}
	return 0;
}

static struct device *known(EFI_HANDLE handle)
{
	for (unsigned i = 0; i < device_count; i++)
		if (devices[i].handle == handle)
			return &devices[i];
	return NULL;
}

static struct device device_new(EFI_HANDLE handle)
{
	struct device d = { .handle = handle, .terminal = firmware_has_uart(handle) };

	d.sends_bytes = d.terminal && !has_vt_utf8(handle);
	return d;
}

/* A device that stays keeps its state. */
static void look(void)
{
	struct device found[DEVICES_MAX];
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &input_guid);
	unsigned n = 0;

	for (UINTN i = 0; i < count && n < DEVICES_MAX; i++) {
		struct device *d = known(handles[i]);

		if (handles[i] != firmware->ConsoleInHandle)
			found[n++] = d ? *d : device_new(handles[i]);
	}
	firmware_free(handles);
	for (unsigned i = 0; i < n; i++)
		devices[i] = found[i];
	device_count = n;
	looked_ms = clock_ms();
	secret_wipe(found, sizeof(found));
}

void keyboard_start(void)
{
	merged = (struct device){ .handle = firmware->ConsoleInHandle };
	merged_works = any_key_seen = 0;
	device_count = 0;
	look();
}

/* ---- one key of one device ---- */

static EFI_STATUS read_plain(SIMPLE_INPUT_INTERFACE *plain, EFI_KEY_DATA *ret)
{
	return plain ? plain->ReadKeyStroke(plain, &ret->Key) : EFI_UNSUPPORTED;
}

/* By its handle each time: a keyboard may be unplugged. */
static EFI_STATUS read_device(const struct device *d, EFI_KEY_DATA *ret)
{
	EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *ex = firmware_protocol(d->handle, &input_ex_guid);

	if (ex)
		return ex->ReadKeyStrokeEx(ex, ret);
	if (d == &merged)
		return read_plain(firmware->ConIn, ret);
	return read_plain(firmware_protocol(d->handle, &input_guid), ret);
}

static UINT8 toggles_of(const struct device *d, const EFI_KEY_STATE *state)
{
	return state->KeyToggleState & EFI_TOGGLE_STATE_VALID ? state->KeyToggleState & TOGGLES : d->toggles;
}

/* EDK2 tells its state also when there is no key. */
static void note_idle(struct device *d, const EFI_KEY_STATE *state)
{
	d->idle_ms = clock_ms();
	d->toggles = toggles_of(d, state);
	d->live = state->KeyShiftState & EFI_SHIFT_STATE_VALID ? 1 : 0;
	if (d->live)
		d->modifiers = state->KeyShiftState & MODIFIERS;
}

static int next(struct device *d, EFI_KEY_DATA *ret)
{
	*ret = (EFI_KEY_DATA){ 0 };
	if (d->has_ahead) {
		*ret = d->ahead;
		d->has_ahead = 0;
		secret_wipe(&d->ahead, sizeof(d->ahead));
		return 1;
	}
	if (!EFI_ERROR(read_device(d, ret)))
		return 1;
	note_idle(d, &ret->KeyState);
	return 0;
}

/* ---- the ISO key ---- */

/* It has neither character nor scan code, as has each modifier and lock key, which EDK2 also reports. A
 * lock changes the state, a modifier is a new one. With a modifier held it may as well be the modifier
 * that repeats itself: then only what comes so soon after it that it cannot repeat counts. */
static int is_iso_key(struct device *d, const EFI_KEY_STATE *state)
{
	UINT32 before = d->modifiers, held = state->KeyShiftState & MODIFIERS;

	if (d->terminal || !(state->KeyShiftState & EFI_SHIFT_STATE_VALID) ||
	    state->KeyShiftState & EFI_SYS_REQ_PRESSED || toggles_of(d, state) != d->toggles)
		return 0;
	d->modifiers = held;
	if (!held)
		return 1;
	if (held & ~before) {
		d->modifier_ms = d->idle_ms;
		return 0;
	}
	return d->live && clock_ms() - d->modifier_ms < REPEAT_MS;
}

/* With Num Lock on, keyboards send a false Shift before arrows and the like. */
static int is_false_shift(struct device *d)
{
	if (!next(d, &d->ahead))
		return 0;
	d->has_ahead = 1;
	return d->ahead.Key.ScanCode || d->ahead.KeyState.KeyShiftState & EFI_SYS_REQ_PRESSED;
}

/* ---- to keys ---- */

static void push(const struct device *d, uint16_t scan, uint16_t unicode, uint8_t modifiers)
{
	if (queued < QUEUE_MAX)
		queue[queued++] = (struct key){ scan, unicode, modifiers, (uint8_t)d->terminal };
}

static int is_altgr(UINT32 shift)
{
	return shift & EFI_RIGHT_ALT_PRESSED || (shift & CONTROLS && shift & EFI_LEFT_ALT_PRESSED);
}

static uint8_t modifiers_of(const struct device *d, UINT32 shift)
{
	return (uint8_t)((shift & SHIFTS ? LAYOUT_SHIFT : 0) | (is_altgr(shift) ? LAYOUT_ALTGR : 0) |
			 (d->toggles & EFI_CAPS_LOCK_ACTIVE ? LAYOUT_CAPS : 0));
}

static int is_letter(uint16_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void push_data(struct device *d, const EFI_KEY_DATA *data)
{
	UINT32 shift = data->KeyState.KeyShiftState;
	uint16_t c = data->Key.UnicodeChar;

	if (is_letter(c) && shift & CONTROLS && !is_altgr(shift))
		c &= 0x1f;
	push(d, data->Key.ScanCode, c, modifiers_of(d, shift));
}

/* ---- UTF-8 of terminals ---- */

static unsigned utf8_length(uint8_t first)
{
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/* No UTF-8: they were characters. */
static void utf8_give_up(struct device *d)
{
	for (unsigned i = 0; i < d->utf8_len; i++)
		push(d, 0, d->utf8[i], 0);
	d->utf8_len = 0;
	secret_wipe(d->utf8, sizeof(d->utf8));
}

static void utf8_finish(struct device *d)
{
	uint32_t c = d->utf8[0] & (0x7fu >> d->utf8_len);

	for (unsigned i = 1; i < d->utf8_len; i++)
		c = c << 6 | (d->utf8[i] & 0x3fu);
	push(d, 0, c > 0xffff ? NOT_A_CHARACTER : (uint16_t)c, 0);
	d->utf8_len = 0;
	secret_wipe(d->utf8, sizeof(d->utf8));
}

/* Did the key go into a character of several bytes? */
static int utf8_take(struct device *d, const EFI_INPUT_KEY *key)
{
	uint16_t c = key->UnicodeChar;
	int starts = !key->ScanCode && c >= 0xc2 && c <= 0xf4;
	int continues = !key->ScanCode && c >= 0x80 && c <= 0xbf;

	if (d->utf8_len && !continues)
		utf8_give_up(d);
	if (!starts && !d->utf8_len)
		return 0;
	d->utf8[d->utf8_len++] = (uint8_t)c;
	if (d->utf8_len == utf8_length(d->utf8[0]))
		utf8_finish(d);
	return 1;
}

/* ---- the next key of all ---- */

static void poll_device(struct device *d)
{
	EFI_KEY_DATA data = { 0 };

	/* bounded: a device that reports nothing without end must not hold up the others */
	for (unsigned i = 0; i < READINGS_MAX && !queued && next(d, &data); i++) {
		int no_key = !data.Key.ScanCode && !data.Key.UnicodeChar;

		if (no_key) {
			if (is_iso_key(d, &data.KeyState) && !is_false_shift(d))
				push_data(d, &data);
			d->toggles = toggles_of(d, &data.KeyState);
		} else {
			d->toggles = toggles_of(d, &data.KeyState);
			if (!d->sends_bytes || !utf8_take(d, &data.Key))
				push_data(d, &data);
		}
	}
	secret_wipe(&data, sizeof(data));
}

static int keyboards(void)
{
	for (unsigned i = 0; i < device_count; i++)
		if (!devices[i].terminal)
			return 1;
	return 0;
}

/* Reading the merged input makes some firmware find its keyboards; where they are found and work, it
 * would only take keys away from them. */
static int merged_is_due(void)
{
	uint64_t now = clock_ms();

	if (merged_works || !keyboards())
		return 1;
	if (any_key_seen || now - merged_ms < LOOK_AGAIN_MS)
		return 0;
	merged_ms = now;
	return 1;
}

static void poll_all(void)
{
	if (clock_ms() - looked_ms >= LOOK_AGAIN_MS)
		look();
	for (unsigned i = 0; i < device_count && !queued; i++) {
		poll_device(&devices[i]);
		any_key_seen |= queued && !devices[i].terminal;
	}
	if (!queued && merged_is_due()) {
		poll_device(&merged);
		merged_works |= queued != 0;
	}
}

int keyboard_read(struct key *ret)
{
	if (!queued)
		poll_all();
	if (!queued)
		return 0;
	*ret = queue[0];
	queued--;
	for (unsigned i = 0; i < queued; i++)
		queue[i] = queue[i + 1];
	secret_wipe(&queue[queued], sizeof(queue[0]));
	return 1;
}

int keyboard_caps(void)
{
	for (unsigned i = 0; i < device_count; i++)
		if (devices[i].toggles & EFI_CAPS_LOCK_ACTIVE)
			return 1;
	return merged_works && merged.toggles & EFI_CAPS_LOCK_ACTIVE;
}

void keyboard_drop(void)
{
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		secret_wipe(&devices[i].ahead, sizeof(devices[i].ahead));
		secret_wipe(devices[i].utf8, sizeof(devices[i].utf8));
		devices[i].has_ahead = 0;
		devices[i].utf8_len = 0;
	}
	secret_wipe(queue, sizeof(queue));
	queued = 0;
}

/* Not by WaitForKeyEx: asking it makes EDK2 throw the ISO key away. */
void keyboard_wait(unsigned timeout_ms)
{
	unsigned ms = timeout_ms < POLL_MS ? timeout_ms : POLL_MS;
	UINTN which;

	if (!timer && EFI_ERROR(BOOT->CreateEvent(EVT_TIMER, 0, NULL, NULL, &timer)))
		timer = NULL;
	if (!timer || EFI_ERROR(BOOT->SetTimer(timer, TimerRelative, 10000ull * ms)) ||
	    EFI_ERROR(BOOT->WaitForEvent(1, &timer, &which)))
		BOOT->Stall(1000ull * ms);
}
