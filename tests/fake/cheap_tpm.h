/* Cheap TPM: a test double of the TPM's commands (common/tpm.h) and of the firmware's way to it
 * (preboot/tpm.h), for tests of one file that unlock many times. Whoever includes it has these functions
 * instead of the real ones. It keeps its state over runs, counts wrong authorization values, locks itself,
 * and looks at its PCRs, as a TPM does; its objects are hidden by no more than a mask. And users whose
 * credentials are bound to it, for laptop_new. */
#ifndef HOLDFAST_CHEAP_TPM_H
#define HOLDFAST_CHEAP_TPM_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/questions.h"
#include "fake.h"
#include "laptop.h"
#include "preboot/tpm.h"

#define CHEAP_TPM_MS 120
#define CHEAP_TPM_TRIES 8
#define CHEAP_TPM_RECOVERY_S 600

static struct cheap_tpm {
	/* To be set before a run. */
	int missing;
	uint64_t identity; /* another one: cleared, or exchanged */
	uint8_t pcr7[TPM_PCR_BYTES];
	enum err fails;    /* what every command gives; OK: works */
	enum err change_fails; /* ... what tpm_change_auth gives */
	int measures_nothing;
	uint32_t tries;
	/* To be looked at after it. */
	uint8_t own[TPM_PCR_BYTES];
	unsigned unseals, measured, ended;
} *cheap_tpm;

