/* Calendar: the date of the machine's clock, which anybody may have set to anything. */
#ifndef HOLDFAST_CALENDAR_H
#define HOLDFAST_CALENDAR_H

#include <efi.h>
#include <stdint.h>

#include "common/err.h"

/* Unix time of a date of the firmware's; without a time zone it is taken as UTC. Errors: ERR_RANGE (no
 * date, or one before 1970). Source: UEFI 2.10, 8.3, GetTime. */
MUST_CHECK enum err calendar_unix(uint64_t *ret, const EFI_TIME *t);

/* The clock now. Errors: as calendar_unix; what the firmware says (firmware_err). */
MUST_CHECK enum err calendar_now(uint64_t *ret);

#endif
