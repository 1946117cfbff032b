#include "wording.h"

static const struct wording password = { "Password", "password" }, pin = { "PIN", "PIN" },
			    either = { "Password or PIN", "password or PIN" }, answers = { "Answer", "answers" };

const struct wording *wording_of_store(const struct store *s)
{
	int pins = 0, passwords = 0;

	for (uint32_t i = 0; i < s->head.record_count; i++) {
		pins |= s->records[i].kind == CREDENTIAL_TPM_PIN;
		passwords |= s->records[i].kind == CREDENTIAL_PASSWORD ||
			     s->records[i].kind == CREDENTIAL_TPM_PASSWORD;
	}
	if (!pins)
		return &password;
	return passwords ? &either : &pin;
}

const struct wording *wording_of_kind(uint8_t kind)
{
	if (kind == CREDENTIAL_SELF_HELP)
		return &answers;
	return kind == CREDENTIAL_TPM_PIN ? &pin : &password;
}
