#include "root.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/code.h"
#include "file.h"

#define SHEET_MARK "Code: "
/* A certificate counts from a day earlier, for clocks that are behind. */
#define CERT_EARLIER_S (24 * 3600)

enum err root_write(const struct sign_sk *root, const char *dir, const struct officer_branches *b)
{
	TEXT *jwe = NULL;
	enum err e = wrapped_new(&jwe, "holdfast-officer-root", b->root_wrapping, root->seed, KEY_BYTES);

	return e ? e : file_write(dir, ROOT_FILE, jwe, strlen(jwe), 0);
}

enum err root_read(struct sign_sk *ret, const char *dir, const struct officer_branches *b)
{
	SECRET struct secret text = { 0 }, seed = { 0 };
	enum err e = file_read(&text, dir, ROOT_FILE);

	if (!e)
		e = wrapped_open(&seed, (const char *)text.bytes, b->root_wrapping);
	if (!e && seed.len != KEY_BYTES)
		e = ERR_FORMAT;
	if (!e)
		memcpy(ret->seed, seed.bytes, KEY_BYTES);
	return e;
}

enum err root_sheet_write(const struct sign_sk *root, const char *file, const char *enterprise)
{
	static const char form[] =
		"Holdfast recovery sheet\n"
		"=======================\n\n"
		"Enterprise: %s\n\n"
		"Whoever holds this sheet can appoint officers and open every escrowed key of this\n"
		"enterprise. Print it, lock it away, and delete this file.\n\n" SHEET_MARK "%s\n\n"
		"To use it: holdfast-ctl officer add NAME --sheet FILE\n";
	SECRET struct secret text = { 0 };
	char code[CODE_TEXT_MAX];
	enum err e = secret_new(&text, sizeof form + CODE_TEXT_MAX + 64);
	int n;

	if (e)
		return e;
	code_format(code, CODE_SHEET, root->seed);
	n = snprintf((char *)text.bytes, text.len, form, enterprise, code);
	sodium_memzero(code, sizeof code);
	return n > 0 ? file_write(NULL, file, text.bytes, (size_t)n, 0) : ERR_INTERNAL;
}

enum err root_sheet_read(struct sign_sk *ret, size_t *ret_group, const char *file)
{
	SECRET struct secret text = { 0 };
	const char *code;
	enum err e = file_read(&text, NULL, file);

	if (e)
		return e;
	code = strstr((const char *)text.bytes, SHEET_MARK);
	code = code ? code + strlen(SHEET_MARK) : (const char *)text.bytes;
	return code_parse(ret->seed, ret_group, CODE_SHEET, code, strcspn(code, "\r\n"));
}

enum err root_agree_sk(struct agree_sk *ret, const struct sign_sk *root)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	int failed;

	crypto_sign_seed_keypair(pk, sk, root->seed);
	failed = crypto_sign_ed25519_sk_to_curve25519(ret->bytes, sk);
	sodium_memzero(sk, sizeof sk);
	return failed ? ERR_INTERNAL : OK;
}

enum err root_certify(char **ret, const char *role, const char *subject, const char *enterprise,
		      const struct sign_pk *sign, const struct agree_pk *agree, const char *permissions,
		      const struct sign_sk *issuer)
{
	struct cert c = { .agrees = agree != NULL, .not_before = (uint64_t)time(NULL) - CERT_EARLIER_S };

	if (strlen(role) >= sizeof c.role || strlen(subject) >= sizeof c.subject ||
	    strlen(enterprise) >= sizeof c.enterprise || strlen(permissions) >= sizeof c.permissions)
		return ERR_RANGE;
	strcpy(c.role, role);
	strcpy(c.subject, subject);
	strcpy(c.enterprise, enterprise);
	strcpy(c.permissions, permissions);
	if (agree)
		c.agree = *agree;
	else
		c.sign = *sign;
	return cert_sign(ret, &c, issuer);
}
