/* TPM: the firmware's EFI_TCG2_PROTOCOL as the transport of common/tpm.h, and what it measures for us.
 * Source: TCG EFI Protocol Specification, family 2.0, revision 00.13; for structure version 1.0 the Trusted Execution
 * Environment EFI Protocol, revision 1.0. */
#ifndef HOLDFAST_PREBOOT_TPM_H
#define HOLDFAST_PREBOOT_TPM_H

#include "common/tpm.h"

/* The laptop's TPM 2.0; NULL where there is none, where its SHA-256 bank is off, or where there is no source
 * of randomness for sessions. Looked for once: what was there stays there. */
const struct tpm *tpm_efi(void);

/* The same for commands without a session (PCRs, properties), which need no randomness. */
const struct tpm *tpm_efi_plain(void);

/* Right before every restart and power off: see tpm_shutdown. Only if it was asked for; after that no
 * command may follow. */
void tpm_efi_end(void);

/* Extend a PCR in all active banks with the digests of a text, and log the text as an EV_IPL event.
 * Errors: ERR_NOT_FOUND (no TPM 2.0, and only that), ERR_IO and others of the firmware's. That the log is full is none. */
MUST_CHECK enum err tpm_measure(unsigned pcr, const char *text);

#endif
