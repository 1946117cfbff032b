/* Manifest: round trip, bounds, signature, accepted digests. */
#include "core_test.h"

#include "common/manifest.h"
#include "core_sample.h"

#define TARGET 16
#define VOLUME (TARGET + 2 * 112)

static const struct damage damages[] = {
	{ "another magic", 0, "X", 1, ERR_FORMAT },
	{ "version 0", 8, "\0\0", 2, ERR_FORMAT },
	{ "version 2", 8, "\2\0", 2, ERR_VERSION },
	{ "version 256", 8, "\0\1", 2, ERR_VERSION },
	{ "five targets", 10, "\5", 1, ERR_RANGE },
	{ "seventeen volumes", 11, "\x11", 1, ERR_RANGE },
	{ "a target less than there is", 10, "\1", 1, ERR_FORMAT },
	{ "a target more than there is", 10, "\3", 1, ERR_FORMAT },
	{ "a volume more than there is", 11, "\2", 1, ERR_FORMAT },
	{ "reserved bytes in use", 15, "\1", 1, ERR_FORMAT },
	{ "a target without a name", TARGET, "\0\0\0\0\0\0\0", 7, ERR_RANGE },
	{ "a target outside the folder", TARGET, "../", 3, ERR_RANGE },
	{ "a target's name without an end", TARGET, "0123456789abcdef", 16, ERR_RANGE },
	{ "bytes behind a target's name", TARGET + 9, "x", 1, ERR_RANGE },
	{ "a target's name with a capital", TARGET, "C", 1, ERR_RANGE },
	{ "a volume without a name", VOLUME + 32, "\0\0\0\0\0\0\0\0\0\0", 10, ERR_RANGE },
	{ "a volume's name with a slash", VOLUME + 32, "/", 1, ERR_RANGE },
	{ "a header of no bytes", VOLUME + 64, "\0\0\0\0", 4, ERR_RANGE },
	{ "a header of half a block", VOLUME + 64, "\0\2", 2, ERR_RANGE },
	{ "a header as large as the disk", VOLUME + 64, "\0\0\0\0\1", 5, ERR_RANGE },
	{ "an odd sector size", VOLUME + 72, "\1\2", 2, ERR_RANGE },
	{ "an odd key size", VOLUME + 74, "\1\0", 2, ERR_RANGE },
	{ "a volume key of no bits", VOLUME + 74, "\0\0", 2, ERR_RANGE },
	{ "no cipher", VOLUME + 76, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15, ERR_RANGE },
	{ "a cipher with a blank", VOLUME + 76, " ", 1, ERR_RANGE },
};

static void encode(uint8_t *ret, size_t *ret_len)
{
	const struct manifest m = sample_manifest();

	expect("encode", OK, manifest_encode(ret, ret_len, &m));
}

static void round_trip(void **state)
{
	uint8_t bytes[MANIFEST_BYTES_MAX], again[MANIFEST_BYTES_MAX];
	size_t len, again_len;
	struct manifest m;

	(void)state;
	encode(bytes, &len);
	assert_int_equal(len, 16 + 2 * 112 + 300 + 64);
	expect("decode", OK, manifest_decode(&m, bytes, len));
	assert_int_equal(m.target_count, 2);
	assert_string_equal((char *)m.volumes[0].name, "root_crypt");
	assert_int_equal(m.volumes[0].key_bits, 512);
	expect("encode again", OK, manifest_encode(again, &again_len, &m));
	assert_int_equal(again_len, len);
	assert_memory_equal(bytes, again, len);
}

static void largest(void **state)
{
	static uint8_t bytes[MANIFEST_BYTES_MAX];
	struct manifest m = sample_manifest();
	size_t len;

	(void)state;
	for (size_t i = 1; i < MANIFEST_TARGETS_MAX; i++)
		m.targets[i] = m.targets[0];
	for (size_t i = 1; i < MANIFEST_VOLUMES_MAX; i++)
		m.volumes[i] = m.volumes[0];
	m.target_count = MANIFEST_TARGETS_MAX;
	m.volume_count = MANIFEST_VOLUMES_MAX;
	expect("full", OK, manifest_encode(bytes, &len, &m));
	assert_int_equal(len, MANIFEST_BYTES_MAX);
	expect("full", OK, manifest_decode(&m, bytes, len));
	m.target_count++;
	expect("one target too many", ERR_RANGE, manifest_encode(bytes, &len, &m));
	m.target_count--;
	m.volume_count++;
	expect("one volume too many", ERR_RANGE, manifest_encode(bytes, &len, &m));
}

