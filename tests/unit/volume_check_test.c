/* Volume: what volume_check refuses. Each row edits the JSON of a real header, repairs the
 * checksums of both copies (as an attacker would), and asks whether the header still passes for the
 * one vouched for. */
#include "volume_image.h"

#include <jansson.h>
#include <sodium.h>

#define HEADER_BYTES 16384
#define BINARY_BYTES 4096
#define CHECKSUM_AT 448
#define CHECKSUM_BYTES 64

static uint8_t header[2 * HEADER_BYTES];

static void header_io(int write)
{
	int fd = open(image_path, O_RDWR | O_CLOEXEC);
	ssize_t n = write ? pwrite(fd, header, sizeof(header), 0) :
			    pread(fd, header, sizeof(header), 0);

	assert_int_equal(n, sizeof(header));
	close(fd);
}

/* The checksum field holds SHA-256 over one copy with the field itself zeroed. */
static void checksum_repair(uint8_t *copy)
{
	memset(copy + CHECKSUM_AT, 0, CHECKSUM_BYTES);
	crypto_hash_sha256(copy + CHECKSUM_AT, copy, HEADER_BYTES);
}

static void header_edit(void (*edit)(json_t *j))
{
	json_t *j;
	char *text;
	int i;

	header_io(0);
	j = json_loads((const char *)header + BINARY_BYTES, 0, NULL);
	assert_non_null(j);
	edit(j);
	text = json_dumps(j, JSON_COMPACT);
	assert_true(strlen(text) < HEADER_BYTES - BINARY_BYTES);
	for (i = 0; i < 2; i++) {
		uint8_t *copy = header + i * HEADER_BYTES;

		memset(copy + BINARY_BYTES, 0, HEADER_BYTES - BINARY_BYTES);
		memcpy(copy + BINARY_BYTES, text, strlen(text));
		checksum_repair(copy);
	}
	header_io(1);
	free(text);
	json_decref(j);
}

static json_t *first(json_t *j, const char *what)
{
	return json_object_get(json_object_get(j, what), "0");
}

static void edit_nothing(json_t *j)
{
	(void)j;
}

static void edit_segment_null(json_t *j)
{
	json_object_set_new(first(j, "segments"), "encryption", json_string("cipher_null-ecb"));
}

static void edit_segment_ecb(json_t *j)
{
	json_object_set_new(first(j, "segments"), "encryption", json_string("aes-ecb"));
}

static void edit_segment_linear(json_t *j)
{
	json_t *s = first(j, "segments");

	json_object_set_new(s, "type", json_string("linear"));
	json_object_del(s, "encryption");
	json_object_del(s, "iv_tweak");
	json_object_del(s, "sector_size");
	json_object_set_new(first(j, "digests"), "segments", json_array());
}

static void edit_segment_offset(json_t *j)
{
	json_object_set_new(first(j, "segments"), "offset", json_string("16781312"));
}

static void edit_iv(json_t *j)
{
	json_object_set_new(first(j, "segments"), "iv_tweak", json_string("8"));
}

static void edit_keyslot_null(json_t *j)
{
	json_t *area = json_object_get(first(j, "keyslots"), "area");

	json_object_set_new(area, "encryption", json_string("cipher_null-ecb"));
	json_object_set_new(area, "key_size", json_integer(32));
}

/* The recovery keyslot's fingerprint is not in the manifest, but a null cipher there is refused
 * too. */
static void edit_other_keyslot_null(json_t *j)
{
	json_t *area = json_object_get(json_object_get(json_object_get(j, "keyslots"), "1"),
				       "area");

	json_object_set_new(area, "encryption", json_string("cipher_null-ecb"));
	json_object_set_new(area, "key_size", json_integer(32));
}

static void edit_keyslot_kdf(json_t *j)
{
	json_object_set_new(json_object_get(first(j, "keyslots"), "kdf"), "iterations",
			    json_integer(4000000));
}

static void edit_digest(json_t *j)
{
	json_object_set_new(first(j, "digests"), "iterations", json_integer(999999));
}

static void edit_requirement(json_t *j)
{
	json_object_set_new(json_object_get(j, "config"), "requirements",
			    json_pack("{s:[s]}", "mandatory", "offline-reencrypt"));
}

