/* Handles and their protocols. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define PROTOCOLS_MAX 8
#define HANDLES_MAX 64

struct handle {
	unsigned count;
	EFI_GUID guids[PROTOCOLS_MAX];
	void *interfaces[PROTOCOLS_MAX];
};

static struct handle handles[HANDLES_MAX];
static unsigned handle_count;

static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

EFI_HANDLE fake_handle_new(void)
{
	if (handle_count == HANDLES_MAX)
		abort();
	return &handles[handle_count++];
}

void fake_protocol_add(EFI_HANDLE handle, const EFI_GUID *guid, void *interface)
{
	struct handle *h = handle;

	if (h->count == PROTOCOLS_MAX)
		abort();
	h->guids[h->count] = *guid;
	h->interfaces[h->count++] = interface;
}

static int find(const struct handle *h, const EFI_GUID *guid)
{
	for (unsigned i = 0; i < h->count; i++)
		if (!memcmp(&h->guids[i], guid, sizeof(*guid)))
			return (int)i;
	return -1;
}

void *fake_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	struct handle *h = handle;
	int i = find(h, guid);

	return i < 0 ? NULL : h->interfaces[i];
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret)
{
	EFI_STATUS s = fake_fault(FAKE_HANDLE_PROTOCOL);

	if (s)
		return s;
	if (!handle)
		return EFI_INVALID_PARAMETER;
	*ret = fake_protocol(handle, guid);
	return *ret ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret,
				       EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes)
{
	(void)agent;
	(void)controller;
	(void)attributes;
	return handle_protocol(handle, guid, ret);
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key,
					UINTN *ret_count, EFI_HANDLE **ret)
{
	EFI_STATUS s = fake_fault(FAKE_LOCATE_HANDLES);
	UINTN n = 0;
	void *pool;

	(void)key;
	if (how != ByProtocol)
		return EFI_UNSUPPORTED;
	for (unsigned i = 0; i < handle_count; i++)
		n += find(&handles[i], guid) >= 0;
	if (!s && !n)
		s = EFI_NOT_FOUND;
	if (!s)
		s = fake_boot.AllocatePool(EfiBootServicesData, n * sizeof(EFI_HANDLE), &pool);
	if (s)
		return s;
	*ret = pool;
	*ret_count = 0;
	for (unsigned i = 0; i < handle_count; i++)
		if (find(&handles[i], guid) >= 0)
			(*ret)[(*ret_count)++] = &handles[i];
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *key, void **ret)
{
	(void)key;
	for (unsigned i = 0; i < handle_count; i++) {
		*ret = fake_protocol(&handles[i], guid);
		if (*ret)
			return EFI_SUCCESS;
	}
	*ret = NULL;
	return EFI_NOT_FOUND;
}

static size_t path_len(const uint8_t *path)
{
	size_t len = 0;

	while (path[len] != END_DEVICE_PATH_TYPE)
		len += (size_t)path[len + 2] | (size_t)path[len + 3] << 8;
	return len + 4;
}

EFI_HANDLE fake_locate(const EFI_GUID *guid, const void *path, size_t len)
{
	for (unsigned i = 0; i < handle_count; i++) {
		const uint8_t *of = fake_protocol(&handles[i], &path_guid);

		if (of && find(&handles[i], guid) >= 0 && path_len(of) == len &&
		    !memcmp(of, path, len))
			return &handles[i];
	}
	return NULL;
}

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path, EFI_HANDLE *ret)
{
	const uint8_t *at = (const uint8_t *)*path;
	size_t len = path_len(at);
	EFI_HANDLE found = fake_locate(guid, at, len);

	if (!found)
		return EFI_NOT_FOUND;
	*path = (EFI_DEVICE_PATH *)(uintptr_t)(at + len - 4);
	*ret = found;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install(EFI_HANDLE *handle, ...)
{
	EFI_STATUS s = fake_fault(FAKE_INSTALL_PROTOCOLS);
	__builtin_ms_va_list args;
	const EFI_GUID *guid;

	if (s)
		return s;
	if (!*handle)
		*handle = fake_handle_new();
	__builtin_ms_va_start(args, handle);
	while ((guid = __builtin_va_arg(args, const EFI_GUID *)) != NULL)
		fake_protocol_add(*handle, guid, __builtin_va_arg(args, void *));
	__builtin_ms_va_end(args);
	return EFI_SUCCESS;
}

static void take_away(struct handle *h, int i)
{
	h->count--;
	h->guids[i] = h->guids[h->count];
	h->interfaces[i] = h->interfaces[h->count];
}

static EFI_STATUS EFIAPI uninstall(EFI_HANDLE handle, ...)
{
	__builtin_ms_va_list args;
	const EFI_GUID *guid;
	EFI_STATUS s = EFI_SUCCESS;

	__builtin_ms_va_start(args, handle);
	while ((guid = __builtin_va_arg(args, const EFI_GUID *)) != NULL) {
		void *interface = __builtin_va_arg(args, void *);
		int i = find(handle, guid);

		if (i < 0 || ((struct handle *)handle)->interfaces[i] != interface)
			s = EFI_INVALID_PARAMETER;
		else
			take_away(handle, i);
	}
	__builtin_ms_va_end(args);
	return s;
}

void fake_handles_start(void)
{
	memset(handles, 0, sizeof(handles));
	handle_count = 0;
	fake_boot.HandleProtocol = handle_protocol;
	fake_boot.OpenProtocol = open_protocol;
	fake_boot.LocateHandleBuffer = locate_handles;
	fake_boot.LocateProtocol = locate_protocol;
	fake_boot.LocateDevicePath = locate_device_path;
	fake_boot.InstallMultipleProtocolInterfaces = install;
	fake_boot.UninstallMultipleProtocolInterfaces = uninstall;
}
