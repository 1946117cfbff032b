/* Drives the JOSE code from interop.py: a command and its arguments in, the result on standard output.
 * Keys are hex; whatever may be long comes on standard input. Exit 1 prints the error's name. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/escrow_host.h"
#include "common/session_host.h"

static char input[JWE_BYTES_MAX + 2];
static uint8_t key[KEY_BYTES];

static enum err print(char *text)
{
	puts(text);
	free(text);
	return OK;
}

static enum err print_json(json_t *j)
{
	char *text = NULL;
	enum err e = json_print(&text, j);

	json_decref(j);
	return e ? e : print(text);
}

static enum err print_secret(const struct secret *s)
{
	fwrite(s->bytes, 1, s->len, stdout);
	return OK;
}

static struct sign_sk sign_key(void)
{
	struct sign_sk sk;

	memcpy(sk.seed, key, sizeof key);
	return sk;
}

static struct agree_sk agree_key(void)
{
	struct agree_sk sk;

	memcpy(sk.bytes, key, sizeof key);
	return sk;
}

/* Public parts and thumbprints of the key. */
static enum err public(char **args)
{
	struct sign_sk sign_sk = sign_key();
	struct agree_sk agree_sk = agree_key();
	struct sign_pk sign;
	struct agree_pk agree;
	char sign_kid[KID_BYTES], agree_kid[KID_BYTES];

	(void)args;
	sign_pk_of(&sign, &sign_sk);
	agree_pk_of(&agree, &agree_sk);
	kid_of_sign(sign_kid, &sign);
	kid_of_agree(agree_kid, &agree);
	return print_json(json_pack("{s:o, s:o, s:s, s:s}", "sign", jwk_of_sign(&sign), "agree",
				    jwk_of_agree(&agree), "sign_kid", sign_kid, "agree_kid", agree_kid));
}

static enum err sign(char **args)
{
	struct sign_sk sk = sign_key();
	JSON *payload = NULL;
	char *jws = NULL;
	enum err e;

	e = json_parse(&payload, input, strlen(input));
	if (!e)
		e = jws_sign(&jws, args[0], payload, &sk);
	return e ? e : print(jws);
}

static enum err verify(char **args)
{
	struct sign_sk sk = sign_key();
	struct sign_pk pk;
	json_t *payload = NULL;
	enum err e;

	sign_pk_of(&pk, &sk);
	e = jws_verify(&payload, args[0], input, &pk);
	return e ? e : print_json(payload);
}

static enum err seal(char **args)
{
	struct agree_sk sk = agree_key();
	struct agree_pk pk;
	char *jwe = NULL;
	enum err e;

	(void)args;
	agree_pk_of(&pk, &sk);
	e = jwe_seal(&jwe, &pk, (const uint8_t *)input, strlen(input));
	return e ? e : print(jwe);
}

static enum err unseal(char **args)
{
	struct agree_sk sk = agree_key();
	SECRET struct secret plain = { 0 };
	enum err e;

	(void)args;
	e = jwe_unseal(&plain, input, &sk);
	return e ? e : print_secret(&plain);
}

/* IV as hex, header as JSON. */
static enum err encrypt(char **args)
{
	uint8_t iv[12];
	JSON *header = NULL;
	char *jwe = NULL;
	enum err e;

	e = hex_decode(iv, sizeof iv, args[0]);
	if (!e)
		e = json_parse(&header, args[1], strlen(args[1]));
	if (!e)
		e = jwe_dir_encrypt(&jwe, header, key, iv, input, strlen(input));
	return e ? e : print(jwe);
}

static enum err decrypt(char **args)
{
	SECRET struct secret plain = { 0 };
	JSON *header = NULL;
	uint8_t iv[12];
	enum err e;

	e = hex_decode(iv, sizeof iv, args[0]);
	if (!e)
		e = jwe_dir_decrypt(&plain, &header, input, key, iv);
	return e ? e : print_secret(&plain);
}

static enum err pk_argument(uint8_t ret[static KEY_BYTES], const char *hex)
{
	return hex_decode(ret, KEY_BYTES, hex);
}

/* id, device, enrolment, number, public escrow key; the code comes in. */
static enum err escrow(char **args)
{
	struct escrow e = { .purpose = ESCROW_HELP, .kind = ESCROW_ONE_TIME_CODE,
			    .created = 1700000000 };
	SECRET struct secret code = { 0 };
	struct sign_sk sk = sign_key();
	struct agree_pk pk;
	char *jws = NULL;
	enum err err;

	snprintf(e.id, sizeof e.id, "%s", args[0]);
	snprintf(e.device, sizeof e.device, "%s", args[1]);
	snprintf(e.enrolment, sizeof e.enrolment, "%s", args[2]);
	e.number = (uint16_t)atoi(args[3]);
	err = pk_argument(pk.bytes, args[4]);
	if (!err)
		err = secret_copy(&code, input, strlen(input));
	if (!err)
		err = escrow_seal(&jws, &e, &code, &pk, &sk);
	return err ? err : print(jws);
}

