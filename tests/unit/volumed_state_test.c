/* What volumed remembers: durable files, the state, the attestation key, the hand-off. */
#include "volumed_fixture.h"

#include "agent/volumed/bootfacts.h"
#include "agent/volumed/durable.h"

static void test_durable(void **state)
{
	uint8_t *bytes = (uint8_t *)1;
	char path[200], target[200];
	size_t len = 7;

	(void)state;
	expect("not there", ERR_NOT_FOUND, durable_read(&bytes, &len, laptop_state, "x", 10));
	assert_ptr_equal(bytes, (uint8_t *)1);
	assert_int_equal(len, 7);
	expect("write", OK, durable_write(laptop_state, "x", "0123456789", 10, 0600));
	expect("too long", ERR_SPACE, durable_read(&bytes, &len, laptop_state, "x", 9));
	expect("read", OK, durable_read(&bytes, &len, laptop_state, "x", 10));
	assert_int_equal(len, 10);
	assert_int_equal(bytes[10], 0);
	free(bytes);
	expect("no folder", ERR_NOT_FOUND, durable_write("/nonexistent", "x", "", 0, 0600));
	/* Links planted where a root process writes and reads: */
	snprintf(target, sizeof(target), "%s/target", laptop_state);
	snprintf(path, sizeof(path), "%s/y.new", laptop_state);
	assert_int_equal(symlink(target, path), 0);
	expect("a link in the way", OK, durable_write(laptop_state, "y", "secret", 6, 0600));
	assert_int_equal(access(target, F_OK), -1);
	snprintf(path, sizeof(path), "%s/z", laptop_state);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	bytes = NULL;
	assert_int_not_equal(durable_read(&bytes, &len, laptop_state, "z", 1 << 20), OK);
	assert_null(bytes);
	expect("shred", OK, durable_shred(laptop_state, "x"));
	expect("shred again", OK, durable_shred(laptop_state, "x"));
	expect("shred of a link", OK, durable_shred(laptop_state, "z"));
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void test_state(void **state)
{
	struct vstate other = { 0 };

	(void)state;
	assert_null(vstate_find(&laptop.state, "codes"));
	assert_non_null(vstate_make(&laptop.state, "codes"));
	json_object_set_new(vstate_find(&laptop.state, "codes"), "n", json_integer(5));
	expect("save", OK, vstate_save(&laptop.state));
	expect("load", OK, vstate_load(&other, laptop_state));
	assert_int_equal(vstate_number(vstate_find(&other, "codes"), "n"), 5);
	assert_int_equal(vstate_number(vstate_find(&other, "codes"), "m"), 0);
	assert_null(vstate_text(vstate_find(&other, "codes"), "n"));
	assert_null(vstate_text(NULL, "n"));
	vstate_drop(&other);
	expect("damage", OK, durable_write(laptop_state, VSTATE_FILE, "{", 1, 0600));
	expect("damaged", ERR_FORMAT, vstate_load(&other, laptop_state));
	expect("an array", OK, durable_write(laptop_state, VSTATE_FILE, "[]", 2, 0600));
	expect("no object", ERR_FORMAT, vstate_load(&other, laptop_state));
	assert_null(other.root);
}

static void test_attestation(void **state)
{
	SIGN_SK again = { 0 };
	char path[200];
	struct stat st;

	(void)state;
	expect("load", OK, attest_load(&again, laptop_state));
	assert_memory_equal(again.seed, laptop.attestation.seed, KEY_BYTES);
	snprintf(path, sizeof(path), "%s/attestation.key", laptop_state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	expect("short", OK, durable_write(laptop_state, "attestation.key", "x", 1, 0600));
	expect("damaged", ERR_FORMAT, attest_load(&again, laptop_state));
	expect("destroy", OK, attest_destroy(laptop_state));
	assert_int_equal(access(path, F_OK), -1);
}

static void handoff_write(const char *name)
{
	static uint8_t bytes[HANDOFF_BYTES_MAX];
	HANDOFF h = { 0 };
	size_t len = 0;

	memcpy(h.head.magic, "HFHAND01", 8);
	h.head.version = 1;
	h.head.kind = CREDENTIAL_PASSWORD;
	memcpy(h.head.user, "alice", 6);
	memset(h.head.unlock_key, 0x42, KEY_BYTES);
	memset(h.head.user_seed, 0x43, KEY_BYTES);
	expect("encode", OK, handoff_encode(bytes, &len, &h));
	expect("write", OK, durable_write(laptop_state, name, bytes, len, 0400));
}

static void test_handoff_stripped(void **state)
{
	struct bootkeys keys = { 0 };
	struct bootfacts facts, again;
	uint8_t *bytes = NULL, key[KEY_BYTES];
	size_t len = 0;

	(void)state;
	handoff_write("handoff");
	expect("load", OK, bootfacts_load(&facts, &keys, laptop_state, "handoff"));
	assert_true(facts.known);
	assert_string_equal(facts.user, "alice");
	assert_string_equal(bootfacts_method(facts.kind), "password");
	expect("key", OK, bootkeys_get(key, &keys, BOOTKEY_UNLOCK));
	assert_int_equal(key[0], 0x42);
	expect("read", OK, durable_read(&bytes, &len, laptop_state, "handoff", HANDOFF_BYTES_MAX));
	for (size_t i = 0; i + 8 < len; i++)
		assert_memory_not_equal(bytes + i, "BBBBBBBB", 8);
	free(bytes);
	bootkeys_drop(&keys);
	expect("again", OK, bootfacts_load(&again, &keys, laptop_state, "handoff"));
	assert_string_equal(again.digest, facts.digest);
	expect("no key any more", ERR_NOT_FOUND, bootkeys_get(key, &keys, BOOTKEY_UNLOCK));
	expect("none", OK, bootfacts_load(&again, &keys, laptop_state, "no-handoff"));
	assert_false(again.known);
	expect("damage", OK, durable_write(laptop_state, "handoff", "x", 1, 0400));
	expect("damaged", ERR_FORMAT, bootfacts_load(&again, &keys, laptop_state, "handoff"));
	bootkeys_drop(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAPTOP_TEST(test_durable), LAPTOP_TEST(test_state), LAPTOP_TEST(test_attestation),
		LAPTOP_TEST(test_handoff_stripped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
