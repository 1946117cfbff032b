#include "vouch.h"

#include <string.h>

#include "firmware.h"

struct security2 {
	EFI_STATUS (EFIAPI *check)(const struct security2 *self, const EFI_DEVICE_PATH *path, void *bytes,
				   UINTN len, BOOLEAN boot_policy);
};

/* Of firmware from before UEFI 2.3.1; it does not see the bytes. */
struct security {
	EFI_STATUS (EFIAPI *check)(const struct security *self, UINT32 status, const EFI_DEVICE_PATH *path);
};

static const EFI_GUID security2_guid = { 0x94ab2f58, 0x1438, 0x4ef1,
					 { 0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 } };
static const EFI_GUID security_guid = { 0xa46423e3, 0x4617, 0x49f1,
					{ 0xb9, 0xff, 0xd1, 0xbf, 0xa9, 0x11, 0x58, 0x39 } };

/* Of the one LoadImage that is going on; zeros otherwise. */
static struct {
	const EFI_DEVICE_PATH *path;
	const uint8_t *bytes;
	size_t len;
	int overruled;
	struct security2 *two;
	struct security *one;
	EFI_STATUS (EFIAPI *check2)(const struct security2 *, const EFI_DEVICE_PATH *, void *, UINTN, BOOLEAN);
	EFI_STATUS (EFIAPI *check)(const struct security *, UINT32, const EFI_DEVICE_PATH *);
} now;

static int is_refusal(EFI_STATUS s)
{
	return s == EFI_ACCESS_DENIED || s == EFI_SECURITY_VIOLATION;
}

static EFI_STATUS overrule(void)
{
	now.overruled = 1;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI check2(const struct security2 *self, const EFI_DEVICE_PATH *path, void *bytes, UINTN len,
				BOOLEAN boot_policy)
{
	EFI_STATUS s = now.check2(self, path, bytes, len, boot_policy);

	return is_refusal(s) && bytes == now.bytes && len == now.len ? overrule() : s;
}

static size_t path_bytes(const EFI_DEVICE_PATH *path)
{
	const EFI_DEVICE_PATH *node = path;

	while (!IsDevicePathEnd(node))
		node = NextDevicePathNode(node);
	return (size_t)((const uint8_t *)node - (const uint8_t *)path);
}

/* Firmware may have copied it. */
static int is_our_path(const EFI_DEVICE_PATH *path)
{
	size_t n;

	if (!path || !now.path)
		return 0;
	n = path_bytes(now.path);
	return path_bytes(path) == n && !memcmp(path, now.path, n);
}

static EFI_STATUS EFIAPI check(const struct security *self, UINT32 status, const EFI_DEVICE_PATH *path)
{
	EFI_STATUS s = now.check(self, status, path);

	return is_refusal(s) && is_our_path(path) ? overrule() : s;
}

static void *find(const EFI_GUID *guid)
{
	EFI_GUID g = *guid;
	void *protocol = NULL;

	return EFI_ERROR(BOOT->LocateProtocol(&g, NULL, &protocol)) ? NULL : protocol;
}

static void hook(void)
{
	now.two = find(&security2_guid);
	now.one = find(&security_guid);
	if (now.two) {
		now.check2 = now.two->check;
		now.two->check = check2;
	}
	if (now.one) {
		now.check = now.one->check;
		now.one->check = check;
	}
}

static void unhook(void)
{
	if (now.two)
		now.two->check = now.check2;
	if (now.one)
		now.one->check = now.check;
}

enum err vouch_load(EFI_HANDLE *ret, int *ret_overruled, EFI_DEVICE_PATH *path, const uint8_t *bytes, size_t len)
{
	EFI_HANDLE handle = NULL;
	EFI_STATUS s;
	int overruled;

	memset(&now, 0, sizeof(now));
	now.path = path;
	now.bytes = bytes;
	now.len = len;
	hook();
	s = BOOT->LoadImage(FALSE, firmware_image, path, (void *)(uintptr_t)bytes, len, &handle);
	unhook();
	overruled = now.overruled;
	memset(&now, 0, sizeof(now));
	if (EFI_ERROR(s)) {
		/* With a security violation firmware hands out an image that must not be started. */
		if (handle)
			BOOT->UnloadImage(handle);
		return firmware_err(s);
	}
	*ret = handle;
	*ret_overruled = overruled;
	return OK;
}
