/* Volume keyslots: add and destroy them in an order that survives a power cut anywhere.
 *
 * Add:  token that announces keyslot N → keyslot N → test that it opens → token naming it.
 * Keep: test the one that stays → for every other: destroy its keyslot → remove its token.
 * Every step is on the disk before the next begins, and each begins with sweeping up what an
 * interrupted one left. */
#include <errno.h>
#include <string.h>

#include "volume_impl.h"

enum err volume_cheap_kdf(struct volume *v)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = VOLUME_ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};

	return volume_err(crypt_set_pbkdf_type(v->cd, &pbkdf));
}

static int keyslot_exists(struct volume *v, int keyslot)
{
	crypt_keyslot_info s = crypt_keyslot_status(v->cd, keyslot);

	return s == CRYPT_SLOT_ACTIVE || s == CRYPT_SLOT_ACTIVE_LAST || s == CRYPT_SLOT_UNBOUND;
}

static int keyslot_opens(struct volume *v, int keyslot, struct passphrase p)
{
	return crypt_activate_by_passphrase(v->cd, NULL, keyslot, p.bytes, p.len, 0) >= 0;
}

/* Ours are: a foreign keyslot that happens to have an announced number is dearer than this. */
static int keyslot_cheap(struct volume *v, int keyslot)
{
	struct crypt_pbkdf_type p;

	return crypt_keyslot_get_pbkdf(v->cd, keyslot, &p) >= 0 &&
	       !strcmp(p.type, CRYPT_KDF_PBKDF2) && p.iterations == VOLUME_ITERATIONS;
}

static int token_has_id(const struct token *t, enum token_kind kind, const uint8_t *id)
{
	return t->kind == kind && (!id || !memcmp(t->id, id, token_id_bytes(kind)));
}

enum err keyslot_open(int *ret, struct volume *v, const char *name, enum token_kind kind,
		      const uint8_t *id, struct passphrase p)
{
	struct token_list l;
	size_t i;
	int r;

	token_list_read(&l, v);
	for (i = 0; i < l.count; i++) {
		if (l.at[i].keyslot < 0 || !token_has_id(&l.at[i], kind, id))
			continue;
		r = crypt_activate_by_passphrase(v->cd, name, l.at[i].keyslot, p.bytes, p.len, 0);
		if (r >= 0) {
			*ret = l.at[i].keyslot;
			return OK;
		}
		/* Only a wrong key is a reason to try the next keyslot. */
		if (name && r != -EPERM && r != -ENOENT)
			return volume_err(r);
	}
	return ERR_AUTH;
}

enum err keyslot_named(int *ret, struct volume *v, enum token_kind kind, const uint8_t *id)
{
	struct token_list l;
	size_t i;

	token_list_read(&l, v);
	for (i = 0; i < l.count; i++) {
		if (l.at[i].keyslot < 0 || !token_has_id(&l.at[i], kind, id))
			continue;
		*ret = l.at[i].keyslot;
		return OK;
	}
	return ERR_NOT_FOUND;
}

enum err keyslot_volume_key(struct secret *ret, struct volume *v, int keyslot, struct passphrase p)
{
	int bytes = crypt_get_volume_key_size(v->cd);
	SECRET struct secret key = { 0 };
	enum err e = volume_idle(v);
	size_t len;
	int r;

	if (e)
		return e;
	if (bytes <= 0)
		return ERR_FORMAT;
	len = (size_t)bytes;
	e = secret_new(&key, len);
	if (e)
		return e;
	r = crypt_volume_key_get(v->cd, keyslot, (char *)key.bytes, &len, p.bytes, p.len);
	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? ERR_AUTH : volume_err(r);
	*ret = key;
	key = (struct secret){ 0 };
	return OK;
}

enum err keyslot_destroy(struct volume *v, int keyslot)
{
	enum err e = volume_err(crypt_keyslot_destroy(v->cd, keyslot));

	return e ? e : volume_sync(v);
}

