/* Credential: makes and opens records. Every key in here is wiped on every path. */
#include "credential.h"

#include <sodium.h>
#include <string.h>

#include "argon2.h"
#include "record.h"
#include "stack.h"
#include "text.h"

/* What opens the wrap: the stretched password, or that and the TPM's secret. */
struct kek { uint8_t bytes[KEY_BYTES]; };

static void kek_wipe(struct kek *k)
{
	secret_wipe(k, sizeof(*k));
}
#define KEK __attribute__((cleanup(kek_wipe))) struct kek

/* Inside of the wrap: byte arrays only, so that it has no padding. */
struct wrapped {
	uint8_t cred_sk[KEY_BYTES];
	struct store_vk store_vk;
	struct user_key user_key;
};
_Static_assert(sizeof(struct wrapped) + crypto_aead_xchacha20poly1305_ietf_ABYTES == WRAP_BYTES,
	       "the wrap is not its three keys and the tag");
_Static_assert(UNLOCK_KEY_BYTES + crypto_box_SEALBYTES == SEAL_BYTES,
	       "the seal is not the unlock key in a sealed box");
_Static_assert(sizeof(((struct record *)0)->salt) == ARGON2_SALT_BYTES,
	       "the salt is not Argon2id's");

static void wrapped_wipe(struct wrapped *w)
{
	secret_wipe(w, sizeof(*w));
}
#define WRAPPED __attribute__((cleanup(wrapped_wipe))) struct wrapped

/* What a wrap is bound to. */
struct aad {
	uint8_t bytes[sizeof("holdfast duress v1") - 1 + 16 + 1 + 32 + 32];
	size_t len;
};

void stretched_wipe(struct stretched *s)
{
	secret_wipe(s, sizeof(*s));
}

void credential_drop(struct credential *c)
{
	secret_wipe(c, sizeof(*c));
}

static struct aad wrap_aad(const struct record *r)
{
	static const char as[] = "holdfast wrap v1";
	struct aad aad;
	struct writer w = writer_over(aad.bytes, sizeof(aad.bytes));

	writer_bytes(&w, as, sizeof(as) - 1);
	writer_bytes(&w, r->id, sizeof(r->id));
	writer_u8(&w, r->kind);
	writer_bytes(&w, r->cred_pk, sizeof(r->cred_pk));
	writer_bytes(&w, r->user_pk, sizeof(r->user_pk));
	aad.len = sizeof(aad.bytes) - w.left;
	return aad;
}

/* Without cred_pk: a duress password outlives the key, which is new with each password. */
static struct aad duress_aad(const struct record *r)
{
	static const char as[] = "holdfast duress v1";
	struct aad aad;
	struct writer w = writer_over(aad.bytes, sizeof(aad.bytes));

	writer_bytes(&w, as, sizeof(as) - 1);
	writer_bytes(&w, r->id, sizeof(r->id));
	writer_u8(&w, r->kind);
	writer_bytes(&w, r->user_pk, sizeof(r->user_pk));
	aad.len = sizeof(aad.bytes) - w.left;
	return aad;
}

static enum err typed_stretch(struct stretched *ret, const struct secret *typed,
			      const uint8_t salt[static ARGON2_SALT_BYTES],
			      const struct argon2_cost *cost)
{
	if (typed->len > PASSWORD_BYTES_MAX)
		return ERR_RANGE;
	return argon2id(ret->bytes, typed->bytes, typed->len, salt, cost);
}

static struct argon2_cost record_cost(const struct record *r)
{
	return (struct argon2_cost){ r->kdf_memory_kib, r->kdf_passes, r->kdf_lanes };
}

/* BLAKE2b-256(key = stretched, as || id || secret). */
static void stretched_branch(uint8_t ret[static KEY_BYTES], const struct stretched *s, const char *as,
			     const struct record *r, const uint8_t *secret, size_t secret_len)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, s->bytes, sizeof(s->bytes), KEY_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)as, strlen(as));
	crypto_generichash_update(&state, r->id, sizeof(r->id));
	crypto_generichash_update(&state, secret, secret_len);
	crypto_generichash_final(&state, ret, KEY_BYTES);
	secret_wipe(&state, sizeof(state));
}

static void auth_derive(uint8_t ret[static KEY_BYTES], const struct record *r,
			const struct stretched *s)
{
	stretched_branch(ret, s, "holdfast tpm auth v1", r, NULL, 0);
}

