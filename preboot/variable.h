/* Variables of the firmware that Holdfast owns. Readable from Linux, where marked, as
 * /sys/firmware/efi/efivars/NAME-50b0f80a-f8da-411c-abdb-726771436ff5. */
#ifndef HOLDFAST_VARIABLE_H
#define HOLDFAST_VARIABLE_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* HoldfastGeneration, run-time: u64 little-endian, the highest store generation that this laptop has
 * unlocked. HoldfastTally, boot services only: struct tally. */
#define VARIABLE_GENERATION L"HoldfastGeneration"
#define VARIABLE_TALLY L"HoldfastTally"

/* Read exactly len bytes. Errors: ERR_NOT_FOUND, ERR_FORMAT (another length), ERR_IO. */
MUST_CHECK enum err variable_read(void *ret, size_t len, const CHAR16 *name);

/* Non-volatile; at_run_time: visible to Linux too. Errors: ERR_IO, ERR_SPACE, ERR_MEMORY, ERR_DENIED. */
MUST_CHECK enum err variable_write(const CHAR16 *name, const void *bytes, size_t len, int at_run_time);

/* Ask the firmware to overwrite memory at the next start if the machine is reset with keys in it
 * (TCG Platform Reset Attack Mitigation). Firmware without it ignores this. */
void variable_request_memory_overwrite(void);

#endif
