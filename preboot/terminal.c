#include "terminal.h"

#include <efi.h>
#include <stdarg.h>
#include <string.h>

#include "common/secret.h"
#include "firmware.h"
#include "phrase.h"

#define TERMINALS_MAX 4
#define COLUMNS 79

static SIMPLE_TEXT_OUTPUT_INTERFACE *texts[TERMINALS_MAX];
static unsigned text_count;

/* Serial ports that no console of the firmware writes to. */
static SERIAL_IO_INTERFACE *serials[TERMINALS_MAX];
static unsigned serial_count;

static const EFI_GUID serial_guid = { 0xBB25CF6F, 0xF1D4, 0x11D2,
				      { 0x9A, 0x0C, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0xFD } };
static const EFI_GUID text_guid = { 0x387477C2, 0x69C7, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
/* On every handle that is part of the firmware's console output. */
static const EFI_GUID console_out_guid = { 0xD3B36F2C, 0xD551, 0x11D4,
					   { 0x9A, 0x46, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D } };

static void find_console_terminals(void)
{
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &console_out_guid);

	for (UINTN i = 0; i < count && text_count < TERMINALS_MAX; i++) {
		if (!firmware_has_uart(handles[i]))
			continue;
		texts[text_count] = firmware_protocol(handles[i], &text_guid);
		if (texts[text_count])
			text_count++;
	}
	firmware_free(handles);
}

static void find_serials(void)
{
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &serial_guid);

	for (UINTN i = 0; i < count && serial_count < TERMINALS_MAX; i++) {
		serials[serial_count] = firmware_protocol(handles[i], &serial_guid);
		if (serials[serial_count])
			serial_count++;
	}
	firmware_free(handles);
}

void terminal_start(int graphics)
{
	text_count = 0;
	serial_count = 0;
	find_console_terminals();
	if (!text_count)
		find_serials();
	/* It reaches its serial terminals by itself. */
	if (!graphics && firmware->ConOut) {
		text_count = 1;
		texts[0] = firmware->ConOut;
	}
	for (unsigned i = 0; i < text_count; i++) {
		texts[i]->ClearScreen(texts[i]);
		texts[i]->EnableCursor(texts[i], TRUE);
	}
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
	CHAR16 wide[2 * TERMINAL_TEXT_MAX];
	size_t n = 0;

	while (*at && n + 2 < sizeof(wide) / sizeof(wide[0])) {
		uint16_t c = next_char(&at);

		if (c == '\n')
			wide[n++] = '\r';
		wide[n++] = c;
	}
	wide[n] = 0;
	for (unsigned i = 0; i < text_count; i++)
		texts[i]->OutputString(texts[i], wide);
	secret_wipe(wide, n * sizeof(wide[0]));
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

static void put(const char *text)
{
	if (text_count)
		put_wide(text);
	for (unsigned i = 0; i < serial_count; i++)
		put_serial(serials[i], text);
}

void terminal_say(const char *format, ...)
{
	char text[TERMINAL_TEXT_MAX];
	va_list args;

	va_start(args, format);
	phrase_vformat(text, sizeof(text), format, args);
	va_end(args);
	put(text);
	secret_wipe(text, sizeof(text));
}

static int is_continuation(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

/* Bytes of the line that begins at text: up to its "\n", or its last blank within the columns. */
static size_t line_bytes(const char *text)
{
	size_t columns = 0, blank = 0, i = 0;

	for (; text[i] && text[i] != '\n'; i++) {
		if (text[i] == ' ')
			blank = i;
		columns += !is_continuation(text[i]);
		if (columns > COLUMNS)
			return blank ? blank : i;
	}
	return i;
}

void terminal_paragraph(const char *text)
{
	while (*text) {
		char line[TERMINAL_TEXT_MAX];
		size_t n = line_bytes(text);

		if (n >= sizeof(line))
			n = sizeof(line) - 1;
		memcpy(line, text, n);
		line[n] = 0;
		terminal_say("%s\n", line);
		text += n;
		if (*text == ' ' || *text == '\n')
			text++;
	}
}
