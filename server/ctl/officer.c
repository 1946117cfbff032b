#include "officer.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/code.h"
#include "common/credential.h"
#include "common/jwe_host.h"
#include "file.h"

#define KEY_FILE_SUFFIX ".officer-key"
#define BRANCH_CONTEXT "hf-offic"

void officer_branches_drop(struct officer_branches *b)
{
	sodium_memzero(b, sizeof *b);
}

void officer_keys_drop(struct officer_keys *k)
{
	sodium_memzero(k, sizeof *k);
}

int officer_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= OFFICER_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

static void key_file_name(char ret[OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX], const char *name)
{
	snprintf(ret, OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX, "%s" KEY_FILE_SUFFIX, name);
}

enum err officer_key_file_new(const char *dir, const char *name)
{
	char file[OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX];
	SECRET struct secret text = { 0 };
	enum err e = code_new(&text, CODE_RECOVERY);

	key_file_name(file, name);
	return e ? e : file_write(dir, file, text.bytes, text.len, 0);
}

int officer_key_file_exists(const char *dir, const char *name)
{
	char file[OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX];

	key_file_name(file, name);
	return file_exists(dir, file);
}

void officer_key_file_remove(const char *dir, const char *name)
{
	char file[OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX];

	key_file_name(file, name);
	file_remove(dir, file);
}

enum err officer_key_file_read(struct secret *ret, const char *dir, const char *name)
{
	char file[OFFICER_NAME_MAX + sizeof KEY_FILE_SUFFIX];
	SECRET struct secret text = { 0 }, key = { 0 };
	size_t group, len;
	enum err e;

	key_file_name(file, name);
	e = file_read(&text, dir, file);
	if (!e)
		e = secret_new(&key, OFFICER_KEY_FILE_BYTES);
	if (e)
		return e;
	len = strcspn((const char *)text.bytes, "\r\n");
	e = code_parse(key.bytes, &group, CODE_RECOVERY, (const char *)text.bytes, len);
	if (e)
		return e;
	*ret = key;
	key = (struct secret){ 0 };
	return OK;
}

enum err officer_key_file_find(char ret[OFFICER_NAME_MAX + 1], const char *dir)
{
	char found[OFFICER_NAME_MAX + 1] = "";
	int count = 0;
	DIR *d = opendir(dir);

	if (!d)
		return ERR_NOT_FOUND;
	for (struct dirent *f; (f = readdir(d));) {
		size_t len = strlen(f->d_name), tail = sizeof KEY_FILE_SUFFIX - 1;

		if (len <= tail || len - tail > OFFICER_NAME_MAX ||
		    strcmp(f->d_name + len - tail, KEY_FILE_SUFFIX))
			continue;
		snprintf(found, sizeof found, "%.*s", (int)(len - tail), f->d_name);
		count++;
	}
	closedir(d);
	if (count != 1)
		return count ? ERR_RANGE : ERR_NOT_FOUND;
	strcpy(ret, found);
	return OK;
}

enum err officer_derive(struct officer_branches *ret, const struct secret *passphrase,
			const struct secret *key_file, const struct officer_kdf *kdf)
{
	uint8_t stretched[KEY_BYTES], master[crypto_kdf_KEYBYTES];

	if (kdf->memory_kib < KDF_PASSWORD_MEMORY_KIB_MIN || kdf->memory_kib > KDF_MEMORY_KIB_MAX ||
	    kdf->passes < KDF_PASSES_MIN || kdf->passes > KDF_PASSES_MAX)
		return ERR_RANGE;
	if (crypto_pwhash(stretched, sizeof stretched, (const char *)passphrase->bytes, passphrase->len,
			  kdf->salt, kdf->passes, (size_t)kdf->memory_kib * 1024,
			  crypto_pwhash_ALG_ARGON2ID13))
		return ERR_MEMORY;
	crypto_generichash(master, sizeof master, stretched, sizeof stretched, key_file->bytes,
			   key_file->len);
	crypto_kdf_derive_from_key(ret->sign_in.seed, KEY_BYTES, 1, BRANCH_CONTEXT, master);
	crypto_kdf_derive_from_key(ret->wrapping, KEY_BYTES, 2, BRANCH_CONTEXT, master);
	crypto_kdf_derive_from_key(ret->root_wrapping, KEY_BYTES, 3, BRANCH_CONTEXT, master);
	sodium_memzero(stretched, sizeof stretched);
	sodium_memzero(master, sizeof master);
	return OK;
}

void officer_keys_new(struct officer_keys *ret)
{
	sign_sk_new(&ret->sign);
	agree_sk_new(&ret->agree);
}

/* IV and key: each wrapping draws 96 random bits, and a key wraps a handful of times in its life. */
enum err wrapped_new(char **ret, const char *typ, const uint8_t key[static KEY_BYTES], const void *bytes,
		     size_t len)
{
	JSON *header = json_pack("{s:s}", "typ", typ);
	uint8_t iv[12];

	if (!header)
		return ERR_MEMORY;
	randombytes_buf(iv, sizeof iv);
	return jwe_dir_encrypt(ret, header, key, iv, bytes, len);
}

/* jwe_dir_decrypt wants the IV that the caller expects; here the message itself brings it. */
static enum err wrapped_iv(uint8_t ret[static 12], const char *jwe)
{
	const char *part = strchr(jwe, '.');
	uint8_t *iv = NULL;
	size_t len = 0;
	enum err e;

	part = part ? strchr(part + 1, '.') : NULL;
	if (!part)
		return ERR_FORMAT;
	e = b64_decode(&iv, &len, part + 1, strcspn(part + 1, "."));
	if (!e && len != 12)
		e = ERR_FORMAT;
	if (!e)
		memcpy(ret, iv, 12);
	free(iv);
	return e;
}

enum err wrapped_open(struct secret *ret, const char *jwe, const uint8_t key[static KEY_BYTES])
{
	JSON *header = NULL;
	uint8_t iv[12];
	enum err e = wrapped_iv(iv, jwe);

	return e ? e : jwe_dir_decrypt(ret, &header, jwe, key, iv);
}

enum err officer_keys_wrap(char **ret, const struct officer_keys *k, const struct officer_branches *b)
{
	SECRET struct secret both = { 0 };
	enum err e = secret_new(&both, 2 * KEY_BYTES);

	if (e)
		return e;
	memcpy(both.bytes, k->sign.seed, KEY_BYTES);
	memcpy(both.bytes + KEY_BYTES, k->agree.bytes, KEY_BYTES);
	return wrapped_new(ret, "holdfast-officer-keys", b->wrapping, both.bytes, both.len);
}

enum err officer_keys_unwrap(struct officer_keys *ret, const char *jwe, const struct officer_branches *b)
{
	SECRET struct secret both = { 0 };
	enum err e = wrapped_open(&both, jwe, b->wrapping);

	if (e)
		return e;
	if (both.len != 2 * KEY_BYTES)
		return ERR_FORMAT;
	memcpy(ret->sign.seed, both.bytes, KEY_BYTES);
	memcpy(ret->agree.bytes, both.bytes + KEY_BYTES, KEY_BYTES);
	return OK;
}
