/* AES-256-GCM. From mbedTLS, because libsodium's asks for AES instructions that not every laptop or
 * virtual machine has. Internal to jwe_host.c. */
#ifndef HOLDFAST_GCM_HOST_H
#define HOLDFAST_GCM_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "key.h"

#define GCM_IV_BYTES 12
#define GCM_TAG_BYTES 16

struct gcm {
	const uint8_t *key; /* KEY_BYTES */
	const uint8_t *iv;  /* GCM_IV_BYTES */
	const void *aad;
	size_t aad_len;
};

/* ret: len bytes. Errors: ERR_MEMORY. */
MUST_CHECK enum err gcm_encrypt(uint8_t *ret, uint8_t ret_tag[static GCM_TAG_BYTES],
				const struct gcm *g, const void *plain, size_t len);
/* ret: len bytes, zeros when it fails. Errors: ERR_AUTH, ERR_MEMORY. */
MUST_CHECK enum err gcm_decrypt(uint8_t *ret, const struct gcm *g, const void *sealed, size_t len,
				const uint8_t tag[static GCM_TAG_BYTES]);

#endif
