#include "measure.h"

#include <sodium.h>
#include <string.h>

#include "phrase.h"
#include "tpm.h"

#define TEXT_MAX 384
#define CAP "holdfast: cap"

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

/* As many as go in: an auditor misses the others in the log, and the cap is what protects. */
static void measure_text(const char *text)
{
	(void)!tpm_measure(TPM_PCR_OWN, text);
}

static void measure_kind(enum credential_kind kind)
{
	char text[TEXT_MAX];

	phrase_format(text, sizeof(text), "holdfast: unlocked by %s", kind_text(kind));
	measure_text(text);
}

static void measure_target(const struct manifest_target *t)
{
	char text[TEXT_MAX], digests[3][2 * DIGEST_BYTES + 1], name[sizeof(t->name) + 1] = { 0 };

	memcpy(name, t->name, sizeof(t->name));
	phrase_format(text, sizeof(text), "holdfast: target %s kernel %s initrd %s cmdline %s", name,
		      hex(digests[0], t->kernel), hex(digests[1], t->initrd), hex(digests[2], t->cmdline));
	measure_text(text);
}

/* Seen in the PCR: there is firmware that reports success and extends nothing. */
static enum err check_capped(const struct tpm *t)
{
	uint8_t value[TPM_PCR_BYTES];
	enum err e = tpm_pcr_read(value, t, TPM_PCR_OWN);

	if (e)
		return e;
	return sodium_is_zero(value, sizeof(value)) ? ERR_STATE : OK;
}

/* Past the firmware's log. What the first try came to is the second's to overrule. */
static enum err cap_by_command(const struct tpm *t)
{
	static const char text[] = CAP;
	uint8_t digest[TPM_PCR_BYTES];
	enum err e, seen;

	crypto_hash_sha256(digest, (const uint8_t *)text, sizeof(text) - 1);
	e = tpm_pcr_extend(t, TPM_PCR_OWN, digest);
	seen = check_capped(t);
	return seen == ERR_STATE && e ? e : seen;
}

static enum err cap(void)
{
	enum err e = tpm_measure(TPM_PCR_OWN, CAP);
	const struct tpm *t = tpm_efi_plain();

	if (!t)
		return ERR_NOT_FOUND;
	if (!e)
		e = check_capped(t);
	return e ? cap_by_command(t) : OK;
}

enum err measure_start(enum credential_kind unlocked_by, const struct manifest_target *t)
{
	measure_text("holdfast: version " HOLDFAST_VERSION);
	measure_kind(unlocked_by);
	measure_target(t);
	return cap();
}
