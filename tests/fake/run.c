/* The whole of pre-boot; apart, so that tests of single modules need not link all of them. */
#include "inside.h"

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static void power_on(void *argument)
{
	(void)argument;
	efi_main(fake_image, &fake_table);
}

enum fake_end fake_run(struct fake *f)
{
	return fake_call(f, power_on, NULL);
}
