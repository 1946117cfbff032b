/* Fake TPM: test doubles of what pre-boot asks the TPM for (common/tpm.h), for tests of one file that
 * unlock thousands of times. Whoever includes it has these functions instead of common/tpm.c's; the
 * firmware's protocol is still needed for tpm_efi to find a TPM (tcg2.h). State is in fake_tpm, which
 * processes of runs share once fake_tpm_start has been called.
 *
 *     fake_tpm_start();                              a TPM with five tries
 *     fake_tpm_seal(&object, secret, auth);          auth NULL: an object without
 *     fake_tpm->fails = ERR_CHANGED;                 ... or what else one may say
 *     assert_int_equal(fake_tpm->tries, 1); */
#ifndef HOLDFAST_FAKE_TPM_H
#define HOLDFAST_FAKE_TPM_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/tpm.h"

struct fake_tpm {
	enum err fails;        /* tpm_unseal and tpm_change_auth, whatever the object */
	enum err pcrs_fail;
	uint8_t pcrs[24][TPM_PCR_BYTES];
	unsigned tries, tries_max;
	uint32_t recovery_s;
	uint8_t root[32];      /* another one: the TPM was cleared */

	unsigned unseals, changes, shutdowns; /* calls */
};
static struct fake_tpm *fake_tpm;

static inline void fake_tpm_start(void)
{
	if (!fake_tpm)
		fake_tpm = mmap(NULL, sizeof(*fake_tpm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake_tpm == MAP_FAILED)
		abort();
	memset(fake_tpm, 0, sizeof(*fake_tpm));
	fake_tpm->tries_max = 5;
	fake_tpm->recovery_s = 600;
}

/* Private area: nonce || box(root; secret || auth || has auth || PCR 7 || our PCR). */
#define FAKE_TPM_INSIDE (32 + 32 + 1 + 2 * TPM_PCR_BYTES)

static inline void fake_tpm_close(struct tpm_object *ret, const uint8_t inside[FAKE_TPM_INSIDE])
{
	randombytes_buf(ret->private_area, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(ret->private_area + crypto_secretbox_NONCEBYTES, inside, FAKE_TPM_INSIDE,
			      ret->private_area, fake_tpm->root);
	ret->private_len = FAKE_TPM_INSIDE + crypto_secretbox_MACBYTES + crypto_secretbox_NONCEBYTES;
}

static inline void fake_tpm_seal(struct tpm_object *ret, const uint8_t secret[32], const uint8_t *auth)
{
	uint8_t inside[FAKE_TPM_INSIDE] = { 0 };

	memset(ret, 0, sizeof(*ret));
	memcpy(inside, secret, 32);
	if (auth)
		memcpy(inside + 32, auth, 32);
	inside[64] = auth != NULL;
	memcpy(inside + 65, fake_tpm->pcrs[TPM_PCR_SECURE_BOOT], TPM_PCR_BYTES);
	memcpy(inside + 65 + TPM_PCR_BYTES, fake_tpm->pcrs[TPM_PCR_OWN], TPM_PCR_BYTES);
	ret->public_len = 78; /* as long as a real one */
	fake_tpm_close(ret, inside);
	sodium_memzero(inside, sizeof(inside));
}

static inline enum err fake_tpm_open(uint8_t ret[FAKE_TPM_INSIDE], const struct tpm_object *o)
{
	if (!fake_tpm)
		return ERR_NOT_FOUND;
	if (fake_tpm->fails)
		return fake_tpm->fails;
	if (o->private_len != FAKE_TPM_INSIDE + crypto_secretbox_MACBYTES + crypto_secretbox_NONCEBYTES ||
	    crypto_secretbox_open_easy(ret, o->private_area + crypto_secretbox_NONCEBYTES,
				       FAKE_TPM_INSIDE + crypto_secretbox_MACBYTES, o->private_area,
				       fake_tpm->root))
		return ERR_MISDIRECTED;
	return OK;
}

static inline enum err fake_tpm_try(const uint8_t inside[FAKE_TPM_INSIDE], const uint8_t *auth)
{
	if (fake_tpm->tries >= fake_tpm->tries_max)
		return ERR_LOCKED_OUT;
	if (!sodium_memcmp(inside + 32, auth, 32))
		return OK;
	fake_tpm->tries++;
	return ERR_AUTH;
}

enum err tpm_unseal(uint8_t ret[static TPM_SECRET_BYTES], const struct tpm *t, const struct tpm_parent *parent,
		    const struct tpm_object *object, const uint8_t *auth)
{
	uint8_t inside[FAKE_TPM_INSIDE];
	enum err e = fake_tpm_open(inside, object);

	(void)t;
	(void)parent;
	if (fake_tpm)
		fake_tpm->unseals++;
	if (!e && (inside[64] != (auth != NULL) ||
		   memcmp(inside + 65, fake_tpm->pcrs[TPM_PCR_SECURE_BOOT], TPM_PCR_BYTES) != 0 ||
		   memcmp(inside + 65 + TPM_PCR_BYTES, fake_tpm->pcrs[TPM_PCR_OWN], TPM_PCR_BYTES) != 0))
		e = ERR_CHANGED;
	if (!e && auth)
		e = fake_tpm_try(inside, auth);
	if (!e)
		memcpy(ret, inside, TPM_SECRET_BYTES);
	sodium_memzero(inside, sizeof(inside));
	return e;
}

enum err tpm_change_auth(struct tpm_object *object, const struct tpm *t, const struct tpm_parent *parent,
			 const uint8_t auth[static TPM_AUTH_BYTES], const uint8_t new_auth[static TPM_AUTH_BYTES])
{
	uint8_t inside[FAKE_TPM_INSIDE];
	enum err e = fake_tpm_open(inside, object);

	(void)t;
	(void)parent;
	if (fake_tpm)
		fake_tpm->changes++;
	if (!e)
		e = fake_tpm_try(inside, auth);
	if (!e) {
		memcpy(inside + 32, new_auth, 32);
		fake_tpm_close(object, inside);
	}
	sodium_memzero(inside, sizeof(inside));
	return e;
}

enum err tpm_pcr_read(uint8_t ret[static TPM_PCR_BYTES], const struct tpm *t, unsigned pcr)
{
	(void)t;
	if (!fake_tpm || pcr > 23)
		return ERR_NOT_FOUND;
	if (!fake_tpm->pcrs_fail)
		memcpy(ret, fake_tpm->pcrs[pcr], TPM_PCR_BYTES);
	return fake_tpm->pcrs_fail;
}

enum err tpm_lockout_read(struct tpm_lockout *ret, const struct tpm *t)
{
	(void)t;
	if (!fake_tpm)
		return ERR_NOT_FOUND;
	*ret = (struct tpm_lockout){ fake_tpm->tries, fake_tpm->tries_max, fake_tpm->recovery_s,
				     fake_tpm->tries >= fake_tpm->tries_max };
	return OK;
}

enum err tpm_shutdown(const struct tpm *t)
{
	(void)t;
	if (!fake_tpm)
		return ERR_NOT_FOUND;
	fake_tpm->shutdowns++;
	return OK;
}

/* For tcg2.h: what is measured is extended here. */
static inline void fake_tpm_extend(void *context, unsigned pcr, const uint8_t digest[32])
{
	uint8_t both[2 * TPM_PCR_BYTES];

	(void)context;
	memcpy(both, fake_tpm->pcrs[pcr], TPM_PCR_BYTES);
	memcpy(both + TPM_PCR_BYTES, digest, TPM_PCR_BYTES);
	crypto_hash_sha256(fake_tpm->pcrs[pcr], both, sizeof(both));
}

#endif
