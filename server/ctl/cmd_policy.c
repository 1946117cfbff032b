/* holdfast-ctl policy: show the present one, or sign a new version with changed settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/command_host.h"
#include "ctl.h"
#include "link.h"

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

static int show(const struct ctl *ctl, struct link *l)
{
	static const char text_form[] = "version          %llu\none_time_codes   %u\nkdf_memory_kib   %u\n"
					"kdf_passes       %u\nsync_interval_s  %u\n";
	static const char json_form[] = "{\"version\": %llu, \"settings\": {\"one_time_codes\": %u, "
					"\"kdf_memory_kib\": %u, \"kdf_passes\": %u, \"sync_interval_s\": %u}}\n";
	JSON *settings = NULL;
	struct policy_settings p;
	const char *wrong = NULL;
	uint64_t version;
	enum err e;
	int status = fetch(&settings, &version, l);

	if (status)
		return status;
	e = policy_read(&p, &wrong, settings);
	if (e)
		return ctl_fail(e, "setting %s of policy version %llu", wrong ? wrong : "",
				(unsigned long long)version);
	printf(ctl->json ? json_form : text_form, (unsigned long long)version, p.one_time_codes, p.kdf_memory_kib,
	       p.kdf_passes, p.sync_interval_s);
	return CTL_DONE;
}

/* NAME=VALUE into the settings; whether name and value are good is policy_read's to say. */
static int change(json_t *settings, const char *argument)
{
	const char *equals = strchr(argument, '=');
	char name[64], *end = "";
	long long value;

	if (!equals || equals == argument || (size_t)(equals - argument) >= sizeof name)
		return ctl_usage("policy", "'%s' is not NAME=VALUE", argument);
	memcpy(name, argument, (size_t)(equals - argument));
	name[equals - argument] = '\0';
	value = strtoll(equals + 1, &end, 10);
	if (!equals[1] || *end)
		return ctl_usage("policy", "'%s' is no number", equals + 1);
	return json_object_set_new(settings, name, json_integer(value)) ? ctl_fail(ERR_MEMORY, "policy") : CTL_DONE;
}

static int publish(struct link *l, json_t *settings, uint64_t version)
{
	struct policy p = { .version = version, .issued = (uint64_t)time(NULL), .settings = settings };
	struct policy_settings checked;
	const char *wrong = NULL;
	TEXT *jws = NULL;
	JSON *body = NULL;
	JSON *answer = NULL;
	enum err e = policy_read(&checked, &wrong, settings);
	int status;

	if (e)
		return ctl_fail(e, "setting %s", wrong ? wrong : "");
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

static int set(struct link *l, int argc, char **argv)
{
	JSON *settings = NULL;
	uint64_t version;
	int status = fetch(&settings, &version, l);

	for (int i = 1; !status && i < argc; i++)
		status = change(settings, argv[i]);
	return status ? status : publish(l, settings, version + 1);
}

int cmd_policy(const struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	LINK l = { 0 };
	int status;

	if (strcmp(verb, "set") ? strcmp(verb, "show") || argc != 2 : argc < 3)
		return ctl_usage("policy", "say: policy show, or policy set NAME=VALUE...");
	status = link_open(&l, ctl);
	if (status)
		return status;
	return strcmp(verb, "set") ? show(ctl, &l) : set(&l, argc - 1, argv + 1);
}
