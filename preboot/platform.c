#include "platform.h"

#include <sodium.h>
#include <string.h>

#include "events.h"
#include "loader.h"
#include "secureboot.h"
#include "tpm.h"

static struct {
	enum handoff_loader loader;
	int secure_boot, tpm, own_used;
	uint8_t pcr7[TPM_PCR_BYTES];
} seen;

static void look_at_tpm(void)
{
	const struct tpm *t = tpm_efi_plain();
	uint8_t own[TPM_PCR_BYTES];

	seen.tpm = t && !tpm_pcr_read(seen.pcr7, t, TPM_PCR_SECURE_BOOT);
	seen.own_used = seen.tpm && !tpm_pcr_read(own, t, TPM_PCR_OWN) && !sodium_is_zero(own, sizeof(own));
	if (seen.own_used)
		events_add(PREBOOT_TPM_CHANGED, TPM_PCR_OWN);
}

void platform_look(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.loader = loader_kind();
	if (seen.loader == HANDOFF_LOADER_PREVIOUS || seen.loader == HANDOFF_LOADER_REMOVABLE)
		events_add(PREBOOT_LOADER_FALLBACK, (uint16_t)seen.loader);
	seen.secure_boot = secureboot_is_on();
	look_at_tpm();
}

int platform_own_used(void)
{
	return seen.own_used;
}

void platform_describe(struct handoff_head *h)
{
	h->loader = (uint8_t)seen.loader;
	h->trust |= (uint16_t)((seen.secure_boot ? HANDOFF_SECURE_BOOT : 0) | (seen.tpm ? HANDOFF_TPM : 0));
	memcpy(h->pcr7, seen.pcr7, sizeof(h->pcr7));
}
