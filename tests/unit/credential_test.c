/* Credentials: what opens them, what does not, and what is left behind. */
#include "core_test.h"

#include "common/credential.h"
#include "core_sample.h"
#include "stack_probe.h"

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const struct store_vk vk = { "the store's verifying key, 32 by" };

static struct credential_spec spec(enum credential_kind kind)
{
	struct credential_spec s = { .kind = kind, .user = "", .kdf_memory_kib = KDF_MEMORY_KIB_MIN,
				     .kdf_passes = 1, .kdf_lanes = 1 };

	if (kind == CREDENTIAL_PASSWORD) {
		s.user = "anna";
		s.kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN;
	}
	return s;
}

static void make(struct record *ret, enum credential_kind kind, const char *text)
{
	SECRET struct secret password = { 0 };
	const struct credential_spec s = spec(kind);

	expect("secret", OK, secret_copy(&password, text, strlen(text)));
	expect("new credential", OK, credential_new(ret, &s, &password, &vk, &uk));
}

static enum err open_with(struct credential *ret, const struct record *r, const char *text)
{
	SECRET struct secret password = { 0 };

	expect("secret", OK, secret_copy(&password, text, strlen(text)));
	return credential_open(ret, r, &password);
}

static void opens(void **state)
{
	static const enum credential_kind kinds[] = { CREDENTIAL_PASSWORD, CREDENTIAL_ONE_TIME_CODE,
						      CREDENTIAL_RECOVERY_KEY };
	uint8_t pk[32], sk[64];

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		CREDENTIAL c = { 0 };
		struct record r;

		make(&r, kinds[i], "secret");
		expect("the right password", OK, open_with(&c, &r, "secret"));
		assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
		assert_memory_equal(c.store_vk.bytes, vk.bytes, 32);
		crypto_sign_seed_keypair(pk, sk, c.user_key.seed);
		assert_memory_equal(pk, r.user_pk, 32);
		sample_cred_sk(sk, &r, "secret");
		crypto_scalarmult_base(pk, sk);
		assert_memory_equal(pk, r.cred_pk, 32);
		credential_drop(&c);
		assert_true(sodium_is_zero((uint8_t *)&c, sizeof(c)));
	}
}

static void wrong_password(void **state)
{
	struct credential c;
	struct record r;

	(void)state;
	memset(&c, 0xa5, sizeof(c));
	make(&r, CREDENTIAL_ONE_TIME_CODE, "secret");
	expect("another password", ERR_AUTH, open_with(&c, &r, "Secret"));
	expect("a longer password", ERR_AUTH, open_with(&c, &r, "secret "));
	assert_true(untouched(&c, sizeof(c)));
}

/* Two records of one password share nothing that tells. */
static void records_are_random(void **state)
{
	struct record a, b;

	(void)state;
	make(&a, CREDENTIAL_ONE_TIME_CODE, "secret");
	make(&b, CREDENTIAL_ONE_TIME_CODE, "secret");
	assert_memory_not_equal(a.id, b.id, sizeof(a.id));
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	assert_memory_not_equal(a.nonce, b.nonce, sizeof(a.nonce));
	assert_memory_not_equal(a.cred_pk, b.cred_pk, sizeof(a.cred_pk));
	assert_memory_not_equal(a.user_pk, b.user_pk, sizeof(a.user_pk));
	assert_memory_not_equal(a.duress_wrap, b.duress_wrap, sizeof(a.duress_wrap));
	assert_false(sodium_is_zero(a.duress_wrap, sizeof(a.duress_wrap)));
}

