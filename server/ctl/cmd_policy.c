/* holdfast-ctl policy: show the present one, or sign a new version with changed settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/command_host.h"
#include "ctl.h"
#include "link.h"

static int fetch(json_t **ret_settings, uint64_t *ret_version, struct link *l)
{
	JSON *answer = NULL;
	json_t *settings;
	enum err e;
	int status = link_call(&answer, l, "GET", "/v1/policy-draft", NULL, LINK_TIMEOUT_MS);

	if (status)
		return status;
	e = json_get_u64(ret_version, answer, "version");
	if (!e)
		e = json_get_object(&settings, answer, "settings");
	if (e)
		return ctl_fail(e, "the server's policy");
	*ret_settings = json_incref(settings);
	return CTL_DONE;
}

static int show(struct link *l)
{
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
	printf("version          %llu\none_time_codes   %u\nkdf_memory_kib   %u\nkdf_passes       %u\n"
	       "sync_interval_s  %u\n",
	       (unsigned long long)version, p.one_time_codes, p.kdf_memory_kib, p.kdf_passes, p.sync_interval_s);
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
	return strcmp(verb, "set") ? show(&l) : set(&l, argc - 1, argv + 1);
}
