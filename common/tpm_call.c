#include "tpm_call.h"

#include <sodium.h>
#include <string.h>

#define TRIES 12          /* with the waits below: some five seconds */
#define WAIT_FIRST_MS 10
#define WAIT_LONGEST_MS 800

void tpm_call_wipe(struct tpm_call *c)
{
	sodium_memzero(c, sizeof(*c));
}

void tpm_call_start(struct tpm_call *c, enum tpm_code code)
{
	memset(c, 0, sizeof(*c));
	c->code = code;
	c->parameters = writer_over(c->parameter_bytes, sizeof(c->parameter_bytes));
}

void tpm_call_handle(struct tpm_call *c, uint32_t handle, const uint8_t *name)
{
	c->handles[c->handle_count] = handle;
	c->names[c->handle_count++] = name;
}

void tpm_call_password(struct tpm_call *c)
{
	c->is_authorized = 1;
	c->attributes = TPM_CONTINUE;
}

void tpm_call_session(struct tpm_call *c, struct tpm_session *s, const uint8_t *auth, uint8_t attributes)
{
	c->is_authorized = 1;
	c->session = s;
	c->auth = auth;
	c->attributes = attributes;
}

static size_t parameters_len(const struct tpm_call *c)
{
	return sizeof(c->parameter_bytes) - c->parameters.left;
}

static enum tpm_tag tag_of(const struct tpm_call *c)
{
	return c->is_authorized ? TPM_WITH_SESSIONS : TPM_PLAIN;
}

/* Length of the first parameter behind its size, when it is whole. */
static enum err first_len(size_t *ret, const uint8_t *parameters, size_t len)
{
	struct cursor c = cursor_over(parameters, len);

	return tpm_read_2b(&c, ret, len) ? OK : ERR_FORMAT;
}

static void hash_u32(crypto_hash_sha256_state *s, uint32_t v)
{
	uint8_t bytes[4];
	struct writer w = writer_over(bytes, sizeof(bytes));

	tpm_write_u32(&w, v);
	crypto_hash_sha256_update(s, bytes, sizeof(bytes));
}

/* cpHash: code, names, parameters as they are sent. */
static void command_hash(uint8_t ret[static TPM_DIGEST_BYTES], const struct tpm_call *c)
{
	crypto_hash_sha256_state s;

	crypto_hash_sha256_init(&s);
	hash_u32(&s, c->code);
	for (unsigned i = 0; i < c->handle_count; i++)
		crypto_hash_sha256_update(&s, c->names[i], TPM_NAME_BYTES);
	crypto_hash_sha256_update(&s, c->parameter_bytes, parameters_len(c));
	crypto_hash_sha256_final(&s, ret);
}

/* rpHash: response code, command's code, parameters as they came. */
static void answer_hash(uint8_t ret[static TPM_DIGEST_BYTES], const struct tpm_call *c, const uint8_t *parameters,
			size_t len)
{
	crypto_hash_sha256_state s;

	crypto_hash_sha256_init(&s);
	hash_u32(&s, 0);
	hash_u32(&s, c->code);
	crypto_hash_sha256_update(&s, parameters, len);
	crypto_hash_sha256_final(&s, ret);
}

static void write_authorization(struct writer *w, const struct tpm_call *c)
{
	uint8_t hash[TPM_DIGEST_BYTES], hmac[TPM_DIGEST_BYTES];

	if (!c->session) {
		tpm_write_u32(w, 9);
		tpm_write_u32(w, TPM_PASSWORD_SESSION);
		tpm_write_u16(w, 0);
		writer_u8(w, c->attributes);
		tpm_write_u16(w, 0);
		return;
	}
	command_hash(hash, c);
	tpm_session_hmac(hmac, c->session, c->auth, hash, c->attributes, 0);
	tpm_write_u32(w, 9 + TPM_NONCE_BYTES + sizeof(hmac));
	tpm_write_u32(w, c->session->handle);
	tpm_write_2b(w, c->session->nonce_caller, TPM_NONCE_BYTES);
	writer_u8(w, c->attributes);
	tpm_write_2b(w, hmac, sizeof(hmac));
}

static enum err encrypt_first(struct tpm_call *c)
{
	size_t len;

	if (first_len(&len, c->parameter_bytes, parameters_len(c)))
		return ERR_INTERNAL;
	tpm_session_encrypt(c->session, c->auth, c->parameter_bytes + 2, len);
	return OK;
}

static enum err write_command(struct tpm_call *c, size_t *ret_len)
{
	struct writer w = writer_over(c->message, sizeof(c->message)), header;
	enum err e = OK;

