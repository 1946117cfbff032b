#include "appointment.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "link.h"
#include "passphrase.h"
#include "root.h"

static int derive_new(struct officer_branches *ret, struct officer_kdf *kdf, const struct appointment *a)
{
	SECRET struct secret passphrase = { 0 }, key_file = { 0 };
	char prompt[OFFICER_NAME_MAX + 40];
	enum err e;

	snprintf(prompt, sizeof prompt, "New passphrase for %s: ", a->name);
	e = passphrase_new(&passphrase, a->passphrase_file, prompt);
	if (e == ERR_RANGE)
		return ctl_usage("", "the passphrase of %s must have %d to %d bytes", a->name,
				 PASSPHRASE_BYTES_MIN, PASSPHRASE_BYTES_MAX);
	if (e == ERR_AUTH)
		return ctl_usage("", "the two passphrases differ");
	if (e)
		return ctl_fail(e, "passphrase of %s", a->name);
	randombytes_buf(kdf->salt, sizeof kdf->salt);
	kdf->memory_kib = OFFICER_KDF_MEMORY_KIB;
	kdf->passes = OFFICER_KDF_PASSES;
	e = officer_key_file_new(a->dir, a->name);
	if (!e)
		e = officer_key_file_read(&key_file, a->dir, a->name);
	if (e)
		return ctl_fail(e, "key file for %s in %s", a->name, a->dir);
	e = officer_derive(ret, &passphrase, &key_file, kdf);
	if (e)
		officer_key_file_remove(a->dir, a->name);
	return e ? ctl_fail(e, "passphrase of %s", a->name) : CTL_DONE;
}

static enum err add_cert(json_t *object, const char *member, const char *role, const struct appointment *a,
			 const struct sign_pk *sign, const struct agree_pk *agree,
			 const char *permissions, const struct sign_sk *issuer)
{
	TEXT *jws = NULL;
	enum err e = root_certify(&jws, role, a->name, a->enterprise, sign, agree, permissions, issuer);

	if (!e && json_object_set_new(object, member, json_string(jws)))
		e = ERR_MEMORY;
	return e;
}

static enum err add_certs(json_t *object, const struct appointment *a, const struct officer_keys *keys,
			  const struct officer_branches *branches)
{
	struct sign_pk sign, sign_in;
	struct agree_pk agree;
	enum err e;

	sign_pk_of(&sign, &keys->sign);
	sign_pk_of(&sign_in, &branches->sign_in);
	agree_pk_of(&agree, &keys->agree);
	e = add_cert(object, "cert", "officer", a, &sign, NULL, a->permissions, a->root);
	if (!e)
		e = add_cert(object, "seal_cert", "officer-seal", a, NULL, &agree, "", a->root);
	if (!e)
		e = add_cert(object, "sign_in_cert", "officer-sign-in", a, &sign_in, NULL, "", &keys->sign);
	return e;
}

static enum err add_kdf(json_t *object, const struct officer_kdf *kdf)
{
	TEXT *salt = NULL;
	enum err e = b64_encode(&salt, kdf->salt, sizeof kdf->salt);

	if (!e && (json_object_set_new(object, "salt", json_string(salt)) ||
		   json_object_set_new(object, "kdf_memory_kib", json_integer(kdf->memory_kib)) ||
		   json_object_set_new(object, "kdf_passes", json_integer(kdf->passes))))
		e = ERR_MEMORY;
	return e;
}

static enum err add_wrapped_keys(json_t *object, const struct officer_keys *keys,
				 const struct officer_branches *branches)
{
	TEXT *jwe = NULL;
	enum err e = officer_keys_wrap(&jwe, keys, branches);

	if (!e && json_object_set_new(object, "wrapped_keys", json_pack("{s:s}", "jwe", jwe)))
		e = ERR_MEMORY;
	return e;
}

static enum err add_escrow_key(json_t *wrapped, const char *purpose, const struct agree_sk *key,
			       const struct agree_pk *holder)
{
	TEXT *jwe = NULL;
	enum err e = key ? escrow_key_wrap(&jwe, key, holder) : OK;

	if (!e && key && json_object_set_new(wrapped, purpose, json_string(jwe)))
		e = ERR_MEMORY;
	return e;
}

static enum err add_escrow_keys(json_t *object, const struct appointment *a, const struct officer_keys *keys)
{
	json_t *wrapped = json_object();
	struct agree_pk holder;
	enum err e;

	if (!wrapped || json_object_set_new(object, "wrapped_escrow_keys", wrapped))
		return ERR_MEMORY;
	agree_pk_of(&holder, &keys->agree);
	e = add_escrow_key(wrapped, "help", a->help, &holder);
	return e ? e : add_escrow_key(wrapped, "recovery", a->recovery, &holder);
}

int appointment_make(json_t **ret_object, struct officer_branches *ret_branches,
		     struct officer_keys *ret_keys, const struct appointment *a)
{
	BRANCHES branches = { 0 };
	OFFICER_KEYS keys = { 0 };
	struct officer_kdf kdf;
	JSON *object = json_pack("{s:s}", "name", a->name);
	enum err e = object ? OK : ERR_MEMORY;
	int status = derive_new(&branches, &kdf, a);

	if (status)
		return status;
	officer_keys_new(&keys);
	if (!e)
		e = add_certs(object, a, &keys, &branches);
	if (!e)
		e = add_kdf(object, &kdf);
	if (!e)
		e = add_wrapped_keys(object, &keys, &branches);
	if (!e)
		e = add_escrow_keys(object, a, &keys);
	if (e) {
		officer_key_file_remove(a->dir, a->name);
		return ctl_fail(e, "keys of officer %s", a->name);
	}
	if (ret_branches)
		*ret_branches = branches;
	if (ret_keys)
		*ret_keys = keys;
	*ret_object = object;
	object = NULL;
	return CTL_DONE;
}
