/* Volume: load, test and open a LUKS2 volume through libcryptsetup. */
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encryption.h"
#include "volume_impl.h"

enum err volume_err(int r)
{
	if (r >= 0)
		return OK;
	switch (-r) {
	case EPERM: return ERR_AUTH;
	case EACCES: return ERR_DENIED;
	case ENOENT:
	case ENODEV:
	case ENOTBLK: return ERR_NOT_FOUND;
	case ENOMEM: return ERR_MEMORY;
	case ENOSPC: return ERR_SPACE;
	case EEXIST: return ERR_EXISTS;
	case EBUSY:
	case ETXTBSY: return ERR_BUSY;
	case ENOTSUP: return ERR_UNSUPPORTED;
	default: return ERR_IO;
	}
}

struct passphrase passphrase_unlock(const struct unlock_key *uk)
{
	return (struct passphrase){ (const char *)uk->bytes, sizeof(uk->bytes) };
}

struct passphrase passphrase_secret(const struct secret *s)
{
	return (struct passphrase){ (const char *)s->bytes, s->len };
}

static void log_nowhere(int level, const char *message, void *arg)
{
	(void)level;
	(void)message;
	(void)arg;
}

static void log_remember(int level, const char *message, void *arg)
{
	struct volume *v = arg;

	if (level != CRYPT_LOG_ERROR)
		return;
	snprintf(v->problem, sizeof(v->problem), "%s", message);
	v->problem[strcspn(v->problem, "\n")] = '\0';
}

const char *volume_problem(const struct volume *v)
{
	return v ? v->problem : "";
}

void volume_drop(struct volume **v)
{
	if (!*v)
		return;
	crypt_free((*v)->cd);
	if ((*v)->fd >= 0)
		close((*v)->fd);
	free(*v);
	*v = NULL;
}

/* crypt_init tells neither a missing device from a forbidden one, nor a folder from a disk. */
static enum err device_open(int *ret, const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? ERR_DENIED :
		       errno == ENOENT || errno == ENXIO ? ERR_NOT_FOUND :
							   ERR_IO;
	*ret = fd;
	return OK;
}

enum err volume_begin(struct volume **ret, const char *device)
{
	VOLUME *v = calloc(1, sizeof(*v));
	enum err e;

	if (!v)
		return ERR_MEMORY;
	v->fd = -1;
	if (strlen(device) >= sizeof(v->device))
		return ERR_RANGE;
	strcpy(v->device, device);
	e = device_open(&v->fd, device);
	if (e)
		return e;
	/* Messages reach people through volume_problem alone; and no plugin is loaded into root's
	 * processes because of a token that anybody can write. */
	crypt_set_log_callback(NULL, log_nowhere, NULL);
	crypt_token_external_disable();
	e = volume_err(crypt_init(&v->cd, device));
	if (e)
		return e;
	crypt_set_log_callback(v->cd, log_remember, v);
	*ret = v;
	v = NULL;
	return OK;
}

enum err volume_load(struct volume **ret, const char *device)
{
	VOLUME *v = NULL;
	enum err e = volume_begin(&v, device);
	int r;

	if (e)
		return e;
	r = crypt_load(v->cd, CRYPT_LUKS2, NULL);
	if (r == -EINVAL || r == -ENOENT)
		return ERR_FORMAT;
	if (r < 0)
		return volume_err(r);
	*ret = v;
	v = NULL;
	return OK;
}

enum err volume_sync(const struct volume *v)
{
	return fsync(v->fd) ? ERR_IO : OK;
}

enum err volume_test_unlock(struct volume *v, const struct unlock_key *uk)
{
	struct uk_id id;
	int keyslot;

	unlock_key_id(&id, uk);
	return keyslot_open(&keyslot, v, NULL, TOKEN_UNLOCK, id.bytes, passphrase_unlock(uk));
}

enum err volume_test_recovery(struct volume *v, const struct secret *recovery)
{
	int keyslot;

	return keyslot_open(&keyslot, v, NULL, TOKEN_RECOVERY, NULL, passphrase_secret(recovery));
}

int volume_is_mapped(const char *name)
{
	crypt_status_info s;

	crypt_set_log_callback(NULL, log_nowhere, NULL);
	s = crypt_status(NULL, name);
	return s == CRYPT_ACTIVE || s == CRYPT_BUSY;
}

enum err volume_open(struct volume *v, const char *name, const struct unlock_key *uk)
{
	struct uk_id id;
	int keyslot;

	if (volume_is_mapped(name))
		return ERR_EXISTS;
	unlock_key_id(&id, uk);
	return keyslot_open(&keyslot, v, name, TOKEN_UNLOCK, id.bytes, passphrase_unlock(uk));
}

enum err volume_open_recovery(struct volume *v, const char *name, const struct secret *recovery)
{
	struct passphrase p = passphrase_secret(recovery);
	const char *what;
	int keyslot;
	enum err e;

	if (name && volume_is_mapped(name))
		return ERR_EXISTS;
	e = encryption_check(&what, v->cd);
	e = e ? e : keyslot_open(&keyslot, v, name, TOKEN_RECOVERY, NULL, p);
	/* Whoever holds the recovery key must get in even if somebody removed our tokens. */
	if (e != ERR_AUTH)
		return e;
	return volume_err(
		crypt_activate_by_passphrase(v->cd, name, CRYPT_ANY_SLOT, p.bytes, p.len, 0));
}
