/* Credentials that need a secret of the TPM: with what was typed alone, nothing opens. */
#include "core_test.h"

#include "common/credential.h"
#include "core_sample.h"
#include "stack_probe.h"

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const struct store_vk vk = { "the store's verifying key, 32 by" };
static const uint8_t tpm_secret[KEY_BYTES] = "what the TPM has sealed: 32 byte";
static const uint8_t other_secret[KEY_BYTES] = "what another TPM has: 32 bytes..";

static const enum credential_kind kinds[] = { CREDENTIAL_TPM_PIN, CREDENTIAL_TPM_PASSWORD, CREDENTIAL_SELF_HELP };

static struct credential_spec spec(enum credential_kind kind)
{
	return (struct credential_spec){ .kind = kind, .user = "anna", .kdf_passes = 1, .kdf_lanes = 1,
					 .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN };
}

static void typed(struct secret *ret, const char *text)
{
	expect("secret", OK, secret_copy(ret, text, strlen(text)));
}

static void make(struct record *ret, uint8_t ret_auth[static KEY_BYTES], enum credential_kind kind,
		 const char *text)
{
	SECRET struct secret pin = { 0 };
	const struct credential_spec s = spec(kind);

	typed(&pin, text);
	expect("new", OK, credential_new_bound(ret, ret_auth, &s, &pin, tpm_secret, &vk, &uk));
}

static void stretch(struct stretched *ret, const struct record *r, const char *text)
{
	SECRET struct secret pin = { 0 };

	typed(&pin, text);
	expect("stretch", OK, credential_stretch(ret, r, &pin));
}

static enum err open_with(struct credential *ret, const struct record *r, const char *text,
			  const uint8_t *secret)
{
	STRETCHED s = { 0 };

	stretch(&s, r, text);
	return credential_open_stretched(ret, r, &s, secret);
}

static void opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		CREDENTIAL c = { 0 };
		uint8_t auth[KEY_BYTES], again[KEY_BYTES];
		STRETCHED s = { 0 };
		struct record r;

		make(&r, auth, kinds[i], "1234");
		expect("PIN and secret", OK, open_with(&c, &r, "1234", tpm_secret));
		assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
		assert_memory_equal(c.store_vk.bytes, vk.bytes, 32);
		stretch(&s, &r, "1234");
		credential_tpm_auth(again, &r, &s);
		assert_memory_equal(auth, again, sizeof(auth));
		record_unseal(&r);
		expect("locked", ERR_LOCKED, open_with(&c, &r, "1234", tpm_secret));
	}
}

static void refused(void **state)
{
	static const uint8_t zeros[KEY_BYTES];
	struct credential c;
	uint8_t auth[KEY_BYTES];
	SECRET struct secret pin = { 0 };
	struct record r;

	(void)state;
	memset(&c, 0xa5, sizeof(c));
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	typed(&pin, "1234");
	expect("another TPM's secret", ERR_AUTH, open_with(&c, &r, "1234", other_secret));
	expect("a secret of zeros", ERR_AUTH, open_with(&c, &r, "1234", zeros));
	expect("the auth as the secret", ERR_AUTH, open_with(&c, &r, "1234", auth));
	expect("another PIN", ERR_AUTH, open_with(&c, &r, "1235", tpm_secret));
	expect("no secret", ERR_UNSUPPORTED, open_with(&c, &r, "1234", NULL));
	expect("as a password", ERR_UNSUPPORTED, credential_open(&c, &r, &pin));
	r.kind = CREDENTIAL_PASSWORD;
	expect("as a password, with the record's kind to match", ERR_AUTH, credential_open(&c, &r, &pin));
	expect("a password's record with a secret", ERR_UNSUPPORTED, open_with(&c, &r, "1234", tpm_secret));
	r.kind = CREDENTIAL_TPM_PASSWORD;
	expect("another bound kind", ERR_AUTH, open_with(&c, &r, "1234", tpm_secret));
	assert_true(untouched(&c, sizeof(c)));
}