void credential_tpm_auth(uint8_t ret[static KEY_BYTES], const struct record *r,
			 const struct stretched *s)
{
	auth_derive(ret, r, s);
	stack_wipe();
}

/* A record has a secret of the TPM, or has none: never both ways. */
static enum err secret_check(uint8_t kind, const uint8_t *tpm_secret)
{
	return !tpm_secret == !credential_is_bound(kind) ? OK : ERR_UNSUPPORTED;
}

static void kek_derive(struct kek *ret, const struct record *r, const struct stretched *s,
		       const uint8_t *tpm_secret)
{
	if (tpm_secret)
		stretched_branch(ret->bytes, s, "holdfast tpm kek v1", r, tpm_secret, KEY_BYTES);
	else
		memcpy(ret->bytes, s->bytes, sizeof(ret->bytes));
}

static void user_public(uint8_t ret[static KEY_BYTES], const struct user_key *key)
{
	uint8_t expanded[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret, expanded, key->seed);
	secret_wipe(expanded, sizeof(expanded));
}

static void duress_remove(struct record *r)
{
	randombytes_buf(r->duress_nonce, sizeof(r->duress_nonce));
	randombytes_buf(r->duress_wrap, sizeof(r->duress_wrap));
}

/* The public part, and random bytes where nothing else is said. */
static enum err record_begin(struct record *ret, const struct credential_spec *spec)
{
	struct record r = {
		.kind = (uint8_t)spec->kind,
		.flags = spec->flags,
		.number = spec->number,
		.changed_day = spec->changed_day,
		.kdf_memory_kib = spec->kdf_memory_kib,
		.kdf_passes = spec->kdf_passes,
		.kdf_lanes = spec->kdf_lanes,
	};

	if (!text_set(r.user, sizeof(r.user), spec->user) || record_check(&r))
		return ERR_RANGE;
	randombytes_buf(r.id, sizeof(r.id));
	if (spec->salt)
		memcpy(r.salt, spec->salt, sizeof(r.salt));
	else
		randombytes_buf(r.salt, sizeof(r.salt));
	duress_remove(&r);
	*ret = r;
	return OK;
}

static void wrap_close(uint8_t ret[static WRAP_BYTES], const uint8_t *nonce, struct aad aad,
		       const struct wrapped *inside, const uint8_t key[static KEY_BYTES])
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret, NULL, (const uint8_t *)inside,
						   sizeof(*inside), aad.bytes, aad.len, NULL, nonce,
						   key);
}

static enum err wrap_open(struct wrapped *ret, const uint8_t wrap[static WRAP_BYTES],
			  const uint8_t *nonce, struct aad aad, const uint8_t key[static KEY_BYTES])
{
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)ret, NULL, NULL, wrap, WRAP_BYTES,
						       aad.bytes, aad.len, nonce, key))
		return ERR_AUTH;
	return OK;
}

static void record_wrap(struct record *r, const struct wrapped *inside, const struct kek *kek)
{
	randombytes_buf(r->nonce, sizeof(r->nonce));
	wrap_close(r->wrap, r->nonce, wrap_aad(r), inside, kek->bytes);
}

static enum err record_unwrap(struct wrapped *ret, const struct record *r, const struct kek *kek)
{
	return wrap_open(ret, r->wrap, r->nonce, wrap_aad(r), kek->bytes);
}

static int is_duress(const struct record *r, const struct stretched *s)
{
	WRAPPED inside = { 0 };

	return !wrap_open(&inside, r->duress_wrap, r->duress_nonce, duress_aad(r), s->bytes) &&
	       sodium_is_zero((const uint8_t *)&inside, sizeof(inside));
}

static int is_password(const struct record *r, const struct kek *kek)
{
	WRAPPED inside = { 0 };

	return !record_unwrap(&inside, r, kek);
}

int credential_is_duress(const struct record *r, const struct stretched *s)
{
	int duress = is_duress(r, s);

	stack_wipe();
	return duress;
}

static enum err record_stretch(struct stretched *ret, const struct record *r,
			       const struct secret *typed)
{
	const struct argon2_cost cost = record_cost(r);
	enum err e = record_cost_check(r->kind, r->kdf_memory_kib, r->kdf_passes, r->kdf_lanes);

	return e ? e : typed_stretch(ret, typed, r->salt, &cost);
}

