/* What EDK II's core does in LoadImage: the newer protocol is asked, with the bytes, where there is one; else
 * the older, with the path alone. With a security violation it hands out the image all the same. */
#include "security.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct security2 {
	EFI_STATUS (EFIAPI *check)(const struct security2 *self, const EFI_DEVICE_PATH *path,
				   void *bytes, UINTN len, BOOLEAN policy);
};
struct security {
	EFI_STATUS (EFIAPI *check)(const struct security *self, UINT32 status,
				   const EFI_DEVICE_PATH *path);
};

static const EFI_GUID security2_guid = { 0x94ab2f58, 0x1438, 0x4ef1,
					 { 0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 } };
static const EFI_GUID security_guid = { 0xa46423e3, 0x4617, 0x49f1,
					{ 0xb9, 0xff, 0xd1, 0xbf, 0xa9, 0x11, 0x58, 0x39 } };

static struct fake_security *security;
static struct security2 two;
static struct security one;
static EFI_IMAGE_LOAD kernel_load;
static EFI_IMAGE_UNLOAD kernel_unload;
static uint8_t end[] = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0 };

static EFI_STATUS EFIAPI says2(const struct security2 *self, const EFI_DEVICE_PATH *path,
			       void *bytes, UINTN len, BOOLEAN policy)
{
	(void)path;
	(void)bytes;
	(void)len;
	if (self != &two || policy)
		abort();
	security->asked2++;
	return security->says2;
}

static EFI_STATUS EFIAPI says1(const struct security *self, UINT32 status,
			       const EFI_DEVICE_PATH *path)
{
	(void)path;
	if (self != &one || status)
		abort();
	security->asked1++;
	return security->says1;
}

static size_t path_len(const EFI_DEVICE_PATH *path)
{
	const EFI_DEVICE_PATH *node = path;

	while (!IsDevicePathEnd(node))
		node = NextDevicePathNode(node);
	return (size_t)((const uint8_t *)node - (const uint8_t *)path) + 4;
}

static EFI_STATUS ask(const EFI_DEVICE_PATH *path, uint8_t *bytes, size_t len)
{
	if (security->never_asks)
		return security->says2;
	if (security->has2)
		return two.check(&two, path, bytes + security->moved, len + security->longer, 0);
	return security->has1 ? one.check(&one, 0, path) : EFI_SUCCESS;
}

static EFI_STATUS ask_with_path(const EFI_DEVICE_PATH *path, uint8_t *bytes, size_t len)
{
	void *copy = NULL;
	EFI_STATUS s;

	if (security->other_path)
		path = security->other_path == 1 ? (EFI_DEVICE_PATH *)end : NULL;
	if (path && security->copies_path) {
		size_t n = path_len(path);

		copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, path, n);
		path = copy;
	}
	s = ask(path, bytes, len);
	free(copy);
	return s;
}

static EFI_STATUS EFIAPI load(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *bytes,
			      UINTN len, EFI_HANDLE *ret)
{
	EFI_STATUS checked = ask_with_path(path, bytes, len), s;

	if (checked && checked != EFI_SECURITY_VIOLATION)
		return checked;
	if (security->load_fails)
		return security->load_fails;
	s = kernel_load(policy, parent, path, bytes, len, ret);
	return s ? s : checked;
}

static EFI_STATUS EFIAPI unload(EFI_HANDLE handle)
{
	security->unloaded++;
	return kernel_unload(handle);
}

void fake_security_start(struct fake_security *s)
{
	EFI_HANDLE handle = fake_handle_new();

	security = s;
	two.check = says2;
	one.check = says1;
	if (s->has2)
		fake_protocol_add(handle, &security2_guid, &two);
	if (s->has1)
		fake_protocol_add(handle, &security_guid, &one);
	kernel_load = fake_boot.LoadImage;
	kernel_unload = fake_boot.UnloadImage;
	fake_boot.LoadImage = load;
	fake_boot.UnloadImage = unload;
}

int fake_security_is_whole(void)
{
	return two.check == says2 && one.check == says1;
}
