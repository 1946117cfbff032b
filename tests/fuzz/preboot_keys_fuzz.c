/* Keys at the prompt, in whole starts of pre-boot, each in a process of its own: it never crashes,
 * never erases, and never starts a kernel but by the password, which the seed types. An input is
 * keys of two bytes: device and kind, and the key. */
#include "core_fuzz.h"

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define KEYS_MAX 400

enum { KIND_CHARACTER, KIND_SCAN, KIND_CTRL, KIND_WIDE, KIND_SHIFTED, KIND_PAUSE, KINDS };

static struct laptop *l;

static void press(uint8_t how, uint8_t what)
{
	enum fake_device device = (enum fake_device)((how >> 4) % FAKE_DEVICES);

	switch (how % 16 % KINDS) {
	case KIND_CHARACTER:
		fake_press(l->f, device, 0, what, 0, 0);
		break;
	case KIND_SCAN:
		fake_press(l->f, device, what % 0x20, 0, 0, 0);
		break;
	case KIND_CTRL:
		fake_press(l->f, device, 0, what, 0x08, 0);
		break;
	case KIND_WIDE:
		fake_press(l->f, device, 0, (uint16_t)(what << 8 | what), 0x20, 0);
		break;
	case KIND_SHIFTED:
		fake_press(l->f, device, 0, what, what, what % 8);
		break;
	case KIND_PAUSE:
		fake_pause(l->f, what % 32);
		break;
	}
}

static enum fake_end type(const uint8_t *data, size_t len)
{
	enum fake_end end;

	fake_script_clear(l->f);
	fake_script_quiet(l->f);
	fake_variables_clear(l->f);
	fake_await(l->f, "User name: ");
	for (size_t i = 0; i + 1 < len && i < 2 * KEYS_MAX; i += 2)
		press(data[i], data[i + 1]);
	end = fake_run(l->f);
	if (end != FAKE_WAITING && end != FAKE_KERNEL)
		abort();
	return end;
}

/* Does the input hold the password? Then a kernel is no surprise. */
static int holds_password(const uint8_t *data, size_t len)
{
	char text[KEYS_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i + 1 < len && n < KEYS_MAX; i += 2)
		if (data[i + 1])
			text[n++] = (char)data[i + 1];
	text[n] = 0;
	for (const char *c = LAPTOP_PASSWORD; *c; c++)
		if (!strchr(text, *c))
			return 0;
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char right[] = LAPTOP_USER "\r" LAPTOP_PASSWORD "\r";
	static const char ways[] = "\x12"
				   "bcdefghjkl\x1b\x0b"
				   "bbbb\x15\x1b\x10" LAPTOP_USER "\rwrong\r";
	uint8_t keys[2 * sizeof(ways)] = { 0 };

	(void)argc;
	fuzz_begin();
	l = laptop_new(1, NULL);
	l->f->panel_width = 0;
	l->f->patience_s = 40;
	for (size_t i = 0; i + 1 < sizeof(right); i++)
		keys[2 * i + 1] = (uint8_t)right[i];
	if (type(keys, 2 * (sizeof(right) - 1)) != FAKE_KERNEL)
		abort();
	fuzz_seed(*argv, "right", keys, 2 * (sizeof(right) - 1));
	for (size_t i = 0; i + 1 < sizeof(ways); i++)
		keys[2 * i + 1] = (uint8_t)ways[i];
	if (type(keys, 2 * (sizeof(ways) - 1)) != FAKE_WAITING)
		abort();
	fuzz_seed(*argv, "ways", keys, 2 * (sizeof(ways) - 1));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (type(data, len) == FAKE_KERNEL && !holds_password(data, len))
		abort();
	if (!laptop_disk_whole(l))
		abort();
	return 0;
}
