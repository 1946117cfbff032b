/* Variables of the firmware that Holdfast owns. Readable from Linux, where marked, as
 * /sys/firmware/efi/efivars/NAME-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21. */
#ifndef HOLDFAST_VARIABLE_H
#define HOLDFAST_VARIABLE_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* HoldfastGeneration, run-time: u64 little-endian, the highest store generation that this laptop has
 * unlocked or that its agent has written. HoldfastOwner, run-time: 32 bytes, the store key of the
 * installation that holdfast-activate has made last. The others are for boot services only: HoldfastTally
 * (events_v1.inc), HoldfastGuard (guard_v1.inc), HoldfastClock (contact_v1.inc), HoldfastChoice
 * (choice_v1.inc), HoldfastKill: a tombstone (common/tombstone.h) without its command, and HoldfastHelpers
 * (processors.c). HoldfastSelftest is there while the self-test tries variables. */
#define VARIABLE_GENERATION L"HoldfastGeneration"
#define VARIABLE_OWNER L"HoldfastOwner"
#define VARIABLE_TALLY L"HoldfastTally"
#define VARIABLE_GUARD L"HoldfastGuard"
#define VARIABLE_CLOCK L"HoldfastClock"
#define VARIABLE_CHOICE L"HoldfastChoice"
#define VARIABLE_KILL L"HoldfastKill"
#define VARIABLE_HELPERS L"HoldfastHelpers"
#define VARIABLE_SELFTEST L"HoldfastSelftest"

/* Read exactly len bytes, at most VARIABLE_BYTES_MAX. Errors: ERR_NOT_FOUND, ERR_FORMAT (another
 * length, or a system has made one that is for boot services only), ERR_IO. */
#define VARIABLE_BYTES_MAX 64
MUST_CHECK enum err variable_read(void *ret, size_t len, const CHAR16 *name);

/* Read one of any length up to max; *ret is malloc'ed. Errors: ERR_NOT_FOUND, ERR_FORMAT (longer, or
 * empty), ERR_MEMORY, ERR_IO. */
MUST_CHECK enum err variable_read_all(uint8_t **ret, size_t *ret_len, size_t max, const CHAR16 *name);

/* Non-volatile; at_run_time: visible to Linux too. One with other attributes is replaced. Errors: ERR_IO, ERR_SPACE, ERR_MEMORY, ERR_DENIED. */
MUST_CHECK enum err variable_write(const CHAR16 *name, const void *bytes, size_t len, int at_run_time);

/* One that is not there, or cannot be deleted, is no error. */
void variable_delete(const CHAR16 *name);

/* Ask the firmware to overwrite memory at the next start if the machine is reset with keys in it
 * (TCG Platform Reset Attack Mitigation). Firmware without it ignores this. */
void variable_request_memory_overwrite(void);

#endif
