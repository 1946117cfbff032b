#include "agent/volumed/attest.h"

#include <stdlib.h>
#include <string.h>

#include "agent/volumed/durable.h"
#include "common/secret.h"

#define FILE_NAME "attestation.key"

enum err attest_load(struct sign_sk *ret, const char *state)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, state, FILE_NAME, KEY_BYTES);

	if (e == ERR_NOT_FOUND) {
		SIGN_SK fresh = { 0 };

		sign_sk_new(&fresh);
		e = durable_write(state, FILE_NAME, fresh.seed, KEY_BYTES, 0600);
		if (!e)
			*ret = fresh;
		return e;
	}
	if (!e && len != KEY_BYTES)
		e = ERR_FORMAT;
	if (!e)
		memcpy(ret->seed, bytes, KEY_BYTES);
	if (bytes)
		secret_wipe(bytes, len);
	free(bytes);
	return e;
}

enum err attest_destroy(const char *state)
{
	return durable_shred(state, FILE_NAME);
}
