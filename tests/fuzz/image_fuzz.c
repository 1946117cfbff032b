/* Kernels that are loaded without the firmware's LoadImage: whatever their headers say, nothing outside of the file
 * is read and nothing outside of the image written; what loads has its headers and sections where they belong,
 * and what does not leaves nothing with the firmware. */
#include "core_fuzz.h"

#include "tests/fake/fake.h"
#include "tests/fake/probe.h"

#define PE 0x40
#define SECTIONS (PE + 24 + 240)
#define TEXT 0x200
#define BYTES 0x240
#define IMAGE_MAX ((size_t)64 << 10)

static struct fake *f;

static void put(uint8_t *at, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *at, size_t n)
{
	uint32_t value = 0;

	while (n--)
		value = value << 8 | at[n];
	return value;
}

/* Code, and a table of relocations of which there are none. */
static void make_seed(uint8_t *p)
{
	memset(p, 0, BYTES);
	memcpy(p, "MZ", 2);
	put(p + 0x3c, 4, PE);
	memcpy(p + PE, "PE", 2);
	put(p + PE + 4, 2, 0x8664);
	put(p + PE + 6, 2, 2);
	put(p + PE + 20, 2, 240);
	put(p + PE + 24, 2, 0x20b);
	put(p + PE + 40, 4, 0x1000);
	put(p + PE + 80, 4, 0x3000);
	put(p + PE + 84, 4, TEXT);
	put(p + PE + 132, 4, 16);
	put(p + PE + 176, 4, 0x2000);
	put(p + PE + 180, 4, 12);
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t *section = p + SECTIONS + 40 * i;

		put(section + 8, 4, 0x30);
		put(section + 12, 4, 0x1000 * (i + 1));
		put(section + 16, 4, 0x20);
		put(section + 20, 4, TEXT + 0x20 * i);
	}
	memset(p + TEXT, 'c', 0x20);
	put(p + TEXT + 0x24, 4, 12);
}

/* The last section that lies over a place is what is there. */
static void check(const uint8_t *image, const uint8_t *bytes)
{
	const uint8_t *pe = bytes + get(bytes + 0x3c, 4);
	uint32_t count = get(pe + 6, 2);
	const uint8_t *last = pe + 24 + get(pe + 20, 2) + 40 * (count - 1);
	uint32_t room, len;

	if (!count) {
		if (memcmp(image, bytes, get(pe + 84, 4)) != 0)
			abort();
		return;
	}
	room = get(last + 8, 4);
	len = get(last + 16, 4);
	if (memcmp(image + get(last + 12, 4), bytes + get(last + 20, 4), len < room ? len : room) != 0)
		abort();
}

static int try(const uint8_t *bytes, size_t len)
{
	const uint8_t *image;
	size_t image_len;
	enum err e;

	fake_here(f);
	e = fake_probe_image(&image, &image_len, bytes, len);
	if (e) {
		if (e != ERR_FORMAT && e != ERR_UNSUPPORTED && e != ERR_MEMORY)
			abort();
		return 0;
	}
	if (image_len > IMAGE_MAX)
		abort();
	check(image, bytes);
	fake_probe_image_drop(image, image_len);
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t seed[BYTES];

	(void)argc;
	fuzz_begin();
	make_seed(seed);
	f = fake_new(1);
	f->panel_width = 0;
	f->no_serial = 1;
	f->fail_larger = IMAGE_MAX;
	if (!try(seed, sizeof(seed)))
		abort();
	fuzz_seed(*argv, "kernel", seed, sizeof(seed));
	seed[TEXT + 0x2b] = 0xa0; /* something to relocate */
	if (try(seed, sizeof(seed)))
		abort();
	fuzz_seed(*argv, "relocated", seed, sizeof(seed));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
