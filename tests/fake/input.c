/* Keyboards and the serial terminal, each by its own handle, and the console that merges them. */
#include <string.h>

#include "inside.h"

static const EFI_GUID input_guid = EFI_SIMPLE_TEXT_INPUT_PROTOCOL_GUID;
static const EFI_GUID input_ex_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

struct input {
	EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL ex; /* first */
	SIMPLE_INPUT_INTERFACE plain;
	enum fake_device device;
	EFI_KEY_TOGGLE_STATE toggle; /* of the last key */
};
static struct input inputs[FAKE_DEVICES + 1]; /* the last one: merged */

static int ready(void *context)
{
	return fake_key_ready(((struct input *)context)->device);
}

/* As EDK2's keyboard drivers have it in their queues. */
static void remember(const EFI_KEY_DATA *key)
{
	fake_ring_add(key, sizeof(*key));
}

static EFI_STATUS take(struct input *in, EFI_KEY_DATA *ret)
{
	struct fake_step s;

	memset(ret, 0, sizeof(*ret));
	ret->KeyState.KeyToggleState = EFI_TOGGLE_STATE_VALID | in->toggle;
	if (!fake_key_take(&s, in->device))
		return EFI_NOT_READY;
	in->toggle = s.toggle;
	*ret = (EFI_KEY_DATA){ { s.scan, s.unicode },
				{ EFI_SHIFT_STATE_VALID | s.shift,
				  EFI_TOGGLE_STATE_VALID | s.toggle } };
	remember(ret);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self, EFI_KEY_DATA *ret)
{
	return take((struct input *)self, ret);
}

/* The plain protocol has no modifiers: Ctrl makes a control character. */
static EFI_STATUS EFIAPI read_plain(SIMPLE_INPUT_INTERFACE *self, EFI_INPUT_KEY *ret)
{
	struct input *in = (struct input *)((uint8_t *)self - offsetof(struct input, plain));
	EFI_KEY_DATA key;
	EFI_STATUS s = take(in, &key);

	if (s)
		return s;
	if (key.KeyState.KeyShiftState & (EFI_LEFT_CONTROL_PRESSED | EFI_RIGHT_CONTROL_PRESSED))
		key.Key.UnicodeChar &= 0x1f;
	*ret = key.Key;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_ex(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self, BOOLEAN verify)
{
	(void)self;
	(void)verify;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI reset_plain(SIMPLE_INPUT_INTERFACE *self, BOOLEAN verify)
{
	(void)self;
	(void)verify;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_state(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self,
				   EFI_KEY_TOGGLE_STATE *state)
{
	((struct input *)self)->toggle = *state & EFI_CAPS_LOCK_ACTIVE;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI register_notify(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self, EFI_KEY_DATA *key,
					 EFI_KEY_NOTIFY_FUNCTION notify, void **ret)
{
	(void)self;
	(void)key;
	(void)notify;
	*ret = NULL;
	return EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI unregister_notify(EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *self, void *handle)
{
	(void)self;
	(void)handle;
	return EFI_UNSUPPORTED;
}

static void prepare(struct input *in, enum fake_device device)
{
	*in = (struct input){ .device = device };
	in->ex = (EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL){
		.Reset = reset_ex, .ReadKeyStrokeEx = read_ex, .SetState = set_state,
		.RegisterKeyNotify = register_notify, .UnregisterKeyNotify = unregister_notify,
		.WaitForKeyEx = fake_event_ready(ready, in),
	};
	in->plain = (SIMPLE_INPUT_INTERFACE){ .Reset = reset_plain, .ReadKeyStroke = read_plain,
					      .WaitForKey = fake_event_ready(ready, in) };
}

/* PNP0303 (a PS/2 keyboard) by ACPI, and a terminal (PC-ANSI) behind a UART. */
static uint8_t keyboard_path[2][16] = {
	{ ACPI_DEVICE_PATH, ACPI_DP, 12, 0, 0xd0, 0x41, 0x03, 0x03, 0, 0, 0, 0,
	  END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 },
	{ ACPI_DEVICE_PATH, ACPI_DP, 12, 0, 0xd0, 0x41, 0x03, 0x03, 1, 0, 0, 0,
	  END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 },
};
static uint8_t terminal_path[43] = {
	MESSAGING_DEVICE_PATH, MSG_UART_DP, 19, 0,
	[19] = MESSAGING_DEVICE_PATH, MSG_VENDOR_DP, 20, 0,
	/* E0C14753-F9BE-11D2-9A0C-0090273FC14D */
	0x53, 0x47, 0xc1, 0xe0, 0xbe, 0xf9, 0xd2, 0x11,
	0x9a, 0x0c, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d,
	END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
};

static void plug_in(enum fake_device device, void *path)
{
	EFI_HANDLE handle;

	prepare(&inputs[device], device);
	if (fake_now->no_keyboard_handles)
		return;
	handle = fake_handle_new();
	fake_protocol_add(handle, &input_ex_guid, &inputs[device].ex);
	fake_protocol_add(handle, &input_guid, &inputs[device].plain);
	fake_protocol_add(handle, &path_guid, path);
}

void fake_input_start(void)
{
	struct input *merged = &inputs[FAKE_DEVICES];

	plug_in(FAKE_KEYBOARD, keyboard_path[0]);
	plug_in(FAKE_KEYBOARD_2, keyboard_path[1]);
	if (!fake_now->no_serial)
		plug_in(FAKE_TERMINAL, terminal_path);
	prepare(merged, FAKE_DEVICES);
	fake_table.ConsoleInHandle = fake_handle_new();
	fake_protocol_add(fake_table.ConsoleInHandle, &input_guid, &merged->plain);
	if (!fake_now->no_keyboard_handles)
		fake_protocol_add(fake_table.ConsoleInHandle, &input_ex_guid, &merged->ex);
	fake_table.ConIn = &merged->plain;
}
