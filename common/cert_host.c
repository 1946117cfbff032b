/* Certificates of keys. */
#include "cert_host.h"

#include <string.h>

#define TYP "holdfast-cert"
/* A laptop's clock may be ahead of the server's: a certificate made "tomorrow" is not yet a forgery. */
#define NOT_BEFORE_SLACK_S 86400u

static const struct role {
	const char *name;
	int agrees;
} roles[] = {
	{ "officer", 0 },
	{ "officer-seal", 1 },
	{ "officer-sign-in", 0 },
	{ "server", 0 },
	{ "escrow-help", 1 },
	{ "escrow-recovery", 1 },
	{ "session", 0 },
	{ "user", 0 },
};

static const struct role *role_find(const char *name)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (!strcmp(roles[i].name, name))
			return &roles[i];
	return NULL;
}

/* "kill lock" to ["kill","lock"]. */
static json_t *permissions_to_json(const char *joined)
{
	json_t *array = json_array();

	while (array && *joined) {
		size_t len = strcspn(joined, " ");

		if (len && json_array_append_new(array, json_stringn(joined, len))) {
			json_decref(array);
			return NULL;
		}
		joined += len + (joined[len] == ' ');
	}
	return array;
}

static enum err permissions_from_json(char *ret, size_t size, const json_t *array)
{
	size_t used = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *name = json_string_value(json_array_get(array, i));
		size_t len = name ? strlen(name) : 0;

		if (!len || strspn(name, "abcdefghijklmnopqrstuvwxyz-") != len ||
		    used + 1 + len >= size)
			return ERR_FORMAT;
		if (used)
			ret[used++] = ' ';
		memcpy(ret + used, name, len);
		used += len;
	}
	ret[used] = '\0';
	return OK;
}

static json_t *cert_to_json(const struct cert *c)
{
	JSON *o = json_pack("{s:s, s:s, s:o, s:s, s:I, s:I}", "role", c->role, "subject", c->subject,
			    "jwk", c->agrees ? jwk_of_agree(&c->agree) : jwk_of_sign(&c->sign),
			    "enterprise", c->enterprise,
			    "not_before", (json_int_t)c->not_before,
			    "not_after", (json_int_t)c->not_after);

	if (!o || (*c->permissions &&
		   json_object_set_new(o, "permissions", permissions_to_json(c->permissions))))
		return NULL;
	return json_incref(o);
}

enum err cert_sign(char **ret, const struct cert *c, const struct sign_sk *issuer)
{
	const struct role *role = role_find(c->role);
	JSON *payload = NULL;

	if (!role || role->agrees != c->agrees || (*c->enterprise && hex_check(c->enterprise, 16)) ||
	    c->not_before > INT64_MAX || c->not_after > INT64_MAX)
		return ERR_RANGE;
	payload = cert_to_json(c);
	if (!payload)
		return ERR_MEMORY;
	return jws_sign(ret, TYP, payload, issuer);
}

static enum err key_from_json(struct cert *ret, const json_t *o)
{
	const struct role *role = role_find(ret->role);
	const json_t *jwk = json_object_get(o, "jwk");

	if (!role)
		return ERR_FORMAT;
	ret->agrees = role->agrees;
	return role->agrees ? jwk_to_agree(&ret->agree, jwk) : jwk_to_sign(&ret->sign, jwk);
}

static enum err cert_from_json(struct cert *ret, const json_t *o)
{
	json_t *permissions = NULL;

	if (json_copy_string(ret->role, sizeof ret->role, o, "role") ||
	    json_copy_string(ret->subject, sizeof ret->subject, o, "subject") ||
	    json_copy_string(ret->enterprise, sizeof ret->enterprise, o, "enterprise") ||
	    (*ret->enterprise && hex_check(ret->enterprise, 16)) ||
	    json_get_u64(&ret->not_before, o, "not_before") ||
	    json_get_u64(&ret->not_after, o, "not_after"))
		return ERR_FORMAT;
	if (json_object_get(o, "permissions") &&
	    (json_get_array(&permissions, o, "permissions") ||
	     permissions_from_json(ret->permissions, sizeof ret->permissions, permissions)))
		return ERR_FORMAT;
	return key_from_json(ret, o);
}

int cert_valid_at(const struct cert *c, uint64_t now)
{
	return c->not_before <= now + NOT_BEFORE_SLACK_S && (!c->not_after || now < c->not_after);
}

enum err cert_verify(struct cert *ret, const char *jws, const char *role,
		     const struct sign_pk *issuer, uint64_t now)
{
	struct cert c = { 0 };
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP, jws, issuer);
	if (!e)
		e = cert_from_json(&c, payload);
	if (e)
		return e;
	if (strcmp(c.role, role) != 0)
		return ERR_MISDIRECTED;
	if (now && !cert_valid_at(&c, now))
		return ERR_EXPIRED;
	*ret = c;
	return OK;
}

int cert_permits(const struct cert *c, const char *permission)
{
	size_t len = strlen(permission);
	const char *at = c->permissions;

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word == len && !memcmp(at, permission, len))
			return 1;
		at += word + (at[word] == ' ');
	}
	return 0;
}