/* The laptop's public attestation key; the record comes in, the escrow key is the key. */
static enum err open_escrow(char **args)
{
	struct agree_sk sk = agree_key();
	struct escrow e = { 0 };
	SECRET struct secret code = { 0 };
	struct sign_pk pk;
	enum err err;

	err = pk_argument(pk.bytes, args[0]);
	if (!err)
		err = escrow_open(&code, &e, input, &pk, &sk);
	escrow_drop(&e);
	return err ? err : print_secret(&code);
}

/* device, enrolment, id; the message comes in. */
static enum err receipt(char **args)
{
	struct sign_sk sk = sign_key();
	const char *ids[] = { args[2] }, *messages[] = { input };
	char *jws = NULL;
	enum err e;

	e = receipt_sign(&jws, args[0], args[1], 1700000000, ids, messages, 1, &sk);
	return e ? e : print(jws);
}

/* device, enrolment, id, message; the receipt comes in. */
static enum err receipt_check(char **args)
{
	struct sign_sk sk = sign_key();
	struct sign_pk pk;

	sign_pk_of(&pk, &sk);
	return receipt_verify(input, args[0], args[1], args[2], args[3], &pk);
}

/* A whole session as the server: the client's open comes in; client's public key. Prints the accept message and,
 * so that the other implementation can check them, transcript and keys. */
static enum err accept_session(char **args)
{
	struct sign_sk sk = sign_key();
	SESSION s = { 0 };
	struct sign_pk client;
	TEXT *accept = NULL;
	char c2s[65], s2c[65], transcript[65];
	enum err e;

	e = pk_argument(client.bytes, args[0]);
	if (!e)
		e = session_accept(&s, &accept, input, &client, 0, 600, &sk);
	if (e)
		return e;
	hex_encode(c2s, s.c2s, sizeof s.c2s);
	hex_encode(s2c, s.s2c, sizeof s.s2c);
	hex_encode(transcript, s.transcript, sizeof s.transcript);
	return print_json(json_pack("{s:s, s:s, s:s, s:s, s:s}", "accept", accept, "sid", s.id, "c2s",
				    c2s, "s2c", s2c, "transcript", transcript));
}

/* c2s key is the key; sid, method, path; the request comes in. */
static enum err open_request(char **args)
{
	SESSION s = { 0 };
	json_t *body = NULL;
	TEXT *token = NULL;
	uint64_t ctr;
	enum err e;

	snprintf(s.id, sizeof s.id, "%s", args[0]);
	memcpy(s.c2s, key, sizeof key);
	e = session_request_open(&body, &token, &ctr, &s, input, args[1], args[2]);
	return e ? e : print_json(json_pack("{s:o, s:s?, s:I}", "body", body, "token", token, "ctr",
					    (json_int_t)ctr));
}

/* s2c key is the key; sid, counter, status; the body comes in. */
static enum err answer(char **args)
{
	SESSION s = { 0 };
	JSON *body = NULL;
	char *jwe = NULL;
	enum err e;

	snprintf(s.id, sizeof s.id, "%s", args[0]);
	memcpy(s.s2c, key, sizeof key);
	e = json_parse(&body, input, strlen(input));
	if (!e)
		e = session_answer_seal(&jwe, &s, strtoull(args[1], NULL, 10), atoi(args[2]), body, 0);
	return e ? e : print(jwe);
}

static const struct command {
	const char *name;
	int args;
	enum err (*run)(char **args);
} commands[] = {
	{ "public", 0, public },
	{ "sign", 1, sign },
	{ "verify", 1, verify },
	{ "seal", 0, seal },
	{ "unseal", 0, unseal },
	{ "encrypt", 2, encrypt },
	{ "decrypt", 1, decrypt },
	{ "escrow", 5, escrow },
	{ "open-escrow", 1, open_escrow },
	{ "receipt", 3, receipt },
	{ "receipt-check", 4, receipt_check },
	{ "accept-session", 1, accept_session },
	{ "open-request", 3, open_request },
	{ "answer", 3, answer },
};

/* jose_tool COMMAND KEY-HEX [ARGUMENT...] <input */
int main(int argc, char **argv)
{
	enum err e = ERR_NOT_FOUND;

	if (argc < 3 || sodium_init() < 0 || hex_decode(key, sizeof key, argv[2]))
		return 2;
	input[fread(input, 1, sizeof input - 1, stdin)] = '\0';
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(commands[i].name, argv[1]) && argc - 3 == commands[i].args)
			e = commands[i].run(argv + 3);
	if (e)
		puts(err_name(e));
	return e != OK;
}
