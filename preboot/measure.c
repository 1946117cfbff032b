#include "measure.h"

#include <string.h>

#include "phrase.h"
#include "tpm.h"

#define TEXT_MAX 384

static const char *kind_text(enum credential_kind kind)
{
	static const char *const texts[] = {
		[CREDENTIAL_PASSWORD] = "password",
		[CREDENTIAL_ONE_TIME_CODE] = "one-time-code",
		[CREDENTIAL_RECOVERY_KEY] = "recovery-key",
		[CREDENTIAL_TPM_PIN] = "tpm-pin",
		[CREDENTIAL_TPM_PASSWORD] = "tpm-password",
		[CREDENTIAL_SELF_HELP] = "self-help",
	};
	size_t i = (size_t)kind;

	return i < sizeof(texts) / sizeof(texts[0]) && texts[i] ? texts[i] : "other";
}

static const char *hex(char ret[static 2 * DIGEST_BYTES + 1], const uint8_t digest[static DIGEST_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_BYTES; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[2 * DIGEST_BYTES] = 0;
	return ret;
}

static enum err measure_version(void)
{
	return tpm_measure(TPM_PCR_OWN, "holdfast: version " HOLDFAST_VERSION);
}

static enum err measure_kind(enum credential_kind kind)
{
	char text[TEXT_MAX];

	phrase_format(text, sizeof(text), "holdfast: unlocked by %s", kind_text(kind));
	return tpm_measure(TPM_PCR_OWN, text);
}

static enum err measure_target(const struct manifest_target *t)
{
	char text[TEXT_MAX], digests[3][2 * DIGEST_BYTES + 1], name[sizeof(t->name) + 1] = { 0 };

	memcpy(name, t->name, sizeof(t->name));
	phrase_format(text, sizeof(text), "holdfast: target %s kernel %s initrd %s cmdline %s", name,
		      hex(digests[0], t->kernel), hex(digests[1], t->initrd), hex(digests[2], t->cmdline));
	return tpm_measure(TPM_PCR_OWN, text);
}

/* Seen in the PCR: there is firmware that reports success and extends nothing. */
static enum err check_capped(void)
{
	static const uint8_t zeros[TPM_PCR_BYTES];
	const struct tpm *t = tpm_efi();
	uint8_t value[TPM_PCR_BYTES];
	enum err e;

	if (!t)
		return OK;
	e = tpm_pcr_read(value, t, TPM_PCR_OWN);
	if (e)
		return e;
	return memcmp(value, zeros, sizeof(value)) ? OK : ERR_STATE;
}

enum err measure_start(enum credential_kind unlocked_by, const struct manifest_target *t)
{
	enum err e = measure_version();

	if (!e)
		e = measure_kind(unlocked_by);
	if (!e)
		e = measure_target(t);
	/* Whatever became of those: an auditor misses them in the log, and the cap is what protects. */
	e = tpm_measure(TPM_PCR_OWN, "holdfast: cap");
	return e ? e : check_capped();
}
