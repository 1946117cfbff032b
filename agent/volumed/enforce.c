#include "agent/volumed/enforce.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/event.h"
#include "agent/volumed/onetime.h"
#include "agent/volumed/recovery.h"

static enum err settings_check(struct volumed *v, const json_t *settings)
{
	POLICY_SETTINGS unused = { 0 };
	char why[SETTING_WHY_BYTES] = "";
	enum err e = policy_read(&unused, why, settings);

	if (e)
		(void)snprintf(v->about, sizeof(v->about), "policy setting %s", why);
	return e;
}

static enum err section_set(struct vstate *s, const struct policy *p, const char *jws,
			    const json_t *certs)
{
	uint64_t told = vstate_number(vstate_find(s, "policy"), "told");

	return vstate_commit(s, "policy",
			     json_pack("{s:s, s:O, s:I, s:O, s:I, s:I}", "policy", jws, "certs", certs,
				       "version", (json_int_t)p->version, "settings", p->settings, "since",
				       (json_int_t)volumed_now(), "told", (json_int_t)told));
}

enum err enforce_take(struct volumed *v, const struct trust *t, const char *jws, const json_t *certs)
{
	struct command_trust trust;
	struct policy p = { 0 };
	enum err e;

	trust_for_command(&trust, t, &v->state, 0, 0, volumed_now());
	e = policy_verify(&p, jws, certs, &trust, enforce_version(v));
	if (e)
		(void)volumed_about(v, e, "policy");
	else
		e = settings_check(v, p.settings);
	if (!e)
		e = volumed_about(v, section_set(&v->state, &p, jws, certs), "saving the policy");
	policy_drop(&p);
	return e;
}

void enforce_settings(struct policy_settings *ret, const struct volumed *v)
{
	json_t *settings = json_object_get(vstate_find(&v->state, "policy"), "settings");
	JSON *none = json_object();
	char why[SETTING_WHY_BYTES];

	memset(ret, 0, sizeof(*ret));
	if (settings && !policy_read(ret, why, settings))
		return;
	if (!none || policy_read(ret, why, none))
		volumed_log("the default settings cannot be read", NULL);
}

uint64_t enforce_version(const struct volumed *v)
{
	return vstate_number(vstate_find(&v->state, "policy"), "version");
}

void enforce_progress(struct escrow_progress *ret, const struct volumed *v)
{
	POLICY_SETTINGS settings = { 0 };

	memset(ret, 0, sizeof(*ret));
	enforce_settings(&settings, v);
	ret->codes_wanted = settings.one_time_codes;
	recovery_progress(ret, v);
	onetime_progress(ret, v);
}

const char *enforce_state(const struct volumed *v)
{
	struct escrow_progress p;

	if (!enforce_version(v))
		return "none";
	if (*v->unsettled)
		return "waiting for a change to be finished";
	enforce_progress(&p, v);
	if (!p.recovery_proven)
		return "waiting for the receipt of the recovery key";
	if (p.codes_proven < p.codes_wanted)
		return "waiting for the receipts of the one-time codes";
	return "enforced";
}

void enforce_report(struct volumed *v)
{
	json_t *section = vstate_find(&v->state, "policy");
	uint64_t version = enforce_version(v);

	if (!version || vstate_number(section, "told") == version ||
	    strcmp(enforce_state(v), "enforced"))
		return;
	if (event_put(NULL, v, "policy-enforced", json_pack("{s:I}", "version", (json_int_t)version)))
		return;
	if (json_object_set_new(section, "told", json_integer((json_int_t)version)) ||
	    vstate_save(&v->state))
		volumed_log("the state was not saved", NULL);
}
