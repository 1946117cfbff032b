/* Officers: certificates by the root, keys that they alone can unwrap, and what they may. */
#include <sodium.h>
#include <string.h>

#include "ops.h"

#define WRAPPED_MAX ((size_t)16 << 10)
#define SALT_BYTES 16

struct officer {
	const char *name, *cert, *seal_cert, *sign_in_cert, *salt;
	uint64_t memory_kib, passes;
	json_t *wrapped_keys, *wrapped_escrow_keys;
};

static enum err officer_read(struct officer *ret, const json_t *o)
{
	uint8_t salt[SALT_BYTES];
	struct officer r;

	if (json_get_string(&r.name, o, "name") || json_get_string(&r.cert, o, "cert") ||
	    json_get_string(&r.seal_cert, o, "seal_cert") ||
	    json_get_string(&r.sign_in_cert, o, "sign_in_cert") ||
	    json_get_b64(salt, sizeof(salt), o, "salt") || json_get_string(&r.salt, o, "salt") ||
	    json_get_u64(&r.memory_kib, o, "kdf_memory_kib") ||
	    json_get_u64(&r.passes, o, "kdf_passes") ||
	    json_get_object(&r.wrapped_keys, o, "wrapped_keys") ||
	    json_get_object(&r.wrapped_escrow_keys, o, "wrapped_escrow_keys"))
		return ERR_FORMAT;
	if (!name_is_officer(r.name) || r.memory_kib < 8 || r.memory_kib > (4u << 20) ||
	    !r.passes || r.passes > 64)
		return ERR_FORMAT;
	*ret = r;
	return OK;
}

/* role must be NAME's, of this enterprise, by this issuer. */
static enum err cert_holds(struct cert *ret, struct vault *v, const char *jws, const char *role,
			   const struct officer *o, const struct sign_pk *issuer, struct fault *f)
{
	enum err e = cert_verify(ret, jws, role, issuer, vault_now());

	if (e)
		return fault_say(f, FAULT_REFUSED, e, "certificate %s of officer %s: %s", role,
				 o->name, err_text(e));
	if (strcmp(ret->subject, o->name) || strcmp(ret->enterprise, v->enterprise))
		return fault_say(f, FAULT_REFUSED, ERR_MISDIRECTED,
				 "certificate %s names another officer or enterprise than %s", role,
				 o->name);
	return OK;
}

static enum err insert(struct vault *v, const struct officer *o, const struct cert *cert)
{
	TEXT *keys = NULL, *escrow = NULL;
	char kid[KID_BYTES];
	enum err e = json_print(&keys, o->wrapped_keys);

	if (!e)
		e = json_print(&escrow, o->wrapped_escrow_keys);
	if (e)
		return e;
	if (strlen(keys) > WRAPPED_MAX || strlen(escrow) > WRAPPED_MAX)
		return ERR_RANGE;
	kid_of_sign(kid, &cert->sign);
	return db_run(v->db,
		      "INSERT INTO officers (name, kid, cert, seal_cert, sign_in_cert, salt,"
		      " kdf_memory_kib, kdf_passes, wrapped_keys, wrapped_escrow_keys, added)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "ttttttnnttn", o->name, kid, o->cert, o->seal_cert, o->sign_in_cert, o->salt,
		      o->memory_kib, o->passes, keys, escrow, vault_now());
}

enum err vault_officer_put(struct cert *ret, struct vault *v, const json_t *officer,
			   struct fault *f)
{
	struct officer o;
	struct cert cert, other;
	enum err e = officer_read(&o, officer);

	if (e)
		return fault_say(f, FAULT_BAD_REQUEST, e,
				 "an officer object lacks a member, or one is out of bounds");
	e = cert_holds(&cert, v, o.cert, "officer", &o, &v->root, f);
	if (!e)
		e = cert_holds(&other, v, o.seal_cert, "officer-seal", &o, &v->root, f);
	if (!e)
		e = cert_holds(&other, v, o.sign_in_cert, "officer-sign-in", &o, &cert.sign, f);
	if (!e)
		e = insert(v, &o, &cert);
	if (e == ERR_EXISTS)
		return fault_say(f, FAULT_EXISTS, e, "there is an officer %s already", o.name);
	if (!e)
		*ret = cert;
	return e;
}

/* The root appoints officers and reads what that takes; for everything else there are officers. */
static enum err root_check(struct cert *ret, const char *permission, struct fault *f)
{
	struct cert root = { .role = "officer", .subject = VAULT_ROOT, .permissions = "officers" };

	if (permission && !cert_permits(&root, permission))
		return fault_say(f, FAULT_NOT_ALLOWED, ERR_DENIED,
				 "the officer root appoints officers, nothing else");
	*ret = root;
	return OK;
}

enum err vault_officer_check(struct cert *ret, char **ret_cert_text, struct vault *v,
			     const char *session, const char *permission, struct fault *f)
{
	DB_ROWS rows = { 0 };
	struct vault_session *s;
	enum err e = vault_session_find(&s, v, session, 0, f);

	if (!e && !strcmp(s->officer, VAULT_ROOT))
		return root_check(ret, permission, f);
	if (!e)
		e = db_query(&rows, v->db, "SELECT cert FROM officers WHERE name = ?", "t",
			     s->officer);
	if (!e)
		e = db_next(&rows);
	if (!e)
		e = cert_verify(ret, db_text(&rows, 0), "officer", &v->root, vault_now());
	if (e)
		return fault_say(f, FAULT_NOT_ALLOWED, e, "the officer's certificate: %s",
				 err_text(e));
	if (permission && *permission && !cert_permits(ret, permission))
		return fault_say(f, FAULT_NOT_ALLOWED, ERR_DENIED, "this needs the permission %s",
				 permission);
	if (ret_cert_text && !(*ret_cert_text = strdup(db_text(&rows, 0))))
		return ERR_MEMORY;
	return OK;
}

