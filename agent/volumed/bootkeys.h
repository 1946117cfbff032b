/* Keys that pre-boot released: the unlock key and the user key. Normally they are in root's user keyring
 * (keys of type "user": holdfast:unlock, holdfast:user), put there by the initramfs, so that they
 * survive a restart of this daemon but not of the machine; with --handoff they are in guarded memory.
 * While the unlock key is rotated, the new one is kept beside it under holdfast:unlock-next: whichever
 * opens the store is the right one. */
#ifndef HOLDFAST_BOOTKEYS_H
#define HOLDFAST_BOOTKEYS_H

#include "common/key.h"
#include "common/secret.h"

enum bootkey { BOOTKEY_UNLOCK, BOOTKEY_UNLOCK_NEXT, BOOTKEY_USER, BOOTKEY_COUNT };

struct bootkeys {
	int in_memory;
	struct secret memory[BOOTKEY_COUNT];
};

/* Ready to use the keyring; in_memory set afterwards keeps keys in this process instead. */
void bootkeys_init(struct bootkeys *k);
void bootkeys_drop(struct bootkeys *k);

/* Errors: ERR_NOT_FOUND (no such key since the start). */
MUST_CHECK enum err bootkeys_get(uint8_t ret[static KEY_BYTES], const struct bootkeys *k,
				 enum bootkey which);
MUST_CHECK enum err bootkeys_put(struct bootkeys *k, enum bootkey which,
				 const uint8_t key[static KEY_BYTES]);
void bootkeys_forget(struct bootkeys *k, enum bootkey which);

#endif
