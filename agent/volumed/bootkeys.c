#include "agent/volumed/bootkeys.h"

#include <keyutils.h>
#include <string.h>

#include "driver/keyring.h"

static const char *const names[BOOTKEY_COUNT] = {
	[BOOTKEY_UNLOCK] = KEYRING_UNLOCK,
	[BOOTKEY_UNLOCK_NEXT] = "holdfast:unlock-next",
	[BOOTKEY_USER] = KEYRING_USER,
};

void bootkeys_init(struct bootkeys *k)
{
	memset(k, 0, sizeof(*k));
	/* The keys give their content to a possessor only: a process one of whose own keyrings leads
	 * to them. A service's session keyring is its own, so the user keyring is linked here. */
	(void)keyctl_link(KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING);
}

void bootkeys_drop(struct bootkeys *k)
{
	for (int i = 0; i < BOOTKEY_COUNT; i++)
		secret_drop(&k->memory[i]);
}

enum err bootkeys_get(uint8_t ret[static KEY_BYTES], const struct bootkeys *k, enum bootkey which)
{
	if (!k->in_memory)
		return keyring_get(ret, names[which]);
	if (k->memory[which].len != KEY_BYTES)
		return ERR_NOT_FOUND;
	memcpy(ret, k->memory[which].bytes, KEY_BYTES);
	return OK;
}

enum err bootkeys_put(struct bootkeys *k, enum bootkey which, const uint8_t key[static KEY_BYTES])
{
	if (k->in_memory) {
		secret_drop(&k->memory[which]);
		return secret_copy(&k->memory[which], key, KEY_BYTES);
	}
	return keyring_put(names[which], key);
}

void bootkeys_forget(struct bootkeys *k, enum bootkey which)
{
	secret_drop(&k->memory[which]);
	if (!k->in_memory)
		keyring_remove(names[which]);
}
