/* Key derivation for JOSE: the Concat KDF of ECDH-ES and the HKDF of sessions. Internal to jwe_host.c
 * and session_host.c; generic so that the RFCs' own vectors can be run through it. */
#ifndef HOLDFAST_KDF_HOST_H
#define HOLDFAST_KDF_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "key.h"

#define KDF_BLOCK_BYTES 32

struct concat_info {
	const char *algorithm;            /* "A256GCM" for direct key agreement */
	const void *apu, *apv;            /* may be NULL when their length is 0 */
	size_t apu_len, apv_len;
};

/* NIST SP 800-56A section 5.8.1 with SHA-256 as RFC 7518 section 4.6.2 uses it; one round, so len is at
 * most 32 bytes. Errors: ERR_RANGE. */
MUST_CHECK enum err concat_kdf(uint8_t *ret, size_t len, const void *z, size_t z_len,
			       const struct concat_info *info);

/* RFC 5869 with HMAC-SHA256. Expand gives one block. */
void hkdf_extract(uint8_t ret[static KDF_BLOCK_BYTES], const void *salt, size_t salt_len,
		  const void *z, size_t z_len);
void hkdf_expand(uint8_t ret[static KDF_BLOCK_BYTES], const uint8_t prk[static KDF_BLOCK_BYTES],
		 const void *info, size_t info_len);

#endif
