/* Keyring: the unlock key and the user key between the initramfs and the agent, in root's user
 * keyring. holdfast-open puts them, volumed and the token plugin get them. */
#ifndef HOLDFAST_KEYRING_H
#define HOLDFAST_KEYRING_H

#include "../common/key.h"

#define KEYRING_UNLOCK "holdfast:unlock"
#define KEYRING_USER "holdfast:user"

/* Store exactly KEY_BYTES; replaces a key of this name. Whoever possesses it may do everything,
 * root may view, read and search, nobody else anything. Errors: ERR_IO, ERR_UNSUPPORTED (no keyring
 * in this kernel). */
MUST_CHECK enum err keyring_put(const char *name, const uint8_t key[static KEY_BYTES]);

/* Errors: ERR_NOT_FOUND, ERR_FORMAT (another length), ERR_UNSUPPORTED. */
MUST_CHECK enum err keyring_get(uint8_t ret[static KEY_BYTES], const char *name);

/* Take it out again; absent is no error. */
void keyring_remove(const char *name);

#endif
