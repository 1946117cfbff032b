/* Keyring: keys of type "user" in root's user keyring, which outlives the initramfs. */
#include "keyring.h"

#include <errno.h>
#include <keyutils.h>
#include <string.h>

#include "../common/secret.h"

#define PERMISSIONS (KEY_POS_ALL | KEY_USR_VIEW | KEY_USR_READ | KEY_USR_SEARCH)

static enum err keyring_err(void)
{
	return errno == ENOSYS ? ERR_UNSUPPORTED : ERR_IO;
}

/* In a service's private session nothing in the user keyring is possessed, and only a possessor may
 * set permissions: so the key is made in this thread's keyring and moved when it is fit to be seen.
 * The link displaces a key of the same name. */
enum err keyring_put(const char *name, const uint8_t key[static KEY_BYTES])
{
	key_serial_t k = add_key("user", name, key, KEY_BYTES, KEY_SPEC_THREAD_KEYRING);
	enum err e = OK;

	if (k < 0)
		return keyring_err();
	if (keyctl_setperm(k, PERMISSIONS) || keyctl_link(k, KEY_SPEC_USER_KEYRING))
		e = keyring_err();
	keyctl_unlink(k, KEY_SPEC_THREAD_KEYRING);
	return e;
}

enum err keyring_get(uint8_t ret[static KEY_BYTES], const char *name)
{
	uint8_t bytes[KEY_BYTES + 1];
	key_serial_t k = (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", name, 0);
	enum err e = OK;
	long n;

	if (k < 0)
		return errno == ENOSYS ? ERR_UNSUPPORTED : ERR_NOT_FOUND;
	n = keyctl_read(k, (char *)bytes, sizeof(bytes));
	if (n == KEY_BYTES)
		memcpy(ret, bytes, KEY_BYTES);
	else
		e = n < 0 ? ERR_NOT_FOUND : ERR_FORMAT;
	secret_wipe(bytes, sizeof(bytes));
	return e;
}

void keyring_remove(const char *name)
{
	key_serial_t k = (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", name, 0);

	if (k < 0)
		return;
	/* Revoked, its payload is gone at once; who may not revoke leaves that to the collector. */
	keyctl_revoke(k);
	keyctl_unlink(k, KEY_SPEC_USER_KEYRING);
}
