#include "unlock.h"

#include <sodium.h>
#include <string.h>

#include "clock.h"
#include "common/registers.h"
#include "common/workplace.h"
#include "firmware.h"
#include "guard.h"
#include "tpm.h"

void unlock_drop(struct unlock *u)
{
	sodium_memzero(u, sizeof(*u));
}

/* Once more with everything given back when memory is short. */
static enum err stretch(struct stretched *ret, struct unlock *u, const struct record *r,
			const struct secret *typed, void (*forget)(void))
{
	uint64_t start = clock_ms();
	enum err e;

	u->memory_mib = firmware_memory_mib();
	e = credential_stretch(ret, r, typed);
	if (e == ERR_MEMORY) {
		forget();
		e = credential_stretch(ret, r, typed);
	}
	u->kdf_ms = (uint32_t)(clock_ms() - start);
	u->processors = workplace_processors();
	return e;
}

/* The TPM's half of the key. *ret_tpm: its error, where the error is the TPM's. */
static enum err unseal(struct sealed *ret, enum err *ret_tpm, const struct store *s,
		       const struct record *r, const struct stretched *typed)
{
	const struct tpm *tpm = tpm_efi();
	struct tpm_parent parent;
	struct tpm_object object;
	struct binding *b;

	if (bindings_find(&b, &s->bindings, r->id, BINDING_SECRET))
		return ERR_CHANGED;
	bindings_parent(&parent, &s->bindings);
	binding_object(&object, b);
	credential_tpm_auth(ret->auth, r, typed);
	*ret_tpm = tpm ? tpm_unseal(ret->secret, tpm, &parent, &object, ret->auth) : ERR_NOT_FOUND;
	return *ret_tpm;
}

static enum err open_bound(struct unlock *ret, const struct store *s, const struct record *r,
			   const struct stretched *typed)
{
	SEALED sealed = { 0 };
	uint64_t start = clock_ms();
	enum err e = unseal(&sealed, &ret->tpm, s, r, typed);

	ret->tpm_ms = (uint32_t)(clock_ms() - start);
	if (e)
		return e;
	e = credential_open_stretched(&ret->credential, r, typed, sealed.secret);
	/* the TPM has taken what was typed: it is the store that does not fit */
	return e == ERR_AUTH ? ERR_SIGNATURE : e;
}

static enum err open_once(struct unlock *ret, const struct store *s, const struct record *r,
			  const struct secret *typed, void (*forget)(void))
{
	STRETCHED stretched = { 0 };
	enum err e = stretch(&stretched, ret, r, typed, forget);

	if (e)
		return e;
	if (!credential_is_bound(r->kind))
		return credential_open_stretched(&ret->credential, r, &stretched, NULL);
	/* the TPM would count it as wrong; where nothing comes of it, that is as it must look */
	if (credential_is_duress(r, &stretched) && guard_duress())
		return ERR_DURESS;
	return open_bound(ret, s, r, &stretched);
}

enum err unlock_record(struct unlock *ret, const struct store *s, const struct record *r,
		       const struct secret *typed, void (*forget)(void))
{
	enum err e;

	unlock_drop(ret);
	e = open_once(ret, s, r, typed, forget);
	if (e)
		credential_drop(&ret->credential); /* ERR_LOCKED gives a part of it */
	registers_wipe();
	return e;
}

static const struct record *nth_user(const struct store *s, uint32_t n)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind) && !n--)
			return &s->records[i];
	return NULL;
}

/* Whose costs a name has that nobody has: where records cost differently, the same name always costs the
 * same, and what no name tells. */
static const struct record *model_for(const struct store *s, const char *user)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	uint32_t count = store_user_count(s);

	if (!count)
		return NULL;
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)user, strlen(user), s->head.device,
			   sizeof(s->head.device));
	return nth_user(s, (hash[0] | (uint32_t)hash[1] << 8) % count);
}

enum err unlock_nobody(struct unlock *ret, const struct store *s, const char *user,
		       const struct secret *typed, void (*forget)(void))
{
	static const struct record usual = { .kind = CREDENTIAL_PASSWORD,
					     .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB,
					     .kdf_passes = KDF_PASSWORD_PASSES,
					     .kdf_lanes = KDF_PASSWORD_LANES };
	const struct record *model = model_for(s, user);
	struct record nobody = model ? *model : usual;
	enum err e;

	/* another salt: not even the model's own password opens it */
	crypto_generichash(nobody.salt, sizeof(nobody.salt), (const uint8_t *)user, strlen(user),
			   s->head.device, sizeof(s->head.device));
	e = unlock_record(ret, s, &nobody, typed, forget);
	credential_drop(&ret->credential);
	return e ? e : ERR_AUTH;
}