enum err credential_stretch(struct stretched *ret, const struct record *r,
			    const struct secret *typed)
{
	STRETCHED s = { 0 };
	enum err e = record_stretch(&s, r, typed);

	stack_wipe();
	if (!e)
		*ret = s;
	return e;
}

/* ret_auth: NULL where there is no TPM in it. */
static enum err record_new(struct record *ret, uint8_t *ret_auth, const struct credential_spec *spec,
			   const struct secret *typed, const uint8_t *tpm_secret,
			   const struct store_vk *vk, const struct unlock_key *uk)
{
	struct record r;
	WRAPPED inside = { .store_vk = *vk };
	STRETCHED s = { 0 };
	KEK kek = { 0 };
	enum err e = record_begin(&r, spec);

	if (!e)
		e = secret_check(r.kind, tpm_secret);
	if (!e)
		e = record_stretch(&s, &r, typed);
	if (e)
		return e;
	kek_derive(&kek, &r, &s, tpm_secret);
	crypto_box_keypair(r.cred_pk, inside.cred_sk);
	randombytes_buf(inside.user_key.seed, sizeof(inside.user_key.seed));
	user_public(r.user_pk, &inside.user_key);
	record_wrap(&r, &inside, &kek);
	e = record_seal(&r, uk);
	if (e)
		return e;
	if (ret_auth)
		auth_derive(ret_auth, &r, &s);
	*ret = r;
	return OK;
}

enum err credential_new(struct record *ret, const struct credential_spec *spec,
			const struct secret *password, const struct store_vk *vk,
			const struct unlock_key *uk)
{
	enum err e = record_new(ret, NULL, spec, password, NULL, vk, uk);

	stack_wipe();
	return e;
}

enum err credential_new_bound(struct record *ret, uint8_t ret_auth[static KEY_BYTES],
			      const struct credential_spec *spec, const struct secret *typed,
			      const uint8_t tpm_secret[static KEY_BYTES], const struct store_vk *vk,
			      const struct unlock_key *uk)
{
	enum err e = record_new(ret, ret_auth, spec, typed, tpm_secret, vk, uk);

	stack_wipe();
	return e;
}

static enum err seal_open(struct unlock_key *ret, const struct record *r,
			  const uint8_t cred_sk[static KEY_BYTES])
{
	struct digest d;

	if (!r->has_seal)
		return ERR_LOCKED;
	record_seal_digest(&d, r);
	if (sodium_memcmp(d.bytes, r->seal_digest, sizeof(d.bytes)))
		return ERR_SIGNATURE;
	if (crypto_box_seal_open(ret->bytes, r->seal, sizeof(r->seal), r->cred_pk, cred_sk))
		return ERR_SIGNATURE;
	return OK;
}

static enum err record_open(struct credential *ret, const struct record *r,
			    const struct stretched *s, const uint8_t *tpm_secret)
{
	CREDENTIAL opened = { 0 };
	WRAPPED inside = { 0 };
	KEK kek = { 0 };
	int duress;
	enum err e = secret_check(r->kind, tpm_secret);

	if (e)
		return e;
	kek_derive(&kek, r, s, tpm_secret);
	/* both are tried every time: how long it takes says nothing of which one it was */
	duress = is_duress(r, s);
	e = record_unwrap(&inside, r, &kek);
	if (e)
		return duress ? ERR_DURESS : e;
	opened.store_vk = inside.store_vk;
	opened.user_key = inside.user_key;
	e = seal_open(&opened.unlock_key, r, inside.cred_sk);
	if (!e || e == ERR_LOCKED)
		*ret = opened;
	return e;
}

enum err credential_open_stretched(struct credential *ret, const struct record *r,
				   const struct stretched *s, const uint8_t *tpm_secret)
{
	enum err e = record_open(ret, r, s, tpm_secret);

	stack_wipe();
	return e;
}

enum err credential_open(struct credential *ret, const struct record *r,
			 const struct secret *password)
{
	STRETCHED s = { 0 };
	enum err e = secret_check(r->kind, NULL);

	if (!e)
		e = record_stretch(&s, r, password);
	if (!e)
		e = record_open(ret, r, &s, NULL);
	stack_wipe();
	return e;
}

