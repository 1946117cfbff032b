#include "agent/volumed/tpmtext.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/accounts.h"
#include "agent/volumed/binding.h"
#include "agent/volumed/efivar.h"

/* TCG PC Client Platform Reset Attack Mitigation Specification: bit 0 asks the firmware to overwrite memory at the
 * next start, if this one ends without an orderly shutdown. */
#define MOR_VARIABLE "MemoryOverwriteRequestControl-e20939be-32d4-41be-a150-897f85d49829"
#define MOR_SET 0x01

static const char *pcr7_state(const struct volumed *v, const struct store *s)
{
	if (!s->bindings.head.count)
		return "nothing sealed";
	if (!v->boot.known || !(v->boot.trust & HANDOFF_TPM))
		return "unknown";
	return memcmp(s->bindings.head.pcr7, v->boot.pcr7, sizeof(v->boot.pcr7)) ? "changed" : "as sealed";
}

static int lockout_is_ours(const struct store *s)
{
	static const uint8_t none[sizeof(s->bindings.head.lockout)];

	return memcmp(s->bindings.head.lockout, none, sizeof(none)) != 0;
}

static const char *lockout_password(const struct volumed *v, const struct store *s)
{
	if (!v->tpm.lockout_auth)
		return "none";
	return lockout_is_ours(s) ? "ours" : "not ours";
}

static json_t *lockout_of(const struct volumed *v, const struct store *s)
{
	const struct tpm_lockout *l = &v->tpm.lockout;

	if (!v->tpm_asked || v->tpm_error)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:b, s:s}", "tries", (json_int_t)l->tries, "tries_max",
			 (json_int_t)l->tries_max, "recovery_s", (json_int_t)l->recovery_s, "locked", l->locked,
			 "password", lockout_password(v, s));
}

json_t *tpmtext_tpm(const struct volumed *v, const struct store *s)
{
	return json_pack("{s:b, s:s?, s:s, s:i, s:i, s:s, s:o}", "present", v->tpm_asked && !v->tpm_error, "why",
			 binding_obstacle(v), "maker", v->tpm.maker, "bound", (int)binding_count(s, 0),
			 "self_help", (int)binding_count(s, 1), "pcr7", pcr7_state(v, s), "lockout",
			 lockout_of(v, s));
}

static json_t *memory_overwrite(const struct volumed *v)
{
	uint8_t value = 0;
	size_t len = 0;

	if (efivar_read(&value, &len, sizeof(value), v->options.efivars, MOR_VARIABLE) || len != sizeof(value))
		return json_null();
	return json_boolean(value & MOR_SET);
}

static json_t *trust_flag(const struct volumed *v, uint16_t flag)
{
	return v->boot.known ? json_boolean(v->boot.trust & flag) : json_null();
}

static json_t *pcr7_text(const struct volumed *v)
{
	char hex[2 * TPM_PCR_BYTES + 1];

	if (!v->boot.known || !(v->boot.trust & HANDOFF_TPM))
		return json_null();
	hex_encode(hex, v->boot.pcr7, sizeof(v->boot.pcr7));
	return json_string(hex);
}

json_t *tpmtext_firmware(const struct volumed *v)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "secure_boot", trust_flag(v, HANDOFF_SECURE_BOOT), "tpm",
			 trust_flag(v, HANDOFF_TPM), "capped", trust_flag(v, HANDOFF_CAPPED), "vouched",
			 trust_flag(v, HANDOFF_VOUCHED), "pcr7", pcr7_text(v), "mor", memory_overwrite(v));
}

/* A user whose credential is not of the kind that policy asks for; NULL: none. */
static const char *user_of_another_kind(const struct store *s, enum credential_kind kind)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind) && s->records[i].kind != kind)
			return (const char *)s->records[i].user;
	return NULL;
}

const char *tpmtext_kind_state(const struct volumed *v, const struct store *s)
{
	enum credential_kind kind = accounts_kind_of_policy(v);

	if (kind == CREDENTIAL_PASSWORD || !user_of_another_kind(s, kind))
		return "enforced";
	return binding_obstacle(v) ? "waiting for a TPM" : "waiting for the next change of password";
}

static void wait_put(json_t *list, uint64_t since, const char *what, const char *detail, const char *advice)
{
	char text[384];

	(void)snprintf(text, sizeof(text), "%s%s", what, detail);
	(void)json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "for", text, "since", (json_int_t)since, "do",
						    advice));
}

static void wait_for_kind(json_t *list, const struct volumed *v, const struct store *s)
{
	enum credential_kind kind = accounts_kind_of_policy(v);
	const char *obstacle = binding_obstacle(v), *user = user_of_another_kind(s, kind);
	char advice[160];

	if (kind == CREDENTIAL_PASSWORD || !user || (obstacle && !v->boot.known))
		return;
	if (obstacle && !binding_has_no_tpm(v)) {
		wait_put(list, v->started, "the TPM, to which policy binds what users sign in with: ", obstacle,
			 "until then no password is set: put the TPM in order, or switch it off in the firmware's settings");
		return;
	}
	if (obstacle) {
		wait_put(list, v->started, "a TPM, to which policy binds what users sign in with: ", obstacle,
			 "nothing, if this laptop has none; else switch it on in the firmware's settings");
		return;
	}
	(void)snprintf(advice, sizeof(advice), "run: holdfast user bind %s %s", user,
		       kind == CREDENTIAL_TPM_PIN ? "--pin" : "--password");
	wait_put(list, v->started, "users whose password is not bound to the TPM yet", "", advice);
}

void tpmtext_wait(json_t *list, const struct volumed *v, const struct store *s)
{
	static const char *const advice =
		"before the next start give each bound user a new password: holdfast user passwd NAME; "
		"else a one-time code is needed";
	const char *obstacle = binding_obstacle(v);

	if (!obstacle && binding_secure_boot_off(v, s)) {
		wait_put(list, v->started, "Secure Boot, which was on when keys were sealed and is off: bound users cannot "
			 "sign in", "", "switch it on in the firmware's settings; if it shall stay off, run: holdfast tpm reseal");
		return;
	}
	if (obstacle && v->boot.known && s->bindings.head.count)
		wait_put(list, v->started, "the TPM, without which bound users cannot sign in: ", obstacle, advice);
	else if (!obstacle && v->tpm_seal_error)
		wait_put(list, v->started, "the TPM, to which was not sealed anew: ", err_text(v->tpm_seal_error),
			 advice);
	wait_for_kind(list, v, s);
}

const char *tpmtext_summary(const struct volumed *v, const struct store *s)
{
	if (!s->bindings.head.count)
		return "unbound";
	if (!binding_obstacle(v) && binding_secure_boot_off(v, s))
		return "secure-boot-off";
	return binding_obstacle(v) || v->tpm_seal_error ? "tpm-missing" : pcr7_state(v, s);
}
