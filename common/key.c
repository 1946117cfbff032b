/* Fixed-size keys: wiping, naming, signing. */
#include "key.h"

#include <sodium.h>

#include "secret.h"
#include "stack.h"

void unlock_key_wipe(struct unlock_key *k)
{
	secret_wipe(k, sizeof(*k));
}

void store_sk_wipe(struct store_sk *k)
{
	secret_wipe(k, sizeof(*k));
}

void user_key_wipe(struct user_key *k)
{
	secret_wipe(k, sizeof(*k));
}

void store_sk_public(struct store_vk *ret, const struct store_sk *sk)
{
	uint8_t expanded[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret->bytes, expanded, sk->seed);
	secret_wipe(expanded, sizeof(expanded));
	stack_wipe();
}

void store_sk_sign(uint8_t ret[static SIGNATURE_BYTES], const struct store_sk *sk,
		   const void *message, size_t len)
{
	uint8_t expanded[crypto_sign_SECRETKEYBYTES];
	struct store_vk vk;

	crypto_sign_seed_keypair(vk.bytes, expanded, sk->seed);
	crypto_sign_detached(ret, NULL, message, len, expanded);
	secret_wipe(expanded, sizeof(expanded));
	stack_wipe();
}

enum err store_vk_check(const struct store_vk *vk, const uint8_t signature[static SIGNATURE_BYTES],
			const void *message, size_t len)
{
	if (crypto_sign_verify_detached(signature, message, len, vk->bytes))
		return ERR_SIGNATURE;
	return OK;
}

void unlock_key_id(struct uk_id *ret, const struct unlock_key *uk)
{
	static const char name[] = "holdfast unlock key id";

	crypto_generichash_blake2b(ret->bytes, sizeof(ret->bytes), uk->bytes, sizeof(uk->bytes),
				   (const uint8_t *)name, sizeof(name) - 1);
	stack_wipe();
}
