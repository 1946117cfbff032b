/* Secrets on Linux: guarded, locked memory that core dumps leave out (sodium_malloc). */
#include "secret.h"

#include <sodium.h>
#include <string.h>

enum err secret_new(struct secret *ret, size_t len)
{
	uint8_t *bytes;

	if (len == 0 || len > SECRET_MAX)
		return ERR_RANGE;
	if (sodium_init() < 0)
		return ERR_INTERNAL;
	bytes = sodium_malloc(len);
	if (!bytes)
		return ERR_MEMORY;
	memset(bytes, 0, len);
	*ret = (struct secret){ bytes, len };
	return OK;
}

enum err secret_copy(struct secret *ret, const void *bytes, size_t len)
{
	enum err e = secret_new(ret, len);

	if (!e)
		memcpy(ret->bytes, bytes, len);
	return e;
}

void secret_drop(struct secret *s)
{
	sodium_free(s->bytes); /* wipes first; NULL is fine */
	*s = (struct secret){ 0 };
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}