static const struct {
	const char *why;
	size_t at;
	uint8_t flip;
	enum err want;
} damages[] = {
	{ "another id", offsetof(struct record, id), 1, ERR_AUTH },
	{ "another kind", offsetof(struct record, kind), 1, ERR_AUTH },
	{ "another salt", offsetof(struct record, salt), 1, ERR_AUTH },
	{ "another key to seal to", offsetof(struct record, cred_pk), 1, ERR_AUTH },
	{ "another user key", offsetof(struct record, user_pk), 1, ERR_AUTH },
	{ "another nonce", offsetof(struct record, nonce), 1, ERR_AUTH },
	{ "changed wrap", offsetof(struct record, wrap) + 50, 1, ERR_AUTH },
	{ "changed tag", offsetof(struct record, wrap) + 111, 1, ERR_AUTH },
	{ "changed seal", offsetof(struct record, seal) + 40, 1, ERR_SIGNATURE },
	{ "changed seal digest", offsetof(struct record, seal_digest), 1, ERR_SIGNATURE },
	{ "one pass more", offsetof(struct record, kdf_passes), 3, ERR_AUTH },
	{ "two lanes", offsetof(struct record, kdf_lanes), 3, ERR_AUTH },
	{ "no lane", offsetof(struct record, kdf_lanes), 1, ERR_RANGE },
	{ "nine lanes", offsetof(struct record, kdf_lanes), 8, ERR_RANGE },
};

static void damaged(void **state)
{
	struct record good, r;

	(void)state;
	make(&good, CREDENTIAL_ONE_TIME_CODE, "secret");
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct credential c;

		memset(&c, 0xa5, sizeof(c));
		r = good;
		((uint8_t *)&r)[damages[i].at] ^= damages[i].flip;
		expect(damages[i].why, damages[i].want, open_with(&c, &r, "secret"));
		assert_true(untouched(&c, sizeof(c)));
	}
}

/* A seal with a right digest that holds something for another key. */
static void seal_of_another(void **state)
{
	struct credential c;
	struct record a, b;

	(void)state;
	make(&a, CREDENTIAL_ONE_TIME_CODE, "secret");
	make(&b, CREDENTIAL_ONE_TIME_CODE, "secret");
	memcpy(a.seal, b.seal, sizeof(a.seal));
	memcpy(a.seal_digest, b.seal_digest, sizeof(a.seal_digest));
	expect("a seal for another credential", ERR_SIGNATURE, open_with(&c, &a, "secret"));
}

/* No record makes pre-boot spend a gigabyte, or a password so little that it can be guessed. */
static void cost(void **state)
{
	static const struct {
		const char *why;
		enum credential_kind kind;
		uint32_t memory_kib, passes;
	} rows[] = {
		{ "no memory", CREDENTIAL_ONE_TIME_CODE, 0, 1 },
		{ "a code below its floor", CREDENTIAL_ONE_TIME_CODE, KDF_MEMORY_KIB_MIN - 1, 1 },
		{ "a password below its floor", CREDENTIAL_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN - 1, 1 },
		{ "too much memory", CREDENTIAL_PASSWORD, KDF_MEMORY_KIB_MAX + 1, 1 },
		{ "all memory", CREDENTIAL_PASSWORD, UINT32_MAX, 1 },
		{ "no pass", CREDENTIAL_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN, 0 },
		{ "too many passes", CREDENTIAL_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN, KDF_PASSES_MAX + 1 },
	};
	SECRET struct secret password = { 0 };

	(void)state;
	expect("secret", OK, secret_copy(&password, "secret", 6));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential_spec s = spec(rows[i].kind);
		struct credential c;
		struct record r;

		make(&r, rows[i].kind, "secret");
		r.kdf_memory_kib = s.kdf_memory_kib = rows[i].memory_kib;
		r.kdf_passes = s.kdf_passes = rows[i].passes;
		expect(rows[i].why, ERR_RANGE, credential_open(&c, &r, &password));
		expect(rows[i].why, ERR_RANGE, credential_new(&r, &s, &password, &vk, &uk));
	}
}