enum err vault_op_SIGN_IN(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			  struct fault *f)
{
	const char *name = ask->value[0].text;
	uint8_t made_up[KEY_BYTES];
	DB_ROWS rows = { 0 };
	TEXT *salt = NULL;
	enum err e = db_query(&rows, v->db,
			      "SELECT salt, kdf_memory_kib, kdf_passes FROM officers"
			      " WHERE name = ?",
			      "t", name);

	(void)f;
	if (!e)
		e = db_next(&rows);
	if (!e) {
		vaultmsg_add_text(reply, db_text(&rows, 0));
		vaultmsg_add_number(reply, db_number(&rows, 1));
		vaultmsg_add_number(reply, db_number(&rows, 2));
		return OK;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	/* The same shape and cost as a known name's, so that nobody can list the officers. */
	db_rows_drop(&rows);
	vault_derive(made_up, v, "sign-in salt", name);
	e = b64_encode(&salt, made_up, SALT_BYTES);
	if (!e)
		e = db_query(&rows, v->db,
			     "SELECT kdf_memory_kib, kdf_passes FROM officers"
			     " ORDER BY added, name LIMIT 1",
			     "");
	if (!e)
		e = db_next(&rows);
	vaultmsg_add_text(reply, salt);
	vaultmsg_add_number(reply, e ? 262144 : db_number(&rows, 0));
	vaultmsg_add_number(reply, e ? 4 : db_number(&rows, 1));
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err vault_op_ME(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
		     struct fault *f)
{
	struct cert cert;
	DB_ROWS rows = { 0 };
	JSON *keys = NULL, *escrow = NULL, *me = NULL;
	TEXT *text = NULL;
	enum err e = vault_officer_check(&cert, NULL, v, ask->value[0].text, VAULT_ANY_OFFICER, f);

	if (!e)
		e = db_query(&rows, v->db,
			     "SELECT cert, seal_cert, sign_in_cert, wrapped_keys,"
			     " wrapped_escrow_keys FROM officers WHERE name = ?",
			     "t", cert.subject);
	if (!e)
		e = db_next(&rows);
	if (!e)
		e = json_parse(&keys, db_text(&rows, 3), strlen(db_text(&rows, 3)));
	if (!e)
		e = json_parse(&escrow, db_text(&rows, 4), strlen(db_text(&rows, 4)));
	if (e)
		return e;
	me = json_pack("{s:s,s:s,s:s,s:s,s:O,s:O}", "name", cert.subject, "cert", db_text(&rows, 0),
		       "seal_cert", db_text(&rows, 1), "sign_in_cert", db_text(&rows, 2),
		       "wrapped_keys", keys, "wrapped_escrow_keys", escrow);
	e = me ? json_print(&text, me) : ERR_MEMORY;
	vaultmsg_add_text(reply, text);
	return e;
}

/* "kill lock" as an array. */
static json_t *words(const char *joined)
{
	json_t *array = json_array();

	while (*joined) {
		size_t len = strcspn(joined, " ");

		json_array_append_new(array, json_stringn(joined, len));
		joined += len + (joined[len] == ' ');
	}
	return array;
}

static json_t *listed(struct vault *v, const struct db_rows *rows)
{
	struct cert cert;

	/* Out of date is no reason to hide an officer: the time is not checked. */
	if (cert_verify(&cert, db_text(rows, 2), "officer", &v->root, 0))
		return NULL;
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:o}", "name", db_text(rows, 0), "kid",
			 db_text(rows, 1), "cert", db_text(rows, 2), "seal_cert", db_text(rows, 3),
			 "added", (json_int_t)db_number(rows, 4), "permissions",
			 words(cert.permissions));
}

enum err vault_op_OFFICERS(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			   struct fault *f)
{
	struct cert cert;
	DB_ROWS rows = { 0 };
	JSON *list = json_array();
	TEXT *text = NULL;
	enum err e = vault_officer_check(&cert, NULL, v, ask->value[0].text, "officers", f);

	if (!e)
		e = db_query(&rows, v->db,
			     "SELECT name, kid, cert, seal_cert, added FROM officers"
			     " ORDER BY name",
			     "");
	while (!e && !(e = db_next(&rows)))
		if (json_array_append_new(list, listed(v, &rows)))
			e = ERR_CHANGED;
	if (e == ERR_NOT_FOUND)
		e = json_print(&text, list);
	vaultmsg_add_text(reply, text);
	return e;
}

enum err vault_op_OFFICER_ADD(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			      struct fault *f)
{
	struct cert officer, added;
	JSON *o = NULL;
	enum err e = vault_officer_check(&officer, NULL, v, ask->value[0].text, "officers", f);

	if (!e)
		e = json_parse(&o, ask->value[1].text, ask->value[1].len);
	if (!e)
		e = vault_officer_put(&added, v, o, f);
	vaultmsg_add_text(reply, e ? "" : added.subject);
	return e;
}
