#include "firmware.h"

#include <stddef.h>

#include "common/workplace.h"
#include "heap.h"
#include "tpm.h"

EFI_HANDLE firmware_image;
EFI_SYSTEM_TABLE *firmware;

static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

void firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	firmware_image = image;
	firmware = table;
	/* The firmware's watchdog restarts after five minutes; a person may take longer. */
	BOOT->SetWatchdogTimer(0, 0, 0, NULL);
}

enum err firmware_err(EFI_STATUS status)
{
	switch (status) {
	case EFI_SUCCESS:
		return OK;
	case EFI_NOT_FOUND:
	case EFI_NO_MEDIA:
		return ERR_NOT_FOUND;
	case EFI_OUT_OF_RESOURCES:
		return ERR_MEMORY;
	case EFI_VOLUME_FULL:
	case EFI_BUFFER_TOO_SMALL:
		return ERR_SPACE;
	case EFI_ACCESS_DENIED:
	case EFI_SECURITY_VIOLATION:
	case EFI_WRITE_PROTECTED:
		return ERR_DENIED;
	case EFI_UNSUPPORTED:
		return ERR_UNSUPPORTED;
	default:
		return ERR_IO;
	}
}

void *firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	EFI_GUID g = *guid;
	void *p = NULL;

	if (EFI_ERROR(BOOT->HandleProtocol(handle, &g, &p)))
		return NULL;
	return p;
}

UINTN firmware_handles(EFI_HANDLE **ret, const EFI_GUID *guid)
{
	EFI_GUID g = *guid;
	UINTN count = 0;

	*ret = NULL;
	if (EFI_ERROR(BOOT->LocateHandleBuffer(ByProtocol, &g, NULL, &count, ret))) {
		*ret = NULL;
		return 0;
	}
	return count;
}

int firmware_has_uart(EFI_HANDLE handle)
{
	EFI_DEVICE_PATH *node = firmware_protocol(handle, &path_guid);

	for (; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
		if ((size_t)DevicePathNodeLength(node) < sizeof(*node))
			return 0;
		if (DevicePathType(node) == MESSAGING_DEVICE_PATH && DevicePathSubType(node) == MSG_UART_DP)
			return 1;
	}
	return 0;
}

void firmware_free(void *pool)
{
	if (pool)
		BOOT->FreePool(pool);
}

void firmware_memory(EFI_MEMORY_TYPE type, void (*visit)(void *context, uint8_t *range, uint64_t size),
		     void *context)
{
	UINTN size = 0, key, step = 0;
	uint32_t version;
	uint8_t *map;
	void *pool = NULL;

	BOOT->GetMemoryMap(&size, NULL, &key, &step, &version);
	if (step < sizeof(EFI_MEMORY_DESCRIPTOR))
		return;
	size += 16 * step; /* the allocation itself splits ranges */
	if (EFI_ERROR(BOOT->AllocatePool(EfiLoaderData, size, &pool)))
		return;
	map = pool;
	if (EFI_ERROR(BOOT->GetMemoryMap(&size, pool, &key, &step, &version)) ||
	    step < sizeof(EFI_MEMORY_DESCRIPTOR))
		size = 0;
	for (UINTN at = 0; at + step <= size; at += step) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);

		if (d->Type == (UINT32)type)
			visit(context, (uint8_t *)(uintptr_t)d->PhysicalStart, d->NumberOfPages << 12);
	}
	BOOT->FreePool(pool);
}

static void add_pieces(void *context, uint8_t *range, uint64_t size)
{
	uint64_t *bytes = context;

	(void)range;
	*bytes += size - size % WORKPLACE_PIECE_BYTES;
}

uint32_t firmware_memory_mib(void)
{
	uint64_t bytes = 0;

	firmware_memory(EfiConventionalMemory, add_pieces, &bytes);
	return (uint32_t)(bytes >> 20);
}

/* The TPM is told that it loses power: else it counts a wrong try for each that was not. */
static void leave(void)
{
	tpm_efi_end();
	heap_wipe();
}

noreturn void firmware_restart(void)
{
	leave();
	for (;;)
		RUNTIME->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

noreturn void firmware_power_off(void)
{
	leave();
	for (;;)
		RUNTIME->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
}