/* Is this what the record was opened to? Else the user would be locked out by keys of another. */
static int opened_from(const struct credential *c, const struct record *r)
{
	uint8_t pk[KEY_BYTES];

	user_public(pk, &c->user_key);
	return !sodium_memcmp(pk, r->user_pk, sizeof(pk));
}

static enum err change_check(const struct record *r, const struct credential *c,
			     const uint8_t *tpm_secret)
{
	if (!credential_is_login(r->kind) || !opened_from(c, r))
		return ERR_RANGE;
	if (secret_check(r->kind, tpm_secret))
		return ERR_UNSUPPORTED;
	return r->has_seal ? OK : ERR_LOCKED;
}

/* ret_auth: NULL where there is no TPM in it. */
static enum err record_change(struct record *r, uint8_t *ret_auth, const struct credential *c,
			      const struct secret *typed, const uint8_t *tpm_secret, uint16_t today)
{
	WRAPPED inside = { .store_vk = c->store_vk, .user_key = c->user_key };
	struct record changed = *r;
	STRETCHED s = { 0 };
	KEK kek = { 0 };
	enum err e = change_check(r, c, tpm_secret);

	if (!e)
		e = record_stretch(&s, r, typed);
	if (e)
		return e;
	kek_derive(&kek, r, &s, tpm_secret);
	if (is_password(r, &kek) | is_duress(r, &s))
		return ERR_EXISTS;
	/* with the old key, an older copy of the store and the old password would open every later seal */
	crypto_box_keypair(changed.cred_pk, inside.cred_sk);
	changed.changed_day = today;
	changed.flags &= (uint8_t)~RECORD_MUST_CHANGE;
	record_wrap(&changed, &inside, &kek);
	e = record_seal(&changed, &c->unlock_key);
	if (e)
		return e;
	if (ret_auth)
		auth_derive(ret_auth, r, &s);
	*r = changed;
	return OK;
}

enum err credential_change(struct record *r, const struct credential *c,
			   const struct secret *password, uint16_t today)
{
	enum err e = record_change(r, NULL, c, password, NULL, today);

	stack_wipe();
	return e;
}

enum err credential_change_bound(struct record *r, uint8_t ret_auth[static KEY_BYTES],
				 const struct credential *c, const struct secret *typed,
				 const uint8_t tpm_secret[static KEY_BYTES], uint16_t today)
{
	enum err e = record_change(r, ret_auth, c, typed, tpm_secret, today);

	stack_wipe();
	return e;
}

static enum err duress_set(struct record *r, const struct secret *password,
			   const uint8_t *tpm_secret)
{
	static const struct wrapped nothing;
	STRETCHED s = { 0 };
	KEK kek = { 0 };
	enum err e = credential_is_login(r->kind) ? secret_check(r->kind, tpm_secret) : ERR_RANGE;

	if (!e)
		e = record_stretch(&s, r, password);
	if (e)
		return e;
	kek_derive(&kek, r, &s, tpm_secret);
	if (is_password(r, &kek))
		return ERR_EXISTS;
	randombytes_buf(r->duress_nonce, sizeof(r->duress_nonce));
	wrap_close(r->duress_wrap, r->duress_nonce, duress_aad(r), &nothing, s.bytes);
	return OK;
}

enum err credential_set_duress(struct record *r, const struct secret *password)
{
	enum err e;

	if (!password) {
		if (!credential_is_login(r->kind))
			return ERR_RANGE;
		duress_remove(r);
		return OK;
	}
	e = duress_set(r, password, NULL);
	stack_wipe();
	return e;
}

enum err credential_set_duress_bound(struct record *r, const struct secret *password,
				     const uint8_t tpm_secret[static KEY_BYTES])
{
	enum err e = duress_set(r, password, tpm_secret);

	stack_wipe();
	return e;
}

enum err record_seal(struct record *r, const struct unlock_key *uk)
{
	struct digest d;
	uint8_t seal[SEAL_BYTES];
	int failed = crypto_box_seal(seal, uk->bytes, sizeof(uk->bytes), r->cred_pk);

	stack_wipe();
	if (failed)
		return ERR_RANGE;
	memcpy(r->seal, seal, sizeof(r->seal));
	r->has_seal = 1;
	record_seal_digest(&d, r);
	memcpy(r->seal_digest, d.bytes, sizeof(r->seal_digest));
	return OK;
}

void record_unseal(struct record *r)
{
	memset(r->seal, 0, sizeof(r->seal));
	r->has_seal = 0;
}
