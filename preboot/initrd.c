#include "initrd.h"

#include <efi.h>
#include <string.h>

#include "firmware.h"

struct load_file2 {
	EFI_STATUS (EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy,
				  UINTN *size, void *buffer);
};

static const EFI_GUID load_file2_guid = { 0x4006c0c1, 0xfcb3, 0x403e,
					  { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

/* The vendor media node with the kernel's GUID, and the end node. */
static struct {
	uint8_t bytes[24];
	uint64_t aligned;
} media_path = { .bytes = {
	MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, 20, 0,
	0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68,
	END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
} };

static struct {
	const uint8_t *front, *rest;
	size_t front_len, rest_len;
	void (*delivered)(void);
	EFI_HANDLE handle;
} served;

static EFI_STATUS EFIAPI load(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy,
			      UINTN *size, void *buffer)
{
	UINTN total = served.front_len + served.rest_len;

	(void)self;
	if (boot_policy)
		return EFI_UNSUPPORTED;
	if (!size || !path)
		return EFI_INVALID_PARAMETER;
	if (!served.front)
		return EFI_NOT_FOUND;
	if (!buffer || *size < total) {
		*size = total;
		return EFI_BUFFER_TOO_SMALL;
	}
	memcpy(buffer, served.front, served.front_len);
	memcpy((uint8_t *)buffer + served.front_len, served.rest, served.rest_len);
	*size = total;
	served.front = NULL;
	served.delivered();
	return EFI_SUCCESS;
}

static struct load_file2 protocol = { load };

enum err initrd_serve(const uint8_t *front, size_t front_len, const uint8_t *rest, size_t rest_len,
		      void (*delivered)(void))
{
	EFI_GUID path = path_guid, file = load_file2_guid;
	EFI_DEVICE_PATH *walk = (EFI_DEVICE_PATH *)media_path.bytes;
	EFI_HANDLE other;

	if (!EFI_ERROR(BOOT->LocateDevicePath(&file, &walk, &other)))
		return ERR_EXISTS;
	served.front = front;
	served.front_len = front_len;
	served.rest = rest;
	served.rest_len = rest_len;
	served.delivered = delivered;
	served.handle = NULL;
	return firmware_err(BOOT->InstallMultipleProtocolInterfaces(&served.handle, &path, media_path.bytes,
								    &file, &protocol, NULL));
}

void initrd_withdraw(void)
{
	EFI_GUID path = path_guid, file = load_file2_guid;

	if (served.handle)
		BOOT->UninstallMultipleProtocolInterfaces(served.handle, &path, media_path.bytes, &file,
							  &protocol, NULL);
	served.handle = NULL;
	served.front = NULL;
}
