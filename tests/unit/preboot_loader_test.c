/* Which copy of holdfast.efi was started, from device paths as firmware writes them. */
#include "core_test.h"

#include <efi.h>

#include "preboot/firmware.h"
#include "preboot/loader.h"
#include "tests/fake/fake.h"
#include "tests/fake/inside.h"

static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

#define ROOM 512

static size_t node(uint8_t *ret, const char *text)
{
	size_t len = 4 + 2 * (strlen(text) + 1);

	memset(ret, 0, len);
	ret[0] = MEDIA_DEVICE_PATH;
	ret[1] = MEDIA_FILEPATH_DP;
	ret[2] = (uint8_t)len;
	ret[3] = (uint8_t)(len >> 8);
	for (size_t i = 0; text[i]; i++)
		ret[4 + 2 * i] = (uint8_t)text[i];
	return len;
}

static void path_make(uint8_t ret[ROOM], const char *first, const char *second)
{
	static const uint8_t end[4] = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 };
	size_t at = first ? node(ret, first) : 0;

	if (second)
		at += node(ret + at, second);
	memcpy(ret + at, end, sizeof(end));
}

static EFI_LOADED_IMAGE *image(void)
{
	return firmware_protocol(firmware_image, &image_guid);
}

static void paths(void **state)
{
	static const struct {
		const char *first, *second;
		enum handoff_loader want;
	} rows[] = {
		{ "\\EFI\\holdfast\\holdfast.efi", NULL, HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\HOLDFAST\\HOLDFAST.EFI", NULL, HANDOFF_LOADER_CURRENT },
		{ "EFI/holdfast/holdfast.efi", NULL, HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\\\holdfast\\holdfast.efi", NULL, HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\holdfast", "holdfast.efi", HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\holdfast\\", "\\holdfast.efi", HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\holdfast\\next.efi", NULL, HANDOFF_LOADER_NEXT },
		{ "\\efi\\holdfast\\Previous.efi", NULL, HANDOFF_LOADER_PREVIOUS },
		{ "\\EFI\\BOOT\\BOOTX64.EFI", NULL, HANDOFF_LOADER_REMOVABLE },
		{ "\\EFI\\holdfast\\holdfast.efi.bak", NULL, HANDOFF_LOADER_UNKNOWN },
		{ "\\other\\EFI\\holdfast\\holdfast.efi", NULL, HANDOFF_LOADER_UNKNOWN },
		{ "", NULL, HANDOFF_LOADER_UNKNOWN },
		{ NULL, NULL, HANDOFF_LOADER_UNKNOWN },
	};
	uint8_t path[ROOM];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		path_make(path, rows[i].first, rows[i].second);
		image()->FilePath = (EFI_DEVICE_PATH *)path;
		if (loader_kind() != rows[i].want)
			fail_msg("'%s' '%s' is taken for %d", rows[i].first ? rows[i].first : "",
				 rows[i].second ? rows[i].second : "", (int)loader_kind());
	}
}

/* The bug: shim puts the path of what it starts into its own image, so that the firmware seemed to have started it. */
static void shim(void **state)
{
	static const EFI_GUID guid = { 0x605DAB50, 0xE046, 0x4300, { 0xAB, 0xB6, 0x3D, 0xD8, 0x10, 0xDD, 0x8B, 0x23 } };
	uint8_t path[ROOM];
	static int lock;

	(void)state;
	path_make(path, "\\EFI\\holdfast\\holdfast.efi", NULL);
	image()->FilePath = (EFI_DEVICE_PATH *)path;
	assert_int_equal(loader_kind(), HANDOFF_LOADER_CURRENT);
	fake_protocol_add(firmware_image, &guid, &lock);
	assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN);
}

static void hostile_paths(void **state)
{
	static char text[200];
	uint8_t path[ROOM] = { MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, 3, 0 };

	(void)state;
	image()->FilePath = NULL;
	assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN);
	image()->FilePath = (EFI_DEVICE_PATH *)path;
	assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN); /* a node shorter than its own head */
	for (size_t n = 100; n < sizeof(text) - 1; n++) {
		memset(text, 'a', n);
		path_make(path, text, "b");
		assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN);
	}
	path_make(path, "\\EFI\\holdfast\\holdfast.efi", NULL);
	path[4 + 2 * 5 + 1] = 0x04; /* a Cyrillic letter */
	assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN);
	memset(path, 0, sizeof(path));
	for (size_t i = 0; i < 100; i++)
		memcpy(path + 4 * i, (uint8_t[]){ 1, 1, 4, 0 }, 4);
	assert_int_equal(loader_kind(), HANDOFF_LOADER_UNKNOWN); /* no end within reach */
}

static void options(void **state)
{
	static const struct {
		const char *why;
		CHAR16 text[12];
		UINT32 bytes;
		int want;
	} rows[] = {
		{ "with its end", L"selftest", 18, 1 },
		{ "without its end", L"selftest", 16, 1 },
		{ "something behind its end", L"selftest\0x", 20, 1 },
		{ "cut", L"selftest", 15, 0 },
		{ "longer", L"selftests", 20, 0 },
		{ "another", L"selfhelp", 18, 0 },
		{ "nothing", L"", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		image()->LoadOptions = (void *)(uintptr_t)rows[i].text;
		image()->LoadOptionsSize = rows[i].bytes;
		if (loader_was_told("selftest") != rows[i].want)
			fail_msg("%s", rows[i].why);
	}
	image()->LoadOptions = NULL;
	image()->LoadOptionsSize = 100;
	assert_false(loader_was_told("selftest"));
}

static int begin(void **state)
{
	*state = fake_new(1);
	fake_here(*state);
	return 0;
}

static int end(void **state)
{
	fake_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, begin, end),
		cmocka_unit_test_setup_teardown(shim, begin, end),
		cmocka_unit_test_setup_teardown(hostile_paths, begin, end),
		cmocka_unit_test_setup_teardown(options, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