static void specs(void **state)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	const struct {
		const char *why, *user;
		enum credential_kind kind;
		uint16_t number;
		uint8_t flags;
	} rows[] = {
		{ "a password of nobody", "", CREDENTIAL_PASSWORD, 0, 0 },
		{ "a name too long", long_name, CREDENTIAL_PASSWORD, 0, 0 },
		{ "a name with a line feed", "a\nb", CREDENTIAL_PASSWORD, 0, 0 },
		{ "a password with a number", "anna", CREDENTIAL_PASSWORD, 1, 0 },
		{ "a code with a user", "anna", CREDENTIAL_ONE_TIME_CODE, 1, 0 },
		{ "a recovery key with a number", "", CREDENTIAL_RECOVERY_KEY, 1, 0 },
		{ "an unknown kind", "", (enum credential_kind)9, 0, 0 },
		{ "an unknown flag", "anna", CREDENTIAL_PASSWORD, 0, 0x80 },
	};
	SECRET struct secret password = { 0 };
	struct record r;

	(void)state;
	expect("secret", OK, secret_copy(&password, "secret", 6));
	memset(&r, 0xa5, sizeof(r));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential_spec s = spec(rows[i].kind);

		s.user = rows[i].user;
		s.number = rows[i].number;
		s.flags = rows[i].flags;
		expect(rows[i].why, ERR_RANGE, credential_new(&r, &s, &password, &vk, &uk));
		assert_true(untouched(&r, sizeof(r)));
	}
}

static void long_password(void **state)
{
	SECRET struct secret password = { 0 };
	const struct credential_spec s = spec(CREDENTIAL_ONE_TIME_CODE);
	struct record r;

	(void)state;
	expect("secret", OK, secret_new(&password, PASSWORD_BYTES_MAX + 1));
	expect("a password too long", ERR_RANGE, credential_new(&r, &s, &password, &vk, &uk));
	password.len--;
	expect("the longest password", OK, credential_new(&r, &s, &password, &vk, &uk));
	password.len++;
}

static void locked(void **state)
{
	CREDENTIAL c = { 0 };
	struct record r;
	struct unlock_key other = uk;

	(void)state;
	make(&r, CREDENTIAL_ONE_TIME_CODE, "secret");
	record_unseal(&r);
	assert_true(sodium_is_zero(r.seal, sizeof(r.seal)));
	expect("wrong and locked", ERR_AUTH, open_with(&c, &r, "other"));
	expect("right but locked", ERR_LOCKED, open_with(&c, &r, "secret"));
	assert_true(sodium_is_zero(c.unlock_key.bytes, 32));
	assert_memory_equal(c.store_vk.bytes, vk.bytes, 32);
	assert_false(sodium_is_zero(c.user_key.seed, 32));
	other.bytes[0] ^= 1;
	expect("sealed again", OK, record_seal(&r, &other));
	expect("right again", OK, open_with(&c, &r, "secret"));
	assert_memory_equal(c.unlock_key.bytes, other.bytes, 32);
}

/* All zeros are no X25519 key: nothing is sealed to it, and the record stays as it was. */
static void seal_to_no_key(void **state)
{
	struct record r = { .has_seal = 0 };

	(void)state;
	expect("a key of zeros", ERR_RANGE, record_seal(&r, &uk));
	assert_int_equal(r.has_seal, 0);
	assert_true(sodium_is_zero(r.seal, sizeof(r.seal)));
}

/* A user with a duress password. */
static void make_duress(struct record *ret, const char *text, const char *duress)
{
	SECRET struct secret password = { 0 };

	make(ret, CREDENTIAL_PASSWORD, text);
	expect("secret", OK, secret_copy(&password, duress, strlen(duress)));
	expect("duress password", OK, credential_set_duress(ret, &password));
}

static enum err change_to(struct record *r, const struct credential *c, const char *text)
{
	SECRET struct secret password = { 0 };

	expect("secret", OK, secret_copy(&password, text, strlen(text)));
	return credential_change(r, c, &password, 20001);
}

static enum err duress_to(struct record *r, const char *text)
{
	SECRET struct secret password = { 0 };

	expect("secret", OK, secret_copy(&password, text, strlen(text)));
	return credential_set_duress(r, &password);
}

