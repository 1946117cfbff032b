/* Variables of the firmware that Holdfast owns. Readable from Linux, where marked, as
 * /sys/firmware/efi/efivars/NAME-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21. */
#ifndef HOLDFAST_VARIABLE_H
#define HOLDFAST_VARIABLE_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* HoldfastGeneration, run-time: u64 little-endian, the highest store generation that this laptop has
 * unlocked or that its agent has written. HoldfastTally, boot services only: struct tally. */
#define VARIABLE_GENERATION L"HoldfastGeneration"
#define VARIABLE_TALLY L"HoldfastTally"

/* Read exactly len bytes. Errors: ERR_NOT_FOUND, ERR_FORMAT (another length), ERR_IO. */
MUST_CHECK enum err variable_read(void *ret, size_t len, const CHAR16 *name);

/* Non-volatile; at_run_time: visible to Linux too. Errors: ERR_IO, ERR_SPACE, ERR_MEMORY, ERR_DENIED. */
MUST_CHECK enum err variable_write(const CHAR16 *name, const void *bytes, size_t len, int at_run_time);

/* One that is not there, or cannot be deleted, is no error. */
void variable_delete(const CHAR16 *name);

/* Ask the firmware to overwrite memory at the next start if the machine is reset with keys in it
 * (TCG Platform Reset Attack Mitigation). Firmware without it ignores this. */
void variable_request_memory_overwrite(void);

#endif