/* Remove a token, and before it its keyslot unless another of our tokens names that one too. */
static enum err token_retire(struct volume *v, const struct token_list *l, const struct token *t)
{
	int keyslot = t->keyslot >= 0 ? t->keyslot : t->planned;
	enum err e = OK;

	if (keyslot >= 0 && keyslot_exists(v, keyslot) && !token_names(l, keyslot, t->number) &&
	    (t->keyslot >= 0 || keyslot_cheap(v, keyslot)))
		e = keyslot_destroy(v, keyslot);
	return e ? e : token_remove(v, t->number);
}

/* What interrupted operations left: tokens that name nothing, and what they announced. */
static enum err sweep(struct volume *v)
{
	struct token_list l;
	enum err e = OK;
	size_t i;

	token_list_read(&l, v);
	for (i = 0; !e && i < l.count; i++)
		if (l.at[i].keyslot < 0)
			e = token_retire(v, &l, &l.at[i]);
	return e;
}

/* What is there for this id already? *ret_done: the very keyslot. An unlock keyslot that its key
 * does not open is dead, because the id is made from the key; an escrow id proves nothing of the
 * kind, so a recovery keyslot with another passphrase is left alone. */
static enum err clear_way(struct volume *v, enum token_kind kind, const uint8_t *id,
			  struct passphrase p, int *ret_done)
{
	struct token_list l;
	enum err e = OK;
	int keyslot;
	size_t i;

	if (!keyslot_open(&keyslot, v, NULL, kind, id, p)) {
		*ret_done = 1;
		return OK;
	}
	token_list_read(&l, v);
	for (i = 0; !e && i < l.count; i++) {
		if (l.at[i].keyslot < 0 || !token_has_id(&l.at[i], kind, id))
			continue;
		e = kind == TOKEN_RECOVERY ? ERR_EXISTS : token_retire(v, &l, &l.at[i]);
	}
	return e;
}

static int free_keyslot(struct volume *v)
{
	int n, max = crypt_keyslot_max(CRYPT_LUKS2);

	for (n = 0; n < max; n++)
		if (crypt_keyslot_status(v->cd, n) == CRYPT_SLOT_INACTIVE)
			return n;
	return -1;
}

static enum err fill_keyslot(struct volume *v, const struct secret *volume_key, int keyslot,
			     struct passphrase p)
{
	enum err e = volume_cheap_kdf(v);
	int r;

	/* An adopted header may have been made for another cipher. */
	e = e ? e :
		volume_err(
			crypt_keyslot_set_encryption(v->cd, VOLUME_ENCRYPTION, VOLUME_KEY_BYTES));
	if (e)
		return e;
	r = crypt_keyslot_add_by_volume_key(v->cd, keyslot, (const char *)volume_key->bytes,
					    volume_key->len, p.bytes, p.len);
	if (r < 0)
		return r == -EINVAL ? ERR_SPACE : volume_err(r);
	e = volume_sync(v);
	if (e)
		return e;
	return keyslot_opens(v, keyslot, p) ? OK : ERR_IO;
}

static enum err plan_and_fill(struct volume *v, const struct secret *volume_key,
			      enum token_kind kind, const uint8_t *id, struct passphrase p)
{
	struct token t = { .number = -1, .kind = kind, .keyslot = -1, .planned = free_keyslot(v) };
	enum err e;

	if (t.planned < 0)
		return ERR_SPACE;
	memcpy(t.id, id, token_id_bytes(kind));
	e = token_write(v, &t);
	if (e)
		return e;
	e = fill_keyslot(v, volume_key, t.planned, p);
	if (e)
		return sweep(v) ? ERR_IO : e;
	t.keyslot = t.planned;
	return token_write(v, &t);
}

enum err keyslot_add(struct volume *v, const struct secret *volume_key, enum token_kind kind,
		     const uint8_t *id, struct passphrase p)
{
	int done = 0;
	enum err e = sweep(v);

	e = e ? e : clear_way(v, kind, id, p, &done);
	if (e || done)
		return e;
	return plan_and_fill(v, volume_key, kind, id, p);
}

