/* Concat KDF and HKDF over libsodium's SHA-256 (1.0.18 has no HKDF of its own). */
#include "kdf_host.h"

#include <sodium.h>
#include <string.h>

#include "secret.h"

static void hash_u32(crypto_hash_sha256_state *h, uint32_t v)
{
	const uint8_t be[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
				(uint8_t)v };

	crypto_hash_sha256_update(h, be, sizeof be);
}

static void hash_field(crypto_hash_sha256_state *h, const void *bytes, size_t len)
{
	hash_u32(h, (uint32_t)len);
	if (len)
		crypto_hash_sha256_update(h, bytes, len);
}

enum err concat_kdf(uint8_t *ret, size_t len, const void *z, size_t z_len,
		    const struct concat_info *info)
{
	uint8_t block[KDF_BLOCK_BYTES];
	crypto_hash_sha256_state h;

	if (len > sizeof block)
		return ERR_RANGE;
	crypto_hash_sha256_init(&h);
	hash_u32(&h, 1);
	crypto_hash_sha256_update(&h, z, z_len);
	hash_field(&h, info->algorithm, strlen(info->algorithm));
	hash_field(&h, info->apu, info->apu_len);
	hash_field(&h, info->apv, info->apv_len);
	hash_u32(&h, (uint32_t)len * 8);
	crypto_hash_sha256_final(&h, block);
	memcpy(ret, block, len);
	secret_wipe(block, sizeof block);
	secret_wipe(&h, sizeof h);
	return OK;
}

void hkdf_extract(uint8_t ret[static KDF_BLOCK_BYTES], const void *salt, size_t salt_len,
		  const void *z, size_t z_len)
{
	crypto_auth_hmacsha256_state h;

	crypto_auth_hmacsha256_init(&h, salt, salt_len);
	crypto_auth_hmacsha256_update(&h, z, z_len);
	crypto_auth_hmacsha256_final(&h, ret);
	secret_wipe(&h, sizeof h);
}

void hkdf_expand(uint8_t ret[static KDF_BLOCK_BYTES], const uint8_t prk[static KDF_BLOCK_BYTES],
		 const void *info, size_t info_len)
{
	const uint8_t first = 1;
	crypto_auth_hmacsha256_state h;

	crypto_auth_hmacsha256_init(&h, prk, KDF_BLOCK_BYTES);
	crypto_auth_hmacsha256_update(&h, info, info_len);
	crypto_auth_hmacsha256_update(&h, &first, 1);
	crypto_auth_hmacsha256_final(&h, ret);
	secret_wipe(&h, sizeof h);
}
