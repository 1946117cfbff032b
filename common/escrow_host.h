/* Escrow: the laptop's secret codes, sealed to an escrow key and signed by the attestation key; and the
 * server's receipt for them. docs/protocol.md, "Sealed records".
 * Laptop: escrow_seal -> queue -> server -> receipt_verify. Officer: escrow_open. */
#ifndef HOLDFAST_ESCROW_HOST_H
#define HOLDFAST_ESCROW_HOST_H

#include "jwe_host.h"
#include "jws_host.h"

#define ESCROW_HELP "help"
#define ESCROW_RECOVERY "recovery"
#define ESCROW_ONE_TIME_CODE "one-time-code"
#define ESCROW_RECOVERY_KEY "recovery-key"

struct escrow {
	char id[33], device[33], enrolment[33]; /* hex */
	char purpose[16], kind[24];
	uint16_t number;
	uint64_t created;  /* s */
	json_t *keyslots;  /* object or NULL; borrowed by escrow_seal, owned after escrow_verify */
};
void escrow_drop(struct escrow *e);

/* *ret is the signed message, malloc'ed. code: A to Z and '-'. Errors: ERR_RANGE (ids that are not 32 hex
 * digits, a kind that does not fit the purpose, another code), ERR_MEMORY. */
MUST_CHECK enum err escrow_seal(char **ret, const struct escrow *e, const struct secret *code,
				const struct agree_pk *escrow_key, const struct sign_sk *attestation);

/* What a server can check without any key: signature and shape. Errors: ERR_FORMAT, ERR_SIGNATURE. */
MUST_CHECK enum err escrow_verify(struct escrow *ret, const char *jws,
				  const struct sign_pk *attestation);

/* Open: verify, unseal, and check that inside and outside agree with each other.
 * Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_AUTH (another escrow key), ERR_CHANGED. */
MUST_CHECK enum err escrow_open(struct secret *ret_code, struct escrow *ret, const char *jws,
				const struct sign_pk *attestation, const struct agree_sk *escrow_key);

/* Receipt for messages: ids and texts in parallel. device, enrolment: hex. Errors: ERR_MEMORY. */
MUST_CHECK enum err receipt_sign(char **ret, const char *device, const char *enrolment, uint64_t time,
				 const char *const *ids, const char *const *messages, size_t count,
				 const struct sign_sk *server);

/* Does the receipt cover this message? Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED (device),
 * ERR_NOT_FOUND (id is not in it), ERR_CHANGED (another digest). */
MUST_CHECK enum err receipt_verify(const char *receipt, const char *device, const char *enrolment,
				   const char *id, const char *message, const struct sign_pk *server);

#endif
