/* Firmware: the system table, protocols by handle, and the ways out. firmware_start comes first. */
#ifndef HOLDFAST_FIRMWARE_H
#define HOLDFAST_FIRMWARE_H

#include <efi.h>
#include <stdnoreturn.h>

#include "common/err.h"

extern EFI_HANDLE firmware_image;
extern EFI_SYSTEM_TABLE *firmware;
#define BOOT (firmware->BootServices)
#define RUNTIME (firmware->RuntimeServices)

void firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* The only translation of firmware's status codes. */
enum err firmware_err(EFI_STATUS status);

/* A protocol of a handle; NULL if the handle lacks it. */
void *firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid);

/* All handles with a protocol: *ret is firmware pool memory, given back with firmware_free; NULL and
 * 0 when there are none. */
UINTN firmware_handles(EFI_HANDLE **ret, const EFI_GUID *guid);
void firmware_free(void *pool);

/* Is the handle's device a serial port? */
int firmware_has_uart(EFI_HANDLE handle);

/* Call visit for each range of a type of memory (EfiConventionalMemory, ...). */
void firmware_memory(EFI_MEMORY_TYPE type, void (*visit)(void *context, uint8_t *range, uint64_t size),
		     void *context);

/* How much a KDF could gather, MiB: free ranges, as far as they hold pieces (common/workplace.h); 0 if
 * firmware does not say. */
uint32_t firmware_memory_mib(void);

/* Both tell the TPM and wipe the heap first. */
noreturn void firmware_restart(void);
noreturn void firmware_power_off(void);

#endif
