/* Record: its bytes, its bounds, its own signature and its seal's digest. */
#include "core_test.h"

#include "common/record.h"

static const uint8_t device[DEVICE_ID_BYTES] = "laptop number 1";
static const struct store_sk sk = { "a seed of thirty-two random byte" };

/* Every byte of it has a value of its own, as far as the format lets it. */
static struct record sample(void)
{
	struct record r = { .kind = CREDENTIAL_PASSWORD, .flags = RECORD_MUST_CHANGE,
			    .user = "anna", .kdf_memory_kib = 65536, .kdf_passes = 4,
			    .kdf_lanes = 1, .changed_day = 0x4fc2, .has_seal = 1 };
	struct digest d;

	memset(r.id, 1, sizeof(r.id));
	memset(r.salt, 2, sizeof(r.salt));
	memset(r.cred_pk, 3, sizeof(r.cred_pk));
	memset(r.user_pk, 4, sizeof(r.user_pk));
	memset(r.nonce, 5, sizeof(r.nonce));
	memset(r.wrap, 6, sizeof(r.wrap));
	memset(r.duress_nonce, 7, sizeof(r.duress_nonce));
	memset(r.duress_wrap, 8, sizeof(r.duress_wrap));
	memset(r.seal, 9, sizeof(r.seal));
	record_seal_digest(&d, &r);
	memcpy(r.seal_digest, d.bytes, sizeof(r.seal_digest));
	record_sign(&r, device, &sk);
	return r;
}

static void round_trip(void **state)
{
	uint8_t bytes[RECORD_BYTES], again[RECORD_BYTES];
	struct record r = sample(), decoded;

	(void)state;
	record_encode(bytes, &r);
	assert_int_equal(bytes[16], CREDENTIAL_PASSWORD);
	assert_int_equal(bytes[93], 0xc2);
	assert_int_equal(bytes[94], 0x4f);
	assert_int_equal(bytes[95], 0);
	assert_int_equal(bytes[312], 7);
	expect("decode", OK, record_decode(&decoded, bytes));
	assert_int_equal(decoded.changed_day, 0x4fc2);
	record_encode(again, &decoded);
	assert_memory_equal(again, bytes, sizeof(bytes));
}

static const struct damage damages[] = {
	{ "kind 0", 16, "\0", 1, ERR_FORMAT },
	{ "an unknown kind", 16, "\7", 1, ERR_FORMAT },
	{ "an unknown flag", 17, "\3", 1, ERR_FORMAT },
	{ "a password with a number", 18, "\1", 1, ERR_FORMAT },
	{ "TPM and PIN", 16, "\4", 1, OK },
	{ "TPM and password", 16, "\5", 1, OK },
	{ "self-help", 16, "\6", 1, OK },
	{ "TPM and PIN with a number", 16, "\4\1\1", 3, ERR_FORMAT },
	{ "self-help with a number", 16, "\6\1\1", 3, ERR_FORMAT },
	{ "TPM and PIN of nobody", 16, "\4\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "TPM and password of nobody", 16, "\5\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "self-help of nobody", 16, "\6\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "a code with a user", 16, "\2", 1, ERR_FORMAT },
	{ "a recovery key with a user", 16, "\3", 1, ERR_FORMAT },
	{ "a user without a name", 20, "\0\0\0\0", 4, ERR_FORMAT },
	{ "a user's name with a line feed", 21, "\n", 1, ERR_FORMAT },
	{ "a cost of 32 KiB", 84, "\x20\0\0\0", 4, ERR_RANGE },
	{ "a cost of 4 TiB", 84, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "no pass", 88, "\0", 1, ERR_RANGE },
	{ "no lane", 92, "\0", 1, ERR_RANGE },
	{ "nine lanes", 92, "\11", 1, ERR_RANGE },
	{ "the last day that can be said", 93, "\xff\xff", 2, OK },
	{ "a day that is not known", 93, "\0\0", 2, OK },
	{ "reserved byte in use", 95, "\1", 1, ERR_FORMAT },
	{ "a seal that is there twice", 544, "\2", 1, ERR_FORMAT },
	{ "a dropped seal that is not zero", 544, "\0", 1, ERR_FORMAT },
};

/* Who is guessed at must cost: also where the TPM takes part, which a stolen store could be without. */
static void least_costs(void **state)
{
	static const struct {
		uint8_t kind;
		uint32_t least;
	} rows[] = { { CREDENTIAL_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN },
		     { CREDENTIAL_TPM_PIN, KDF_PASSWORD_MEMORY_KIB_MIN },
		     { CREDENTIAL_TPM_PASSWORD, KDF_PASSWORD_MEMORY_KIB_MIN },
		     { CREDENTIAL_SELF_HELP, KDF_PASSWORD_MEMORY_KIB_MIN },
		     { CREDENTIAL_ONE_TIME_CODE, KDF_MEMORY_KIB_MIN },
		     { CREDENTIAL_RECOVERY_KEY, KDF_MEMORY_KIB_MIN } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect("the least", OK, record_cost_check(rows[i].kind, rows[i].least, 1, 1));
		expect("less", ERR_RANGE, record_cost_check(rows[i].kind, rows[i].least - 1, 1, 1));
		expect("the most", OK, record_cost_check(rows[i].kind, KDF_MEMORY_KIB_MAX, KDF_PASSES_MAX, 1));
	}
}

static void damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		uint8_t bytes[RECORD_BYTES];
		struct record r = sample(), decoded;

		record_encode(bytes, &r);
		damage_apply(bytes, &damages[i]);
		memset(&decoded, 0xa5, sizeof(decoded));
		expect(damages[i].why, damages[i].want, record_decode(&decoded, bytes));
		assert_int_equal(untouched(&decoded, sizeof(decoded)), damages[i].want != OK);
	}
}

/* Its own signature is about the fields before it and the laptop; what follows is the store's. */
static void signature(void **state)
{
	uint8_t bytes[RECORD_BYTES], other_device[DEVICE_ID_BYTES];
	struct record r = sample();
	const struct store_sk other = { "another seed of 32 random bytes" };
	struct store_vk vk, other_vk;

	(void)state;
	store_sk_public(&vk, &sk);
	store_sk_public(&other_vk, &other);
	expect("signed", OK, record_verify(&r, device, &vk));
	expect("for another key", ERR_SIGNATURE, record_verify(&r, device, &other_vk));
	memcpy(other_device, device, sizeof(other_device));
	other_device[15] ^= 1;
	expect("for another laptop", ERR_SIGNATURE, record_verify(&r, other_device, &vk));
	record_encode(bytes, &r);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		struct record changed;

		bytes[i] ^= 0x01;
		if (!record_decode(&changed, bytes) &&
		    (record_verify(&changed, device, &vk) != OK) != (i < RECORD_LISTED_BYTES - DIGEST_BYTES))
			fail_msg("byte %zu: not what the signature should say", i);
		bytes[i] ^= 0x01;
	}
}

static void seal_digest(void **state)
{
	struct record r = sample();

	(void)state;
	expect("as it was signed", OK, record_seal_check(&r));
	r.seal[79] ^= 1;
	expect("another seal", ERR_SIGNATURE, record_seal_check(&r));
	r.seal[79] ^= 1;
	r.seal_digest[0] ^= 1;
	expect("another digest", ERR_SIGNATURE, record_seal_check(&r));
	record_unseal(&r);
	expect("no seal", OK, record_seal_check(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(damaged),
		cmocka_unit_test(least_costs),
		cmocka_unit_test(signature),
		cmocka_unit_test(seal_digest),
	};

	return RUN(tests);
}
