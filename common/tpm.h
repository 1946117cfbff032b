/* TPM 2.0: the few commands that pre-boot needs, over any transport, with what an eavesdropper or a
 * changer on the bus may do in mind: whatever is secret goes through a session that is salted to the
 * parent key (ECDH, P-256) and encrypts parameters (AES-128-CFB); answers are checked by HMAC.
 * TCG TPM 2.0 Library, parts 1 to 4, revision 1.38. Answers are hostile until checked.
 *
 * A sealed object holds 32 bytes. Its attributes are fixedTPM and fixedParent and no others (so the
 * policy is the only way to the secret, and wrong authorization values count), its name algorithm is
 * SHA-256. Its policy is PolicyPCR(SHA-256: 7, TPM_PCR_OWN) and, when it has an authorization value,
 * PolicyAuthValue after it; the TPM's dictionary-attack lockout counts wrong ones. PCR 7 is Secure Boot's
 * state and keys; TPM_PCR_OWN is zero until pre-boot extends it. */
#ifndef HOLDFAST_TPM_H
#define HOLDFAST_TPM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define TPM_PCR_SECURE_BOOT 7
#define TPM_PCR_OWN 11
#define TPM_POLICY_PCRS (1u << TPM_PCR_SECURE_BOOT | 1u << TPM_PCR_OWN)
#define TPM_PCR_BYTES 32    /* SHA-256 bank */
#define TPM_SECRET_BYTES 32
#define TPM_AUTH_BYTES 32
#define TPM_NAME_BYTES 34   /* algorithm, SHA-256 */
#define TPM_PUBLIC_MAX 128  /* TPMT_PUBLIC of a sealed object, without its size */
#define TPM_PRIVATE_MAX 256 /* the bytes of a TPM2B_PRIVATE, without its size */
#define TPM_MESSAGE_MAX 1024 /* longest command and answer in use */
#define TPM_PARENT_BYTES 90 /* TPMT_PUBLIC of the parent */

/* Send one command, wait for the answer. *ret_len: room on entry, length on return.
 * Errors: ERR_NOT_FOUND (no TPM), ERR_IO, ERR_RANGE (an answer larger than the room).
 * wait_ms: pass some time, when the TPM asks to be tried again. */
struct tpm {
	enum err (*submit)(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command,
			   size_t len);
	void (*wait_ms)(void *context, unsigned ms);
	void *context;
};

/* The storage root key: ECC P-256 by the TCG's template (TPM 2.0 Provisioning Guidance 7.5.1 over the EK
 * Credential Profile's L-2: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted,
 * decrypt; SHA-256; AES-128-CFB; unique: twice 32 zeros), with an empty authorization value. Where
 * `handle` has none of this name, it is made anew in the owner hierarchy, which gives the same key until
 * the TPM is cleared. */
struct tpm_parent {
	uint32_t handle;            /* persistent: 0x81000000 to 0x817fffff; 0: none */
	uint8_t x[32], y[32];       /* public point, big-endian */
};
/* Its TPMT_PUBLIC; with zeros for the point it is the template of CreatePrimary. */
void tpm_parent_public(uint8_t ret[static TPM_PARENT_BYTES], const struct tpm_parent *p);
/* A name (Part 1, 16): 0x000b || SHA-256 of the public area. */
void tpm_name(uint8_t ret[static TPM_NAME_BYTES], const uint8_t *public_area, size_t len);
void tpm_parent_name(uint8_t ret[static TPM_NAME_BYTES], const struct tpm_parent *p);

struct tpm_object {
	uint8_t public_area[TPM_PUBLIC_MAX], private_area[TPM_PRIVATE_MAX];
	uint16_t public_len, private_len;
};

/* Digest of the policy above for given PCR values. with_auth: PolicyAuthValue as well. */
void tpm_policy(uint8_t ret[static 32], const uint8_t pcr7[static TPM_PCR_BYTES],
		const uint8_t own[static TPM_PCR_BYTES], int with_auth);

/* Errors of all: ERR_NOT_FOUND (no TPM), ERR_IO (transport, or the TPM refuses for a reason that is none
 * of those below), ERR_FORMAT (an answer that is none), ERR_BUSY (the TPM asks to try again, and was for some
 * seconds, or has no room). */

/* More errors: ERR_UNSUPPORTED (no SHA-256 bank). */
MUST_CHECK enum err tpm_pcr_read(uint8_t ret[static TPM_PCR_BYTES], const struct tpm *t, unsigned pcr);

/* In the SHA-256 bank alone, and in no event log: for where the firmware's own way fails. More errors:
 * ERR_RANGE (no such PCR). */
MUST_CHECK enum err tpm_pcr_extend(const struct tpm *t, unsigned pcr,
				   const uint8_t digest[static TPM_PCR_BYTES]);

/* Load and unseal. auth: NULL for an object without. Where the TPM has no room, everything that somebody
 * has left loaded is flushed: nobody else may be using it.
 * More errors: ERR_AUTH (wrong auth: the TPM has counted it), ERR_LOCKED_OUT, ERR_CHANGED (PCRs are not
 * those of the policy), ERR_MISDIRECTED (cleared or exchanged: this TPM has not the parent, or the object
 * is none of it), ERR_SIGNATURE (an answer's HMAC: somebody is on the bus), ERR_RANGE (lengths). */
MUST_CHECK enum err tpm_unseal(uint8_t ret[static TPM_SECRET_BYTES], const struct tpm *t,
			       const struct tpm_parent *parent, const struct tpm_object *object,
			       const uint8_t *auth);

/* Another authorization value for an object that has one: only its private area changes, and the old one
 * still exists for who kept it. PCRs do not matter. On failure object is as it was. Errors: as
 * tpm_unseal. */
MUST_CHECK enum err tpm_change_auth(struct tpm_object *object, const struct tpm *t,
				    const struct tpm_parent *parent,
				    const uint8_t auth[static TPM_AUTH_BYTES],
				    const uint8_t new_auth[static TPM_AUTH_BYTES]);

/* Dictionary-attack lockout as the TPM tells it. */
struct tpm_lockout {
	uint32_t tries, tries_max;  /* wrong ones counted, and how many lock */
	uint32_t recovery_s;        /* after which one is forgiven */
	int locked;
};
MUST_CHECK enum err tpm_lockout_read(struct tpm_lockout *ret, const struct tpm *t);

/* The power goes, or a restart comes. A TPM that is not told counts a wrong try at its next start, if any
 * authorization value was used since the last one (Part 1, 19.8.6), as somebody might cut the power to
 * keep it from counting. The operating system does this for itself. */
MUST_CHECK enum err tpm_shutdown(const struct tpm *t);

#endif
