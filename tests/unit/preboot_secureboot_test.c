/* Secure Boot: on only when the firmware itself says so, and not in set-up mode. */
#include "core_test.h"

#include <efi.h>

#include "preboot/firmware.h"
#include "preboot/secureboot.h"
#include "tests/fake/fake.h"

#define BOOT_RUN (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define LASTING (BOOT_RUN | EFI_VARIABLE_NON_VOLATILE)

static EFI_GUID global = { 0x8be4df61, 0x93ca, 0x11d2, { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };
static EFI_GUID others = { 0x6a1f4c3e, 0x6d0b, 0x4f5e, { 0x9d, 0x61, 0x0f, 0x6b, 0x1b, 0x6f, 0x8a, 0x21 } };

struct value {
	int there; /* how many bytes */
	uint8_t value;
	UINT32 attributes;
	EFI_GUID *vendor;
};

#define IS(v) { 1, v, BOOT_RUN, &global }
#define NONE { 0, 0, 0, NULL }

static const struct {
	const char *why;
	struct value secure, setup;
	int want;
} rows[] = {
	{ "on", IS(1), IS(0), 1 },
	{ "off", IS(0), IS(0), 0 },
	{ "off, in set-up mode", IS(0), IS(1), 0 },
	{ "on, in set-up mode", IS(1), IS(1), 0 },
	{ "another value", IS(2), IS(0), 0 },
	{ "set-up mode of another value", IS(1), IS(255), 0 },
	{ "firmware without it", NONE, NONE, 0 },
	{ "firmware that does not tell of set-up mode", IS(1), NONE, 0 },
	{ "made by a system", { 1, 1, LASTING, &global }, IS(0), 0 },
	{ "set-up mode made by a system", IS(1), { 1, 0, LASTING, &global }, 0 },
	{ "longer", { 2, 1, BOOT_RUN, &global }, IS(0), 0 },
	{ "somebody else's", { 1, 1, BOOT_RUN, &others }, IS(0), 0 },
};

static void put(CHAR16 *name, const struct value *v)
{
	uint8_t bytes[2] = { v->value, v->value };

	if (v->there)
		assert_int_equal(RUNTIME->SetVariable(name, v->vendor, v->attributes, (UINTN)v->there, bytes), 0);
}

static void the_firmware_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fake *f = fake_new(1);

		fake_here(f);
		put(L"SecureBoot", &rows[i].secure);
		put(L"SetupMode", &rows[i].setup);
		if (secureboot_is_on() != rows[i].want)
			fail_msg("%s: expected %d", rows[i].why, rows[i].want);
		fake_free(f);
	}
}

static void a_failing_firmware_is_none(void **state)
{
	struct fake *f = fake_new(1);

	(void)state;
	for (unsigned call = 1; call <= 2; call++) {
		fake_here(f);
		put(L"SecureBoot", &rows[0].secure);
		put(L"SetupMode", &rows[0].setup);
		fake_fail(f, FAKE_GET_VARIABLE, call, 1, FAKE_DEVICE_ERROR);
		assert_false(secureboot_is_on());
		fake_fail_nothing(f);
		assert_true(secureboot_is_on());
	}
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmware_says_so),
		cmocka_unit_test(a_failing_firmware_is_none),
	};

	return RUN(tests);
}
