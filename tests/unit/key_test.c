/* Keys: names, signatures, wiping at scope end. */
#include "core_test.h"

#include "common/key.h"

/* Computed with Python: hashlib.blake2b(bytes(range(32)), digest_size=8,
 * key=b"holdfast unlock key id").hexdigest() */
static const uint8_t known_id[8] = { 0x67, 0x84, 0x81, 0xbe, 0x56, 0xc2, 0x10, 0xfa };

static void id_vector(void **state)
{
	struct unlock_key uk;
	struct uk_id id;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		uk.bytes[i] = i;
	unlock_key_id(&id, &uk);
	assert_memory_equal(id.bytes, known_id, sizeof(known_id));
}

/* RFC 8032, section 7.1, test 2. */
static const char seed_hex[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char pk_hex[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char signature_hex[] =
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

static void hex(uint8_t *ret, const char *text)
{
	assert_int_equal(sodium_hex2bin(ret, strlen(text) / 2, text, strlen(text), NULL, NULL, NULL), 0);
}

static void signing(void **state)
{
	struct store_sk sk;
	struct store_vk vk;
	uint8_t want_pk[32], want[SIGNATURE_BYTES], got[SIGNATURE_BYTES];

	(void)state;
	hex(sk.seed, seed_hex);
	hex(want_pk, pk_hex);
	hex(want, signature_hex);
	store_sk_public(&vk, &sk);
	assert_memory_equal(vk.bytes, want_pk, sizeof(want_pk));
	store_sk_sign(got, &sk, "\x72", 1);
	assert_memory_equal(got, want, sizeof(want));
	expect("its own signature", OK, store_vk_check(&vk, got, "\x72", 1));
	expect("another message", ERR_SIGNATURE, store_vk_check(&vk, got, "\x73", 1));
	got[10] ^= 1;
	expect("a changed signature", ERR_SIGNATURE, store_vk_check(&vk, got, "\x72", 1));
	vk.bytes[0] ^= 1;
	expect("another key", ERR_SIGNATURE, store_vk_check(&vk, want, "\x72", 1));
}

static void wiping(void **state)
{
	struct unlock_key uk;
	struct store_sk sk;
	struct user_key user;

	(void)state;
	memset(&uk, 1, sizeof(uk));
	memset(&sk, 1, sizeof(sk));
	memset(&user, 1, sizeof(user));
	unlock_key_wipe(&uk);
	store_sk_wipe(&sk);
	user_key_wipe(&user);
	assert_true(sodium_is_zero((uint8_t *)&uk, sizeof(uk)));
	assert_true(sodium_is_zero((uint8_t *)&sk, sizeof(sk)));
	assert_true(sodium_is_zero((uint8_t *)&user, sizeof(user)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id_vector),
		cmocka_unit_test(signing),
		cmocka_unit_test(wiping),
	};

	return RUN(tests);
}
