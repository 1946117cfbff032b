/* Policies: signed by an officer with the permission, each with a greater version than the one
 * before. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

void vault_policy_drop(struct vault_policy *p)
{
	free(p->jws);
	free(p->certs);
	free(p->settings);
	*p = (struct vault_policy){ 0 };
}

enum err vault_policy_find(struct vault_policy *ret, struct vault *v)
{
	DB_ROWS rows = { 0 };
	struct vault_policy p = { 0 };
	enum err e = db_query(&rows, v->db,
			      "SELECT version, jws, certs, settings FROM policies"
			      " ORDER BY version DESC LIMIT 1",
			      "");

	if (!e)
		e = db_next(&rows);
	if (e)
		return e;
	p.version = db_number(&rows, 0);
	p.jws = strdup(db_text(&rows, 1));
	p.certs = strdup(db_text(&rows, 2));
	p.settings = strdup(db_text(&rows, 3));
	if (!p.jws || !p.certs || !p.settings) {
		vault_policy_drop(&p);
		return ERR_MEMORY;
	}
	*ret = p;
	return OK;
}

static enum err present_version(uint64_t *ret, struct vault *v)
{
	struct vault_policy p = { 0 };
	enum err e = vault_policy_find(&p, v);

	if (e && e != ERR_NOT_FOUND)
		return e;
	*ret = p.version;
	vault_policy_drop(&p);
	return OK;
}

static enum err settings_check(const json_t *settings, struct fault *f)
{
	POLICY_SETTINGS parsed = { 0 };
	char why[SETTING_WHY_BYTES] = "";
	enum err e = policy_read(&parsed, why, settings);

	return e == ERR_RANGE ? fault_say(f, FAULT_REFUSED, e, "setting %s", why) : e;
}

/* Of the certificates that were offered, the signer's: [cert]. */
static enum err signer_of(json_t **ret, struct vault *v, const char *jws, const json_t *certs)
{
	char kid[KID_BYTES], have[KID_BYTES];
	JSON *ignored = NULL;
	struct cert c;
	enum err e = jws_peek(&ignored, kid, "holdfast-policy", jws);

	for (size_t i = 0; !e && i < json_array_size(certs); i++) {
		const char *cert = json_string_value(json_array_get(certs, i));

		if (!cert || cert_verify(&c, cert, "officer", &v->root, 0))
			continue;
		kid_of_sign(have, &c.sign);
		if (strcmp(kid, have))
			continue;
		*ret = json_pack("[s]", cert);
		return *ret ? OK : ERR_MEMORY;
	}
	return e ? e : ERR_SIGNATURE;
}

static enum err insert(struct vault *v, const struct policy *p, const char *jws,
		       const json_t *certs)
{
	TEXT *certs_text = NULL, *settings = NULL;
	JSON *signer = NULL;
	enum err e = signer_of(&signer, v, jws, certs);

	if (!e)
		e = json_print(&certs_text, signer);
	if (!e)
		e = json_print(&settings, p->settings);
	if (!e)
		e = db_run(
			v->db,
			"INSERT INTO policies (version, jws, certs, settings) VALUES (?, ?, ?, ?)",
			"nttt", p->version, jws, certs_text, settings);
	return e;
}

enum err vault_policy_put(uint64_t *ret_version, struct vault *v, const char *jws,
			  const json_t *certs, struct fault *f)
{
	struct command_trust trust;
	struct policy p = { 0 };
	uint64_t present = 0;
	enum err e = present_version(&present, v);

	if (e)
		return e;
	vault_trust(&trust, v);
	e = policy_verify(&p, jws, certs, &trust, present + 1);
	if (e == ERR_ROLLBACK)
		return fault_say(f, FAULT_VERSION_TAKEN, e, "the present version is %llu",
				 (unsigned long long)present);
	if (e)
		return fault_say(f, FAULT_REFUSED, e, "the policy: %s", err_text(e));
	e = settings_check(p.settings, f);
	if (!e)
		e = insert(v, &p, jws, certs);
	if (!e)
		*ret_version = p.version;
	policy_drop(&p);
	return e;
}

enum err vault_op_POLICY_PUT(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			     struct fault *f)
{
	struct vault_policy p = { 0 };
	struct cert officer;
	TEXT *cert = NULL;
	JSON *certs = NULL;
	uint64_t version;
	enum err e = vault_officer_check(&officer, &cert, v, ask->value[0].text, "policy", f);

	if (e)
		return e;
	certs = json_pack("[s]", cert);
	e = certs ? vault_policy_put(&version, v, ask->value[1].text, certs, f) : ERR_MEMORY;
	if (!e)
		e = vault_policy_find(&p, v);
	if (e)
		return e;
	vaultmsg_add_number(reply, p.version);
	vaultmsg_add_text(reply, p.jws);
	vaultmsg_add_text(reply, p.certs);
	vaultmsg_add_text(reply, p.settings);
	vault_policy_drop(&p);
	return OK;
}
