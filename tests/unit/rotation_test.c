/* Rotation of the unlock key: order of its steps, taking back, locked laptops, interrupted ones. */
#include "volumed_fixture.h"

#include "agent/volumed/rotation.h"
#include "core_sample.h"

static int opens(const struct unlock_key *uk)
{
	VOLUME *v = NULL;

	expect("load", OK, volume_load(&v, image_path));
	return !volume_test_unlock(v, uk);
}

static void test_rotates(void **state)
{
	UNLOCKED u = { 0 }, again = { 0 };
	uint8_t key[KEY_BYTES];

	(void)state;
	laptop_device();
	expect("open", OK, unlocked_open(&u, &laptop));
	expect("rotate", OK, rotation_run(&laptop, &u, ROTATION_KEEP));
	assert_false(opens(&uk_one));
	assert_true(opens(&u.uk));
	expect("the new key is kept", OK, bootkeys_get(key, &laptop.keys, BOOTKEY_UNLOCK));
	assert_memory_equal(key, u.uk.bytes, KEY_BYTES);
	expect("nothing is left over", ERR_NOT_FOUND,
	       bootkeys_get(key, &laptop.keys, BOOTKEY_UNLOCK_NEXT));
	expect("the store opens with it", OK, unlocked_open(&again, &laptop));
	assert_true(again.found.same_key);
	assert_int_equal(again.store.records[0].has_seal, 1);
	expect("settling finds nothing to do", OK, rotation_settle(&laptop, &again));
}

static void test_volume_missing(void **state)
{
	UNLOCKED u = { 0 }, again = { 0 };
	uint8_t key[KEY_BYTES];
	uint64_t generation;

	(void)state;
	laptop_device();
	expect("open", OK, unlocked_open(&u, &laptop));
	generation = u.store.head.generation;
	u.store.manifest.volumes[1] = u.store.manifest.volumes[0];
	memset(u.store.manifest.volumes[1].uuid, 0x77, 16);
	u.store.manifest.volume_count = 2;
	expect("one volume is not there", ERR_NOT_FOUND, rotation_run(&laptop, &u, ROTATION_KEEP));
	assert_true(opens(&uk_one));
	expect("the new keyslot was taken back", ERR_NOT_FOUND,
	       bootkeys_get(key, &laptop.keys, BOOTKEY_UNLOCK_NEXT));
	expect("the store is the old one", OK, unlocked_open(&again, &laptop));
	assert_int_equal(again.store.head.generation, generation);
}

static void test_locked(void **state)
{
	UNLOCKED u = { 0 }, again = { 0 };

	(void)state;
	laptop_device();
	expect("open", OK, unlocked_open(&u, &laptop));
	expect("lock", OK, rotation_run(&laptop, &u, ROTATION_LOCK));
	assert_int_equal(u.store.records[0].has_seal, 0);
	assert_true(u.store.head.flags & STORE_LOCKED);
	expect("a rotation for another reason", OK, rotation_run(&laptop, &u, ROTATION_KEEP));
	assert_int_equal(u.store.records[0].has_seal, 0);
	expect("a code", OK, rotation_run(&laptop, &u, ROTATION_RESEAL));
	assert_int_equal(u.store.records[0].has_seal, 1);
	assert_false(u.store.head.flags & STORE_LOCKED);
	expect("open", OK, unlocked_open(&again, &laptop));
}

static void test_seal_dropped_by_preboot(void **state)
{
	struct espstore_found found;
	UNLOCKED u = { 0 };
	STORE s = { 0 };

	(void)state;
	laptop_device();
	expect("load", OK, espstore_load(&s, &found, &laptop.esp));
	store_drop_seal(&s, &s.records[0]);
	expect("write", OK, espstore_write(&laptop.esp, &s, 1));
	expect("still a sound store", OK, unlocked_open(&u, &laptop));
	expect("rotate", OK, rotation_run(&laptop, &u, ROTATION_KEEP));
	assert_int_equal(u.store.records[0].has_seal, 0);
}

/* Power was cut after the new keyslot, before the store: the start has the old key. */
static void test_orphan_keyslot(void **state)
{
	UNLOCKED u = { 0 };
	VOLUME *v = NULL;

	(void)state;
	laptop_device();
	expect("load", OK, volume_load(&v, image_path));
	expect("add", OK, volume_unlock_add(v, &uk_one, &uk_two));
	expect("open", OK, unlocked_open(&u, &laptop));
	expect("settle", OK, rotation_settle(&laptop, &u));
	assert_true(opens(&uk_one));
	assert_false(opens(&uk_two));
}

/* volumed died after the store was written: the keyring has both keys. */
static void test_next_key(void **state)
{
	UNLOCKED u = { 0 }, again = { 0 };
	uint8_t key[KEY_BYTES];
	VOLUME *v = NULL;

	(void)state;
	laptop_device();
	expect("load", OK, volume_load(&v, image_path));
	expect("add", OK, volume_unlock_add(v, &uk_one, &uk_two));
	expect("open", OK, unlocked_open(&u, &laptop));
	expect("describe", OK, volume_describe(&u.store.manifest.volumes[0], v, &uk_two));
	expect("rekey", OK, store_rekey(&u.store, &uk_one, &uk_two, 0));
	expect("save", OK, unlocked_save(&u, &laptop, 0));
	expect("next", OK, bootkeys_put(&laptop.keys, BOOTKEY_UNLOCK_NEXT, uk_two.bytes));
	expect("open with the next key", OK, unlocked_open(&again, &laptop));
	expect("settle", OK, rotation_settle(&laptop, &again));
	assert_false(opens(&uk_one));
	assert_true(opens(&uk_two));
	expect("promoted", OK, bootkeys_get(key, &laptop.keys, BOOTKEY_UNLOCK));
	assert_memory_equal(key, uk_two.bytes, KEY_BYTES);
}

/* One binding whose copy is damaged must not keep everybody's key from being exchanged. */
static void test_unreadable_binding(void **state)
{
	UNLOCKED u = { 0 }, again = { 0 };

	(void)state;
	laptop_device();
	expect("open", OK, unlocked_open(&u, &laptop));
	laptop_user(&u.store, "bob", "secret");
	for (int i = 0; i < 2; i++)
		sample_bind(&u.store.bindings, u.store.records[i].id, BINDING_SECRET, &u.uk);
	sample_bind(&u.store.bindings, u.store.records[0].id, BINDING_SHARES, &u.uk);
	u.store.bindings.entries[0].copy[3] ^= 1;
	memset(u.store.bindings.head.lockout, 0x5a, sizeof(u.store.bindings.head.lockout));
	expect("rotate", OK, rotation_run(&laptop, &u, ROTATION_KEEP));
	assert_false(opens(&uk_one));
	expect("the store opens", OK, unlocked_open(&again, &laptop));
	assert_int_equal(again.store.bindings.head.count, 1);
	assert_memory_equal(again.store.bindings.entries[0].credential, again.store.records[1].id, 16);
	assert_int_equal(again.store.records[0].has_seal, 0);
	assert_int_equal(again.store.records[1].has_seal, 1);
	assert_true(sodium_is_zero(again.store.bindings.head.lockout, sizeof(again.store.bindings.head.lockout)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAPTOP_TEST(test_rotates), LAPTOP_TEST(test_volume_missing), LAPTOP_TEST(test_locked),
		LAPTOP_TEST(test_seal_dropped_by_preboot), LAPTOP_TEST(test_orphan_keyslot),
		LAPTOP_TEST(test_next_key), LAPTOP_TEST(test_unreadable_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
