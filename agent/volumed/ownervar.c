#include "agent/volumed/ownervar.h"

#include "agent/volumed/efivar.h"

#define VARIABLE "HoldfastOwner-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"

enum err ownervar_write(const char *efivars, const uint8_t store_vk[static KEY_BYTES])
{
	return efivar_write(efivars, VARIABLE, store_vk, KEY_BYTES);
}

enum err ownervar_remove(const char *efivars)
{
	return efivar_remove(efivars, VARIABLE);
}
