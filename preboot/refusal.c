#include "refusal.h"

#include "events.h"
#include "phrase.h"
#include "platform.h"
#include "tpm.h"
#include "ui.h"

#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)

/* Rounded up, in what people count in. */
static void duration_format(char *ret, size_t size, uint32_t s)
{
	uint32_t unit = s <= 2 * HOUR_S ? MINUTE_S : s <= 2 * DAY_S ? HOUR_S : DAY_S;
	uint32_t n = s / unit + (s % unit != 0);
	const char *name = unit == MINUTE_S ? "minute" : unit == HOUR_S ? "hour" : "day";

	if (!s)
		phrase_format(ret, size, "later");
	else
		phrase_format(ret, size, "in %u %s%s", (unsigned)n, name, n == 1 ? "" : "s");
}

/* The TPM forgives one try after so many seconds, and takes the next one then. */
static void tell_locked_out(const char *word)
{
	struct tpm_lockout l = { 0 };
	char when[32];

	if (!tpm_efi() || tpm_lockout_read(&l, tpm_efi()))
		l.recovery_s = 0;
	duration_format(when, sizeof(when), l.recovery_s);
	ui_tell(MESSAGE_TPM_LOCKED_OUT, word, when);
	events_add(PREBOOT_TPM_LOCKED_OUT, 0);
}

static void tell_changed(const char *word)
{
	if (platform_own_used()) {
		ui_tell(MESSAGE_TPM_USED, word);
		events_add(PREBOOT_TPM_CHANGED, TPM_PCR_OWN);
		return;
	}
	ui_tell(MESSAGE_TPM_CHANGED, word);
	events_add(PREBOOT_TPM_CHANGED, TPM_PCR_SECURE_BOOT);
}

static void tell_failed(enum err e, const char *word)
{
	if (e == ERR_SIGNATURE)
		ui_tell(MESSAGE_TPM_BUS, word);
	else
		ui_tell(MESSAGE_TPM_FAILED, err_text(e));
	events_add(PREBOOT_TPM_FAILED, e == ERR_SIGNATURE ? REFUSAL_TAMPERED : REFUSAL_BROKEN);
}

void refusal_tell(enum err e, const char *word)
{
	switch (e) {
	case ERR_LOCKED_OUT:
		tell_locked_out(word);
		break;
	case ERR_CHANGED:
		tell_changed(word);
		break;
	case ERR_MISDIRECTED:
		ui_tell(MESSAGE_TPM_EXCHANGED, word);
		events_add(PREBOOT_TPM_GONE, REFUSAL_EXCHANGED);
		break;
	case ERR_NOT_FOUND:
		ui_tell(MESSAGE_TPM_MISSING, word);
		events_add(PREBOOT_TPM_GONE, REFUSAL_MISSING);
		break;
	default:
		tell_failed(e, word);
	}
}

uint32_t refusal_tries_left(void)
{
	struct tpm_lockout l;

	if (!tpm_efi() || tpm_lockout_read(&l, tpm_efi()))
		return UINT32_MAX;
	return l.tries_max > l.tries ? l.tries_max - l.tries : 0;
}
