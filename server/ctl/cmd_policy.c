/* holdfast-ctl policy: show the present one, or sign a new version with changed settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/command_host.h"
#include "ctl.h"
#include "link.h"
#include "setting.h"

/* The settings that an officer has signed, not those that the server names: they will be signed again. */
static int fetch(json_t **ret_settings, uint64_t *ret_version, struct link *l)
{
	struct command_trust trust = { .root = l->profile.root, .server = l->profile.server,
				       .now = (uint64_t)time(NULL) };
	struct policy p = { 0 };
	JSON *answer = NULL;
	json_t *certs;
	const char *jws;
	enum err e;
	int status = link_call(&answer, l, "GET", "/v1/policy-draft", NULL, LINK_TIMEOUT_MS);

	if (status)
		return status;
	strcpy(trust.enterprise, l->profile.enterprise);
	e = json_get_string(&jws, answer, "policy");
	if (!e)
		e = json_get_array(&certs, answer, "certs");
	if (!e)
		e = policy_verify(&p, jws, certs, &trust, 0);
	if (e)
		return ctl_fail(e, "the present policy, as the server shows it, against the officer root");
	*ret_settings = json_incref(p.settings);
	*ret_version = p.version;
	policy_drop(&p);
	return CTL_DONE;
}

static int show_json(const struct policy_settings *p, uint64_t version)
{
	JSON *o = json_pack("{s:I, s:{}}", "version", (json_int_t)version, "settings");
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++)
		if (json_object_set_new(json_object_get(o, "settings"), table[i].name,
					setting_json(&table[i], p)))
			return ctl_fail(ERR_MEMORY, "policy");
	if (json_dumpf(o, stdout, JSON_INDENT(2)))
		return CTL_FAILED;
	puts("");
	return CTL_DONE;
}

static int show(const struct ctl *ctl, struct link *l)
{
	char why[SETTING_WHY_BYTES] = "";
	POLICY_SETTINGS p = { 0 };
	JSON *settings = NULL;
	uint64_t version;
	size_t count;
	const struct setting *table = settings_table(&count);
	enum err e;
	int status = fetch(&settings, &version, l);

	if (status)
		return status;
	e = policy_read(&p, why, settings);
	if (e)
		return ctl_fail(e, "policy version %llu: %s", (unsigned long long)version, why);
	if (ctl->json)
		return show_json(&p, version);
	printf("%-20s %llu\n", "version", (unsigned long long)version);
	for (size_t i = 0; i < count; i++)
		setting_print(stdout, &table[i], &p);
	return CTL_DONE;
}

/* NAME=VALUE into the settings; whether the value is within its bounds is policy_read's to say. */
static int change(json_t *settings, const char *argument)
{
	const char *equals = strchr(argument, '=');
	const struct setting *known;
	json_t *value = NULL;
	char name[64];
	int status;

	if (!equals || equals == argument || (size_t)(equals - argument) >= sizeof name)
		return ctl_usage("policy", "'%s' is not NAME=VALUE", argument);
	memcpy(name, argument, (size_t)(equals - argument));
	name[equals - argument] = '\0';
	known = setting_find(name);
	if (!known)
		return ctl_usage("policy", "there is no setting '%s'", name);
	status = setting_parse(&value, known, equals + 1);
	if (status)
		return status;
	return json_object_set_new(settings, name, value) ? ctl_fail(ERR_MEMORY, "policy") : CTL_DONE;
}

static int publish(struct link *l, json_t *settings, uint64_t version)
{
	struct policy p = { .version = version, .issued = (uint64_t)time(NULL), .settings = settings };
	TEXT *jws = NULL;
	JSON *body = NULL;
	JSON *answer = NULL;
	enum err e;
	int status;

	strcpy(p.enterprise, l->profile.enterprise);
	e = policy_sign(&jws, &p, &l->keys.sign);
	if (e)
		return ctl_fail(e, "signing the policy");
	body = json_pack("{s:s}", "policy", jws);
	status = link_call(&answer, l, "PUT", "/v1/policies/default", body, LINK_TIMEOUT_MS);
	if (!status)
		printf("Policy version %llu is published.\n", (unsigned long long)version);
	return status;
}

/* Nothing is signed that the laptops would refuse. */
static int check(const json_t *settings)
{
	char why[SETTING_WHY_BYTES] = "";
	POLICY_SETTINGS checked = { 0 };
	enum err e = policy_read(&checked, why, settings);

	return e == ERR_RANGE ? ctl_usage("policy", "%s", why) : e ? ctl_fail(e, "policy") : CTL_DONE;
}

static int set(struct link *l, json_t *changes)
{
	JSON *settings = NULL;
	uint64_t version;
	int status = fetch(&settings, &version, l);

	if (!status && json_object_update(settings, changes))
		status = ctl_fail(ERR_MEMORY, "policy");
	if (!status)
		status = check(settings);
	return status ? status : publish(l, settings, version + 1);
}

int cmd_policy(const struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	JSON *changes = json_object();
	LINK l = { 0 };
	int status = CTL_DONE;

	if (strcmp(verb, "set") ? strcmp(verb, "show") || argc != 2 : argc < 3)
		return ctl_usage("policy", "say: policy show, or policy set NAME=VALUE...");
	for (int i = 2; !status && i < argc; i++)
		status = change(changes, argv[i]);
	if (!status)
		status = link_open(&l, ctl);
	if (status)
		return status;
	return strcmp(verb, "set") ? show(ctl, &l) : set(&l, changes);
}
