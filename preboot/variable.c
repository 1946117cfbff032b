#include "variable.h"

#include <stdlib.h>
#include <string.h>

#include "firmware.h"

static const EFI_GUID vendor = { 0x6a1f4c3e, 0x6d0b, 0x4f5e,
				 { 0x9d, 0x61, 0x0f, 0x6b, 0x1b, 0x6f, 0x8a, 0x21 } };
static const EFI_GUID overwrite_vendor = { 0xe20939be, 0x32d4, 0x41be,
					   { 0xa1, 0x50, 0x89, 0x7f, 0x85, 0xd4, 0x98, 0x29 } };

/* TCG PC Client Platform Reset Attack Mitigation 1.10, section 4: overwrite memory at the next start, even
 * where the firmware believes that the system went down in good order. */
enum { OVERWRITE_MEMORY = 0x01, OVERWRITE_ALWAYS = 0x10 };

/* Are those a system's to write, too? */
static int is_shared(const CHAR16 *name)
{
	static const CHAR16 *const shared[] = { VARIABLE_GENERATION, VARIABLE_OWNER };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		size_t n = 0;

		while (name[n] && name[n] == shared[i][n])
			n++;
		if (name[n] == shared[i][n])
			return 1;
	}
	return 0;
}

static enum err get(void *ret, size_t *len, const CHAR16 *name)
{
	EFI_GUID guid = vendor;
	UINTN size = *len;
	UINT32 attributes = 0;
	EFI_STATUS s = RUNTIME->GetVariable((CHAR16 *)(uintptr_t)name, &guid, &attributes, &size, ret);

	if (s == EFI_BUFFER_TOO_SMALL)
		return ERR_FORMAT;
	if (EFI_ERROR(s))
		return firmware_err(s);
	if (!size || size > *len)
		return ERR_FORMAT;
	/* A system can make variables, but none that it does not see. */
	if ((attributes & EFI_VARIABLE_RUNTIME_ACCESS) && !is_shared(name))
		return ERR_FORMAT;
	*len = size;
	return OK;
}

enum err variable_read(void *ret, size_t len, const CHAR16 *name)
{
	uint8_t bytes[VARIABLE_BYTES_MAX];
	size_t found = sizeof(bytes);
	enum err e;

	if (len > sizeof(bytes))
		return ERR_RANGE;
	e = get(bytes, &found, name);
	if (e)
		return e;
	if (found != len)
		return ERR_FORMAT;
	memcpy(ret, bytes, len);
	return OK;
}

enum err variable_read_all(uint8_t **ret, size_t *ret_len, size_t max, const CHAR16 *name)
{
	uint8_t *bytes = malloc(max);
	size_t len = max;
	enum err e = bytes ? get(bytes, &len, name) : ERR_MEMORY;

	if (e) {
		free(bytes);
		return e;
	}
	*ret = bytes;
	*ret_len = len;
	return OK;
}

static EFI_STATUS set(const CHAR16 *name, const void *bytes, size_t len, UINT32 attributes)
{
	EFI_GUID guid = vendor;

	return RUNTIME->SetVariable((CHAR16 *)(uintptr_t)name, &guid, attributes, len,
				    (void *)(uintptr_t)bytes);
}

enum err variable_write(const CHAR16 *name, const void *bytes, size_t len, int at_run_time)
{
	UINT32 attributes = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS;
	EFI_STATUS s;

	if (at_run_time)
		attributes |= EFI_VARIABLE_RUNTIME_ACCESS;
	s = set(name, bytes, len, attributes);
	if (s != EFI_INVALID_PARAMETER)
		return firmware_err(s);
	/* There is one with other attributes, which is none of ours. */
	variable_delete(name);
	return firmware_err(set(name, bytes, len, attributes));
}

void variable_delete(const CHAR16 *name)
{
	EFI_GUID guid = vendor;

	RUNTIME->SetVariable((CHAR16 *)(uintptr_t)name, &guid, 0, 0, NULL);
}

void variable_request_memory_overwrite(void)
{
	EFI_GUID guid = overwrite_vendor;
	uint8_t request = OVERWRITE_MEMORY | OVERWRITE_ALWAYS;

	RUNTIME->SetVariable((CHAR16 *)(uintptr_t)L"MemoryOverwriteRequestControl", &guid,
			     EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
				     EFI_VARIABLE_RUNTIME_ACCESS,
			     sizeof(request), &request);
}
