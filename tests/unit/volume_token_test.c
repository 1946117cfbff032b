/* Volume tokens: anybody who can write the header can plant one. A malformed token counts as absent, and no
 * planted one makes us destroy a keyslot that is not ours, or the one that stays. */
#include "volume_image.h"

static void token_plant(const char *json)
{
	struct crypt_device *cd;

	crypt_token_external_disable();
	assert_int_equal(crypt_init(&cd, image_path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	if (crypt_token_json_set(cd, CRYPT_ANY_TOKEN, json) < 0)
		fail_msg("libcryptsetup does not take this token: %s", json);
	crypt_free(cd);
}

static unsigned foreign_count(struct volume *v)
{
	unsigned n;

	assert_int_equal(volume_foreign_keyslots(&n, v), OK);
	return n;
}

static void malformed_tokens_name_nothing(void **state)
{
	static const char *const rows[] = {
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\"]}",
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\"],\"holdfast\":7}",
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\"],\"holdfast\":{}}",
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\"],\"holdfast\":{\"uk_id\":\"00\"}}",
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\"],\"holdfast\":{\"uk_id\":"
		"\"zz00000000000000\"}}",
		"{\"type\":\"holdfast\",\"keyslots\":[\"2\",\"1\"],\"holdfast\":{\"uk_id\":"
		"\"0000000000000000\"}}",
		"{\"type\":\"holdfast-recovery\",\"keyslots\":[\"2\"],\"holdfast\":{\"escrow_id\":"
		"\"0000000000000000\"}}",
		"{\"type\":\"another\",\"keyslots\":[\"2\"],\"holdfast\":{\"uk_id\":"
		"\"0000000000000000\"}}",
		"{\"type\":\"holdfast\",\"keyslots\":[],\"holdfast\":{\"uk_id\":"
		"\"0000000000000000\",\"planned\":\"-1\"}}",
		"{\"type\":\"holdfast\",\"keyslots\":[],\"holdfast\":{\"uk_id\":"
		"\"0000000000000000\",\"planned\":\"32\"}}",
		"{\"type\":\"holdfast\",\"keyslots\":[],\"holdfast\":{\"uk_id\":"
		"\"0000000000000000\",\"planned\":2}}",
	};
	VOLUME *v = image_formatted();
	size_t i;

	(void)state;
	volume_drop(&v);
	image_add_foreign((const char *)uk_one.bytes, sizeof(uk_one.bytes), "another");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		token_plant(rows[i]);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(foreign_count(v), 1);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), OK);
	assert_int_equal(volume_unlock_keep(v, &uk_two), OK);
	assert_int_equal(foreign_count(v), 1);
}

/* The announced number was free once; since then somebody else has taken it. */
static void announced_keyslot_of_somebody_else_stays(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	volume_drop(&v);
	image_add_foreign((const char *)uk_one.bytes, sizeof(uk_one.bytes), "another");
	token_plant("{\"type\":\"holdfast\",\"keyslots\":[],\"holdfast\":{\"uk_id\":"
		    "\"0000000000000000\",\"planned\":\"2\"}}");
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), OK);
	assert_int_equal(foreign_count(v), 1);
	assert_int_equal(volume_unlock_keep(v, &uk_two), OK);
	assert_int_equal(foreign_count(v), 1);
}

/* A token of one kind that points at the keyslot of the other would have "keep" destroy it. */
static void planted_token_does_not_destroy_the_recovery_keyslot(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	volume_drop(&v);
	token_plant("{\"type\":\"holdfast\",\"keyslots\":[\"1\"],\"holdfast\":{\"uk_id\":"
		    "\"0000000000000000\"}}");
	token_plant("{\"type\":\"holdfast\",\"keyslots\":[],\"holdfast\":{\"uk_id\":"
		    "\"0000000000000000\",\"planned\":\"0\"}}");
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_unlock_keep(v, &uk_one), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
}

static void planted_twin_does_not_hide_the_real_one(void **state)
{
	VOLUME *v = image_formatted();
	char json[160];
	struct uk_id id;
	size_t i;
	int n;

	(void)state;
	volume_drop(&v);
	image_add_foreign((const char *)uk_one.bytes, sizeof(uk_one.bytes), "another");
	unlock_key_id(&id, &uk_one);
	n = snprintf(json, sizeof(json),
		     "{\"type\":\"holdfast\",\"keyslots\":[\"2\"],\"holdfast\":{\"uk_id\":\"");
	for (i = 0; i < sizeof(id.bytes); i++)
		n += snprintf(json + n, sizeof(json) - (size_t)n, "%02x", id.bytes[i]);
	snprintf(json + n, sizeof(json) - (size_t)n, "\"}}");
	token_plant(json);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(volume_unlock_add(v, &uk_one, &uk_two), OK);
	assert_int_equal(volume_unlock_keep(v, &uk_two), OK);
	assert_int_equal(volume_test_unlock(v, &uk_two), OK);
	assert_int_equal(foreign_count(v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_tokens_name_nothing),
		cmocka_unit_test(announced_keyslot_of_somebody_else_stays),
		cmocka_unit_test(planted_token_does_not_destroy_the_recovery_keyslot),
		cmocka_unit_test(planted_twin_does_not_hide_the_real_one),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