/* Is there anything in the record that the key opens, whatever it is bound to? The stream of XChaCha20 needs no
 * tag: were the wrap under the key, the store's verifying key would come out at its place. */
static int decrypts(const struct record *r, const uint8_t *bytes, size_t len, const uint8_t key[static 32])
{
	const uint8_t *nonces[] = { r->nonce, r->duress_nonce, r->salt, r->seal };
	uint8_t plain[160];

	for (size_t n = 0; n < COUNT(nonces); n++)
		for (uint64_t block = 0; block < 2; block++) {
			crypto_stream_xchacha20_xor_ic(plain, bytes, len, nonces[n], block, key);
			if (memmem(plain, len, vk.bytes, 32) || memmem(plain, len, uk.bytes, 32))
				return 1;
		}
	return 0;
}

/* BLAKE2b-256 of the stretched key, by docs/formats.md. */
static void kek_of(uint8_t ret[static 32], const struct record *r, const struct stretched *s,
		   const uint8_t secret[static KEY_BYTES])
{
	uint8_t message[67];

	memcpy(message, "holdfast tpm kek v1", 19);
	memcpy(message + 19, r->id, 16);
	memcpy(message + 35, secret, 32);
	crypto_generichash(ret, 32, message, sizeof(message), s->bytes, 32);
}

/* No password-only copy: who has the disk and knows the PIN, but has not the TPM, gets nothing out of any
 * field, by any key that the PIN alone gives; with the TPM's secret the same search finds it. */
static void pin_alone_opens_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		uint8_t keys[4][KEY_BYTES], message[19 + 16 + 32], kek[KEY_BYTES], sk[32], pk[32], out[32];
		STRETCHED s = { 0 };
		struct record r;
		const struct {
			const uint8_t *bytes;
			size_t len;
		} fields[] = { { r.wrap, sizeof(r.wrap) },
			       { r.duress_wrap, sizeof(r.duress_wrap) },
			       { r.seal, sizeof(r.seal) },
			       { r.signature, sizeof(r.signature) },
			       { (const uint8_t *)r.user, sizeof(r.user) },
			       { r.cred_pk, sizeof(r.cred_pk) },
			       { r.user_pk, sizeof(r.user_pk) } };

		make(&r, keys[1], kinds[i], "1234");
		stretch(&s, &r, "1234");
		memcpy(keys[0], s.bytes, KEY_BYTES);
		memset(message, 0, sizeof(message));
		memcpy(message, "holdfast tpm kek v1", 19);
		memcpy(message + 19, r.id, 16);
		crypto_generichash(keys[2], 32, message, 35, s.bytes, 32);
		crypto_generichash(keys[3], 32, message, 67, s.bytes, 32);
		for (size_t k = 0; k < COUNT(keys); k++) {
			for (size_t f = 0; f < COUNT(fields); f++)
				if (decrypts(&r, fields[f].bytes, fields[f].len, keys[k]))
					fail_msg("kind %d: key %zu opens field %zu", (int)kinds[i], k, f);
			/* nor is the seal to a key pair made from it */
			memcpy(sk, keys[k], sizeof(sk));
			crypto_scalarmult_base(pk, sk);
			assert_memory_not_equal(pk, r.cred_pk, 32);
			assert_int_not_equal(crypto_box_seal_open(out, r.seal, SEAL_BYTES, r.cred_pk, sk), 0);
			crypto_box_seed_keypair(pk, sk, keys[k]);
			assert_memory_not_equal(pk, r.cred_pk, 32);
		}
		kek_of(kek, &r, &s, tpm_secret);
		assert_true(decrypts(&r, r.wrap, sizeof(r.wrap), kek));
	}
}

