/* Vouching: the firmware's refusal is overruled for the kernel's own bytes alone, and only while they are
 * loaded. */
#include "core_test.h"

#include <efi.h>

#include "preboot/firmware.h"
#include "preboot/vouch.h"
#include "tests/fake/fake.h"
#include "tests/fake/security.h"

static uint8_t kernel[512] = "MZ the kernel";
/* \k, and another */
static uint8_t path[] = { 4, 4, 8, 0, '\\', 0, 'k', 0, 0x7f, 0xff, 4, 0 };

#define BOTH .has2 = 1, .has1 = 1
#define DENIED FAKE_ACCESS_DENIED
#define VIOLATION FAKE_SECURITY_VIOLATION

static const struct {
	const char *why;
	struct fake_security firmware;
	enum err want;
	int overruled;
	unsigned asked2, asked1, unloaded;
} rows[] = {
	{ "firmware accepts", { BOTH }, OK, 0, 1, 0, 0 },
	{ "firmware denies", { BOTH, .says2 = DENIED }, OK, 1, 1, 0, 0 },
	{ "firmware sees a violation", { BOTH, .says2 = VIOLATION }, OK, 1, 1, 0, 0 },
	{ "an error that is no refusal stays", { BOTH, .says2 = FAKE_OUT_OF_RESOURCES }, ERR_MEMORY, 0, 1, 0, 0 },
	{ "another device error stays", { BOTH, .says2 = FAKE_DEVICE_ERROR }, ERR_IO, 0, 1, 0, 0 },
	{ "a part of the kernel", { BOTH, .says2 = DENIED, .moved = 1, .longer = (size_t)-1 }, ERR_DENIED, 0, 1, 0, 0 },
	{ "the kernel without its end", { BOTH, .says2 = DENIED, .longer = (size_t)-1 }, ERR_DENIED, 0, 1, 0, 0 },
	{ "the kernel with more", { BOTH, .says2 = DENIED, .longer = 1 }, ERR_DENIED, 0, 1, 0, 0 },
	{ "a violation of other bytes", { BOTH, .says2 = VIOLATION, .moved = 8 }, ERR_DENIED, 0, 1, 0, 1 },
	{ "the newer protocol does not mind the path", { BOTH, .says2 = DENIED, .other_path = 2 }, OK, 1, 1, 0, 0 },
	{ "vouched for, then no memory", { BOTH, .says2 = DENIED, .load_fails = FAKE_OUT_OF_RESOURCES },
	  ERR_MEMORY, 0, 1, 0, 0 },
	{ "vouched for, then unsupported", { BOTH, .says2 = DENIED, .load_fails = FAKE_UNSUPPORTED },
	  ERR_UNSUPPORTED, 0, 1, 0, 0 },
	{ "only the newer protocol", { .has2 = 1, .says2 = DENIED }, OK, 1, 1, 0, 0 },
	{ "only the older, accepts", { .has1 = 1 }, OK, 0, 0, 1, 0 },
	{ "only the older, denies", { .has1 = 1, .says1 = DENIED }, OK, 1, 0, 1, 0 },
	{ "only the older, a copy of the path", { .has1 = 1, .says1 = DENIED, .copies_path = 1 }, OK, 1, 0, 1, 0 },
	{ "only the older, another path", { .has1 = 1, .says1 = DENIED, .other_path = 1 }, ERR_DENIED, 0, 0, 1, 0 },
	{ "only the older, no path", { .has1 = 1, .says1 = VIOLATION, .other_path = 2 }, ERR_DENIED, 0, 0, 1, 1 },
	{ "only the older, another error", { .has1 = 1, .says1 = FAKE_DEVICE_ERROR }, ERR_IO, 0, 0, 1, 0 },
	{ "no protocol", { 0 }, OK, 0, 0, 0, 0 },
	{ "no protocol, and refused", { .load_fails = DENIED }, ERR_DENIED, 0, 0, 0, 0 },
	{ "refused by one who asks nobody", { BOTH, .never_asks = 1, .says2 = VIOLATION }, ERR_DENIED, 0, 0, 0, 1 },
};

static void check(size_t i, EFI_DEVICE_PATH *of)
{
	struct fake_security s = rows[i].firmware;
	struct fake *f = fake_new(1);
	EFI_HANDLE handle;
	int overruled;
	enum err e;

	fake_here(f);
	fake_security_start(&s);
	memset(&handle, 0xa5, sizeof(handle));
	memset(&overruled, 0xa5, sizeof(overruled));
	e = vouch_load(&handle, &overruled, of, kernel, sizeof(kernel));
	expect(rows[i].why, rows[i].want, e);
	if (e ? !untouched(&handle, sizeof(handle)) || !untouched(&overruled, sizeof(overruled))
	      : overruled != rows[i].overruled)
		fail_msg("%s: overruled is %d", rows[i].why, overruled);
	if (s.asked2 != rows[i].asked2 || s.asked1 != rows[i].asked1)
		fail_msg("%s: the firmware's own check was asked %u + %u times", rows[i].why, s.asked2, s.asked1);
	if (s.unloaded != rows[i].unloaded)
		fail_msg("%s: %u images unloaded", rows[i].why, s.unloaded);
	if (!fake_security_is_whole())
		fail_msg("%s: the firmware's check is not as it was", rows[i].why);
	fake_free(f);
}

static void refusals_are_overruled_for_the_kernel_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(i, (EFI_DEVICE_PATH *)path);
}

/* There is nothing that the older protocol could tell the kernel by. */
static void without_a_path_the_older_protocol_is_not_overruled(void **state)
{
	struct fake_security s = { .has1 = 1, .says1 = DENIED };
	struct fake *f = fake_new(1);
	EFI_HANDLE handle;
	int overruled;

	(void)state;
	fake_here(f);
	fake_security_start(&s);
	expect("no path", ERR_DENIED, vouch_load(&handle, &overruled, NULL, kernel, sizeof(kernel)));
	fake_free(f);
}

/* What was granted once is not granted again: the same bytes, loaded by somebody else. */
static void the_next_image_is_refused_again(void **state)
{
	struct fake_security s = { BOTH, .says2 = DENIED };
	struct fake *f = fake_new(1);
	EFI_HANDLE handle;
	int overruled;

	(void)state;
	fake_here(f);
	fake_security_start(&s);
	expect("the kernel", OK, vouch_load(&handle, &overruled, (EFI_DEVICE_PATH *)path, kernel, sizeof(kernel)));
	assert_int_equal(BOOT->LoadImage(0, firmware_image, (EFI_DEVICE_PATH *)path, kernel,
							sizeof(kernel), &handle),
			 EFI_ACCESS_DENIED);
	assert_int_equal(s.asked2, 2);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_overruled_for_the_kernel_alone),
		cmocka_unit_test(without_a_path_the_older_protocol_is_not_overruled),
		cmocka_unit_test(the_next_image_is_refused_again),
	};

	return RUN(tests);
}
