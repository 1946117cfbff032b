/* Kernels loaded without the firmware's LoadImage: where their parts go, and what is no program. */
#include "core_test.h"

#include <efi.h>
#include <stdlib.h>

#include "preboot/firmware.h"
#include "preboot/image.h"
#include "tests/fake/fake.h"

#define PE 0x80
#define HEADER (PE + 24)
#define SECTIONS (HEADER + 240)
#define TEXT 0x400
#define RELOC 0x600
#define BYTES 0x610

static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static uint8_t program[BYTES];

static void put(size_t at, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		program[at + i] = (uint8_t)(value >> (8 * i));
}

static void put_section(size_t i, uint32_t room, uint32_t at, uint32_t len, uint32_t from)
{
	size_t header = SECTIONS + 40 * i;

	put(header + 8, 4, room);
	put(header + 12, 4, at);
	put(header + 16, 4, len);
	put(header + 20, 4, from);
}

/* Three parts: code, what is only zeros, relocations of which there are none. */
static void make_program(void)
{
	memset(program, 0, sizeof(program));
	memcpy(program, "MZ", 2);
	put(0x3c, 4, PE);
	memcpy(program + PE, "PE", 2);
	put(PE + 4, 2, 0x8664);
	put(PE + 6, 2, 3);
	put(PE + 20, 2, 240);
	put(HEADER, 2, 0x20b);
	put(HEADER + 16, 4, 0x1004);
	put(HEADER + 56, 4, 0x4000);
	put(HEADER + 60, 4, 0x400);
	put(HEADER + 108, 4, 16);
	put(HEADER + 112 + 5 * 8, 4, 0x3000);
	put(HEADER + 112 + 5 * 8 + 4, 4, 12);
	put_section(0, 0x180, 0x1000, 0x200, TEXT);
	put_section(1, 0x800, 0x2000, 0, 0);
	put_section(2, 12, 0x3000, 16, RELOC);
	memset(program + TEXT, 'c', 0x200);
	put(RELOC + 4, 4, 12);
}

static enum err load(EFI_HANDLE *ret, size_t len)
{
	memset(ret, 0xa5, sizeof(*ret));
	return image_load(ret, NULL, program, len);
}

static int begin(void **state)
{
	*state = fake_new(1);
	fake_here(*state);
	make_program();
	return 0;
}

static int end(void **state)
{
	fake_free(*state);
	return 0;
}

static void parts_are_where_they_belong(void **state)
{
	static const uint8_t zeros[0x1000];
	EFI_HANDLE handle;
	EFI_LOADED_IMAGE *image;
	const uint8_t *at;

	(void)state;
	expect("load", OK, load(&handle, BYTES));
	assert_true(image_is_ours(handle));
	assert_false(image_is_ours(firmware_image));
	assert_false(image_is_ours(NULL));
	image = firmware_protocol(handle, &image_guid);
	assert_non_null(image);
	assert_int_equal(image->ImageSize, 0x4000);
	assert_ptr_equal(image->SystemTable, firmware);
	at = image->ImageBase;
	assert_int_equal((uintptr_t)at % 4096, 0);
	assert_memory_equal(at, program, 0x400);
	assert_memory_equal(at + 0x1000, program + TEXT, 0x180);
	assert_memory_equal(at + 0x1180, zeros, 0xe80); /* not what follows in the file */
	assert_memory_equal(at + 0x2000, zeros, 0x1000);
	assert_memory_equal(at + 0x3000, program + RELOC, 12);
}

static void what_is_no_program(void **state)
{
	static const struct {
		const char *why;
		size_t at, n;
		uint32_t value;
		enum err want;
	} rows[] = {
		{ "no MZ", 0, 2, 0, ERR_FORMAT },
		{ "headers outside of the file", 0x3c, 4, 0xfffffff0, ERR_FORMAT },
		{ "headers that do not fit", 0x3c, 4, BYTES - 0x100, ERR_FORMAT },
		{ "no PE", PE, 1, 0, ERR_FORMAT },
		{ "for another processor", PE + 4, 2, 0x14c, ERR_FORMAT },
		{ "of 32 bits", HEADER, 2, 0x10b, ERR_FORMAT },
		{ "more sections than the file", PE + 6, 2, 0xffff, ERR_FORMAT },
		{ "section headers outside", PE + 20, 2, 0xfff0, ERR_FORMAT },
		{ "starts outside of itself", HEADER + 16, 4, 0x4000, ERR_FORMAT },
		{ "larger than any kernel", HEADER + 56, 4, 0x40000001, ERR_FORMAT },
		{ "smaller than its headers", HEADER + 56, 4, 0x200, ERR_FORMAT },
		{ "headers longer than the file", HEADER + 60, 4, BYTES + 1, ERR_FORMAT },
		{ "a section outside of the image", SECTIONS + 12, 4, 0x3f00, ERR_FORMAT },
		{ "a section that wraps around", SECTIONS + 12, 4, 0xfffffff0, ERR_FORMAT },
		{ "a section's bytes outside of the file", SECTIONS + 20, 4, BYTES - 4, ERR_FORMAT },
		{ "relocations outside", HEADER + 152, 4, 0x3ff8, ERR_FORMAT },
		{ "a block of relocations too long", RELOC + 4, 4, 14, ERR_FORMAT },
		{ "a block of relocations too short", RELOC + 4, 4, 6, ERR_FORMAT },
		{ "an odd block of relocations", RELOC + 4, 4, 11, ERR_FORMAT },
		{ "something to relocate", RELOC + 10, 2, 0xa000, ERR_UNSUPPORTED },
		{ "an empty block ends them", RELOC + 4, 4, 0, OK },
		{ "no relocations at all", HEADER + 156, 4, 0, OK },
		{ "fewer directories", HEADER + 108, 4, 5, OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		EFI_HANDLE handle;

		make_program();
		put(rows[i].at, rows[i].n, rows[i].value);
		expect(rows[i].why, rows[i].want, load(&handle, BYTES));
		if (rows[i].want && !untouched(&handle, sizeof(handle)))
			fail_msg("%s: the handle was written", rows[i].why);
	}
}

/* Nothing outside of the file is read: the sanitizers watch. */
static void shorter_and_damaged_files(void **state)
{
	EFI_HANDLE handle;

	for (size_t len = 0; len < RELOC + 12; len++) {
		uint8_t *cut = malloc(len ? len : 1);

		assert_non_null(cut);
		memcpy(cut, program, len);
		assert_int_equal(image_load(&handle, NULL, cut, len), ERR_FORMAT);
		free(cut);
	}
	for (size_t at = 0; at < SECTIONS + 3 * 40; at++) {
		fake_free(*state);
		*state = fake_new(1);
		fake_here(*state);
		make_program();
		program[at] ^= 0x81;
		(void)!load(&handle, BYTES);
	}
}

static void failing_firmware(void **state)
{
	EFI_HANDLE handle;

	fake_fail(*state, FAKE_ALLOCATE_PAGES, 1, 1, FAKE_OUT_OF_RESOURCES);
	expect("no memory", ERR_MEMORY, load(&handle, BYTES));
	fake_fail(*state, FAKE_INSTALL_PROTOCOLS, 1, 1, FAKE_OUT_OF_RESOURCES);
	expect("no handle", ERR_MEMORY, load(&handle, BYTES));
	fake_fail_nothing(*state);
	expect("again", OK, load(&handle, BYTES));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_are_where_they_belong),
		TEST(what_is_no_program),
		TEST(shorter_and_damaged_files),
		TEST(failing_firmware),
	};

	return RUN(tests);
}
