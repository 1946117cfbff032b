/* Platform: what the firmware vouches for and how pre-boot was started, looked at once before anybody is
 * asked, for the hand-off. */
#ifndef HOLDFAST_PLATFORM_H
#define HOLDFAST_PLATFORM_H

#include "common/handoff.h"

/* Look, and note the events: PREBOOT_LOADER_FALLBACK; PREBOOT_TPM_CHANGED 11 where something has used our
 * PCR before us, so that nothing will be unsealed. */
void platform_look(void);

/* Was our own PCR in use already? */
int platform_own_used(void);

/* Fill in what was seen: loader, pcr7, HANDOFF_SECURE_BOOT and HANDOFF_TPM. */
void platform_describe(struct handoff_head *h);

#endif