static void lengths(void **state)
{
	uint8_t bytes[MANIFEST_BYTES_MAX] = { 0 };
	struct manifest m;
	size_t full;

	(void)state;
	encode(bytes, &full);
	memset(&m, 0xa5, sizeof(m));
	for (size_t len = 0; len <= full + 1; len++)
		if (len != full)
			expect("wrong length", ERR_FORMAT, manifest_decode(&m, bytes, len));
	assert_true(untouched(&m, sizeof(m)));
}

static void damaged(void **state)
{
	uint8_t good[MANIFEST_BYTES_MAX], bytes[MANIFEST_BYTES_MAX];
	struct manifest m;
	size_t len;

	(void)state;
	encode(good, &len);
	memset(&m, 0xa5, sizeof(m));
	for (size_t i = 0; i < COUNT(damages); i++) {
		memcpy(bytes, good, len);
		damage_apply(bytes, &damages[i]);
		expect(damages[i].why, damages[i].want, manifest_decode(&m, bytes, len));
	}
	assert_true(untouched(&m, sizeof(m)));
}

/* After signing, no byte can change without notice: the decoder or the signature refuses it. */
static void signature(void **state)
{
	struct manifest m = sample_manifest(), other;
	uint8_t device[DEVICE_ID_BYTES], bytes[MANIFEST_BYTES_MAX];
	struct store_sk sk = { "a seed of thirty-two random byte" };
	struct store_vk vk;
	size_t len;

	(void)state;
	memcpy(device, sample_device, sizeof(device));
	store_sk_public(&vk, &sk);
	expect("not signed yet", ERR_SIGNATURE, manifest_verify(&m, device, &vk));
	expect("sign", OK, manifest_sign(&m, device, &sk));
	expect("signed", OK, manifest_verify(&m, device, &vk));
	expect("encode", OK, manifest_encode(bytes, &len, &m));
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		if (!manifest_decode(&other, bytes, len))
			expect("one bit changed", ERR_SIGNATURE, manifest_verify(&other, device, &vk));
		bytes[i] ^= 0x10;
	}
	device[0] ^= 1;
	expect("another laptop's", ERR_SIGNATURE, manifest_verify(&m, device, &vk));
	device[0] ^= 1;
	m.target_count = 200;
	expect("what can't be written", ERR_SIGNATURE, manifest_verify(&m, device, &vk));
	expect("what can't be written", ERR_RANGE, manifest_sign(&m, device, &sk));
}

static struct digest digest_of(uint8_t byte)
{
	struct digest d;

	memset(d.bytes, byte, sizeof(d.bytes));
	return d;
}

static void accepted(void **state)
{
	struct manifest m = sample_manifest();
	struct manifest_volume *v = &m.volumes[0];
	const struct digest none = { { 0 } };
	struct digest d = digest_of(6);

	(void)state;
	assert_true(manifest_header_accepted(v, &d));
	assert_false(manifest_header_accepted(v, &none));
	assert_false(manifest_keyslot_accepted(v, &none));
	expect("zeros", ERR_RANGE, manifest_keyslot_accept(v, &none));
	for (uint8_t n = 7; n < 11; n++) {
		d = digest_of(n);
		expect("room for four", OK, manifest_keyslot_accept(v, &d));
		expect("again", OK, manifest_keyslot_accept(v, &d));
		assert_true(manifest_keyslot_accepted(v, &d));
	}
	d = digest_of(11);
	expect("a fifth", ERR_SPACE, manifest_keyslot_accept(v, &d));
	manifest_keyslot_refuse(v, &d);
	d = digest_of(8);
	manifest_keyslot_refuse(v, &d);
	assert_false(manifest_keyslot_accepted(v, &d));
	d = digest_of(11);
	expect("in the free place", OK, manifest_keyslot_accept(v, &d));
	for (uint8_t n = 7; n < 12; n++) {
		d = digest_of(n);
		assert_int_equal(manifest_keyslot_accepted(v, &d), n != 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(largest), cmocka_unit_test(lengths),
		cmocka_unit_test(damaged),    cmocka_unit_test(signature), cmocka_unit_test(accepted),
	};

	return RUN(tests);
}
