#include "secureboot.h"

#include <stdint.h>

#include "firmware.h"

static const EFI_GUID global = { 0x8be4df61, 0x93ca, 0x11d2,
				 { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };

/* -1 when firmware does not say. It makes these anew at each start: one that lasts was made by a system. */
static int state(const CHAR16 *name)
{
	EFI_GUID guid = global;
	UINT32 attributes = 0;
	uint8_t value = 0;
	UINTN size = sizeof(value);
	EFI_STATUS s = RUNTIME->GetVariable((CHAR16 *)(uintptr_t)name, &guid, &attributes, &size, &value);

	return EFI_ERROR(s) || size != sizeof(value) || (attributes & EFI_VARIABLE_NON_VOLATILE) ? -1 : value;
}

int secureboot_is_on(void)
{
	return state(L"SecureBoot") == 1 && state(L"SetupMode") == 0;
}
