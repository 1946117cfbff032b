#include "policy_fetch.h"

#include <stdio.h>
#include <string.h>

#include "common/command_host.h"
#include "link.h"

#define GET_TIMEOUT_MS 60000

/* Only to know how often to ask: volumed alone decides what holds. */
static void read_interval(uint32_t *ret, const char *policy)
{
	char why[SETTING_WHY_BYTES];
	POLICY_SETTINGS settings = { 0 };
	JSON *payload = NULL;
	json_t *o;

	if (!jws_peek(&payload, NULL, "holdfast-policy", policy) &&
	    !json_get_object(&o, payload, "settings") && !policy_read(&settings, why, o))
		*ret = settings.sync_interval_s;
}

static enum err hand_over(struct channel *c, const char *policy, const json_t *certs)
{
	struct link l = { .path = c->site->volumed_path };
	TEXT *text = NULL;
	enum err e = json_print(&text, certs);

	if (e)
		return e;
	e = link_policy(&l, policy, text);
	if (!e)
		return OK;
	snprintf(c->problem, sizeof(c->problem), "holdfast-volumed does not take the policy: %s",
		 *l.about ? l.about : err_text(e));
	if (!link_is_final(&l, e))
		return e;
	contact_problem(&c->site->contact, CONTACT_REFUSED, c->problem, 0);
	return OK;
}

enum err policy_fetch(struct policy_fetched *ret, struct channel *c)
{
	CHANNEL_ANSWER a = { 0 };
	const char *policy;
	json_t *certs;
	uint64_t version;
	enum err e = channel_call(&a, c, "GET", "/v1/policy", NULL, GET_TIMEOUT_MS);

	if (e)
		return e;
	if (a.status / 100 != 2)
		return ERR_NETWORK;
	if (json_get_string(&policy, a.body, "policy") || json_get_array(&certs, a.body, "certs") ||
	    json_get_u64(&version, a.body, "version")) {
		snprintf(c->problem, sizeof(c->problem), "the server's answer holds no policy");
		return ERR_FORMAT;
	}
	e = hand_over(c, policy, certs);
	if (e)
		return e;
	read_interval(&ret->interval_s, policy);
	ret->version = version;
	return OK;
}
