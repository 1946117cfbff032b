/* Volume: format, adopt, find by token, foreign keyslots, and every refusal on the way. */
#include "volume_image.h"

#include <sys/stat.h>

static void format_opens_with_both_keys(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
	assert_int_equal(volume_test_unlock(v, &uk_two), ERR_AUTH);
	assert_int_equal(opens_recovery(v, RECOVERY_TWO), ERR_AUTH);
}

static void format_takes_strong_cipher_and_big_sectors(void **state)
{
	struct manifest_volume m = { 0 };
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_describe(&m, v, &uk_one), OK);
	assert_string_equal((const char *)m.cipher, "aes-xts-plain64");
	assert_int_equal(m.key_bits, 512);
	assert_int_equal(m.sector_size, 4096);
	assert_int_equal(m.header_bytes, 16 << 20);
}

static void format_spares_what_is_there(void **state)
{
	SECRET struct secret recovery = secret_text(RECOVERY_TWO);
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_format(image_path, &uk_two, &recovery, escrow_two), ERR_EXISTS);
	volume_drop(&v);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
}

static void format_needs_room(void **state)
{
	SECRET struct secret recovery = secret_text(RECOVERY_ONE);

	(void)state;
	image_empty(1 << 20);
	assert_int_equal(volume_format(image_path, &uk_one, &recovery, escrow_one), ERR_SPACE);
	assert_int_equal(volume_format("/nowhere/at-all", &uk_one, &recovery, escrow_one),
			 ERR_NOT_FOUND);
}

static void load_tells_what_is_wrong(void **state)
{
	VOLUME *v = NULL;

	(void)state;
	assert_int_equal(volume_load(&v, "/nowhere/at-all"), ERR_NOT_FOUND);
	image_empty(IMAGE_BYTES);
	assert_int_equal(volume_load(&v, image_path), ERR_FORMAT);
	assert_null(v);
	volume_drop(&v);
}

/* As an installer, or cryptsetup reencrypt, leaves it. */
static void image_by_others(const char *passphrase)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1200,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_device *cd;

	image_empty(IMAGE_BYTES);
	assert_int_equal(crypt_init(&cd, image_path), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_int_equal(crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL, 64, NULL),
			 0);
	assert_int_equal(
		crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0, passphrase, strlen(passphrase)), 0);
	crypt_free(cd);
}

static void adopt(int remove_others)
{
	SECRET struct secret existing = secret_text("installer"), wrong = secret_text("other");
	SECRET struct secret recovery = secret_text(RECOVERY_ONE);
	VOLUME *v = NULL;
	unsigned foreign;

	image_by_others("installer");
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_adopt(v, &wrong, &uk_one, &recovery, escrow_one, 1), ERR_AUTH);
	assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
	assert_int_equal(foreign, 1);
	assert_int_equal(volume_adopt(v, &existing, &uk_one, &recovery, escrow_one, remove_others),
			 OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
	assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
	assert_int_equal(foreign, remove_others ? 0 : 1);
}

static void adopt_keeps_others(void **state)
{
	(void)state;
	adopt(0);
}

static void adopt_removes_others(void **state)
{
	SECRET struct secret existing = secret_text("installer"),
			     recovery = secret_text(RECOVERY_TWO);
	VOLUME *v = NULL;

	(void)state;
	adopt(1);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_adopt(v, &existing, &uk_two, &recovery, escrow_two, 0), ERR_AUTH);
}

/* FACTS of the trade: re-encryption and other tools move keyslots, so no number means anything. */
static void keyslots_are_found_by_token(void **state)
{
	SECRET struct secret existing = secret_text("installer"),
			     recovery = secret_text(RECOVERY_ONE);
	VOLUME *v = NULL;
	unsigned foreign;
	int i;

	(void)state;
	image_by_others("installer");
	for (i = 0; i < 5; i++)
		image_add_foreign("installer", 9, "another");
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_adopt(v, &existing, &uk_one, &recovery, escrow_one, 0), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
	assert_int_equal(foreign, 6);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), OK);
	assert_int_equal(volume_unlock_keep(v, &uk_two), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), ERR_AUTH);
	assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
	assert_int_equal(foreign, 6);
}

static void full_header_is_said_so(void **state)
{
	VOLUME *v = image_formatted();
	int i;

	(void)state;
	volume_drop(&v);
	for (i = 2; i < 32; i++)
		image_add_foreign((const char *)uk_one.bytes, 32, "another");
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), ERR_SPACE);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
}

static void recovery_list_counts(void **state)
{
	SECRET struct secret second = secret_text(RECOVERY_TWO);
	uint8_t ids[2][ESCROW_ID_BYTES];
	VOLUME *v = image_formatted();
	size_t n = 2;

	(void)state;
	assert_int_equal(volume_recovery_list(v, ids, &n), OK);
	assert_int_equal(n, 1);
	assert_memory_equal(ids[0], escrow_one, ESCROW_ID_BYTES);
	assert_int_equal(volume_recovery_add(v, &uk_one, &second, escrow_two), OK);
	assert_int_equal(volume_recovery_list(v, ids, &n), ERR_SPACE);
	n = 2;
	assert_int_equal(volume_recovery_list(v, ids, &n), OK);
	assert_int_equal(n, 2);
}

static void escrow_id_names_one_passphrase(void **state)
{
	SECRET struct secret second = secret_text(RECOVERY_TWO);
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_recovery_add(v, &uk_one, &second, escrow_one), ERR_EXISTS);
	assert_int_equal(volume_recovery_keep(v, escrow_two), ERR_NOT_FOUND);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_opens_with_both_keys),
		cmocka_unit_test(format_takes_strong_cipher_and_big_sectors),
		cmocka_unit_test(format_spares_what_is_there),
		cmocka_unit_test(format_needs_room),
		cmocka_unit_test(load_tells_what_is_wrong),
		cmocka_unit_test(adopt_keeps_others),
		cmocka_unit_test(adopt_removes_others),
		cmocka_unit_test(keyslots_are_found_by_token),
		cmocka_unit_test(full_header_is_said_so),
		cmocka_unit_test(recovery_list_counts),
		cmocka_unit_test(escrow_id_names_one_passphrase),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
