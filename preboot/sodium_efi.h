/* libsodium under UEFI: sodium_init of the hosted library would look for an operating system. */
#ifndef HOLDFAST_SODIUM_EFI_H
#define HOLDFAST_SODIUM_EFI_H

/* Choose implementations by processor: SSSE3 at most. Once, before anything of libsodium. */
void sodium_efi_start(void);

#endif
