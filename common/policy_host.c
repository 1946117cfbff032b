/* Policies: signed by an officer, checked by everybody who stores or obeys them. */
#include <string.h>

#include "chain_host.h"

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
