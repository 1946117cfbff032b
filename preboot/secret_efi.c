/* Secrets under UEFI: heap memory, which libc_efi.c wipes when it is freed and on every way out. */
#include "common/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum err secret_new(struct secret *ret, size_t len)
{
	uint8_t *bytes;

	if (!len || len > SECRET_MAX)
		return ERR_RANGE;
	bytes = calloc(1, len);
	if (!bytes)
		return ERR_MEMORY;
	*ret = (struct secret){ .bytes = bytes, .len = len };
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
	free(s->bytes);
	*s = (struct secret){ 0 };
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}
