/* Samples that the tests and fuzzers of the formats share: one laptop with everything in it. */
#ifndef HOLDFAST_CORE_SAMPLE_H
#define HOLDFAST_CORE_SAMPLE_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/handoff.h"
#include "common/store.h"
#include "common/tombstone.h"

#define SAMPLE_PASSWORD "correct horse"
#define SAMPLE_CODE "code one"

static const uint8_t sample_device[DEVICE_ID_BYTES] = "laptop number 1";

/* A test has no use for going on after a failure in its own preparation. */
static inline void sample_must(enum err e)
{
	if (e)
		abort();
}

static inline struct manifest sample_manifest(void)
{
	struct manifest m = { .target_count = 2, .volume_count = 1 };
	struct manifest_volume *v = &m.volumes[0];

	memcpy(m.targets[0].name, "current", 7);
	memset(m.targets[0].kernel, 1, 32);
	memset(m.targets[0].initrd, 2, 32);
	memset(m.targets[0].cmdline, 3, 32);
	memcpy(m.targets[1].name, "previous", 8);
	memset(v->uuid, 4, sizeof(v->uuid));
	memset(v->partition, 5, sizeof(v->partition));
	memcpy(v->name, "root_crypt", 10);
	memcpy(v->cipher, "aes-xts-plain64", 15);
	v->header_bytes = 16 << 20;
	v->sector_size = 4096;
	v->key_bits = 512;
	memset(v->headers, 6, DIGEST_BYTES);
	memset(v->keyslots, 7, DIGEST_BYTES);
	return m;
}