static void edit_uuid_of_binary(void)
{
	int i;

	header_io(0);
	for (i = 0; i < 2; i++) {
		header[i * HEADER_BYTES + 168] ^= 1;
		checksum_repair(header + i * HEADER_BYTES);
	}
	header_io(1);
}

/* want NULL: accepted. Where libcryptsetup itself refuses to load, that is a refusal as well. */
static void refused(const char *why, void (*edit)(json_t *j), const char *want, int load_may_fail)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";
	enum err e;

	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), OK);
	volume_drop(&v);
	header_edit(edit);
	e = volume_load(&v, image_path);
	if (e && load_may_fail)
		return;
	if (e)
		fail_msg("%s: does not load: %s", why, err_name(e));
	e = volume_check(v, &m, &uk_one, &what);
	if (!want && e)
		fail_msg("%s: refused (%s), must pass", why, what);
	if (want && (e != ERR_CHANGED || strcmp(what, want)))
		fail_msg("%s: %s \"%s\", want ERR_CHANGED \"%s\"", why, err_name(e), what, want);
}

static void edited_headers_are_refused(void **state)
{
	static const struct {
		const char *why;
		void (*edit)(json_t *j);
		const char *want;
		int load_may_fail;
	} rows[] = {
		{ "rewritten without a change", edit_nothing, NULL, 0 },
		{ "threat 1: segment with the null cipher", edit_segment_null, "cipher", 0 },
		{ "threat 1: segment in ECB", edit_segment_ecb, "cipher", 0 },
		{ "threat 1: segment not encrypted at all", edit_segment_linear, "cipher", 1 },
		{ "threat 2: unlock keyslot with the null cipher", edit_keyslot_null, "cipher", 1 },
		{ "threat 2: recovery keyslot with the null cipher", edit_other_keyslot_null,
		  "cipher", 1 },
		{ "threat 3: forged requirement", edit_requirement, "header", 0 },
		{ "segment moved", edit_segment_offset, "header", 0 },
		{ "IV offset changed", edit_iv, "header", 0 },
		{ "another digest", edit_digest, "header", 0 },
		{ "keyslot's cost changed", edit_keyslot_kdf, "keyslot", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].why, rows[i].edit, rows[i].want, rows[i].load_may_fail);
}

/* Bug (CVE-2025-59054 in stock cryptsetup): on a start without a hand-off the recovery key was
 * tried on whatever the header said. A thief who had named the null cipher for the segment, or for
 * a keyslot, got data of his own mounted as the root file system, with the right recovery key's
 * "volume is open" above it. */
static void recovery_refuses(const char *why, void (*edit)(json_t *j), enum err want)
{
	SECRET struct secret recovery = secret_text(RECOVERY_ONE);
	VOLUME *v = image_formatted();
	enum err e;

	volume_drop(&v);
	header_edit(edit);
	e = volume_load(&v, image_path);
	if (e && want)
		return;
	e = e ? e : volume_open_recovery(v, NULL, &recovery);
	if (e != want)
		fail_msg("%s: %s, want %s", why, err_name(e), err_name(want));
}

static void edit_tokens_away(json_t *j)
{
	json_object_set_new(j, "tokens", json_object());
}

static void edit_segment_cbc(json_t *j)
{
	json_object_set_new(first(j, "segments"), "encryption", json_string("aes-cbc-plain64"));
}

static void edit_second_segment_linear(json_t *j)
{
	json_object_set_new(first(j, "segments"), "size", json_string("524288"));
	json_object_set_new(json_object_get(j, "segments"), "1",
			    json_pack("{s:s, s:s, s:s}", "type", "linear", "offset", "17301504",
				      "size", "dynamic"));
}

static void recovery_key_opens_only_what_is_encrypted(void **state)
{
	(void)state;
	recovery_refuses("rewritten without a change", edit_nothing, OK);
	recovery_refuses("our tokens removed", edit_tokens_away, OK);
	recovery_refuses("segment with the null cipher", edit_segment_null, ERR_CHANGED);
	recovery_refuses("segment in ECB", edit_segment_ecb, ERR_CHANGED);
	recovery_refuses("segment in CBC", edit_segment_cbc, ERR_CHANGED);
	recovery_refuses("segment not encrypted at all", edit_segment_linear, ERR_CHANGED);
	recovery_refuses("second segment not encrypted", edit_second_segment_linear, ERR_CHANGED);
	recovery_refuses("unlock keyslot with the null cipher", edit_keyslot_null, ERR_CHANGED);
	recovery_refuses("recovery keyslot with the null cipher", edit_other_keyslot_null,
			 ERR_CHANGED);
}