/* The derivations of docs/formats.md, by themselves. */
static void formats(void **state)
{
	uint8_t auth[KEY_BYTES], message[36], want[32], kek[32], aad[97], inside[96];
	struct stretched key;
	struct record r;

	(void)state;
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	assert_int_equal(crypto_pwhash(key.bytes, 32, "1234", 4, r.salt, r.kdf_passes, (size_t)r.kdf_memory_kib << 10,
				       crypto_pwhash_ALG_ARGON2ID13), 0);
	memcpy(message, "holdfast tpm auth v1", 20);
	memcpy(message + 20, r.id, 16);
	crypto_generichash(want, 32, message, 36, key.bytes, 32);
	assert_memory_equal(auth, want, 32);
	kek_of(kek, &r, &key, tpm_secret);
	memcpy(aad, "holdfast wrap v1", 16);
	memcpy(aad + 16, r.id, 16);
	aad[32] = CREDENTIAL_TPM_PIN;
	memcpy(aad + 33, r.cred_pk, 32);
	memcpy(aad + 65, r.user_pk, 32);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(inside, NULL, NULL, r.wrap, WRAP_BYTES, aad,
								    97, r.nonce, kek), 0);
	assert_memory_equal(inside + 32, vk.bytes, 32);
}

/* Two records with the same PIN and the same secret have nothing in common. */
static void records_differ(void **state)
{
	uint8_t a_auth[KEY_BYTES], b_auth[KEY_BYTES];
	struct record a, b;

	(void)state;
	make(&a, a_auth, CREDENTIAL_TPM_PIN, "1234");
	make(&b, b_auth, CREDENTIAL_TPM_PIN, "1234");
	assert_memory_not_equal(a_auth, b_auth, KEY_BYTES);
	memcpy(b.salt, a.salt, sizeof(b.salt));
	{
		STRETCHED s = { 0 };

		stretch(&s, &b, "1234");
		credential_tpm_auth(b_auth, &b, &s);
		assert_memory_not_equal(a_auth, b_auth, KEY_BYTES);
	}
}

static void given_salt(void **state)
{
	static const uint8_t salt[16] = "a record's salt";
	struct credential_spec s = spec(CREDENTIAL_SELF_HELP);
	SECRET struct secret pin = { 0 };
	uint8_t auth[KEY_BYTES];
	struct record r;

	(void)state;
	typed(&pin, "1234");
	s.salt = salt;
	expect("new", OK, credential_new_bound(&r, auth, &s, &pin, tpm_secret, &vk, &uk));
	assert_memory_equal(r.salt, salt, sizeof(salt));
}

static void kinds_and_costs(void **state)
{
	static const struct {
		const char *why;
		enum credential_kind kind;
		uint32_t memory_kib;
		const char *user;
		uint16_t number;
		enum err want;
	} rows[] = {
		{ "a PIN", CREDENTIAL_TPM_PIN, KDF_PASSWORD_MEMORY_KIB_MIN, "anna", 0, OK },
		{ "a PIN for the cost of a code", CREDENTIAL_TPM_PIN, KDF_MEMORY_KIB_MIN, "anna", 0, ERR_RANGE },
		{ "self-help for the cost of a code", CREDENTIAL_SELF_HELP, KDF_MEMORY_KIB_MIN, "anna", 0, ERR_RANGE },
		{ "a PIN of nobody", CREDENTIAL_TPM_PIN, KDF_PASSWORD_MEMORY_KIB_MIN, "", 0, ERR_RANGE },
		{ "self-help of nobody", CREDENTIAL_SELF_HELP, KDF_PASSWORD_MEMORY_KIB_MIN, "", 0, ERR_RANGE },
		{ "a PIN with a number", CREDENTIAL_TPM_PIN, KDF_PASSWORD_MEMORY_KIB_MIN, "anna", 1, ERR_RANGE },
		{ "a password", CREDENTIAL_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN, "anna", 0, ERR_UNSUPPORTED },
		{ "a code", CREDENTIAL_ONE_TIME_CODE, KDF_MEMORY_KIB_MIN, "", 1, ERR_UNSUPPORTED },
		{ "kind 7", (enum credential_kind)7, KDF_PASSWORD_MEMORY_KIB_MIN, "anna", 0, ERR_RANGE },
	};
	SECRET struct secret pin = { 0 };

	(void)state;
	typed(&pin, "1234");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential_spec s = spec(rows[i].kind);
		uint8_t auth[KEY_BYTES];
		struct record r;

		s.user = rows[i].user;
		s.number = rows[i].number;
		s.kdf_memory_kib = rows[i].memory_kib;
		memset(&r, 0xa5, sizeof(r));
		memset(auth, 0xa5, sizeof(auth));
		expect(rows[i].why, rows[i].want,
		       credential_new_bound(&r, auth, &s, &pin, tpm_secret, &vk, &uk));
		assert_int_equal(untouched(&r, sizeof(r)), rows[i].want != OK);
		assert_int_equal(untouched(auth, sizeof(auth)), rows[i].want != OK);
		if (credential_is_bound((uint8_t)rows[i].kind) && !rows[i].want)
			expect("without the TPM", ERR_UNSUPPORTED, credential_new(&r, &s, &pin, &vk, &uk));
	}
}