/* It opens nothing, and is neither the right password nor a wrong one, seal or no seal. */
static void duress(void **state)
{
	struct credential c;
	CREDENTIAL opened = { 0 };
	struct record r;

	(void)state;
	make_duress(&r, "secret", "police");
	memset(&c, 0xa5, sizeof(c));
	expect("the duress password", ERR_DURESS, open_with(&c, &r, "police"));
	expect("a wrong one", ERR_AUTH, open_with(&c, &r, "polite"));
	assert_true(untouched(&c, sizeof(c)));
	expect("the right one", OK, open_with(&opened, &r, "secret"));
	record_unseal(&r);
	expect("the duress password while locked", ERR_DURESS, open_with(&c, &r, "police"));
	expect("a wrong one while locked", ERR_AUTH, open_with(&c, &r, "polite"));
	assert_true(untouched(&c, sizeof(c)));
	expect("the right one while locked", ERR_LOCKED, open_with(&opened, &r, "secret"));
	expect("taken away", OK, credential_set_duress(&r, NULL));
	expect("after it was taken away", ERR_AUTH, open_with(&c, &r, "police"));
	assert_true(untouched(&c, sizeof(c)));
}

/* The formula of docs/formats.md, by itself. */
static void duress_by_hand(struct record *r, const char *text, const char *as, const uint8_t inside[96])
{
	uint8_t kek[32], aad[128];
	size_t len = strlen(as);

	assert_int_equal(crypto_pwhash(kek, 32, text, strlen(text), r->salt, r->kdf_passes,
				       (size_t)r->kdf_memory_kib << 10, crypto_pwhash_ALG_ARGON2ID13), 0);
	memcpy(aad, as, len);
	memcpy(aad + len, r->id, 16);
	aad[len + 16] = r->kind;
	memcpy(aad + len + 17, r->user_pk, 32);
	randombytes_buf(r->duress_nonce, sizeof(r->duress_nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt(r->duress_wrap, NULL, inside, 96, aad, len + 49, NULL,
						   r->duress_nonce, kek);
}

static void duress_format(void **state)
{
	static const uint8_t nothing[96], something[96] = { [95] = 1 };
	static const struct {
		const char *why, *as;
		const uint8_t *inside;
		enum err want;
	} rows[] = {
		{ "by the formula", "holdfast duress v1", nothing, ERR_DURESS },
		{ "as if it were the other wrap", "holdfast wrap v1", nothing, ERR_AUTH },
		{ "with something inside", "holdfast duress v1", something, ERR_AUTH },
	};
	struct record r;

	(void)state;
	make(&r, CREDENTIAL_PASSWORD, "secret");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential c;

		duress_by_hand(&r, "police", rows[i].as, rows[i].inside);
		expect(rows[i].why, rows[i].want, open_with(&c, &r, "police"));
	}
}

/* Who can write to the disk cannot make the right password one that kills, nor give it to others. */
static void duress_moved(void **state)
{
	struct record a, b, r;
	struct credential c;

	(void)state;
	make_duress(&a, "secret", "police");
	make_duress(&b, "secret", "police");
	r = a;
	memcpy(r.duress_wrap, a.wrap, WRAP_BYTES);
	memcpy(r.duress_nonce, a.nonce, sizeof(r.nonce));
	memcpy(r.wrap, a.duress_wrap, WRAP_BYTES);
	memcpy(r.nonce, a.duress_nonce, sizeof(r.nonce));
	expect("the wraps exchanged, the right password", ERR_AUTH, open_with(&c, &r, "secret"));
	expect("the wraps exchanged, the duress password", ERR_AUTH, open_with(&c, &r, "police"));
	r = a;
	memcpy(r.duress_wrap, b.duress_wrap, WRAP_BYTES);
	memcpy(r.duress_nonce, b.duress_nonce, sizeof(r.nonce));
	expect("another record's", ERR_AUTH, open_with(&c, &r, "police"));
	memcpy(r.salt, b.salt, sizeof(r.salt));
	expect("another record's with its salt", ERR_AUTH, open_with(&c, &r, "police"));
}

/* Setting it changes nothing but bytes that were random before, and are as random after: each bit
 * is set in half of the records, as far as chance goes (six standard deviations), with and without. */
static void duress_does_not_show(void **state)
{
	enum { RECORDS = 24, BYTES = WRAP_BYTES + 24, BITS = RECORDS * BYTES * 8 };
	const double deviation = 6 * 81; /* sqrt(BITS) / 2 is 80.8 */

	(void)state;
	assert_int_equal(BITS, 26112);
	for (int with = 0; with < 2; with++) {
		uint8_t any[BYTES] = { 0 }, all[BYTES];
		size_t ones = 0;

		memset(all, 0xff, sizeof(all));
		for (size_t i = 0; i < RECORDS; i++) {
			struct record r, plain;
			uint8_t bytes[BYTES];

			make(&r, CREDENTIAL_PASSWORD, "secret");
			plain = r;
			expect("set", OK, with ? duress_to(&r, "police") : credential_set_duress(&r, NULL));
			memcpy(bytes, r.duress_nonce, 24);
			memcpy(bytes + 24, r.duress_wrap, WRAP_BYTES);
			for (size_t n = 0; n < BYTES; n++) {
				ones += (size_t)__builtin_popcount(bytes[n]);
				any[n] |= bytes[n];
				all[n] &= bytes[n];
			}
			assert_memory_not_equal(r.duress_wrap, plain.duress_wrap, WRAP_BYTES);
			memcpy(r.duress_nonce, plain.duress_nonce, 24);
			memcpy(r.duress_wrap, plain.duress_wrap, WRAP_BYTES);
			assert_memory_equal(&r, &plain, sizeof(r));
		}
		if ((double)ones < BITS / 2.0 - deviation || (double)ones > BITS / 2.0 + deviation)
			fail_msg("%s a duress password %zu of %d bits are set", with ? "with" : "without",
				 ones, BITS);
		for (size_t n = 0; n < BYTES; n++)
			if (!any[n] || all[n])
				fail_msg("byte %zu tells %s a duress password", n, with ? "with" : "without");
	}
}

static void change(void **state)
{
	CREDENTIAL before = { 0 }, after = { 0 };
	struct record old, r;

	(void)state;
	make_duress(&r, "secret", "police");
	r.flags = RECORD_MUST_CHANGE;
	old = r;
	expect("open", OK, open_with(&before, &r, "secret"));
	expect("change", OK, change_to(&r, &before, "new secret"));
	assert_int_equal(r.changed_day, 20001);
	assert_int_equal(r.flags, 0);
	assert_memory_not_equal(r.nonce, old.nonce, sizeof(r.nonce));
	assert_memory_not_equal(r.wrap, old.wrap, sizeof(r.wrap));
	expect("the old one", ERR_AUTH, open_with(&after, &r, "secret"));
	expect("the new one", OK, open_with(&after, &r, "new secret"));
	assert_memory_equal(&after, &before, sizeof(after));
	expect("the duress password stays", ERR_DURESS, open_with(&after, &r, "police"));
	assert_memory_equal(r.id, old.id, sizeof(r.id));
	assert_memory_equal(r.salt, old.salt, sizeof(r.salt));
	assert_memory_equal(r.user_pk, old.user_pk, sizeof(r.user_pk));
	assert_memory_equal(r.duress_wrap, old.duress_wrap, sizeof(r.duress_wrap));
	assert_string_equal((char *)r.user, "anna");
}

/* Somebody has an old copy of the store and has seen the old password. It opens the old seal, and no seal
 * that is made after the change: a new unlock key is out of reach. */
static void change_renews_key(void **state)
{
	const struct unlock_key next = { "another unlock key: 32 more byte" };
	CREDENTIAL c = { 0 };
	struct record old, r;
	uint8_t old_sk[32], inside[32];

	(void)state;
	make(&r, CREDENTIAL_PASSWORD, "secret");
	old = r;
	expect("open", OK, open_with(&c, &r, "secret"));
	expect("change", OK, change_to(&r, &c, "new secret"));
	assert_memory_not_equal(r.cred_pk, old.cred_pk, sizeof(r.cred_pk));
	expect("another unlock key", OK, record_seal(&r, &next));
	sample_cred_sk(old_sk, &old, "secret");
	assert_int_equal(crypto_box_seal_open(inside, old.seal, SEAL_BYTES, old.cred_pk, old_sk), 0);
	assert_int_equal(crypto_box_seal_open(inside, r.seal, SEAL_BYTES, r.cred_pk, old_sk), -1);
	memcpy(old.seal, r.seal, sizeof(old.seal));
	memcpy(old.seal_digest, r.seal_digest, sizeof(old.seal_digest));
	expect("the new seal in the old record", ERR_SIGNATURE, open_with(&c, &old, "secret"));
}

/* What is refused changes nothing in the record. */
static void change_refused(void **state)
{
	CREDENTIAL own = { 0 }, others = { 0 };
	SECRET struct secret long_one = { 0 };
	const struct credential none = { 0 };
	struct record r, other, code, old;

	(void)state;
	make_duress(&r, "secret", "police");
	make(&other, CREDENTIAL_PASSWORD, "secret");
	make(&code, CREDENTIAL_ONE_TIME_CODE, "secret");
	expect("open", OK, open_with(&own, &r, "secret"));
	expect("open another", OK, open_with(&others, &other, "secret"));
	old = r;
	expect("the same password", ERR_EXISTS, change_to(&r, &own, "secret"));
	expect("the duress password", ERR_EXISTS, change_to(&r, &own, "police"));
	expect("the same for duress", ERR_EXISTS, duress_to(&r, "secret"));
	expect("another user's keys", ERR_RANGE, change_to(&r, &others, "new secret"));
	expect("no keys", ERR_RANGE, change_to(&r, &none, "new secret"));
	expect("secret", OK, secret_new(&long_one, PASSWORD_BYTES_MAX + 1));
	expect("a password too long", ERR_RANGE, credential_change(&r, &own, &long_one, 1));
	expect("too long for duress", ERR_RANGE, credential_set_duress(&r, &long_one));
	assert_memory_equal(&r, &old, sizeof(r));
	record_unseal(&r);
	expect("without a seal", ERR_LOCKED, change_to(&r, &own, "new secret"));
	assert_int_equal(r.has_seal, 0);
	r = old;
	r.kdf_memory_kib = old.kdf_memory_kib = KDF_MEMORY_KIB_MAX + 1;
	expect("a cost over the bound", ERR_RANGE, change_to(&r, &own, "new secret"));
	expect("a cost over the bound", ERR_RANGE, duress_to(&r, "new secret"));
	assert_memory_equal(&r, &old, sizeof(r));
	old = code;
	expect("open a code", OK, open_with(&own, &code, "secret"));
	expect("another code", ERR_RANGE, change_to(&code, &own, "new secret"));
	expect("a code under duress", ERR_RANGE, duress_to(&code, "police"));
	expect("no code under duress", ERR_RANGE, credential_set_duress(&code, NULL));
	assert_memory_equal(&code, &old, sizeof(code));
}

static void spec_fields(void **state)
{
	SECRET struct secret password = { 0 };
	struct credential_spec s = spec(CREDENTIAL_PASSWORD);
	struct record r;

	(void)state;
	s.flags = RECORD_MUST_CHANGE;
	s.changed_day = 20415;
	expect("secret", OK, secret_copy(&password, "secret", 6));
	expect("new credential", OK, credential_new(&r, &s, &password, &vk, &uk));
	assert_int_equal(r.flags, RECORD_MUST_CHANGE);
	assert_int_equal(r.changed_day, 20415);
	assert_int_equal(r.number, 0);
	assert_string_equal((char *)r.user, "anna");
}

struct opening {
	struct record r;
	struct secret password;
	struct credential c;
	enum err e;
};

static void run_open(void *p)
{
	struct opening *o = p;

	o->e = credential_open(&o->c, &o->r, &o->password);
}

static void run_new(void *p)
{
	struct opening *o = p;
	const struct credential_spec s = spec(CREDENTIAL_ONE_TIME_CODE);

	o->e = credential_new(&o->r, &s, &o->password, &vk, &uk);
}

static void run_change(void *p)
{
	struct opening *o = p;

	o->e = credential_change(&o->r, &o->c, &o->password, 1);
}

static void run_duress(void *p)
{
	struct opening *o = p;

	o->e = credential_set_duress(&o->r, &o->password);
}

static void kek_of(uint8_t ret[32], const struct opening *o)
{
	assert_int_equal(crypto_pwhash(ret, 32, (char *)o->password.bytes, o->password.len, o->r.salt,
				       o->r.kdf_passes, (size_t)o->r.kdf_memory_kib << 10,
				       crypto_pwhash_ALG_ARGON2ID13), 0);
}

/* What was on the stack is gone, whether it opened, was refused, or was locked. */
static void leaves_nothing(void **state)
{
	static const struct {
		const char *why;
		void (*run)(void *);
		const char *password, *opens; /* afterwards */
		int sealed;
		enum err want;
	} rows[] = {
		{ "after success", run_open, "secret", "secret", 1, OK },
		{ "after a wrong password", run_open, "other", "secret", 1, ERR_AUTH },
		{ "after the duress password", run_open, "police", "secret", 1, ERR_DURESS },
		{ "while locked", run_open, "secret", "secret", 0, ERR_LOCKED },
		{ "after making one", run_new, "secret", "secret", 1, OK },
		{ "after a change", run_change, "other", "other", 1, OK },
		{ "after a change refused", run_change, "police", "secret", 1, ERR_EXISTS },
		{ "after a change while locked", run_change, "other", "secret", 0, ERR_LOCKED },
		{ "after setting a duress password", run_duress, "other", "secret", 1, OK },
		{ "after refusing a duress password", run_duress, "secret", "secret", 1, ERR_EXISTS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct opening o;
		struct stack_probe probe;
		uint8_t kek[32], cred_sk[32];

		make_duress(&o.r, "secret", "police");
		expect("secret", OK, secret_copy(&o.password, rows[i].password, strlen(rows[i].password)));
		if (rows[i].run == run_change)
			expect("open", OK, open_with(&o.c, &o.r, "secret"));
		if (!rows[i].sealed)
			record_unseal(&o.r);
		stack_probe_run(&probe, rows[i].run, &o);
		expect(rows[i].why, rows[i].want, o.e);
		if (rows[i].run == run_new)
			expect("opens", OK, open_with(&o.c, &o.r, rows[i].password));
		kek_of(kek, &o);
		if (stack_probe_holds(&probe, kek))
			fail_msg("%s the key-encryption key is left on the stack", rows[i].why);
		if (stack_probe_holds(&probe, uk.bytes))
			fail_msg("%s the unlock key is left on the stack", rows[i].why);
		if (!sodium_is_zero(o.c.user_key.seed, 32) &&
		    stack_probe_holds(&probe, o.c.user_key.seed))
			fail_msg("%s the user key is left on the stack", rows[i].why);
		sample_cred_sk(cred_sk, &o.r, rows[i].opens);
		if (stack_probe_holds(&probe, cred_sk))
			fail_msg("%s the credential's key is left on the stack", rows[i].why);
		stack_probe_drop(&probe);
		secret_drop(&o.password);
		credential_drop(&o.c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),
		cmocka_unit_test(wrong_password),
		cmocka_unit_test(records_are_random),
		cmocka_unit_test(damaged),
		cmocka_unit_test(seal_of_another),
		cmocka_unit_test(cost),
		cmocka_unit_test(specs),
		cmocka_unit_test(long_password),
		cmocka_unit_test(locked),
		cmocka_unit_test(seal_to_no_key),
		cmocka_unit_test(duress),
		cmocka_unit_test(duress_format),
		cmocka_unit_test(duress_moved),
		cmocka_unit_test(duress_does_not_show),
		cmocka_unit_test(change),
		cmocka_unit_test(change_renews_key),
		cmocka_unit_test(change_refused),
		cmocka_unit_test(spec_fields),
		cmocka_unit_test(leaves_nothing),
	};

	return RUN(tests);
}