static void other_ciphers_are_not_vouched_for(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();

	(void)state;
	volume_drop(&v);
	header_edit(edit_segment_cbc);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_describe(&m, v, &uk_one), ERR_UNSUPPORTED);
}

static void another_uuid_is_refused(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	volume_drop(&v);
	edit_uuid_of_binary();
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), ERR_CHANGED);
	assert_string_equal(what, "UUID");
}

/* Threat 7: a second disk with the same UUID and an unlock keyslot for the same key. */
static void another_disk_is_refused(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	char uuid[40] = { 0 };
	const char *what = "";

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	header_io(0);
	memcpy(uuid, header + 168, 36);
	volume_drop(&v);
	v = image_formatted();
	volume_drop(&v);
	header_io(0);
	memcpy(header + 168, uuid, 36);
	memcpy(header + HEADER_BYTES + 168, uuid, 36);
	checksum_repair(header);
	checksum_repair(header + HEADER_BYTES);
	header_io(1);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), ERR_CHANGED);
	assert_string_equal(what, "header");
}

static void changed_keyslot_area_is_refused(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";
	uint8_t byte;
	int fd;

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	fd = open(image_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, 2 * HEADER_BYTES + 1000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 2 * HEADER_BYTES + 1000), 1);
	close(fd);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), ERR_CHANGED);
	assert_string_equal(what, "keyslot");
}

static void rotation_is_accepted_when_announced(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";
	struct digest fresh;

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), OK);
	assert_int_equal(volume_check(v, &m, &uk_two, &what), ERR_CHANGED);
	assert_string_equal(what, "keyslot");
	assert_int_equal(volume_unlock_fingerprint(&fresh, v, &uk_two), OK);
	memcpy(m.keyslots + DIGEST_BYTES, fresh.bytes, DIGEST_BYTES);
	assert_int_equal(volume_check(v, &m, &uk_two, &what), OK);
	assert_int_equal(volume_unlock_keep(v, &uk_two), OK);
	assert_int_equal(volume_check(v, &m, &uk_two, &what), OK);
}

/* Metadata of a decryption that has just begun, as valid as libcryptsetup makes it: whoever forges
 * that (CVE-2021-4122) makes stock tools write plain text, and mounts what he has put behind it. */
static void decryption_begin(void)
{
	const struct crypt_params_reencrypt params = {
		.mode = CRYPT_REENCRYPT_DECRYPT,
		.direction = CRYPT_REENCRYPT_FORWARD,
		.resilience = "checksum",
		.hash = "sha256",
		.flags = CRYPT_REENCRYPT_INITIALIZE_ONLY,
	};
	struct crypt_device *cd;
	int r;

	assert_int_equal(crypt_init(&cd, image_path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	r = crypt_reencrypt_init_by_passphrase(cd, NULL, (const char *)uk_one.bytes,
					       sizeof(uk_one.bytes), 0, CRYPT_ANY_SLOT, NULL, NULL,
					       &params);
	if (r < 0)
		fail_msg("libcryptsetup does not begin a decryption: %s", strerror(-r));
	crypt_free(cd);
}

static void decryption_under_way_is_refused(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	volume_drop(&v);
	decryption_begin();
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), ERR_CHANGED);
	assert_string_equal(what, "header");
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), ERR_BUSY);
}

static void first_header_copy_lost_is_mended(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();
	const char *what = "";

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	volume_drop(&v);
	header_io(0);
	memset(header, 0, HEADER_BYTES);
	header_io(1);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_check(v, &m, &uk_one, &what), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edited_headers_are_refused),
		cmocka_unit_test(recovery_key_opens_only_what_is_encrypted),
		cmocka_unit_test(other_ciphers_are_not_vouched_for),
		cmocka_unit_test(another_uuid_is_refused),
		cmocka_unit_test(another_disk_is_refused),
		cmocka_unit_test(changed_keyslot_area_is_refused),
		cmocka_unit_test(rotation_is_accepted_when_announced),
		cmocka_unit_test(decryption_under_way_is_refused),
		cmocka_unit_test(first_header_copy_lost_is_mended),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
