/* Policies: signed by an officer, and what their settings may say. */
#include <stddef.h>
#include <string.h>

#include "chain_host.h"
#include "credential.h"

#define TYP "holdfast-policy"

void policy_drop(struct policy *p)
{
	json_drop(&p->settings);
	*p = (struct policy){ 0 };
}

enum err policy_sign(char **ret, const struct policy *p, const struct sign_sk *officer)
{
	JSON *payload = NULL;

	if (hex_check(p->enterprise, 16) || !json_is_object(p->settings) ||
	    p->version > INT64_MAX || p->issued > INT64_MAX)
		return ERR_RANGE;
	payload = json_pack("{s:s, s:I, s:I, s:O}", "enterprise", p->enterprise, "version",
			    (json_int_t)p->version, "issued", (json_int_t)p->issued, "settings",
			    p->settings);
	return payload ? jws_sign(ret, TYP, payload, officer) : ERR_MEMORY;
}

static enum err policy_from_json(struct policy *ret, const json_t *o)
{
	struct policy p = { 0 };
	json_t *settings;

	if (json_copy_string(p.enterprise, sizeof p.enterprise, o, "enterprise") ||
	    json_get_u64(&p.version, o, "version") || json_get_u64(&p.issued, o, "issued") ||
	    json_get_object(&settings, o, "settings"))
		return ERR_FORMAT;
	p.settings = json_incref(settings);
	*ret = p;
	return OK;
}

static enum err policy_check(const struct policy *p, const struct chain_signer *signer,
			     const struct command_trust *trust, uint64_t present_version)
{
	if (signer->is_server || !cert_permits(&signer->officer, "policy"))
		return ERR_DENIED;
	if (strcmp(p->enterprise, trust->enterprise) != 0)
		return ERR_MISDIRECTED;
	return p->version < present_version ? ERR_ROLLBACK : OK;
}

enum err policy_verify(struct policy *ret, const char *jws, const json_t *certs,
		       const struct command_trust *trust, uint64_t present_version)
{
	struct policy p = { 0 };
	struct chain_signer signer;
	JSON *payload = NULL;
	enum err e;

	e = jws_peek(&payload, NULL, TYP, jws);
	if (!e)
		e = policy_from_json(&p, payload);
	/* A policy outlives its officer's certificate: what counts is that it held when it was issued. */
	if (!e)
		e = chain_verify(&signer, TYP, jws, certs, trust, p.issued);
	if (!e)
		e = policy_check(&p, &signer, trust, present_version);
	if (e) {
		policy_drop(&p);
		return e;
	}
	*ret = p;
	return OK;
}

static const struct setting {
	const char *name;
	size_t at;
	uint32_t min, max, preset;
} settings_known[] = {
#define SETTING(name, min, max, preset) \
	{ #name, offsetof(struct policy_settings, name), min, max, preset }
	SETTING(one_time_codes, 2, 16, 4),
	SETTING(kdf_memory_kib, KDF_PASSWORD_MEMORY_KIB_MIN, KDF_MEMORY_KIB_MAX,
		KDF_PASSWORD_MEMORY_KIB),
	SETTING(kdf_passes, KDF_PASSES_MIN, KDF_PASSES_MAX, KDF_PASSWORD_PASSES),
	SETTING(sync_interval_s, 30, 86400, 3600),
#undef SETTING
};
#define SETTINGS_COUNT (sizeof settings_known / sizeof *settings_known)

static uint32_t *setting_in(struct policy_settings *s, const struct setting *known)
{
	return (uint32_t *)(void *)((char *)s + known->at);
}

static const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (!strcmp(settings_known[i].name, name))
			return &settings_known[i];
	return NULL;
}

static enum err setting_read(struct policy_settings *s, const char *name, const json_t *settings)
{
	const struct setting *known = setting_find(name);
	uint64_t value;

	if (!known || json_get_u64(&value, settings, name) || value < known->min ||
	    value > known->max)
		return ERR_RANGE;
	*setting_in(s, known) = (uint32_t)value;
	return OK;
}

enum err policy_read(struct policy_settings *ret, const char **ret_name, const json_t *settings)
{
	struct policy_settings s;
	json_t *o = (json_t *)(uintptr_t)settings;

	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		*setting_in(&s, &settings_known[i]) = settings_known[i].preset;
	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
		if (setting_read(&s, json_object_iter_key(i), settings)) {
			*ret_name = json_object_iter_key(i);
			return ERR_RANGE;
		}
	}
	*ret = s;
	return OK;
}