static void what_kinds_are(void **state)
{
	static const struct {
		uint8_t kind;
		int login, bound;
	} rows[] = { { 0, 0, 0 }, { CREDENTIAL_PASSWORD, 1, 0 },	 { CREDENTIAL_ONE_TIME_CODE, 0, 0 },
		     { CREDENTIAL_RECOVERY_KEY, 0, 0 }, { CREDENTIAL_TPM_PIN, 1, 1 },
		     { CREDENTIAL_TPM_PASSWORD, 1, 1 }, { CREDENTIAL_SELF_HELP, 0, 1 },
		     { 7, 0, 0 },			{ 255, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(credential_is_login(rows[i].kind), rows[i].login);
		assert_int_equal(credential_is_bound(rows[i].kind), rows[i].bound);
	}
}

static void duress(void **state)
{
	SECRET struct secret pin = { 0 }, police = { 0 };
	uint8_t auth[KEY_BYTES];
	CREDENTIAL c = { 0 };
	STRETCHED s = { 0 };
	struct record r, old;

	(void)state;
	typed(&pin, "1234");
	typed(&police, "9999");
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	old = r;
	/* Without the TPM's secret the present PIN was taken for a duress password, which then killed. */
	expect("without the TPM's secret", ERR_UNSUPPORTED, credential_set_duress(&r, &police));
	expect("the present PIN", ERR_EXISTS, credential_set_duress_bound(&r, &pin, tpm_secret));
	assert_memory_equal(&r, &old, sizeof(r));
	expect("set", OK, credential_set_duress_bound(&r, &police, tpm_secret));
	stretch(&s, &r, "9999");
	assert_true(credential_is_duress(&r, &s));
	expect("whatever the TPM gives", ERR_DURESS, open_with(&c, &r, "9999", other_secret));
	stretch(&s, &r, "1234");
	assert_false(credential_is_duress(&r, &s));
	expect("the PIN", OK, open_with(&c, &r, "1234", tpm_secret));
	expect("taken away", OK, credential_set_duress(&r, NULL));
	stretch(&s, &r, "9999");
	assert_false(credential_is_duress(&r, &s));
	r.kind = CREDENTIAL_PASSWORD;
	expect("a password's", ERR_UNSUPPORTED, credential_set_duress_bound(&r, &police, tpm_secret));
	make(&r, auth, CREDENTIAL_SELF_HELP, "1234");
	expect("self-help's", ERR_RANGE, credential_set_duress_bound(&r, &police, tpm_secret));
	expect("self-help's", ERR_RANGE, credential_set_duress(&r, NULL));
}

static enum err change_to(struct record *r, uint8_t ret_auth[static KEY_BYTES], const struct credential *c,
			  const char *text, const uint8_t secret[static KEY_BYTES])
{
	SECRET struct secret pin = { 0 };

	typed(&pin, text);
	return credential_change_bound(r, ret_auth, c, &pin, secret, 20001);
}

static void change(void **state)
{
	SECRET struct secret police = { 0 };
	uint8_t auth[KEY_BYTES], new_auth[KEY_BYTES], want[KEY_BYTES];
	CREDENTIAL c = { 0 }, opened = { 0 };
	STRETCHED s = { 0 };
	struct record r, old;

	(void)state;
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	typed(&police, "9999");
	expect("duress", OK, credential_set_duress_bound(&r, &police, tpm_secret));
	r.flags = RECORD_MUST_CHANGE;
	expect("open", OK, open_with(&c, &r, "1234", tpm_secret));
	old = r;
	expect("change", OK, change_to(&r, new_auth, &c, "4321", tpm_secret));
	assert_memory_not_equal(auth, new_auth, KEY_BYTES);
	stretch(&s, &r, "4321");
	credential_tpm_auth(want, &r, &s);
	assert_memory_equal(new_auth, want, KEY_BYTES);
	expect("the new PIN", OK, open_with(&opened, &r, "4321", tpm_secret));
	assert_memory_equal(opened.unlock_key.bytes, uk.bytes, 32);
	assert_memory_equal(opened.user_key.seed, c.user_key.seed, 32);
	expect("the old PIN", ERR_AUTH, open_with(&opened, &r, "1234", tpm_secret));
	expect("the new PIN without the TPM", ERR_UNSUPPORTED, open_with(&opened, &r, "4321", NULL));
	expect("the new PIN at another TPM", ERR_AUTH, open_with(&opened, &r, "4321", other_secret));
	stretch(&s, &r, "9999");
	assert_true(credential_is_duress(&r, &s));
	assert_memory_not_equal(r.cred_pk, old.cred_pk, 32);
	assert_int_equal(r.changed_day, 20001);
	assert_int_equal(r.flags, 0);
}

static void change_refused(void **state)
{
	static const struct {
		const char *why, *text;
		enum err want;
	} rows[] = {
		{ "the present PIN", "1234", ERR_EXISTS },
		{ "the duress PIN", "9999", ERR_EXISTS },
	};
	SECRET struct secret pin = { 0 }, police = { 0 };
	uint8_t auth[KEY_BYTES], new_auth[KEY_BYTES];
	CREDENTIAL c = { 0 };
	struct record r, old, password;

	(void)state;
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	typed(&pin, "4321");
	typed(&police, "9999");
	expect("duress", OK, credential_set_duress_bound(&r, &police, tpm_secret));
	expect("open", OK, open_with(&c, &r, "1234", tpm_secret));
	old = r;
	memset(new_auth, 0xa5, sizeof(new_auth));
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(rows[i].why, rows[i].want, change_to(&r, new_auth, &c, rows[i].text, tpm_secret));
	expect("without the TPM", ERR_UNSUPPORTED, credential_change(&r, &c, &pin, 1));
	assert_memory_equal(&r, &old, sizeof(r));
	password = r;
	password.kind = CREDENTIAL_PASSWORD;
	expect("a password's", ERR_UNSUPPORTED, change_to(&password, new_auth, &c, "4321", tpm_secret));
	password.kind = CREDENTIAL_SELF_HELP;
	expect("self-help's", ERR_RANGE, change_to(&password, new_auth, &c, "4321", tpm_secret));
	c.user_key.seed[0] ^= 1;
	expect("another user's", ERR_RANGE, change_to(&r, new_auth, &c, "4321", tpm_secret));
	c.user_key.seed[0] ^= 1;
	record_unseal(&r);
	expect("locked", ERR_LOCKED, change_to(&r, new_auth, &c, "4321", tpm_secret));
	assert_true(untouched(new_auth, sizeof(new_auth)));
}

static void stretching(void **state)
{
	SECRET struct secret pin = { 0 };
	struct stretched s;
	uint8_t auth[KEY_BYTES];
	struct record r;

	(void)state;
	make(&r, auth, CREDENTIAL_TPM_PIN, "1234");
	typed(&pin, "1234");
	memset(&s, 0xa5, sizeof(s));
	r.kdf_memory_kib = KDF_MEMORY_KIB_MIN;
	expect("the cost of a code", ERR_RANGE, credential_stretch(&s, &r, &pin));
	r.kdf_memory_kib = UINT32_MAX;
	expect("all memory", ERR_RANGE, credential_stretch(&s, &r, &pin));
	assert_true(untouched(&s, sizeof(s)));
}

struct run {
	struct record r;
	struct secret typed;
	struct stretched s;
	struct credential c;
	uint8_t auth[KEY_BYTES];
	const uint8_t *secret;
	enum err e;
};

static void run_new(void *p)
{
	static const struct credential_spec s = { .kind = CREDENTIAL_TPM_PIN, .user = "anna", .kdf_passes = 1,
						  .kdf_lanes = 1,
						  .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN };
	struct run *r = p;

	r->e = credential_new_bound(&r->r, r->auth, &s, &r->typed, r->secret, &vk, &uk);
}

static void run_stretch(void *p)
{
	struct run *r = p;

	r->e = credential_stretch(&r->s, &r->r, &r->typed);
}

static void run_auth(void *p)
{
	struct run *r = p;

	credential_tpm_auth(r->auth, &r->r, &r->s);
	r->e = credential_is_duress(&r->r, &r->s) ? ERR_DURESS : OK;
}

static void run_open(void *p)
{
	struct run *r = p;

	r->e = credential_open_stretched(&r->c, &r->r, &r->s, r->secret);
}

static void run_change(void *p)
{
	struct run *r = p;

	r->e = credential_change_bound(&r->r, r->auth, &r->c, &r->typed, r->secret, 1);
}

static void run_duress(void *p)
{
	struct run *r = p;

	r->e = credential_set_duress_bound(&r->r, &r->typed, r->secret);
}

/* Neither typed, stretched, secret nor auth is on the stack afterwards, whatever came of it. */
static void leaves_nothing(void **state)
{
	static const struct {
		const char *why;
		void (*run)(void *);
		const uint8_t *secret;
		enum err want;
	} rows[] = {
		{ "making", run_new, tpm_secret, OK },
		{ "stretching", run_stretch, tpm_secret, OK },
		{ "the auth", run_auth, tpm_secret, OK },
		{ "opening", run_open, tpm_secret, OK },
		{ "opening with another secret", run_open, other_secret, ERR_AUTH },
		{ "a change refused", run_change, tpm_secret, ERR_EXISTS },
		{ "a duress PIN refused", run_duress, tpm_secret, ERR_EXISTS },
		{ "a duress PIN", run_duress, other_secret, OK },
		{ "opening with the duress PIN", run_open, other_secret, ERR_DURESS },
	};
	struct run r = { 0 };
	uint8_t kek[32];

	(void)state;
	typed(&r.typed, "a password of more than thirty-two bytes");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stack_probe probe;

		r.secret = rows[i].secret;
		stack_probe_run(&probe, rows[i].run, &r);
		expect(rows[i].why, rows[i].want, r.e);
		kek_of(kek, &r.r, &r.s, rows[i].secret);
		if (stack_probe_holds(&probe, kek) || stack_probe_holds(&probe, r.typed.bytes) || stack_probe_holds(&probe, r.auth) ||
		    stack_probe_holds(&probe, tpm_secret) || stack_probe_holds(&probe, other_secret) ||
		    stack_probe_holds(&probe, uk.bytes) || (i > 0 && stack_probe_holds(&probe, r.s.bytes)) ||
		    (i > 2 && stack_probe_holds(&probe, r.c.user_key.seed)))
			fail_msg("%s leaves a secret on the stack", rows[i].why);
		stack_probe_drop(&probe);
	}
	secret_drop(&r.typed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),
		cmocka_unit_test(refused),
		cmocka_unit_test(pin_alone_opens_nothing),
		cmocka_unit_test(formats),
		cmocka_unit_test(records_differ),
		cmocka_unit_test(given_salt),
		cmocka_unit_test(kinds_and_costs),
		cmocka_unit_test(what_kinds_are),
		cmocka_unit_test(duress),
		cmocka_unit_test(change),
		cmocka_unit_test(change_refused),
		cmocka_unit_test(stretching),
		cmocka_unit_test(leaves_nothing),
	};

	return RUN(tests);
}
