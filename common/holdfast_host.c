/* What libholdfast.so exports: thin wrappers that translate errors and keys. */
#include "holdfast.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "escrow_host.h"
#include "cert_host.h"

_Static_assert(HOLDFAST_CODE_TEXT >= CODE_TEXT_MAX, "a code must fit");
_Static_assert(HOLDFAST_KEY_BYTES == KEY_BYTES, "one size of keys");

static const struct {
	enum err inside;
	enum holdfast_error outside;
	const char *text;
} errors[] = {
	{ OK, HOLDFAST_OK, "ok" },
	{ ERR_FORMAT, HOLDFAST_BAD_FORMAT, "not the message, key or code that was expected" },
	{ ERR_SIGNATURE, HOLDFAST_BAD_SIGNATURE, "changed, or signed by another key" },
	{ ERR_AUTH, HOLDFAST_WRONG_KEY, "sealed for another key, or changed" },
	{ ERR_CHANGED, HOLDFAST_CHANGED, "two parts that belong together do not agree" },
	{ ERR_MISDIRECTED, HOLDFAST_MISDIRECTED,
	  "of another type, or for another device or enrolment" },
	{ ERR_NOT_FOUND, HOLDFAST_NOT_FOUND, "the receipt does not cover this message" },
	{ ERR_EXPIRED, HOLDFAST_EXPIRED, "the certificate has ended or not begun" },
	{ ERR_MEMORY, HOLDFAST_NO_MEMORY, "not enough memory" },
};
#define ERRORS_COUNT (sizeof errors / sizeof *errors)

static int outside(enum err e)
{
	for (size_t i = 0; i < ERRORS_COUNT; i++)
		if (errors[i].inside == e)
			return (int)errors[i].outside;
	return HOLDFAST_FAILED;
}

const char *holdfast_error_text(int error)
{
	for (size_t i = 0; i < ERRORS_COUNT; i++)
		if ((int)errors[i].outside == error)
			return errors[i].text;
	return "failed";
}

const char *holdfast_version(void)
{
	return HOLDFAST_VERSION;
}

void holdfast_wipe(void *bytes, size_t len)
{
	secret_wipe(bytes, len);
}

void holdfast_free(char *text)
{
	free(text);
}

static int kind_of(enum code_kind *ret, int code)
{
	switch (code) {
	case HOLDFAST_CODE_RECOVERY:
		*ret = CODE_RECOVERY;
		return 1;
	case HOLDFAST_CODE_ONE_TIME:
		*ret = CODE_ONE_TIME;
		return 1;
	case HOLDFAST_CODE_CHALLENGE:
		*ret = CODE_CHALLENGE;
		return 1;
	default:
		return 0;
	}
}

size_t holdfast_code_check(int code, const char *typed)
{
	enum code_kind kind;

	return kind_of(&kind, code) ? code_check_typed(kind, typed, strlen(typed)) : 1;
}

/* A code that opens a disk stays in guarded memory until it is in the caller's. */
static void code_give(char ret[HOLDFAST_CODE_TEXT], const struct secret *code)
{
	memcpy(ret, code->bytes, code->len);
	ret[code->len] = '\0';
}

int holdfast_code_canonical(char ret[HOLDFAST_CODE_TEXT], size_t *ret_group, int code,
			    const char *typed)
{
	SECRET struct secret canonical = { 0 };
	enum code_kind kind;
	size_t group = 0;
	enum err e;

	if (sodium_init() < 0)
		return HOLDFAST_FAILED;
	if (!kind_of(&kind, code))
		return HOLDFAST_BAD_FORMAT;
	e = code_canonical(&canonical, &group, kind, typed, strlen(typed));
	if (e == ERR_FORMAT && ret_group)
		*ret_group = group;
	if (!e)
		code_give(ret, &canonical);
	return outside(e);
}

int holdfast_challenge_read(char ret_tag[9], uint32_t *ret_number, size_t *ret_group,
			    const char *typed)
{
	uint8_t tag[4];
	uint16_t number;
	size_t group = 0;
	enum err e;

	e = challenge_parse(tag, &number, &group, typed, strlen(typed));
	if (e == ERR_FORMAT && ret_group)
		*ret_group = group;
	if (e)
		return outside(e);
	hex_encode(ret_tag, tag, sizeof tag);
	*ret_number = number;
	return HOLDFAST_OK;
}

