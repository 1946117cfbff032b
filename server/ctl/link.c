#include "link.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cert_host.h"
#include "passphrase.h"

void link_drop(struct link *l)
{
	rest_drop(&l->rest);
	json_drop(&l->me);
	officer_branches_drop(&l->branches);
	officer_keys_drop(&l->keys);
}

static int choose_officer(struct link *l, const struct ctl *ctl)
{
	enum err e;

	if (ctl->officer) {
		if (!officer_name_valid(ctl->officer))
			return ctl_usage("", "'%s' is no officer's name", ctl->officer);
		strcpy(l->name, ctl->officer);
		return CTL_DONE;
	}
	e = officer_key_file_find(l->name, ctl->dir);
	if (e == ERR_RANGE)
		return ctl_usage("", "%s has several officers' key files: say --officer NAME", ctl->dir);
	if (e)
		return ctl_fail(e, "officer key file in %s (set up with 'init', or copy yours there)", ctl->dir);
	return CTL_DONE;
}

static int connect_server(struct link *l, const struct ctl *ctl)
{
	struct rest_target target = { 0 };
	enum err e = profile_read(&l->profile, ctl->dir);

	if (e)
		return ctl_fail(e, "profile in %s (set up with 'init', or copy profile.json there)", ctl->dir);
	target.url = l->profile.url;
	target.pin = *l->profile.pin ? l->profile.pin : NULL;
	target.server = l->profile.server;
	e = rest_new(&l->rest, &target);
	return e ? ctl_fail(e, "server %s", l->profile.url) : CTL_DONE;
}

static enum err read_kdf(struct officer_kdf *ret, const char *text)
{
	JSON *o = NULL;
	uint64_t memory, passes;
	enum err e = json_parse(&o, text, strlen(text));

	if (!e)
		e = json_get_b64(ret->salt, sizeof ret->salt, o, "salt");
	if (!e)
		e = json_get_u64(&memory, o, "kdf_memory_kib");
	if (!e)
		e = json_get_u64(&passes, o, "kdf_passes");
	if (!e && (memory > UINT32_MAX || passes > UINT32_MAX))
		e = ERR_RANGE;
	if (e)
		return e;
	ret->memory_kib = (uint32_t)memory;
	ret->passes = (uint32_t)passes;
	return OK;
}

static enum err fetch_kdf(struct officer_kdf *ret, struct link *l)
{
	char path[OFFICER_NAME_MAX + 40];
	TEXT *answer = NULL;
	int status = 0;
	enum err e;

	snprintf(path, sizeof path, "/v1/officers/%s/sign-in", l->name);
	e = rest_plain(&answer, &status, l->rest, "GET", path, NULL);
	if (!e && status != 200)
		e = ERR_DENIED;
	return e ? e : read_kdf(ret, answer);
}

static int derive(struct link *l, const struct ctl *ctl)
{
	SECRET struct secret passphrase = { 0 }, key_file = { 0 };
	struct officer_kdf kdf = { 0 };
	char prompt[OFFICER_NAME_MAX + 32];
	enum err e = officer_key_file_read(&key_file, ctl->dir, l->name);

	if (e)
		return ctl_fail(e, "key file of officer %s in %s", l->name, ctl->dir);
	e = fetch_kdf(&kdf, l);
	if (e)
		return ctl_fail(e, "signing in at %s (%s)", l->profile.url, rest_problem(l->rest));
	snprintf(prompt, sizeof prompt, "Passphrase of %s: ", l->name);
	e = passphrase_read(&passphrase, ctl->passphrase_file, prompt);
	if (e)
		return ctl_fail(e, "passphrase of %s", l->name);
	e = officer_derive(&l->branches, &passphrase, &key_file, &kdf);
	return e ? ctl_fail(e, "cost of the passphrase that the server asks for") : CTL_DONE;
}

/* name: an officer's, or ROOT. */
static int sign_in(struct link *l, const char *name, const struct sign_sk *key)
{
	char sub[OFFICER_NAME_MAX + 16];
	TEXT *scope = NULL;
	JSON *certs = json_array();
	enum err e;

	snprintf(sub, sizeof sub, "officer:%s", name);
	e = rest_open(l->rest, sub, certs, key);
	if (!e)
		e = rest_confirm(&scope, l->rest, NULL, 0, key);
	if (!e && strcmp(scope, "officer"))
		e = ERR_DENIED;
	if (e)
		return ctl_fail(e, "signing in as %s at %s (%s)", name, l->profile.url, rest_problem(l->rest));
	return CTL_DONE;
}

static int unwrap_keys(struct link *l)
{
	json_t *wrapped;
	const char *jwe;
	enum err e;
	int status = link_call(&l->me, l, "GET", "/v1/me", NULL, LINK_TIMEOUT_MS);

	if (status)
		return status;
	e = json_get_object(&wrapped, l->me, "wrapped_keys");
	if (!e)
		e = json_get_string(&jwe, wrapped, "jwe");
	if (!e)
		e = officer_keys_unwrap(&l->keys, jwe, &l->branches);
	return e ? ctl_fail(e, "keys of officer %s as the server keeps them", l->name) : CTL_DONE;
}

int link_open(struct link *ret, const struct ctl *ctl)
{
	int status = choose_officer(ret, ctl);

	if (!status)
		status = connect_server(ret, ctl);
	if (!status)
		status = derive(ret, ctl);
	if (!status)
		status = sign_in(ret, ret->name, &ret->branches.sign_in);
	if (!status)
		status = unwrap_keys(ret);
	return status;
}

int link_open_root(struct link *ret, const struct ctl *ctl, const struct sign_sk *root)
{
	int status = connect_server(ret, ctl);

	return status ? status : sign_in(ret, "ROOT", root);
}

int link_try(json_t **ret, int *ret_status, struct link *l, const char *method, const char *path,
	     const json_t *body, uint32_t timeout_ms)
{
	enum err e = rest_call(ret, ret_status, l->rest, method, path, body, timeout_ms, -1);

	if (e)
		return ctl_fail(e, "%s (%s)", l->profile.url, rest_problem(l->rest));
	return CTL_DONE;
}

/* The words that the server gives for a refusal. */
int link_refused(const json_t *error)
{
	const char *message = "refused", *hint = "";
	char first[400], second[400];

	(void)!json_get_string(&message, error, "message");
	(void)!json_get_string(&hint, error, "hint");
	fprintf(stderr, "holdfast-ctl: the server says: %s%s%s\n", ctl_plain(first, sizeof first, message),
		*hint ? ". " : "", ctl_plain(second, sizeof second, hint));
	return CTL_REFUSED;
}

int link_call(json_t **ret, struct link *l, const char *method, const char *path, const json_t *body,
	      uint32_t timeout_ms)
{
	JSON *answer = NULL;
	int http = 0, status = link_try(&answer, &http, l, method, path, body, timeout_ms);

	if (status)
		return status;
	if (http < 200 || http > 299)
		return link_refused(answer);
	*ret = answer;
	answer = NULL;
	return CTL_DONE;
}
