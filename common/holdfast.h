/* libholdfast: for programs that work with what a Holdfast laptop or server has signed and sealed: helpdesk
 * tools, archives, auditors. Opens escrow records, checks receipts, proofs and certificates, and checks codes
 * that people type. Makes nothing and sends nothing. Formats: docs/protocol.md.
 *
 * cc helpdesk.c $(pkg-config --cflags --libs holdfast)
 *
 * To give a user the code for a challenge:
 *     holdfast_challenge_read   which laptop, which code
 *     holdfast_wrapped_open     the escrow key, with the officer's own key
 *     holdfast_escrow_open      the code
 *     holdfast_wipe             both
 *
 * Every function returns HOLDFAST_OK or another holdfast_error, and writes what it gives back only on
 * HOLDFAST_OK. Texts are NUL-terminated. Ids are 32 lower-case hex digits. Public keys are JWKs (RFC 8037) as JSON
 * text; private keys are their 32 bytes. All functions may be called from several threads at once. */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOLDFAST_VERSION "0.1.0"
#define HOLDFAST_KEY_BYTES 32
#define HOLDFAST_ID_TEXT 33   /* 32 hex digits and NUL */
#define HOLDFAST_CODE_TEXT 96 /* the longest code and NUL */

enum holdfast_error {
	HOLDFAST_OK = 0,
	HOLDFAST_BAD_FORMAT = 1,    /* not the message, key or code that was expected */
	HOLDFAST_BAD_SIGNATURE = 2, /* changed, or signed by another key */
	HOLDFAST_WRONG_KEY = 3,     /* sealed for another key, or changed */
	HOLDFAST_CHANGED = 4,       /* two parts that belong together do not agree */
	HOLDFAST_MISDIRECTED = 5,   /* of another type, or for another device or enrolment */
	HOLDFAST_NOT_FOUND = 6,     /* the receipt does not cover this id */
	HOLDFAST_EXPIRED = 7,       /* a certificate that has ended or not begun */
	HOLDFAST_NO_MEMORY = 8,
	HOLDFAST_FAILED = 9,        /* anything else */
};

enum holdfast_code {
	HOLDFAST_CODE_RECOVERY = 1, /* recovery key, 8 groups */
	HOLDFAST_CODE_ONE_TIME = 2, /* one-time code, 7 groups */
	HOLDFAST_CODE_CHALLENGE = 3 /* what the laptop shows, 3 groups */
};

struct holdfast_record {
	char id[HOLDFAST_ID_TEXT], device[HOLDFAST_ID_TEXT], enrolment[HOLDFAST_ID_TEXT];
	char purpose[16];  /* "help" or "recovery" */
	char kind[24];     /* "one-time-code" or "recovery-key" */
	uint32_t number;   /* of the one-time code */
	uint64_t created;  /* seconds since 1970, UTC */
};

/* Version of the library, such as "0.1.0". */
const char *holdfast_version(void);

/* A sentence for an error, static. */
const char *holdfast_error_text(int error);

/* Wipe a secret in a way that the compiler keeps. */
void holdfast_wipe(void *bytes, size_t len);

/* Free a text that a function of this library has given; NULL is accepted. */
void holdfast_free(char *text);

/* While somebody types a code: the first wrong group, counted from 1; 0 while all is well. */
size_t holdfast_code_check(int code, const char *typed);

/* Canonical text of a whole code: upper case, groups joined with '-'. ret_group, which may be NULL, is set on
 * HOLDFAST_BAD_FORMAT: the first wrong group, 0 when the length is wrong. */
int holdfast_code_canonical(char ret[HOLDFAST_CODE_TEXT], size_t *ret_group, int code,
			    const char *typed);

/* What a challenge says: the device's tag (first 8 hex digits of its id) and the number of the code that it asks
 * for. ret_group as above. */
int holdfast_challenge_read(char ret_tag[9], uint32_t *ret_number, size_t *ret_group,
			    const char *typed);

/* Open a wrapped escrow key (compact JWE) with the X25519 key that it was wrapped for. Wipe the result.
 * Errors: BAD_FORMAT, WRONG_KEY. */
int holdfast_wrapped_open(uint8_t ret[HOLDFAST_KEY_BYTES], const char *wrapped,
			  const uint8_t officer_key[HOLDFAST_KEY_BYTES]);

/* Check the signature of an escrow record and read what it says of itself.
 *   attestation_jwk  public attestation key of the laptop
 * Errors: BAD_FORMAT, BAD_SIGNATURE, MISDIRECTED. */
int holdfast_escrow_verify(struct holdfast_record *ret, const char *record,
			   const char *attestation_jwk);

/* The same, and open it: the canonical text of the code. Wipe ret_code. ret may be NULL.
 * Whoever acts on the code must compare ret->device and ret->number with the challenge.
 * Errors: as above, WRONG_KEY, CHANGED (the sealed part belongs to another record). */
int holdfast_escrow_open(char ret_code[HOLDFAST_CODE_TEXT], struct holdfast_record *ret,
			 const char *record, const char *attestation_jwk,
			 const uint8_t escrow_key[HOLDFAST_KEY_BYTES]);

/* Does the server's receipt prove that it has exactly this message?
 *   message  the compact JWS that was sent, with the given id
 * Errors: BAD_FORMAT, BAD_SIGNATURE, MISDIRECTED, NOT_FOUND, CHANGED. */
int holdfast_receipt_verify(const char *receipt, const char *device, const char *enrolment,
			    const char *id, const char *message, const char *server_jwk);

/* Check a certificate and give the public JWK that it vouches for; free with holdfast_free.
 *   role        "officer", "server", "escrow-help", "session" …
 *   issuer_jwk  public key of the officer root, or of the attestation key for "session" and "user"
 *   now         seconds since 1970; 0 skips the check of the time
 * Errors: BAD_FORMAT, BAD_SIGNATURE, MISDIRECTED (another role), EXPIRED. */
int holdfast_cert_verify(char **ret_jwk, const char *cert, const char *role, const char *issuer_jwk,
			 uint64_t now);

/* Check any other signed message, such as an event that proves a kill, and give its payload (JSON text); free
 * with holdfast_free.
 *   typ  "holdfast-event", "holdfast-command" …
 * Errors: BAD_FORMAT, BAD_SIGNATURE, MISDIRECTED (another typ). */
int holdfast_message_verify(char **ret_payload, const char *typ, const char *message,
			    const char *signer_jwk);

#ifdef __cplusplus
}
#endif

#endif
