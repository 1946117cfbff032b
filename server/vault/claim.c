/* Claim: the enterprise takes the server over, once. Whoever has the claim secret names the root;
 * the root's signature covers everything else. docs/protocol.md, "Claim". */
#include <string.h>

#include "ops.h"

#define TYP "holdfast-claim"

static enum err read_root(json_t **ret, struct sign_pk *ret_root, const char *bundle)
{
	JSON *peeked = NULL;
	struct sign_pk root;
	enum err e = jws_peek(&peeked, NULL, TYP, bundle);

	if (!e)
		e = jwk_to_sign(&root, json_object_get(peeked, "root"));
	if (!e)
		e = jws_verify(ret, TYP, bundle, &root);
	if (!e)
		*ret_root = root;
	return e;
}

static enum err check_key_cert(struct cert *ret, struct vault *v, const json_t *o,
			       const char *member, const char *role, struct fault *f)
{
	const char *jws;
	enum err e = json_get_string(&jws, o, member);

	if (!e)
		e = cert_verify(ret, jws, role, &v->root, vault_now());
	if (!e && strcmp(ret->enterprise, v->enterprise))
		e = ERR_MISDIRECTED;
	if (!e)
		e = vault_meta_set(v, member, jws);
	if (e)
		return fault_say(f, FAULT_REFUSED, e, "certificate %s: %s", member, err_text(e));
	return OK;
}

static enum err check_certs(struct vault *v, const json_t *o, struct fault *f)
{
	struct cert c;
	enum err e = check_key_cert(&c, v, o, "server", "server", f);

	if (!e &&
	    (memcmp(c.sign.bytes, v->pk.bytes, KEY_BYTES) || strcmp(c.subject, v->enterprise)))
		return fault_say(f, FAULT_REFUSED, ERR_MISDIRECTED,
				 "the certificate server is for another key or enterprise");
	if (!e)
		e = check_key_cert(&c, v, o, "escrow_help", "escrow-help", f);
	if (!e)
		e = check_key_cert(&c, v, o, "escrow_recovery", "escrow-recovery", f);
	return e;
}

static enum err put_officers(json_t **ret_certs, struct vault *v, const json_t *o, struct fault *f)
{
	json_t *officers = NULL, *sheet = json_object_get(o, "recovery_sheet");
	JSON *certs = json_array();
	int managers = 0;
	size_t n;
	enum err e = json_get_array(&officers, o, "officers");

	n = json_array_size(officers);
	if (e || !n || n > 16)
		return fault_say(f, FAULT_BAD_REQUEST, ERR_FORMAT, "officers: 1 to 16 are needed");
	for (size_t i = 0; !e && i < n; i++) {
		struct cert c;
		json_t *officer = json_array_get(officers, i);

		e = vault_officer_put(&c, v, officer, f);
		if (e)
			return e;
		managers += cert_permits(&c, "officers");
		if (json_array_append(certs, json_object_get(officer, "cert")))
			return ERR_MEMORY;
	}
	if (!managers)
		return fault_say(f, FAULT_REFUSED, ERR_DENIED,
				 "no officer has the permission officers");
	if (n < 2 && !json_is_object(sheet))
		return fault_say(f, FAULT_REFUSED, ERR_DENIED,
				 "a second officer or a recovery sheet is needed");
	*ret_certs = json_incref(certs);
	return OK;
}

static enum err put_json(struct vault *v, const json_t *o, const char *member)
{
	TEXT *text = NULL;
	const json_t *value = json_object_get(o, member);
	enum err e;

	if (!json_is_object(value))
		return OK;
	e = json_print(&text, value);
	return e ? e : vault_meta_set(v, member, text);
}

static enum err put_all(struct vault *v, const json_t *o, struct fault *f)
{
	JSON *certs = NULL;
	const char *policy;
	uint64_t version;
	enum err e = vault_meta_set(v, "enterprise", v->enterprise);

	if (!e)
		e = put_json(v, o, "root");
	if (!e)
		e = put_json(v, o, "recovery_sheet");
	if (!e)
		e = check_certs(v, o, f);
	if (!e)
		e = put_officers(&certs, v, o, f);
	if (!e && json_get_string(&policy, o, "policy"))
		e = fault_say(f, FAULT_BAD_REQUEST, ERR_FORMAT, "policy is missing");
	if (!e)
		e = vault_policy_put(&version, v, policy, certs, f);
	return e;
}

static enum err claim_with(struct vault *v, const json_t *o, struct fault *f)
{
	enum err e = json_copy_string(v->enterprise, sizeof(v->enterprise), o, "enterprise");

	if (e || !name_is_hex(v->enterprise, ID_TEXT - 1))
		return fault_say(f, FAULT_BAD_REQUEST, ERR_FORMAT,
				 "enterprise: 32 hex digits are needed");
	e = db_begin(v->db);
	if (!e)
		e = put_all(v, o, f);
	if (!e)
		e = db_commit(v->db);
	return e;
}

enum err vault_op_CLAIM(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			struct fault *f)
{
	const char *bundle = ask->value[0].text;
	uint8_t secret[KEY_BYTES];
	struct sign_pk root;
	JSON *o = NULL;
	int proven;
	enum err e;

	if (v->claimed)
		return fault_say(f, FAULT_CLAIMED, ERR_EXISTS, "this server is claimed already");
	vault_derive(secret, v, "claim", "");
	proven = vault_hmac_holds(secret, bundle, ask->value[1].text);
	secret_wipe(secret, sizeof(secret));
	if (!proven)
		return fault_say(f, FAULT_PROOF, ERR_AUTH, "the claim secret is another one");
	e = read_root(&o, &root, bundle);
	if (e)
		return fault_say(f, FAULT_REFUSED, e, "the bundle: %s", err_text(e));
	v->root = root;
	e = claim_with(v, o, f);
	if (e) {
		memset(v->enterprise, 0, sizeof(v->enterprise));
		return e;
	}
	v->claimed = 1;
	vaultmsg_add_text(reply, v->enterprise);
	return OK;
}
