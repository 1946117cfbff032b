/* Variables of the firmware. One write is whole or not at all, whatever the power does. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

const EFI_GUID fake_holdfast_guid = { 0x6a1f4c3e, 0x6d0b, 0x4f5e,
				      { 0x9d, 0x61, 0x0f, 0x6b, 0x1b, 0x6f, 0x8a, 0x21 } };

static size_t name_len(const CHAR16 *name)
{
	size_t n = 0;

	while (name[n])
		n++;
	return n;
}

static struct fake_variable *find(struct fake *f, const CHAR16 *name, const EFI_GUID *vendor)
{
	for (unsigned i = 0; i < FAKE_VARIABLES_MAX; i++) {
		struct fake_variable *v = &f->inside->variables[i];

		if (v->used && !memcmp(&v->vendor, vendor, sizeof(*vendor)) &&
		    name_len(v->name) == name_len(name) &&
		    !memcmp(v->name, name, 2 * name_len(name)))
			return v;
	}
	return NULL;
}

static struct fake_variable *make(struct fake *f, const CHAR16 *name, const EFI_GUID *vendor)
{
	for (unsigned i = 0; i < FAKE_VARIABLES_MAX; i++) {
		struct fake_variable *v = &f->inside->variables[i];

		if (v->used || name_len(name) >= sizeof(v->name) / 2)
			continue;
		memset(v, 0, sizeof(*v));
		v->used = 1;
		memcpy(v->name, name, 2 * name_len(name) + 2);
		v->vendor = *vendor;
		return v;
	}
	return NULL;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *attributes,
				      UINTN *size, void *ret)
{
	EFI_STATUS s = fake_fault(FAKE_GET_VARIABLE);
	struct fake_variable *v = find(fake_now, name, vendor);
	UINTN room = *size;

	if (s)
		return s;
	if (!v)
		return EFI_NOT_FOUND;
	*size = v->len;
	if (room < v->len)
		return EFI_BUFFER_TOO_SMALL;
	memcpy(ret, v->bytes, v->len);
	if (attributes)
		*attributes = v->attributes;
	return EFI_SUCCESS;
}

static EFI_STATUS store(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN len,
			const void *bytes)
{
	struct fake_variable *v = find(fake_now, name, vendor);

	if (!v)
		v = make(fake_now, name, vendor);
	if (!v || len > sizeof(v->bytes))
		return EFI_OUT_OF_RESOURCES;
	v->attributes = attributes;
	v->len = len;
	memcpy(v->bytes, bytes, len);
	return EFI_SUCCESS;
}

static EFI_STATUS apply(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN len,
			const void *bytes)
{
	struct fake_variable *v = find(fake_now, name, vendor);

	if (len && attributes)
		return store(name, vendor, attributes, len, bytes);
	v->used = 0;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN len,
				      void *bytes)
{
	EFI_STATUS s = fake_fault(FAKE_SET_VARIABLE);
	struct fake_variable *v = find(fake_now, name, vendor);

	if (s)
		return s;
	if (attributes & ~(UINT32)(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
				   EFI_VARIABLE_RUNTIME_ACCESS))
		return EFI_UNSUPPORTED;
	if ((attributes & EFI_VARIABLE_RUNTIME_ACCESS) &&
	    !(attributes & EFI_VARIABLE_BOOTSERVICE_ACCESS))
		return EFI_INVALID_PARAMETER;
	if (!v && !(len && attributes))
		return EFI_NOT_FOUND;
	if (v && len && attributes && attributes != v->attributes)
		return EFI_INVALID_PARAMETER; /* to change them it is to be deleted first */
	if (fake_cut_due()) {
		if (fake_roll(fake_now, 2))
			apply(name, vendor, attributes, len, bytes);
		fake_leave(FAKE_CUT);
	}
	return apply(name, vendor, attributes, len, bytes);
}

static EFI_STATUS EFIAPI query_info(UINT32 attributes, UINT64 *ret_size, UINT64 *ret_left,
				    UINT64 *ret_largest)
{
	(void)attributes;
	*ret_size = *ret_left = 65536;
	*ret_largest = 1024;
	return EFI_SUCCESS;
}

static void widen(CHAR16 ret[64], const char *name)
{
	size_t n = strlen(name);

	if (n >= 64)
		abort();
	for (size_t i = 0; i <= n; i++)
		ret[i] = (uint8_t)name[i];
}

int fake_variable(const struct fake *f, const char *name, void *ret, size_t size,
		  uint32_t *ret_attributes)
{
	CHAR16 wide[64];
	const struct fake_variable *v;

	widen(wide, name);
	v = find((struct fake *)(uintptr_t)f, wide, &fake_holdfast_guid);
	if (!v)
		return -1;
	memcpy(ret, v->bytes, v->len < size ? v->len : size);
	if (ret_attributes)
		*ret_attributes = v->attributes;
	return (int)v->len;
}

void fake_variable_put(struct fake *f, const char *name, uint32_t attributes, const void *bytes,
		       size_t len)
{
	CHAR16 wide[64];
	struct fake_variable *v;

	widen(wide, name);
	v = find(f, wide, &fake_holdfast_guid);
	if (!v)
		v = make(f, wide, &fake_holdfast_guid);
	if (!v || len > sizeof(v->bytes))
		abort();
	v->attributes = attributes;
	v->len = len;
	memcpy(v->bytes, bytes, len);
}

void fake_variable_remove(struct fake *f, const char *name)
{
	CHAR16 wide[64];
	struct fake_variable *v;

	widen(wide, name);
	v = find(f, wide, &fake_holdfast_guid);
	if (v)
		v->used = 0;
}

void fake_variables_clear(struct fake *f)
{
	memset(f->inside->variables, 0, sizeof(f->inside->variables));
}

void fake_variables_start(void)
{
	for (unsigned i = 0; i < FAKE_VARIABLES_MAX; i++)
		if (!(INSIDE->variables[i].attributes & EFI_VARIABLE_NON_VOLATILE))
			INSIDE->variables[i].used = 0;
	fake_runtime.GetVariable = get_variable;
	fake_runtime.SetVariable = set_variable;
	fake_runtime.QueryVariableInfo = query_info;
}
