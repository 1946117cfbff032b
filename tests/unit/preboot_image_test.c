/* Kernels loaded without the firmware's LoadImage: where their parts go, and what is no program. */
#include "core_test.h"

#include <efi.h>
#include <stdlib.h>
#include <sys/mman.h>

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

/* ---- kernels that give up ---- */

static EFI_EXIT firmwares_exit;
static unsigned firmwares_exits;
static enum { RETURNS, EXITS, EXITS_WITH_DATA, ANOTHER_EXITS } habit;

static UINT32 table_crc(void)
{
	EFI_TABLE_HEADER *h = &firmware->BootServices->Hdr;
	UINT32 was = h->CRC32, crc;

	h->CRC32 = 0;
	firmware->BootServices->CalculateCrc32(h, h->HeaderSize, &crc);
	h->CRC32 = was;
	return crc;
}

/* Refuses, as EDK II's does, what was not started by StartImage. */
static EFI_STATUS EFIAPI refuse_exit(EFI_HANDLE image, EFI_STATUS status, UINTN len, CHAR16 *data)
{
	(void)image;
	(void)status;
	(void)len;
	(void)data;
	firmwares_exits++;
	return EFI_INVALID_PARAMETER;
}

static __attribute__((noinline)) void give_up(EFI_HANDLE image, EFI_SYSTEM_TABLE *table, CHAR16 *data)
{
	volatile uint8_t frame[512];

	memset((uint8_t *)(uintptr_t)frame, 0x5a, sizeof(frame));
	/* what a callee would have to give back */
	__asm__ volatile("pcmpeqb %%xmm6, %%xmm6; pcmpeqb %%xmm15, %%xmm15" : : : "xmm6", "xmm15");
	table->BootServices->Exit(image, EFI_ABORTED, 2, data);
}

static EFI_STATUS EFIAPI kernel(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	void *data = NULL;

	assert_ptr_not_equal(table->BootServices->Exit, firmwares_exit);
	assert_int_equal(table->BootServices->Hdr.CRC32, table_crc());
	if (habit == ANOTHER_EXITS)
		assert_int_equal(table->BootServices->Exit(firmware_image, EFI_SUCCESS, 0, NULL),
				 EFI_INVALID_PARAMETER);
	if (habit == EXITS_WITH_DATA)
		assert_int_equal(table->BootServices->AllocatePool(EfiBootServicesData, 2, &data), EFI_SUCCESS);
	if (habit == EXITS || habit == EXITS_WITH_DATA)
		give_up(image, table, data);
	return EFI_LOAD_ERROR;
}

/* mov rax, kernel; jmp rax */
static void plant(EFI_HANDLE handle)
{
	EFI_LOADED_IMAGE *image = firmware_protocol(handle, &image_guid);
	uint8_t *page = (uint8_t *)image->ImageBase + 0x1000, *at = page + 4;
	EFI_STATUS (EFIAPI *function)(EFI_HANDLE, EFI_SYSTEM_TABLE *) = kernel;

	memcpy(at, "\x48\xb8", 2);
	memcpy(at + 2, &function, sizeof(function));
	memcpy(at + 10, "\xff\xe0", 2);
	assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
}

static void a_kernel_that_gives_up_comes_back(void **state)
{
	static const struct {
		const char *why;
		int habit;
		EFI_STATUS want;
		unsigned passed_on;
	} rows[] = {
		{ "returns", RETURNS, EFI_LOAD_ERROR, 0 },
		{ "by Exit", EXITS, EFI_ABORTED, 0 },
		{ "by Exit, with data", EXITS_WITH_DATA, EFI_ABORTED, 0 },
		{ "somebody else's Exit is the firmware's", ANOTHER_EXITS, EFI_LOAD_ERROR, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		EFI_HANDLE handle;
		EFI_STATUS got;
		UINT32 crc;

		fake_free(*state);
		begin(state);
		firmware->BootServices->Exit = firmwares_exit = refuse_exit;
		firmware->BootServices->Hdr.CRC32 = crc = table_crc();
		firmwares_exits = 0;
		habit = rows[i].habit;
		expect(rows[i].why, OK, load(&handle, BYTES));
		plant(handle);
		for (int again = 0; again < 2; again++) {
			got = image_start();
			if (got != rows[i].want)
				fail_msg("%s: %llx", rows[i].why, (unsigned long long)got);
			assert_ptr_equal(firmware->BootServices->Exit, firmwares_exit);
			assert_int_equal(firmware->BootServices->Hdr.CRC32, crc);
		}
		assert_int_equal(firmwares_exits, 2 * rows[i].passed_on);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_are_where_they_belong),
		TEST(what_is_no_program),
		TEST(shorter_and_damaged_files),
		TEST(failing_firmware),
		TEST(a_kernel_that_gives_up_comes_back),
	};

	return RUN(tests);
}