/* A striped logo of any size. */
static inline void sample_logo(uint8_t *ret, size_t *ret_len, uint16_t width, uint16_t height,
			       uint16_t colours)
{
	static uint8_t palette[LOGO_COLOURS_MAX * 4], pixels[LOGO_WIDTH_MAX * LOGO_HEIGHT_MAX];
	const struct logo l = { { .width = width, .height = height, .colours = colours }, palette, pixels };

	for (size_t i = 0; i < sizeof(palette); i++)
		palette[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = (uint8_t)(i % colours);
	sample_must(logo_encode(ret, ret_len, &l));
}

/* What policy may say, with a banner of three lines and a logo. */
static inline void sample_rules(struct rules *ret, uint16_t width, uint16_t height, uint16_t colours)
{
	static uint8_t logo[LOGO_BYTES_MAX];
	size_t len;

	rules_default(ret);
	ret->head.flags = RULES_DURESS | RULES_BEEP;
	ret->head.failure_limit = 10;
	ret->head.failure_action = RULES_LOCK;
	ret->head.password_min = 12;
	ret->head.contact_warn_days = 20;
	ret->head.contact_lock_days = 30;
	ret->head.password_days = 90;
	ret->head.last_contact = 1767225600;
	memcpy(ret->head.organisation, "M\xc3\xbcller & Co", 12);
	memcpy(ret->head.layout, "de(nodeadkeys)", 14);
	memcpy(ret->banner, "If found:\nM\xc3\xbcller & Co\n+49 30 123456\n", 37);
	sample_logo(logo, &len, width, height, colours);
	ret->logo = malloc(len);
	if (!ret->logo)
		abort();
	memcpy(ret->logo, logo, len);
	ret->head.logo_bytes = (uint32_t)len;
}

static inline void sample_add(struct store *s, const struct unlock_key *uk, struct store_vk vk,
			      enum credential_kind kind, const char *user, uint16_t number,
			      const char *secret)
{
	SECRET struct secret password = { 0 };
	struct record r;
	struct credential_spec spec = {
		.kind = kind, .user = user, .number = number,
		.kdf_memory_kib = kind == CREDENTIAL_PASSWORD ? KDF_PASSWORD_MEMORY_KIB_MIN
							      : KDF_MEMORY_KIB_MIN,
		.kdf_passes = 1, .kdf_lanes = 1,
	};

	sample_must(secret_copy(&password, secret, strlen(secret)));
	sample_must(credential_new(&r, &spec, &password, &vk, uk));
	sample_must(store_add(s, &r));
}

/* A binding of a credential, with its copy under the unlock key. */
static inline void sample_bind(struct bindings *b, const uint8_t credential[16], enum binding_kind kind,
			       const struct unlock_key *uk)
{
	struct binding entry = { .kind = (uint8_t)kind, .public_bytes = 78, .private_bytes = 160 };
	const struct tpm_parent parent = { 0x81000001, { 1, 2 }, { 3, 4 } };
	struct sealed s;

	memcpy(entry.credential, credential, sizeof(entry.credential));
	memset(entry.public_area, 0x11, entry.public_bytes);
	memset(entry.private_area, 0x22, entry.private_bytes);
	memset(s.secret, 0x33, sizeof(s.secret));
	memset(s.auth, kind == BINDING_SECRET ? 0x44 : 0, sizeof(s.auth));
	binding_close(&entry, &s, uk);
	bindings_set_parent(b, &parent);
	memset(b->head.pcr7, 0x77, sizeof(b->head.pcr7));
	sample_must(bindings_put(b, &entry));
}

#define SAMPLE_QUESTIONS 3
static const char *const sample_texts[SAMPLE_QUESTIONS] = { "First pet?", "Haus\xc3\xbcnummer?", "Car?" };
static const char *const sample_answers[SAMPLE_QUESTIONS] = { "Rex", "Hauptstr. 5", "Mini" };
static const uint8_t sample_questions_key[TPM_SECRET_BYTES] = "what only the TPM gives: 32 byte";

/* A user's self-help: record, questions, and the bindings of both; two of three answers. */
static inline void sample_self_help(struct store *s, const struct unlock_key *uk, const char *user)
{
	static const uint8_t salt[16] = "a record's salt", tpm_secret[KEY_BYTES] = { 9 };
	const struct credential_spec spec = { .kind = CREDENTIAL_SELF_HELP, .user = user, .kdf_passes = 1,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_lanes = 1, .salt = salt };
	struct secret answers[SAMPLE_QUESTIONS] = { 0 };
	SECRET struct secret typed = { 0 };
	QUESTIONS_BOX box;
	struct questions q = { 0 };
	struct store_vk vk;
	uint8_t auth[KEY_BYTES];
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	for (int i = 0; i < SAMPLE_QUESTIONS; i++)
		sample_must(secret_copy(&answers[i], sample_answers[i], strlen(sample_answers[i])));
	sample_must(questions_make(&box, &typed, sample_texts, answers, SAMPLE_QUESTIONS, 2, salt));
	for (int i = 0; i < SAMPLE_QUESTIONS; i++)
		secret_drop(&answers[i]);
	sample_must(credential_new_bound(&r, auth, &spec, &typed, tpm_secret, &vk, uk));
	memcpy(q.credential, r.id, sizeof(q.credential));
	questions_close(&q, &box, sample_questions_key);
	sample_must(store_add(s, &r));
	sample_must(store_questions_put(s, &q));
	sample_bind(&s->bindings, r.id, BINDING_SECRET, uk);
	sample_bind(&s->bindings, r.id, BINDING_SHARES, uk);
}

/* A user with TPM+PIN and a binding. */
static inline void sample_bound(struct store *s, const struct unlock_key *uk, const char *user,
				const char *pin)
{
	static const uint8_t tpm_secret[KEY_BYTES] = { 8 };
	const struct credential_spec spec = { .kind = CREDENTIAL_TPM_PIN, .user = user, .kdf_passes = 1,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_lanes = 1 };
	SECRET struct secret typed = { 0 };
	struct store_vk vk;
	uint8_t auth[KEY_BYTES];
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	sample_must(secret_copy(&typed, pin, strlen(pin)));
	sample_must(credential_new_bound(&r, auth, &spec, &typed, tpm_secret, &vk, uk));
	sample_must(store_add(s, &r));
	sample_bind(&s->bindings, r.id, BINDING_SECRET, uk);
}

/* A record's credential key, by the formula of docs/formats.md. */
static inline void sample_cred_sk(uint8_t ret[32], const struct record *r, const char *text)
{
	uint8_t kek[32], aad[97], inside[96];

	memcpy(aad, "holdfast wrap v1", 16);
	memcpy(aad + 16, r->id, 16);
	aad[32] = r->kind;
	memcpy(aad + 33, r->cred_pk, 32);
	memcpy(aad + 65, r->user_pk, 32);
	if (crypto_pwhash(kek, 32, text, strlen(text), r->salt, r->kdf_passes,
			  (size_t)r->kdf_memory_kib << 10, crypto_pwhash_ALG_ARGON2ID13) ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(inside, NULL, NULL, r->wrap, WRAP_BYTES, aad,
						       sizeof(aad), r->nonce, kek))
		abort();
	memcpy(ret, inside, 32);
}

/* A signed store with a user, two codes, a recovery key, and the sample manifest and rules. */
static inline void sample_store(struct store *ret, const struct unlock_key *uk)
{
	struct store_vk vk;
	STORE_SK sk = { 0 };

	sample_must(store_new(ret, sample_device, "Anna's laptop", uk));
	memcpy(vk.bytes, ret->head.store_vk, sizeof(vk.bytes));
	sample_add(ret, uk, vk, CREDENTIAL_PASSWORD, "anna", 0, SAMPLE_PASSWORD);
	sample_add(ret, uk, vk, CREDENTIAL_ONE_TIME_CODE, "", 2, "code two");
	sample_add(ret, uk, vk, CREDENTIAL_ONE_TIME_CODE, "", 1, SAMPLE_CODE);
	sample_add(ret, uk, vk, CREDENTIAL_RECOVERY_KEY, "", 0, "recovery");
	ret->manifest = sample_manifest();
	rules_drop(&ret->rules);
	sample_rules(&ret->rules, 5, 3, 4);
	sample_must(store_signing_key(&sk, ret, uk));
	sample_must(store_sign(ret, &sk));
}

static inline struct handoff sample_handoff(void)
{
	struct handoff h = { .head = { .generation = 9, .kind = CREDENTIAL_PASSWORD,
				       .memory_mib = 512, .event_count = 2 } };

	memcpy(h.head.device, sample_device, sizeof(h.head.device));
	memcpy(h.head.user, "anna", 4);
	memset(h.head.unlock_key, 0x55, sizeof(h.head.unlock_key));
	memset(h.head.user_seed, 0x66, sizeof(h.head.user_seed));
	h.events[0] = (struct handoff_event){ PREBOOT_WRONG_PASSWORD, 2, 30 };
	h.events[1] = (struct handoff_event){ PREBOOT_UNLOCKED, 0, 1 };
	h.manifest = sample_manifest();
	return h;
}

static inline void sample_tombstone(struct tombstone *ret)
{
	struct manifest m = sample_manifest();

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->device, sample_device, sizeof(ret->device));
	tombstone_areas(ret, &m);
	ret->command_bytes = 11;
	memcpy(ret->command, "head.body.s", 11);
}

/* BLAKE2b-256 of all but the last 32 bytes, into these. */
static inline void sample_repair(uint8_t *bytes, size_t len)
{
	if (len >= DIGEST_BYTES)
		crypto_generichash(bytes + len - DIGEST_BYTES, DIGEST_BYTES, bytes,
				   len - DIGEST_BYTES, NULL, 0);
}

/* total_bytes of a store's head. */
static inline uint32_t sample_store_total(const uint8_t *bytes)
{
	struct cursor c = cursor_over(bytes + 12, 4);

	return cursor_u32(&c);
}

/* The same for a store, whose end is where its head says. */
static inline void sample_repair_store(uint8_t *bytes, size_t len)
{
	if (len >= 16 && sample_store_total(bytes) <= len)
		sample_repair(bytes, sample_store_total(bytes));
}

#endif