int holdfast_wrapped_open(uint8_t ret[HOLDFAST_KEY_BYTES], const char *wrapped,
			  const uint8_t officer_key[HOLDFAST_KEY_BYTES])
{
	SECRET struct secret key = { 0 };
	AGREE_SK sk;
	enum err e;

	if (sodium_init() < 0)
		return HOLDFAST_FAILED;
	memcpy(sk.bytes, officer_key, sizeof sk.bytes);
	e = jwe_unseal(&key, wrapped, &sk);
	if (!e && key.len != HOLDFAST_KEY_BYTES)
		e = ERR_FORMAT;
	if (!e)
		memcpy(ret, key.bytes, key.len);
	return outside(e);
}

static enum err signer_read(struct sign_pk *ret, const char *jwk)
{
	JSON *o = NULL;
	enum err e;

	if (sodium_init() < 0)
		return ERR_INTERNAL;
	e = json_parse(&o, jwk, strlen(jwk));
	return e ? e : jwk_to_sign(ret, o);
}

static void record_give(struct holdfast_record *ret, const struct escrow *e)
{
	memcpy(ret->id, e->id, sizeof ret->id);
	memcpy(ret->device, e->device, sizeof ret->device);
	memcpy(ret->enrolment, e->enrolment, sizeof ret->enrolment);
	memcpy(ret->purpose, e->purpose, sizeof ret->purpose);
	memcpy(ret->kind, e->kind, sizeof ret->kind);
	ret->number = e->number;
	ret->created = e->created;
}

int holdfast_escrow_verify(struct holdfast_record *ret, const char *record,
			   const char *attestation_jwk)
{
	struct escrow escrow = { 0 };
	struct sign_pk attestation;
	enum err e;

	e = signer_read(&attestation, attestation_jwk);
	if (!e)
		e = escrow_verify(&escrow, record, &attestation);
	if (!e)
		record_give(ret, &escrow);
	escrow_drop(&escrow);
	return outside(e);
}

int holdfast_escrow_open(char ret_code[HOLDFAST_CODE_TEXT], struct holdfast_record *ret,
			 const char *record, const char *attestation_jwk,
			 const uint8_t escrow_key[HOLDFAST_KEY_BYTES])
{
	SECRET struct secret code = { 0 };
	struct escrow escrow = { 0 };
	struct sign_pk attestation;
	AGREE_SK sk;
	enum err e;

	memcpy(sk.bytes, escrow_key, sizeof sk.bytes);
	e = signer_read(&attestation, attestation_jwk);
	if (!e)
		e = escrow_open(&code, &escrow, record, &attestation, &sk);
	if (!e && code.len >= HOLDFAST_CODE_TEXT)
		e = ERR_FORMAT;
	if (!e)
		code_give(ret_code, &code);
	if (!e && ret)
		record_give(ret, &escrow);
	escrow_drop(&escrow);
	return outside(e);
}

int holdfast_receipt_verify(const char *receipt, const char *device, const char *enrolment,
			    const char *id, const char *message, const char *server_jwk)
{
	struct sign_pk server;
	enum err e;

	e = signer_read(&server, server_jwk);
	if (!e)
		e = receipt_verify(receipt, device, enrolment, id, message, &server);
	return outside(e);
}

int holdfast_cert_verify(char **ret_jwk, const char *cert, const char *role, const char *issuer_jwk,
			 uint64_t now)
{
	struct sign_pk issuer;
	struct cert c;
	JSON *jwk = NULL;
	enum err e;

	e = signer_read(&issuer, issuer_jwk);
	if (!e)
		e = cert_verify(&c, cert, role, &issuer, now);
	if (e)
		return outside(e);
	jwk = c.agrees ? jwk_of_agree(&c.agree) : jwk_of_sign(&c.sign);
	return outside(jwk ? json_print(ret_jwk, jwk) : ERR_MEMORY);
}

int holdfast_message_verify(char **ret_payload, const char *typ, const char *message,
			    const char *signer_jwk)
{
	struct sign_pk signer;
	JSON *payload = NULL;
	enum err e;

	e = signer_read(&signer, signer_jwk);
	if (!e)
		e = jws_verify(&payload, typ, message, &signer);
	if (!e)
		e = json_print(ret_payload, payload);
	return outside(e);
}
