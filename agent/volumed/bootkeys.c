#include "agent/volumed/bootkeys.h"

#include <errno.h>
#include <keyutils.h>
#include <string.h>

static const char *const names[BOOTKEY_COUNT] = {
	[BOOTKEY_UNLOCK] = "holdfast:unlock",
	[BOOTKEY_UNLOCK_NEXT] = "holdfast:unlock-next",
	[BOOTKEY_USER] = "holdfast:user",
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

static enum err ring_get(uint8_t ret[static KEY_BYTES], const char *name)
{
	uint8_t bytes[KEY_BYTES + 1];
	key_serial_t id = (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", name, 0);
	long len;

	if (id < 0)
		return ERR_NOT_FOUND;
	len = keyctl_read(id, (char *)bytes, sizeof(bytes));
	if (len == KEY_BYTES)
		memcpy(ret, bytes, KEY_BYTES);
	secret_wipe(bytes, sizeof(bytes));
	return len == KEY_BYTES ? OK : ERR_NOT_FOUND;
}

enum err bootkeys_get(uint8_t ret[static KEY_BYTES], const struct bootkeys *k, enum bootkey which)
{
	if (!k->in_memory)
		return ring_get(ret, names[which]);
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
	return add_key("user", names[which], key, KEY_BYTES, KEY_SPEC_USER_KEYRING) < 0 ? ERR_IO : OK;
}

void bootkeys_forget(struct bootkeys *k, enum bootkey which)
{
	key_serial_t id;

	secret_drop(&k->memory[which]);
	if (k->in_memory)
		return;
	id = (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", names[which], 0);
	if (id >= 0)
		(void)keyctl_invalidate(id);
}
