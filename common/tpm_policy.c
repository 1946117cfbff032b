#include "tpm.h"

#include <sodium.h>
#include <string.h>

#include "tpm_session.h"
#include "tpm_wire.h"

/* TPMA_OBJECT: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt. */
#define PARENT_ATTRIBUTES 0x00030472u
#define P256_CURVE 3

void tpm_parent_public(uint8_t ret[static TPM_PARENT_BYTES], const struct tpm_parent *p)
{
	struct writer w = writer_over(ret, TPM_PARENT_BYTES);

	tpm_write_u16(&w, TPM_ECC);
	tpm_write_u16(&w, TPM_SHA256);
	tpm_write_u32(&w, PARENT_ATTRIBUTES);
	tpm_write_2b(&w, NULL, 0); /* policy */
	tpm_write_u16(&w, TPM_AES);
	tpm_write_u16(&w, 128);
	tpm_write_u16(&w, TPM_CFB);
	tpm_write_u16(&w, TPM_NULL); /* scheme */
	tpm_write_u16(&w, P256_CURVE);
	tpm_write_u16(&w, TPM_NULL); /* KDF */
	tpm_write_2b(&w, p->x, sizeof(p->x));
	tpm_write_2b(&w, p->y, sizeof(p->y));
}

void tpm_name(uint8_t ret[static TPM_NAME_BYTES], const uint8_t *public_area, size_t len)
{
	struct writer w = writer_over(ret, TPM_NAME_BYTES);

	tpm_write_u16(&w, TPM_SHA256);
	crypto_hash_sha256(w.at, public_area, len);
}

void tpm_parent_name(uint8_t ret[static TPM_NAME_BYTES], const struct tpm_parent *p)
{
	uint8_t bytes[TPM_PARENT_BYTES];

	tpm_parent_public(bytes, p);
	tpm_name(ret, bytes, sizeof(bytes));
}

/* One step of a policy: SHA-256(digest so far || command's code || arguments). */
static void policy_extend(uint8_t digest[static TPM_DIGEST_BYTES], enum tpm_code code, const uint8_t *arguments,
			  size_t len)
{
	uint8_t bytes[4];
	struct writer w = writer_over(bytes, sizeof(bytes));
	crypto_hash_sha256_state s;

	tpm_write_u32(&w, code);
	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, digest, TPM_DIGEST_BYTES);
	crypto_hash_sha256_update(&s, bytes, sizeof(bytes));
	crypto_hash_sha256_update(&s, arguments, len);
	crypto_hash_sha256_final(&s, digest);
}

void tpm_policy(uint8_t ret[static 32], const uint8_t pcr7[static TPM_PCR_BYTES],
		const uint8_t own[static TPM_PCR_BYTES], int with_auth)
{
	uint8_t values[2 * TPM_PCR_BYTES], arguments[10 + TPM_DIGEST_BYTES];
	struct writer w = writer_over(arguments, sizeof(arguments));

	memcpy(values, pcr7, TPM_PCR_BYTES);
	memcpy(values + TPM_PCR_BYTES, own, TPM_PCR_BYTES);
	tpm_write_pcrs(&w, TPM_POLICY_PCRS);
	crypto_hash_sha256(w.at, values, sizeof(values));
	memset(ret, 0, TPM_DIGEST_BYTES);
	policy_extend(ret, TPM_POLICY_PCR, arguments, sizeof(arguments));
	if (with_auth)
		policy_extend(ret, TPM_POLICY_AUTH_VALUE, NULL, 0);
}