	if (c->session)
		randombytes_buf(c->session->nonce_caller, TPM_NONCE_BYTES);
	if (c->attributes & TPM_DECRYPT)
		e = encrypt_first(c);
	if (e)
		return e;
	tpm_write_header(&w, tag_of(c), 0, 0);
	for (unsigned i = 0; i < c->handle_count; i++)
		tpm_write_u32(&w, c->handles[i]);
	if (c->is_authorized)
		write_authorization(&w, c);
	writer_bytes(&w, c->parameter_bytes, parameters_len(c));
	if (c->parameters.e || w.e)
		return ERR_RANGE;
	*ret_len = sizeof(c->message) - w.left;
	header = writer_over(c->message, TPM_HEADER_BYTES);
	tpm_write_header(&header, tag_of(c), (uint32_t)*ret_len, c->code);
	return OK;
}

static enum err submit_once(struct tpm_call *c, const struct tpm *t, const uint8_t *command, size_t len)
{
	size_t got = sizeof(c->message);
	enum err e = t->submit(t->context, c->message, &got, command, len);

	if (e)
		return e;
	if (got > sizeof(c->message))
		return ERR_RANGE;
	c->answer = cursor_over(c->message, got);
	return tpm_read_header(&c->rc, &c->answer, tag_of(c), got);
}

/* The TPM's nonce stays as it was until a command has succeeded, so the same bytes are sent again. */
static enum err submit(struct tpm_call *c, const struct tpm *t, size_t len)
{
	uint8_t command[TPM_MESSAGE_MAX];
	unsigned wait = WAIT_FIRST_MS;

	memcpy(command, c->message, len);
	for (unsigned i = 0;; i++) {
		enum err e = submit_once(c, t, command, len);

		if (e || !tpm_rc_again(c->rc) || i == TRIES)
			return e;
		t->wait_ms(t->context, wait);
		wait = 2 * wait < WAIT_LONGEST_MS ? 2 * wait : WAIT_LONGEST_MS;
	}
}

/* The answer to the empty password says nothing; it is held to saying so. */
static enum err check_password(struct cursor *c)
{
	static const uint8_t want[] = { 0, 0, TPM_CONTINUE, 0, 0 };
	const uint8_t *got = cursor_take(c, sizeof(want));

	return got && !c->left && !memcmp(got, want, sizeof(want)) ? OK : ERR_FORMAT;
}

static enum err check_session(const struct tpm_call *call, struct cursor *c, const uint8_t *parameters, size_t len)
{
	uint8_t hash[TPM_DIGEST_BYTES], hmac[TPM_DIGEST_BYTES], attributes;
	struct tpm_session *s = call->session;
	size_t nonce_len, hmac_len;
	const uint8_t *nonce = tpm_read_2b(c, &nonce_len, TPM_NONCE_BYTES), *theirs;

	attributes = cursor_u8(c);
	theirs = tpm_read_2b(c, &hmac_len, TPM_DIGEST_BYTES);
	if (cursor_end(c) || nonce_len != TPM_NONCE_BYTES)
		return ERR_FORMAT;
	memcpy(s->nonce_tpm, nonce, TPM_NONCE_BYTES);
	answer_hash(hash, call, parameters, len);
	tpm_session_hmac(hmac, s, call->auth, hash, attributes, 1);
	if (hmac_len != sizeof(hmac) || sodium_memcmp(hmac, theirs, sizeof(hmac)))
		return ERR_SIGNATURE;
	/* What the TPM did not encrypt, although asked to, went over the bus in the clear. */
	return attributes == call->attributes ? OK : ERR_SIGNATURE;
}

static enum err decrypt_first(struct tpm_call *c, size_t len)
{
	uint8_t *parameters = c->message + (c->answer.at - c->message);
	size_t first;
	enum err e = first_len(&first, parameters, len);

	if (!e)
		tpm_session_decrypt(c->session, c->auth, parameters + 2, first);
	return e;
}

static enum err read_authorized(struct tpm_call *c)
{
	size_t len = tpm_read_u32(&c->answer);
	struct cursor rest = c->answer;
	const uint8_t *parameters = cursor_take(&rest, len);
	enum err e;

	if (!parameters)
		return ERR_FORMAT;
	e = c->session ? check_session(c, &rest, parameters, len) : check_password(&rest);
	if (!e && (c->attributes & TPM_ENCRYPT))
		e = decrypt_first(c, len);
	c->answer = cursor_over(parameters, len);
	return e;
}

enum err tpm_call_send(struct tpm_call *c, const struct tpm *t)
{
	size_t len;
	enum err e = write_command(c, &len);

	if (!e)
		e = submit(c, t, len);
	if (!e)
		e = tpm_rc_err(c->rc);
	if (e)
		return e;
	if (c->gives_handle)
		c->handle = tpm_read_u32(&c->answer);
	if (c->answer.e)
		return ERR_FORMAT;
	return c->is_authorized ? read_authorized(c) : OK;
}