/* A laptop's first TPM; the one before is gone. Before laptop_new with bound users. */
static inline void cheap_tpm_new(void)
{
	if (!cheap_tpm)
		cheap_tpm = mmap(NULL, sizeof(*cheap_tpm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(cheap_tpm, 0, sizeof(*cheap_tpm));
	memset(cheap_tpm->pcr7, 7, sizeof(cheap_tpm->pcr7));
	cheap_tpm->identity = 1;
}

/* As switching off and on does. */
static inline void cheap_tpm_restart(void)
{
	memset(cheap_tpm->own, 0, sizeof(cheap_tpm->own));
	cheap_tpm->unseals = cheap_tpm->measured = cheap_tpm->ended = 0;
}

struct cheap_inside {
	uint64_t identity, has_auth;
	uint8_t pcr7[TPM_PCR_BYTES], secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
};

static inline void cheap_mask(struct tpm_object *o)
{
	for (size_t i = 0; i < sizeof(struct cheap_inside); i++)
		o->private_area[i] ^= (uint8_t)(0xa5 + i);
}

static inline void cheap_seal(struct tpm_object *ret, const uint8_t *secret, const uint8_t *auth)
{
	struct cheap_inside in = { .identity = cheap_tpm->identity, .has_auth = auth != NULL };

	memcpy(in.pcr7, cheap_tpm->pcr7, sizeof(in.pcr7));
	memcpy(in.secret, secret, sizeof(in.secret));
	if (auth)
		memcpy(in.auth, auth, sizeof(in.auth));
	*ret = (struct tpm_object){ .public_len = 64, .private_len = sizeof(in) };
	memset(ret->public_area, 'p', 64);
	memcpy(ret->private_area, &in, sizeof(in));
	cheap_mask(ret);
	secret_wipe(&in, sizeof(in));
}

static inline enum err cheap_load(struct cheap_inside *ret, const struct tpm_object *o, const uint8_t *auth)
{
	struct tpm_object clear = *o;
	enum err e = OK;

	fake_work(CHEAP_TPM_MS);
	cheap_mask(&clear);
	memcpy(ret, clear.private_area, sizeof(*ret));
	secret_wipe(&clear, sizeof(clear));
	if (cheap_tpm->fails)
		e = cheap_tpm->fails;
	else if (o->private_len != sizeof(*ret) || ret->identity != cheap_tpm->identity)
		e = ERR_MISDIRECTED;
	else if (ret->has_auth && cheap_tpm->tries >= CHEAP_TPM_TRIES)
		e = ERR_LOCKED_OUT;
	else if (ret->has_auth && memcmp(ret->auth, auth, sizeof(ret->auth)) != 0)
		e = ERR_AUTH;
	cheap_tpm->tries += e == ERR_AUTH;
	return e;
}

enum err tpm_unseal(uint8_t ret[static TPM_SECRET_BYTES], const struct tpm *t, const struct tpm_parent *parent,
		    const struct tpm_object *object, const uint8_t *auth)
{
	struct cheap_inside in;
	enum err e;

	(void)t;
	(void)parent;
	cheap_tpm->unseals++;
	e = cheap_load(&in, object, auth);
	if ((!e || e == ERR_AUTH) && (memcmp(in.pcr7, cheap_tpm->pcr7, sizeof(in.pcr7)) != 0 ||
				      !sodium_is_zero(cheap_tpm->own, sizeof(cheap_tpm->own)))) {
		cheap_tpm->tries -= e == ERR_AUTH;
		e = ERR_CHANGED;
	}
	if (!e)
		memcpy(ret, in.secret, sizeof(in.secret));
	secret_wipe(&in, sizeof(in));
	return e;
}

enum err tpm_change_auth(struct tpm_object *object, const struct tpm *t, const struct tpm_parent *parent,
			 const uint8_t auth[static TPM_AUTH_BYTES], const uint8_t new_auth[static TPM_AUTH_BYTES])
{
	struct cheap_inside in;
	enum err e = cheap_load(&in, object, auth);

	(void)t;
	(void)parent;
	if (cheap_tpm->change_fails)
		e = cheap_tpm->change_fails;
	if (!e)
		cheap_seal(object, in.secret, new_auth);
	secret_wipe(&in, sizeof(in));
	return e;
}

enum err tpm_pcr_read(uint8_t ret[static TPM_PCR_BYTES], const struct tpm *t, unsigned pcr)
{
	(void)t;
	if (cheap_tpm->fails && cheap_tpm->fails != ERR_SIGNATURE)
		return cheap_tpm->fails;
	memcpy(ret, pcr == TPM_PCR_OWN ? cheap_tpm->own : cheap_tpm->pcr7, TPM_PCR_BYTES);
	return OK;
}

enum err tpm_lockout_read(struct tpm_lockout *ret, const struct tpm *t)
{
	(void)t;
	*ret = (struct tpm_lockout){ cheap_tpm->tries, CHEAP_TPM_TRIES, CHEAP_TPM_RECOVERY_S,
				     cheap_tpm->tries >= CHEAP_TPM_TRIES };
	return cheap_tpm->fails;
}

const struct tpm *tpm_efi(void)
{
	static const struct tpm t;

	return !cheap_tpm || cheap_tpm->missing ? NULL : &t;
}

const struct tpm *tpm_efi_plain(void)
{
	return tpm_efi();
}

enum err tpm_pcr_extend(const struct tpm *t, unsigned pcr, const uint8_t digest[static TPM_PCR_BYTES])
{
	(void)t;
	if (pcr == TPM_PCR_OWN && !cheap_tpm->measures_nothing)
		crypto_generichash(cheap_tpm->own, TPM_PCR_BYTES, digest, TPM_PCR_BYTES, cheap_tpm->own, TPM_PCR_BYTES);
	return cheap_tpm->fails;
}

void tpm_efi_end(void)
{
	if (cheap_tpm)
		cheap_tpm->ended++;
}

enum err tpm_measure(unsigned pcr, const char *text)
{
	if (!tpm_efi())
		return ERR_NOT_FOUND;
	cheap_tpm->measured++;
	if (pcr == TPM_PCR_OWN && !cheap_tpm->measures_nothing)
		crypto_generichash(cheap_tpm->own, TPM_PCR_BYTES, (const uint8_t *)text, strlen(text),
				   cheap_tpm->own, TPM_PCR_BYTES);
	return OK;
}

/* ---- users whose credentials are bound ---- */

static inline void cheap_bind(struct store *s, const struct record *r, enum binding_kind kind, const uint8_t *secret,
			      const uint8_t *auth)
{
	static const struct tpm_parent parent = { 0x81000001, { 1 }, { 2 } };
	struct binding b = { .kind = (uint8_t)kind };
	struct tpm_object object;
	SEALED sealed = { 0 };

	memcpy(b.credential, r->id, sizeof(b.credential));
	memcpy(sealed.secret, secret, sizeof(sealed.secret));
	if (auth)
		memcpy(sealed.auth, auth, sizeof(sealed.auth));
	cheap_seal(&object, secret, auth);
	binding_set_object(&b, &object);
	binding_close(&b, &sealed, laptop_key);
	bindings_set_parent(&s->bindings, &parent);
	memcpy(s->bindings.head.pcr7, cheap_tpm->pcr7, sizeof(s->bindings.head.pcr7));
	laptop_must(bindings_put(&s->bindings, &b));
}

static inline void cheap_record(struct store *s, struct record *ret, const struct credential_spec *spec,
				const struct secret *typed)
{
	uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
	struct store_vk vk;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	randombytes_buf(secret, sizeof(secret));
	laptop_must(credential_new_bound(ret, auth, spec, typed, secret, &vk, laptop_key));
	laptop_must(store_add(s, ret));
	cheap_bind(s, ret, BINDING_SECRET, secret, auth);
}

/* In the place of the user's record that is there. To be called by the edit of laptop_new. */
static inline void cheap_user(struct store *s, enum credential_kind kind, const char *user, const char *typed)
{
	const struct credential_spec spec = { .kind = kind,
					      .user = user,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_passes = 1,
					      .kdf_lanes = 1 };
	SECRET struct secret secret = { 0 };
	struct record *old, r;

	if (!store_find_user(&old, s, user))
		laptop_must(store_remove(s, old->id));
	laptop_must(secret_copy(&secret, typed, strlen(typed)));
	cheap_record(s, &r, &spec, &secret);
}

#define CHEAP_QUESTIONS 5
#define CHEAP_NEED 3
static const char *const cheap_questions[CHEAP_QUESTIONS] = {
	"First pet?", "Street of childhood?", "Best teacher?", "First concert?", "Favourite dish?",
};
static const char *const cheap_answers[CHEAP_QUESTIONS] = {
	"Rex the Third", "Lindenallee", "Mrs. Robinson", "The Kinks", "Dumplings with plums",
};

static inline void cheap_self_help(struct store *s, const char *user)
{
	uint8_t salt[16], key[TPM_SECRET_BYTES];
	const struct credential_spec spec = { .kind = CREDENTIAL_SELF_HELP,
					      .user = user,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_passes = 1,
					      .kdf_lanes = 1,
					      .salt = salt };
	struct secret answers[CHEAP_QUESTIONS] = { 0 };
	SECRET struct secret typed = { 0 };
	struct questions q = { 0 };
	QUESTIONS_BOX box = { 0 };
	struct record r;

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(key, sizeof(key));
	for (int i = 0; i < CHEAP_QUESTIONS; i++)
		laptop_must(secret_copy(&answers[i], cheap_answers[i], strlen(cheap_answers[i])));
	laptop_must(questions_make(&box, &typed, cheap_questions, answers, CHEAP_QUESTIONS, CHEAP_NEED, salt));
	cheap_record(s, &r, &spec, &typed);
	memcpy(q.credential, r.id, sizeof(q.credential));
	questions_close(&q, &box, key);
	laptop_must(store_questions_put(s, &q));
	cheap_bind(s, &r, BINDING_SHARES, key, NULL);
	for (int i = 0; i < CHEAP_QUESTIONS; i++)
		secret_drop(&answers[i]);
}

#endif
