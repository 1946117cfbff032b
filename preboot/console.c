#include "console.h"

#include <stdarg.h>

#include "clock.h"
#include "firmware.h"
#include "phrase.h"

#define SAY_BYTES 401
#define SERIALS_MAX 4
#define POLL_100NS 1000000 /* 0.1 s */

static int (*idle_work)(void);
static uint64_t last_key_ms;
static int started;

/* Serial ports that the firmware's console does not write to. */
static SERIAL_IO_INTERFACE *serials[SERIALS_MAX];
static unsigned serial_count;

static const EFI_GUID serial_guid = { 0xBB25CF6F, 0xF1D4, 0x11D2,
				      { 0x9A, 0x0C, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0xFD } };
static const EFI_GUID console_out_guid = { 0xD3B36F2C, 0xD551, 0x11D4,
					   { 0x9A, 0x46, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static int has_uart(EFI_HANDLE handle)
{
	EFI_DEVICE_PATH *node = firmware_protocol(handle, &path_guid);

	for (; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node))
		if (DevicePathType(node) == MESSAGING_DEVICE_PATH &&
		    DevicePathSubType(node) == MSG_UART_DP)
			return 1;
	return 0;
}

static int console_has_serial(void)
{
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &console_out_guid);
	int found = 0;

	for (UINTN i = 0; i < count; i++)
		found |= has_uart(handles[i]);
	firmware_free(handles);
	return found;
}

static void find_serials(void)
{
	EFI_HANDLE *handles;
	UINTN count;

	if (console_has_serial())
		return;
	count = firmware_handles(&handles, &serial_guid);
	for (UINTN i = 0; i < count && serial_count < SERIALS_MAX; i++) {
		serials[serial_count] = firmware_protocol(handles[i], &serial_guid);
		if (serials[serial_count])
			serial_count++;
	}
	firmware_free(handles);
}

void console_start(void)
{
	find_serials();
	firmware->ConOut->ClearScreen(firmware->ConOut);
	firmware->ConOut->EnableCursor(firmware->ConOut, TRUE);
	started = 1;
}

/* Next character of UTF-8; what does not decode, or lies beyond UCS-2, is shown as '?'. */
static uint16_t next_char(const uint8_t **at)
{
	const uint8_t *s = *at;
	int more = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];

	(*at)++;
	for (; more; more--) {
		if ((**at & 0xc0) != 0x80)
			return '?';
		c = c << 6 | (**at & 0x3fu);
		(*at)++;
	}
	return c > 0xffff ? '?' : (uint16_t)c;
}

static void put_wide(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	CHAR16 wide[2 * SAY_BYTES];
	size_t n = 0;

	while (*at && n + 2 < sizeof(wide) / sizeof(wide[0])) {
		uint16_t c = next_char(&at);

		if (c == '\n')
			wide[n++] = '\r';
		wide[n++] = c;
	}
	wide[n] = 0;
	firmware->ConOut->OutputString(firmware->ConOut, wide);
}

static void put_serial(SERIAL_IO_INTERFACE *serial, const char *text)
{
	for (; *text; text++) {
		UINTN n = 1;

		if (*text == '\n')
			serial->Write(serial, &n, "\r");
		n = 1;
		serial->Write(serial, &n, (void *)(uintptr_t)text);
	}
}

void console_say(const char *format, ...)
{
	char text[SAY_BYTES];
	va_list args;

	if (!started)
		return;
	va_start(args, format);
	phrase_vformat(text, sizeof(text), format, args);
	va_end(args);
	put_wide(text);
	for (unsigned i = 0; i < serial_count; i++)
		put_serial(serials[i], text);
}

static int read_key(struct key *ret)
{
	EFI_INPUT_KEY key;

	if (EFI_ERROR(firmware->ConIn->ReadKeyStroke(firmware->ConIn, &key)))
		return 0;
	*ret = (struct key){ .scan = key.ScanCode, .unicode = key.UnicodeChar };
	return 1;
}

/* Sleep until a key or a tenth of a second. */
static void doze(void)
{
	EFI_EVENT events[2] = { firmware->ConIn->WaitForKey };
	UINTN which;

	if (EFI_ERROR(BOOT->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[1]))) {
		BOOT->Stall(10000);
		return;
	}
	BOOT->SetTimer(events[1], TimerRelative, POLL_100NS);
	BOOT->WaitForEvent(2, events, &which);
	BOOT->CloseEvent(events[1]);
}

void console_while_idle(int (*work)(void))
{
	idle_work = work;
}

void console_key(struct key *ret)
{
	while (!read_key(ret)) {
		if (!idle_work || !idle_work()) {
			idle_work = NULL;
			doze();
		}
	}
	last_key_ms = clock_ms();
}

uint64_t console_last_key_ms(void)
{
	return last_key_ms;
}

static void discard_keys(void)
{
	struct key key;

	while (read_key(&key))
		;
}

/* Until ms, or a key if any_key is set. Idle work goes on. */
static int wait_until(uint64_t ms, int any_key)
{
	struct key key;

	while (clock_ms() < ms) {
		if (any_key && read_key(&key))
			return 1;
		if (!idle_work || !idle_work()) {
			idle_work = NULL;
			BOOT->Stall(10000);
		}
		if (!any_key)
			discard_keys();
	}
	return 0;
}

void console_count_down(const char *text, unsigned seconds)
{
	uint64_t start = clock_ms();

	for (unsigned past = 0; past < seconds; past++) {
		console_say("\r%s %u s. ", text, seconds - past);
		wait_until(start + 1000ull * (past + 1), 0);
	}
	console_say("\n");
}

void console_pause(unsigned seconds)
{
	discard_keys();
	wait_until(clock_ms() + 1000ull * seconds, 1);
}
