/* Initrd: what a kernel's EFI stub finds, and when. The test plays the stub. */
#include "core_test.h"

#include <efi.h>

#include "preboot/firmware.h"
#include "preboot/initrd.h"
#include "tests/fake/fake.h"

struct load_file2 {
	EFI_STATUS (EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path,
				  BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static uint8_t path[24] = {
	MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, 20, 0,
	/* 5568E427-68FC-4F3D-AC74-CA555231CC68 */
	0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
	0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68,
	END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
};
static EFI_GUID load_file2_guid = {
	0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d }
};

static unsigned deliveries;

static void delivered(void)
{
	deliveries++;
}

static struct load_file2 *find(void)
{
	EFI_DEVICE_PATH *walk = (EFI_DEVICE_PATH *)path;
	EFI_HANDLE handle;

	if (EFI_ERROR(BOOT->LocateDevicePath(&load_file2_guid, &walk, &handle)))
		return NULL;
	return firmware_protocol(handle, &load_file2_guid);
}

static int begin(void **state)
{
	*state = fake_new(1);
	fake_here(*state);
	deliveries = 0;
	return 0;
}

static int end(void **state)
{
	initrd_withdraw();
	fake_free(*state);
	return 0;
}

static void both_parts_once_after_the_size(void **state)
{
	EFI_DEVICE_PATH *none = (EFI_DEVICE_PATH *)(path + 20);
	struct load_file2 *loader;
	uint8_t buffer[10] = "..........";
	UINTN size = 0;

	(void)state;
	assert_null(find());
	expect("serve", OK,
	       initrd_serve((const uint8_t *)"front", 5, (const uint8_t *)"rest", 4, delivered));
	loader = find();
	assert_non_null(loader);
	assert_int_equal(loader->load(loader, none, 0, NULL, buffer), EFI_INVALID_PARAMETER);
	assert_int_equal(loader->load(loader, NULL, 0, &size, buffer), EFI_INVALID_PARAMETER);
	assert_int_equal(loader->load(loader, none, 1, &size, NULL), EFI_UNSUPPORTED);
	assert_int_equal(loader->load(loader, none, 0, &size, NULL), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 9);
	size = 8;
	assert_int_equal(loader->load(loader, none, 0, &size, buffer), EFI_BUFFER_TOO_SMALL);
	assert_int_equal(size, 9);
	assert_int_equal(deliveries, 0);
	assert_memory_equal(buffer, "..........", 10);
	size = 10;
	assert_int_equal(loader->load(loader, none, 0, &size, buffer), EFI_SUCCESS);
	assert_int_equal(size, 9);
	assert_memory_equal(buffer, "frontrest.", 10);
	assert_int_equal(deliveries, 1);
	assert_int_equal(loader->load(loader, none, 0, &size, buffer), EFI_NOT_FOUND);
	assert_int_equal(loader->load(loader, none, 0, &size, NULL), EFI_NOT_FOUND);
	assert_int_equal(deliveries, 1);
}

static void withdrawn_it_is_gone(void **state)
{
	EFI_DEVICE_PATH *none = (EFI_DEVICE_PATH *)(path + 20);
	struct load_file2 *loader;
	UINTN size = 100;
	uint8_t buffer[100];

	(void)state;
	initrd_withdraw();
	expect("serve", OK,
	       initrd_serve((const uint8_t *)"front", 5, (const uint8_t *)"rest", 4, delivered));
	loader = find();
	assert_non_null(loader);
	initrd_withdraw();
	assert_null(find());
	/* A stub that has kept the pointer gets nothing. */
	assert_int_equal(loader->load(loader, none, 0, &size, buffer), EFI_NOT_FOUND);
	expect("serve again", OK,
	       initrd_serve((const uint8_t *)"f", 1, (const uint8_t *)"r", 1, delivered));
	assert_non_null(find());
	assert_int_equal(deliveries, 0);
}

static EFI_STATUS EFIAPI load_other(struct load_file2 *self, EFI_DEVICE_PATH *file,
				    BOOLEAN boot_policy, UINTN *size, void *buffer)
{
	(void)self;
	(void)file;
	(void)boot_policy;
	(void)size;
	(void)buffer;
	return EFI_NOT_FOUND;
}

static void another_loader_is_not_doubled(void **state)
{
	static struct load_file2 other = { load_other };
	EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
	EFI_HANDLE handle = NULL;

	BOOT->InstallMultipleProtocolInterfaces(&handle, &path_guid, path, &load_file2_guid, &other,
						NULL);
	expect("there is one", ERR_EXISTS,
	       initrd_serve((const uint8_t *)"f", 1, (const uint8_t *)"r", 1, delivered));
	BOOT->UninstallMultipleProtocolInterfaces(handle, &path_guid, path, &load_file2_guid,
						  &other, NULL);
	fake_fail(*state, FAKE_INSTALL_PROTOCOLS, 1, 1000, FAKE_DEVICE_ERROR);
	expect("firmware refuses", ERR_IO,
	       initrd_serve((const uint8_t *)"f", 1, (const uint8_t *)"r", 1, delivered));
	assert_null(find());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_parts_once_after_the_size, begin, end),
		cmocka_unit_test_setup_teardown(withdrawn_it_is_gone, begin, end),
		cmocka_unit_test_setup_teardown(another_loader_is_not_doubled, begin, end),
	};

	return RUN(tests);
}
