/* Credential: makes and opens records. Every key in here is wiped on every path. */
#include "credential.h"

#include <sodium.h>
#include <string.h>

#include "record.h"
#include "stack.h"
#include "text.h"

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
_Static_assert(sizeof(((struct record *)0)->salt) == crypto_pwhash_argon2id_SALTBYTES,
	       "the salt is not Argon2id's");

static void wrapped_wipe(struct wrapped *w)
{
	secret_wipe(w, sizeof(*w));
}
#define WRAPPED __attribute__((cleanup(wrapped_wipe))) struct wrapped

static const char wrapped_as[] = "holdfast wrap v1";
#define AAD_BYTES (sizeof(wrapped_as) - 1 + 16 + 1 + 32 + 32)

void credential_drop(struct credential *c)
{
	secret_wipe(c, sizeof(*c));
}

static void wrap_aad(uint8_t ret[static AAD_BYTES], const struct record *r)
{
	struct writer w = writer_over(ret, AAD_BYTES);

	writer_bytes(&w, wrapped_as, sizeof(wrapped_as) - 1);
	writer_bytes(&w, r->id, sizeof(r->id));
	writer_u8(&w, r->kind);
	writer_bytes(&w, r->cred_pk, sizeof(r->cred_pk));
	writer_bytes(&w, r->user_pk, sizeof(r->user_pk));
}

static enum err kek_derive(struct kek *ret, const struct secret *password,
			   const uint8_t salt[static crypto_pwhash_argon2id_SALTBYTES],
			   uint32_t memory_kib, uint32_t passes)
{
	if (password->len > PASSWORD_BYTES_MAX)
		return ERR_RANGE;
	/* within the bounds that the callers have checked, only memory can fail it */
	if (crypto_pwhash_argon2id(ret->bytes, sizeof(ret->bytes), (const char *)password->bytes,
				   password->len, salt, passes, (size_t)memory_kib * 1024,
				   crypto_pwhash_argon2id_ALG_ARGON2ID13))
		return ERR_MEMORY;
	return OK;
}

static void user_public(uint8_t ret[static KEY_BYTES], const struct user_key *key)
{
	uint8_t expanded[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret, expanded, key->seed);
	secret_wipe(expanded, sizeof(expanded));
}

/* The public part, and random bytes where nothing else is said. */
static enum err record_begin(struct record *ret, const struct credential_spec *spec)
{
	struct record r = {
		.kind = (uint8_t)spec->kind,
		.flags = spec->flags,
		.number = spec->number,
		.kdf_memory_kib = spec->kdf_memory_kib,
		.kdf_passes = spec->kdf_passes,
		.kdf_lanes = 1,
	};

	if (!text_set(r.user, sizeof(r.user), spec->user) || record_check(&r))
		return ERR_RANGE;
	randombytes_buf(r.id, sizeof(r.id));
	randombytes_buf(r.salt, sizeof(r.salt));
	randombytes_buf(r.nonce, sizeof(r.nonce));
	randombytes_buf(r.duress_nonce, sizeof(r.duress_nonce));
	randombytes_buf(r.duress_wrap, sizeof(r.duress_wrap));
	*ret = r;
	return OK;
}

static void record_wrap(struct record *r, const struct wrapped *inside, const struct kek *kek)
{
	uint8_t aad[AAD_BYTES];

	wrap_aad(aad, r);
	crypto_aead_xchacha20poly1305_ietf_encrypt(r->wrap, NULL, (const uint8_t *)inside,
						   sizeof(*inside), aad, sizeof(aad), NULL,
						   r->nonce, kek->bytes);
}

static enum err record_unwrap(struct wrapped *ret, const struct record *r, const struct kek *kek)
{
	uint8_t aad[AAD_BYTES];

	wrap_aad(aad, r);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)ret, NULL, NULL, r->wrap,
						       sizeof(r->wrap), aad, sizeof(aad), r->nonce,
						       kek->bytes))
		return ERR_AUTH;
	return OK;
}

static enum err record_new(struct record *ret, const struct credential_spec *spec,
			   const struct secret *password, const struct store_vk *vk,
			   const struct unlock_key *uk)
{
	struct record r;
	WRAPPED inside = { .store_vk = *vk };
	KEK kek = { 0 };
	enum err e = record_begin(&r, spec);

	if (!e)
		e = kek_derive(&kek, password, r.salt, r.kdf_memory_kib, r.kdf_passes);
	if (e)
		return e;
	crypto_box_keypair(r.cred_pk, inside.cred_sk);
	randombytes_buf(inside.user_key.seed, sizeof(inside.user_key.seed));
	user_public(r.user_pk, &inside.user_key);
	record_wrap(&r, &inside, &kek);
	e = record_seal(&r, uk);
	if (!e)
		*ret = r;
	return e;
}

enum err credential_new(struct record *ret, const struct credential_spec *spec,
			const struct secret *password, const struct store_vk *vk,
			const struct unlock_key *uk)
{
	enum err e = record_new(ret, spec, password, vk, uk);

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
			    const struct secret *password)
{
	CREDENTIAL opened = { 0 };
	WRAPPED inside = { 0 };
	KEK kek = { 0 };
	enum err e = record_cost_check(r->kind, r->kdf_memory_kib, r->kdf_passes);

	if (!e && r->kdf_lanes != 1)
		e = ERR_RANGE;
	if (!e)
		e = kek_derive(&kek, password, r->salt, r->kdf_memory_kib, r->kdf_passes);
	if (!e)
		e = record_unwrap(&inside, r, &kek);
	if (e)
		return e;
	opened.store_vk = inside.store_vk;
	opened.user_key = inside.user_key;
	e = seal_open(&opened.unlock_key, r, inside.cred_sk);
	if (!e || e == ERR_LOCKED)
		*ret = opened;
	return e;
}

enum err credential_open(struct credential *ret, const struct record *r,
			 const struct secret *password)
{
	enum err e = record_open(ret, r, password);

	stack_wipe();
	return e;
}

enum err credential_waste(const char *user, const struct secret *password, uint32_t kdf_memory_kib,
			  uint32_t kdf_passes)
{
	uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
	KEK kek = { 0 };
	enum err e = record_cost_check(0, kdf_memory_kib, kdf_passes);

	if (e)
		return e;
	crypto_generichash(salt, sizeof(salt), (const uint8_t *)user, strlen(user), NULL, 0);
	e = kek_derive(&kek, password, salt, kdf_memory_kib, kdf_passes);
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
