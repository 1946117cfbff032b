/* Images: a kernel whose EFI stub does what Linux' does. It asks for the size of the initrd, then
 * for its bytes, through LoadFile2 on the path LINUX_EFI_INITRD_MEDIA_GUID, and leaves boot
 * services. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct load_file2 {
	EFI_STATUS (EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path,
				  BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static const EFI_GUID load_file2_guid = { 0x4006c0c1, 0xfcb3, 0x403e,
					  { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static uint8_t initrd_path[24] = {
	MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, 20, 0,
	/* 5568E427-68FC-4F3D-AC74-CA555231CC68 */
	0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
	0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68,
	END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
};

static EFI_LOADED_IMAGE image;
static EFI_HANDLE kernel;

static EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path,
				    void *source, UINTN size, EFI_HANDLE *ret)
{
	EFI_STATUS s = fake_fault(FAKE_LOAD_IMAGE);

	(void)policy;
	(void)path;
	if (!s && (!source || size < 2 || memcmp(source, "MZ", 2) != 0))
		s = EFI_LOAD_ERROR;
	if (s && s != EFI_SECURITY_VIOLATION)
		return s;
	image = (EFI_LOADED_IMAGE){ .ParentHandle = parent,
				     .SystemTable = &fake_table,
				     .ImageSize = size };
	kernel = fake_handle_new();
	fake_protocol_add(kernel, &image_guid, &image);
	*ret = kernel;
	return s;
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE handle)
{
	(void)handle;
	return EFI_SUCCESS;
}

static void keep_cmdline(void)
{
	const CHAR16 *options = image.LoadOptions;
	size_t n = 0, max = image.LoadOptionsSize / 2;

	if (max > sizeof(fake_now->cmdline) - 1)
		max = sizeof(fake_now->cmdline) - 1;
	for (; options && n < max && options[n]; n++)
		fake_now->cmdline[n] = (char)options[n];
	fake_now->cmdline[n] = 0;
}

static int fetch_initrd(void)
{
	EFI_GUID guid = load_file2_guid;
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)initrd_path;
	EFI_PHYSICAL_ADDRESS at = 0;
	struct load_file2 *loader;
	EFI_HANDLE handle;
	UINTN size = 0;

	if (fake_boot.LocateDevicePath(&guid, &path, &handle))
		return 0;
	loader = fake_protocol(handle, &guid);
	if (loader->load(loader, path, 0, &size, NULL) != EFI_BUFFER_TOO_SMALL ||
	    size > FAKE_INITRD_MAX)
		return 0;
	/* The type tells the search that it is the kernel's own. */
	if (fake_boot.AllocatePages(AllocateAnyPages, EfiBootServicesCode, (size + 4095) / 4096,
				    &at) ||
	    loader->load(loader, path, 0, &size, (void *)(uintptr_t)at))
		return 0;
	memcpy(fake_now->initrd, (void *)(uintptr_t)at, size);
	fake_now->initrd_len = size;
	fake_search("the kernel has its initrd");
	return 1;
}

static EFI_STATUS run_kernel(void)
{
	int first;

	keep_cmdline();
	if (fake_now->kernel == FAKE_QUITTER)
		return EFI_UNSUPPORTED;
	first = fake_now->kernel == FAKE_NO_INITRD || fetch_initrd();
	if (fake_now->kernel == FAKE_GREEDY && fetch_initrd())
		abort(); /* the keys a second time */
	if (!first || fake_now->kernel == FAKE_LATE_QUITTER)
		return EFI_LOAD_ERROR;
	fake_exit_events();
	fake_search("boot services are left");
	fake_leave(FAKE_KERNEL);
}

static EFI_STATUS EFIAPI start_image(EFI_HANDLE handle, UINTN *len, CHAR16 **data)
{
	EFI_STATUS s = fake_fault(FAKE_START_IMAGE);

	(void)len;
	(void)data;
	if (s)
		return s;
	return handle == kernel ? run_kernel() : EFI_INVALID_PARAMETER;
}

void fake_kernel_start(void)
{
	kernel = NULL;
	fake_boot.LoadImage = load_image;
	fake_boot.UnloadImage = unload_image;
	fake_boot.StartImage = start_image;
}
