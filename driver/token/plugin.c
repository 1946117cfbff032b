/* libcryptsetup-token-holdfast.so: lets stock cryptsetup and systemd-cryptsetup open a managed
 * volume with the unlock key of this boot. libcryptsetup loads it for tokens of type "holdfast".
 *
 * The key comes from root's user keyring, else from a hand-off file that still has its keys. Only
 * root gets it. Errors leave here as negative errno: -ENOENT is "not mine, try the next", -EINVAL
 * "malformed". */
#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../common/json_host.h"
#include "../../common/secret.h"
#include "../encryption.h"
#include "../handoff_file.h"
#include "../keyring.h"

/* libcryptsetup finds these by dlvsym; its header declares only the types. */
const char *cryptsetup_token_version(void);
int cryptsetup_token_open(struct crypt_device *cd, int token, char **buffer, size_t *buffer_len,
			  void *usrptr);
void cryptsetup_token_buffer_free(void *buffer, size_t buffer_len);
int cryptsetup_token_validate(struct crypt_device *cd, const char *json);
void cryptsetup_token_dump(struct crypt_device *cd, const char *json);

#define HANDOFF_VARIABLE "HOLDFAST_HANDOFF"

static enum err token_uk_id(struct uk_id *ret, const char *text)
{
	json_t *ours;
	JSON *j = NULL;
	enum err e = json_parse(&j, text, strlen(text));

	e = e ? e : json_get_object(&ours, j, "holdfast");
	return e ? e : json_get_hex(ret->bytes, sizeof(ret->bytes), ours, "uk_id");
}

static int key_is(const struct unlock_key *uk, const struct uk_id *want)
{
	struct uk_id id;

	unlock_key_id(&id, uk);
	return !memcmp(id.bytes, want->bytes, sizeof(id.bytes));
}

static enum err key_from_keyring(struct unlock_key *ret, const struct uk_id *want)
{
	UNLOCK_KEY uk = { 0 };
	enum err e = keyring_get(uk.bytes, KEYRING_UNLOCK);

	if (e)
		return e;
	if (!key_is(&uk, want))
		return ERR_NOT_FOUND;
	*ret = uk;
	return OK;
}

static enum err key_from_file(struct unlock_key *ret, const struct uk_id *want, const char *path)
{
	HANDOFF h = { 0 };
	UNLOCK_KEY uk = { 0 };
	enum err e = handoff_file_read(&h, path);

	if (e)
		return e;
	if (h.head.flags & HANDOFF_NO_KEYS)
		return ERR_NOT_FOUND;
	memcpy(uk.bytes, h.head.unlock_key, sizeof(uk.bytes));
	if (!key_is(&uk, want))
		return ERR_NOT_FOUND;
	*ret = uk;
	return OK;
}

/* The places in the order of their freshness; a rotated key's old file simply does not match. */
static enum err key_find(struct unlock_key *ret, const struct uk_id *want)
{
	const char *named = secure_getenv(HANDOFF_VARIABLE);
	enum err e = key_from_keyring(ret, want);

	if (e && named)
		e = key_from_file(ret, want, named);
	if (e)
		e = key_from_file(ret, want, HANDOFF_RUN);
	if (e)
		e = key_from_file(ret, want, HANDOFF_INITRAMFS);
	return e;
}

const char *cryptsetup_token_version(void)
{
	return "1.0";
}

int cryptsetup_token_open(struct crypt_device *cd, int token, char **buffer, size_t *buffer_len,
			  void *usrptr)
{
	UNLOCK_KEY uk = { 0 };
	struct uk_id want;
	const char *text, *what;
	char *copy;

	(void)usrptr;
	if (geteuid() != 0)
		return -EACCES;
	if (encryption_check(&what, cd)) {
		crypt_log(cd, CRYPT_LOG_ERROR,
			  "Holdfast: refused, the header says that this volume is not, or not all, "
			  "encrypted in aes-xts-plain64. Somebody may have changed the disk.\n");
		return -EINVAL;
	}
	if (crypt_token_json_get(cd, token, &text) < 0 || token_uk_id(&want, text))
		return -EINVAL;
	if (key_find(&uk, &want))
		return -ENOENT;
	copy = malloc(sizeof(uk.bytes));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, uk.bytes, sizeof(uk.bytes));
	*buffer = copy;
	*buffer_len = sizeof(uk.bytes);
	return 0;
}

void cryptsetup_token_buffer_free(void *buffer, size_t buffer_len)
{
	if (!buffer)
		return;
	secret_wipe(buffer, buffer_len);
	free(buffer);
}

int cryptsetup_token_validate(struct crypt_device *cd, const char *json)
{
	struct uk_id id;

	(void)cd;
	return token_uk_id(&id, json) ? -EINVAL : 0;
}

void cryptsetup_token_dump(struct crypt_device *cd, const char *json)
{
	char hex[2 * sizeof(struct uk_id) + 1], line[64];
	struct uk_id id;

	if (token_uk_id(&id, json))
		return;
	hex_encode(hex, id.bytes, sizeof(id.bytes));
	snprintf(line, sizeof(line), "\tUnlock key id: %s\n", hex);
	crypt_log(cd, CRYPT_LOG_NORMAL, line);
}
