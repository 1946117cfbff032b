/* Store: its signing key, what it signs, and the check of it. */
#include "store_format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "stack.h"

enum err store_verify(const struct store *s, const struct store_vk *vk)
{
	uint8_t *message;
	size_t len;
	enum err e;

	if (sodium_memcmp(s->head.store_vk, vk->bytes, sizeof(vk->bytes)))
		return ERR_SIGNATURE;
	e = store_message(&message, &len, s);
	if (e)
		return e == ERR_MEMORY ? e : ERR_SIGNATURE; /* out of bounds was never signed */
	e = store_vk_check(vk, s->signature, message, len);
	free(message);
	if (!e)
		e = manifest_verify(&s->manifest, s->head.device, vk);
	for (size_t i = 0; !e && i < s->head.record_count; i++)
		e = record_seal_check(&s->records[i]);
	return e;
}

enum err store_verify_record(const struct store *s, const struct record *r,
			     const struct store_vk *vk)
{
	return record_verify(r, s->head.device, vk);
}

static enum err key_matches(const struct store *s, const struct store_sk *sk)
{
	struct store_vk vk;

	store_sk_public(&vk, sk);
	return sodium_memcmp(vk.bytes, s->head.store_vk, sizeof(vk.bytes)) ? ERR_AUTH : OK;
}

/* Manifest and store, and of the records as many as are given. */
static enum err sign_all(struct store *s, struct record *records, size_t count,
			 const struct store_sk *sk)
{
	uint8_t *message;
	size_t len;
	enum err e = key_matches(s, sk);

	if (!e)
		e = manifest_sign(&s->manifest, s->head.device, sk);
	if (e)
		return e;
	for (size_t i = 0; i < count; i++)
		record_sign(&records[i], s->head.device, sk);
	e = store_message(&message, &len, s);
	if (e)
		return e;
	store_sk_sign(s->signature, sk, message, len);
	free(message);
	return OK;
}

enum err store_sign(struct store *s, const struct store_sk *sk)
{
	return sign_all(s, s->records, s->head.record_count, sk);
}

enum err store_sign_record(struct store *s, struct record *r, const struct store_sk *sk)
{
	return sign_all(s, r, 1, sk);
}

static const char wrapped_as[] = "holdfast store key v1";
#define AAD_BYTES (sizeof(wrapped_as) - 1 + DEVICE_ID_BYTES + KEY_BYTES)

static void wrap_aad(uint8_t ret[static AAD_BYTES], const struct store_head *h)
{
	struct writer w = writer_over(ret, AAD_BYTES);

	writer_bytes(&w, wrapped_as, sizeof(wrapped_as) - 1);
	writer_bytes(&w, h->device, sizeof(h->device));
	writer_bytes(&w, h->store_vk, sizeof(h->store_vk));
}

void store_wrap_key(struct store_head *h, const struct store_sk *sk, const struct unlock_key *uk)
{
	uint8_t aad[AAD_BYTES];
	struct uk_id id;

	wrap_aad(aad, h);
	randombytes_buf(h->sk_nonce, sizeof(h->sk_nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt(h->sk_wrap, NULL, sk->seed, sizeof(sk->seed),
						   aad, sizeof(aad), NULL, h->sk_nonce, uk->bytes);
	stack_wipe();
	unlock_key_id(&id, uk);
	memcpy(h->uk_id, id.bytes, sizeof(h->uk_id));
}

enum err store_signing_key(struct store_sk *ret, const struct store *s,
			   const struct unlock_key *uk)
{
	uint8_t aad[AAD_BYTES];
	STORE_SK sk = { 0 };
	int failed;

	wrap_aad(aad, &s->head);
	failed = crypto_aead_xchacha20poly1305_ietf_decrypt(sk.seed, NULL, NULL, s->head.sk_wrap,
							    sizeof(s->head.sk_wrap), aad,
							    sizeof(aad), s->head.sk_nonce, uk->bytes);
	stack_wipe();
	if (failed)
		return ERR_AUTH;
	*ret = sk;
	return OK;
}
