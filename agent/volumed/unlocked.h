/* The store while it is open: with the unlock key that fits it and its signing key. Every change of the
 * store goes: unlocked_open -> edit store -> unlocked_save. */
#ifndef HOLDFAST_UNLOCKED_H
#define HOLDFAST_UNLOCKED_H

#include "agent/volumed/volumed.h"

struct unlocked {
	struct store store;
	struct espstore_found found;
	struct unlock_key uk;
	struct store_sk sk;
	struct store_vk vk;
};
void unlocked_drop(struct unlocked *u);
#define UNLOCKED __attribute__((cleanup(unlocked_drop))) struct unlocked

/* Read, find the key, verify every signature. Errors: ERR_NOT_FOUND (no store), ERR_STATE (no key came
 * with this start), ERR_AUTH (the key is not this store's), ERR_SIGNATURE, ERR_MEMORY. */
MUST_CHECK enum err unlocked_open(struct unlocked *ret, struct volumed *v);

/* Raise the generation, sign, write; both: something was revoked. Errors: as espstore_write. */
MUST_CHECK enum err unlocked_save(struct unlocked *u, struct volumed *v, int both);

#endif
