#include "agent/volumed/unlocked.h"

#include <sodium.h>
#include <string.h>

void unlocked_drop(struct unlocked *u)
{
	store_drop(&u->store);
	unlock_key_wipe(&u->uk);
	store_sk_wipe(&u->sk);
}

static enum err key_find(struct unlocked *u, const struct volumed *v)
{
	static const enum bootkey order[] = { BOOTKEY_UNLOCK, BOOTKEY_UNLOCK_NEXT };
	enum err e = ERR_STATE;

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		if (bootkeys_get(u->uk.bytes, &v->keys, order[i]))
			continue;
		e = store_signing_key(&u->sk, &u->store, &u->uk);
		if (!e)
			return OK;
	}
	return e;
}

/* The signing key came out of a wrap that only the unlock key opens: so its public half is the one to
 * trust, and not the hint in the store's head. */
static void verifying_key(struct store_vk *ret, const struct store_sk *sk)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret->bytes, secret, sk->seed);
	sodium_memzero(secret, sizeof(secret));
}

enum err unlocked_open(struct unlocked *ret, struct volumed *v)
{
	enum err e = espstore_load(&ret->store, &ret->found, &v->esp);

	if (e)
		return volumed_about(v, e, "reading the credential store");
	e = key_find(ret, v);
	if (e)
		return volumed_about(v, e, "the unlock key of this start");
	verifying_key(&ret->vk, &ret->sk);
	e = store_verify(&ret->store, &ret->vk);
	return volumed_about(v, e, "checking the credential store");
}

enum err unlocked_save(struct unlocked *u, struct volumed *v, int both)
{
	enum err e;

	/* Never below what the firmware knows: pre-boot would refuse it. */
	if (u->found.generation_known && u->found.generation > u->store.head.generation)
		u->store.head.generation = u->found.generation;
	u->store.head.generation++;
	e = manifest_sign(&u->store.manifest, u->store.head.device, &u->sk);
	if (!e)
		e = store_sign(&u->store, &u->sk);
	if (!e)
		e = espstore_write(&v->esp, &u->store, both);
	return volumed_about(v, e, "writing the credential store");
}
