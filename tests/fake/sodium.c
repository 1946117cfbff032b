/* Stands for preboot/sodium_efi.c: the hosted library chooses by itself. */
#include <sodium.h>
#include <stdlib.h>

#include "preboot/sodium_efi.h"

void sodium_efi_start(void)
{
	if (sodium_init() < 0)
		abort();
}
