/* Texts of the enterprise as a whole, and the answers that are made of them alone. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

enum err vault_meta_get(char **ret, struct vault *v, const char *name)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, v->db, "SELECT text FROM meta WHERE name = ?", "t", name);
	char *text;

	if (!e)
		e = db_next(&rows);
	if (e && e != ERR_NOT_FOUND)
		return e;
	text = strdup(e ? "" : db_text(&rows, 0));
	if (!text)
		return ERR_MEMORY;
	*ret = text;
	return OK;
}

enum err vault_meta_set(struct vault *v, const char *name, const char *text)
{
	return db_run(v->db,
		      "INSERT INTO meta (name, text) VALUES (?, ?)"
		      " ON CONFLICT (name) DO UPDATE SET text = excluded.text",
		      "tt", name, text);
}

enum err vault_load(struct vault *v)
{
	TEXT *enterprise = NULL, *root = NULL;
	JSON *jwk = NULL;
	enum err e = vault_meta_get(&enterprise, v, "enterprise");

	if (!e)
		e = vault_meta_get(&root, v, "root");
	if (e || !*enterprise)
		return e;
	e = json_parse(&jwk, root, strlen(root));
	if (!e)
		e = jwk_to_sign(&v->root, jwk);
	if (e || !name_is_hex(enterprise, ID_TEXT - 1))
		return e ? e : ERR_FORMAT;
	memcpy(v->enterprise, enterprise, ID_TEXT);
	v->claimed = 1;
	return OK;
}

enum err vault_op_HELLO(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			struct fault *f)
{
	uint8_t secret[KEY_BYTES] = { 0 };

	(void)ask;
	if (v->hello_done)
		return fault_say(f, FAULT_NOT_ALLOWED, ERR_DENIED, "asked twice");
	v->hello_done = 1;
	if (!v->claimed)
		vault_derive(secret, v, "claim", "");
	vaultmsg_add_key(reply, v->pk.bytes);
	vaultmsg_add_number(reply, (uint64_t)v->claimed);
	vaultmsg_add_key(reply, secret);
	vaultmsg_add_text(reply, v->enterprise);
	secret_wipe(secret, sizeof(secret));
	return OK;
}

enum err vault_op_STATE(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			struct fault *f)
{
	struct vault_policy p = { 0 };
	enum err e = vault_policy_find(&p, v);

	(void)ask;
	(void)f;
	if (e && e != ERR_NOT_FOUND)
		return e;
	vaultmsg_add_text(reply, v->enterprise);
	vaultmsg_add_number(reply, p.version);
	vaultmsg_add_text(reply, p.jws);
	vaultmsg_add_text(reply, p.certs);
	vaultmsg_add_text(reply, p.settings);
	vault_policy_drop(&p);
	return OK;
}

static enum err put_meta(json_t *o, struct vault *v, const char *name, int is_json)
{
	TEXT *text = NULL;
	json_t *value = NULL;
	enum err e = vault_meta_get(&text, v, name);

	if (e)
		return e;
	if (!*text)
		value = json_null();
	else if (is_json)
		e = json_parse(&value, text, strlen(text));
	else
		value = json_string(text);
	if (!e && json_object_set_new(o, name, value))
		e = ERR_MEMORY;
	return e;
}

enum err vault_op_TRUST(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			struct fault *f)
{
	struct cert officer;
	JSON *o = json_object();
	TEXT *text = NULL;
	enum err e = vault_officer_check(&officer, NULL, v, ask->value[0].text, NULL, f);

	if (!e)
		e = put_meta(o, v, "root", 1);
	if (!e)
		e = put_meta(o, v, "enterprise", 0);
	if (!e)
		e = put_meta(o, v, "server", 0);
	if (!e)
		e = put_meta(o, v, "escrow_help", 0);
	if (!e)
		e = put_meta(o, v, "escrow_recovery", 0);
	if (!e)
		e = put_meta(o, v, "recovery_sheet", 1);
	if (!e)
		e = json_print(&text, o);
	vaultmsg_add_text(reply, text);
	return e;
}

/* The last signed head: a frontend that presents a shorter or another log gets no signature. */
static enum err checkpoint_follows(struct vault *v, uint64_t n, const char *hash, struct fault *f)
{
	TEXT *last_n = NULL, *last_hash = NULL;
	uint64_t last;
	enum err e = vault_meta_get(&last_n, v, "checkpoint_n");

	if (!e)
		e = vault_meta_get(&last_hash, v, "checkpoint_hash");
	if (e)
		return e;
	last = strtoull(last_n, NULL, 10);
	if (n < last)
		return fault_say(f, FAULT_REFUSED, ERR_ROLLBACK,
				 "the audit log is shorter than at the last checkpoint");
	if (n == last && last && strcmp(hash, last_hash))
		return fault_say(f, FAULT_REFUSED, ERR_CHANGED,
				 "the audit log differs from the last checkpoint");
	return OK;
}

static enum err checkpoint_store(struct vault *v, uint64_t n, const char *hash)
{
	char text[24];
	enum err e = db_begin(v->db);

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	if (!e)
		e = vault_meta_set(v, "checkpoint_n", text);
	if (!e)
		e = vault_meta_set(v, "checkpoint_hash", hash);
	return e ? e : db_commit(v->db);
}

enum err vault_op_CHECKPOINT(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			     struct fault *f)
{
	TEXT *hash = NULL, *jws = NULL;
	JSON *payload = NULL;
	uint64_t n = ask->value[0].number;
	enum err e = b64_encode(&hash, ask->value[1].key, KEY_BYTES);

	if (!e && (!v->claimed || n > INT64_MAX))
		return fault_say(f, FAULT_NOT_CLAIMED, ERR_STATE, "this server is not set up yet");
	if (!e)
		e = checkpoint_follows(v, n, hash, f);
	if (e)
		return e;
	payload = json_pack("{s:s,s:I,s:s,s:I}", "enterprise", v->enterprise, "n", (json_int_t)n,
			    "hash", hash, "time", (json_int_t)vault_now());
	e = payload ? jws_sign(&jws, "holdfast-checkpoint", payload, &v->key) : ERR_MEMORY;
	if (!e)
		e = checkpoint_store(v, n, hash);
	vaultmsg_add_text(reply, jws);
	return e;
}