static enum err unlock_volume_key(struct secret *ret, struct volume *v, const struct unlock_key *uk)
{
	struct token_list l;
	enum err e = ERR_AUTH;
	struct uk_id id;
	size_t i;

	unlock_key_id(&id, uk);
	token_list_read(&l, v);
	for (i = 0; e == ERR_AUTH && i < l.count; i++)
		if (l.at[i].keyslot >= 0 && token_has_id(&l.at[i], TOKEN_UNLOCK, id.bytes))
			e = keyslot_volume_key(ret, v, l.at[i].keyslot, passphrase_unlock(uk));
	return e;
}

enum err volume_unlock_add(struct volume *v, const struct unlock_key *present,
			   const struct unlock_key *fresh)
{
	SECRET struct secret key = { 0 };
	struct uk_id id;
	enum err e = unlock_volume_key(&key, v, present);

	unlock_key_id(&id, fresh);
	return e ? e : keyslot_add(v, &key, TOKEN_UNLOCK, id.bytes, passphrase_unlock(fresh));
}

enum err volume_recovery_add(struct volume *v, const struct unlock_key *uk,
			     const struct secret *recovery,
			     const uint8_t escrow_id[static ESCROW_ID_BYTES])
{
	SECRET struct secret key = { 0 };
	enum err e = unlock_volume_key(&key, v, uk);

	return e ? e : keyslot_add(v, &key, TOKEN_RECOVERY, escrow_id, passphrase_secret(recovery));
}

/* Retire every token of this kind whose keyslot is not the one that stays. */
static enum err keep(struct volume *v, enum token_kind kind, int keyslot)
{
	struct token_list l;
	enum err e = volume_idle(v);
	size_t i;

	e = e ? e : sweep(v);
	token_list_read(&l, v);
	for (i = 0; !e && i < l.count; i++)
		if (l.at[i].kind == kind && l.at[i].keyslot != keyslot)
			e = token_retire(v, &l, &l.at[i]);
	return e;
}

enum err volume_unlock_keep(struct volume *v, const struct unlock_key *uk)
{
	struct uk_id id;
	int keyslot;
	enum err e;

	unlock_key_id(&id, uk);
	e = keyslot_open(&keyslot, v, NULL, TOKEN_UNLOCK, id.bytes, passphrase_unlock(uk));
	return e ? e : keep(v, TOKEN_UNLOCK, keyslot);
}

enum err volume_recovery_keep(struct volume *v, const uint8_t escrow_id[static ESCROW_ID_BYTES])
{
	int keyslot;
	enum err e = keyslot_named(&keyslot, v, TOKEN_RECOVERY, escrow_id);

	return e ? e : keep(v, TOKEN_RECOVERY, keyslot);
}

enum err volume_recovery_list(const struct volume *v, uint8_t (*ret)[ESCROW_ID_BYTES],
			      size_t *ret_count)
{
	struct token_list l;
	size_t i, n = 0;

	/* libcryptsetup has no const; reading tokens changes nothing. */
	token_list_read(&l, (struct volume *)v);
	for (i = 0; i < l.count; i++) {
		if (l.at[i].kind != TOKEN_RECOVERY || l.at[i].keyslot < 0)
			continue;
		if (n == *ret_count)
			return ERR_SPACE;
		memcpy(ret[n++], l.at[i].id, ESCROW_ID_BYTES);
	}
	*ret_count = n;
	return OK;
}

enum err volume_foreign_keyslots(unsigned *ret, const struct volume *v)
{
	struct volume *vol = (struct volume *)v;
	int n, max = crypt_keyslot_max(CRYPT_LUKS2);
	struct token_list l;
	unsigned count = 0;

	token_list_read(&l, vol);
	for (n = 0; n < max; n++)
		if (crypt_keyslot_status(vol->cd, n) != CRYPT_SLOT_INACTIVE &&
		    !token_names(&l, n, -1))
			count++;
	*ret = count;
	return OK;
}
