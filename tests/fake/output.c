/* What pre-boot writes: the console and the serial line, as UTF-8. */
#include <string.h>

#include "inside.h"

static const EFI_GUID output_guid = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID serial_guid = EFI_SERIAL_IO_PROTOCOL_GUID;
static const EFI_GUID console_out_guid = { 0xD3B36F2C, 0xD551, 0x11D4,
					   { 0x9A, 0x46, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

/* Of a run that says very much the end is kept. */
void fake_log_add(struct fake_log *log, const char *text, size_t len)
{
	if (log->len + len >= FAKE_TEXT_MAX) {
		memmove(log->text, log->text + log->len / 2, log->len - log->len / 2);
		log->len -= log->len / 2;
	}
	memcpy(log->text + log->len, text, len);
	log->len += len;
	log->text[log->len] = 0;
}

void fake_log_char(struct fake_log *log, uint32_t c)
{
	char utf8[3];
	size_t n = 0;

	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xc0 | c >> 6);
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		utf8[n++] = (char)(0xe0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	}
	fake_log_add(log, utf8, n);
}

const char *fake_screen(const struct fake *f)
{
	return f->inside->screen.text;
}

const char *fake_serial(const struct fake *f)
{
	return f->inside->serial.text;
}

int fake_said(const struct fake *f, const char *text)
{
	return strstr(fake_screen(f), text) != NULL || strstr(fake_serial(f), text) != NULL;
}

static SIMPLE_TEXT_OUTPUT_MODE mode = { .MaxMode = 1, .Attribute = EFI_LIGHTGRAY };

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self, CHAR16 *text)
{
	EFI_STATUS s = fake_fault(FAKE_TEXT_OUT);

	(void)self;
	if (s)
		return s;
	for (; *text; text++) {
		fake_log_char(&INSIDE->screen, *text);
		if (fake_now->console_on_serial)
			fake_log_char(&INSIDE->serial, *text);
	}
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI output_reset(SIMPLE_TEXT_OUTPUT_INTERFACE *self, BOOLEAN verify)
{
	(void)self;
	(void)verify;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI test_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self, CHAR16 *text)
{
	(void)self;
	for (; *text; text++)
		if (*text >= 0x180 && *text != 0x2588)
			return EFI_UNSUPPORTED;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI query_mode(SIMPLE_TEXT_OUTPUT_INTERFACE *self, UINTN number,
				    UINTN *columns, UINTN *rows)
{
	(void)self;
	if (number)
		return EFI_UNSUPPORTED;
	*columns = 80;
	*rows = 25;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(SIMPLE_TEXT_OUTPUT_INTERFACE *self, UINTN number)
{
	(void)self;
	return number ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attribute(SIMPLE_TEXT_OUTPUT_INTERFACE *self, UINTN attribute)
{
	self->Mode->Attribute = (INT32)attribute;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(SIMPLE_TEXT_OUTPUT_INTERFACE *self)
{
	self->Mode->CursorColumn = self->Mode->CursorRow = 0;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_cursor(SIMPLE_TEXT_OUTPUT_INTERFACE *self, UINTN column, UINTN row)
{
	if (column >= 80 || row >= 25)
		return EFI_UNSUPPORTED;
	self->Mode->CursorColumn = (INT32)column;
	self->Mode->CursorRow = (INT32)row;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(SIMPLE_TEXT_OUTPUT_INTERFACE *self, BOOLEAN enable)
{
	self->Mode->CursorVisible = enable;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI serial_write(SERIAL_IO_INTERFACE *self, UINTN *len, void *bytes)
{
	EFI_STATUS s = fake_fault(FAKE_SERIAL_WRITE);

	(void)self;
	if (!s)
		fake_log_add(&INSIDE->serial, bytes, *len);
	return s;
}

static EFI_STATUS EFIAPI serial_read(SERIAL_IO_INTERFACE *self, UINTN *len, void *ret)
{
	(void)self;
	(void)ret;
	*len = 0;
	return EFI_TIMEOUT;
}

static EFI_STATUS EFIAPI serial_control(SERIAL_IO_INTERFACE *self, UINT32 *ret)
{
	(void)self;
	*ret = EFI_SERIAL_INPUT_BUFFER_EMPTY | EFI_SERIAL_OUTPUT_BUFFER_EMPTY;
	return EFI_SUCCESS;
}

static void serial_start(void)
{
	static SERIAL_IO_MODE serial_mode = { .BaudRate = 115200, .DataBits = 8 };
	static SERIAL_IO_INTERFACE serial = { .Revision = SERIAL_IO_INTERFACE_REVISION,
					      .Write = serial_write,
					      .Read = serial_read,
					      .GetControl = serial_control,
					      .Mode = &serial_mode };
	static uint8_t path[23] = {
		MESSAGING_DEVICE_PATH, MSG_UART_DP, 19, 0,
		[19] = END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
	};
	EFI_HANDLE handle = fake_handle_new();

	fake_protocol_add(handle, &serial_guid, &serial);
	fake_protocol_add(handle, &path_guid, path);
	if (fake_now->console_on_serial)
		fake_protocol_add(handle, &console_out_guid, &serial);
}

void fake_output_start(void)
{
	static SIMPLE_TEXT_OUTPUT_INTERFACE output = {
		.Reset = output_reset, .OutputString = output_string, .TestString = test_string,
		.QueryMode = query_mode, .SetMode = set_mode, .SetAttribute = set_attribute,
		.ClearScreen = clear_screen, .SetCursorPosition = set_cursor,
		.EnableCursor = enable_cursor, .Mode = &mode,
	};

	if (!fake_now->no_serial)
		serial_start();
	fake_table.ConsoleOutHandle = fake_handle_new();
	fake_protocol_add(fake_table.ConsoleOutHandle, &output_guid, &output);
	fake_table.ConOut = fake_table.StdErr = &output;
}
