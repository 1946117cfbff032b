/* A laptop for the tests of volumed's modules: folder, ESP, state, firmware variables, an image with one volume,
 * and a store with one user "alice" (password "secret"). Keys are in memory, as with --handoff. */
#ifndef HOLDFAST_VOLUMED_FIXTURE_H
#define HOLDFAST_VOLUMED_FIXTURE_H

#include "volume_image.h"

#include <sodium.h>
#include <sys/stat.h>

#include "agent/volumed/attest.h"
#include "agent/volumed/unlocked.h"
#include "core_test.h"

static struct volumed laptop;
static char laptop_esp[128], laptop_efivars[128], laptop_state[128];

static inline void laptop_folder(char *ret, const char *name)
{
	snprintf(ret, 128, "%s/%s", image_dir, name);
	mkdir(ret, 0700);
}

static inline void laptop_user(struct store *s, const char *user, const char *password)
{
	const struct credential_spec spec = { .kind = CREDENTIAL_PASSWORD, .user = user,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_passes = 1,
					      .kdf_lanes = KDF_PASSWORD_LANES };
	SECRET struct secret typed = { 0 };
	struct store_vk vk;
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	expect("password", OK, secret_copy(&typed, password, strlen(password)));
	expect("record", OK, credential_new(&r, &spec, &typed, &vk, &uk_one));
	expect("user", OK, store_add(s, &r));
}

static inline void laptop_volume(struct store *s)
{
	SECRET struct secret recovery = { 0 };
	VOLUME *v = NULL;

	image_empty(IMAGE_BYTES);
	expect("code", OK, secret_copy(&recovery, RECOVERY_ONE, strlen(RECOVERY_ONE)));
	expect("format", OK, volume_format(image_path, &uk_one, &recovery, escrow_one));
	expect("load", OK, volume_load(&v, image_path));
	expect("describe", OK, volume_describe(&s->manifest.volumes[0], v, &uk_one));
	memcpy(s->manifest.volumes[0].name, "disk0", 6);
	s->manifest.volume_count = 1;
}

static inline void laptop_store(void)
{
	static const uint8_t device[DEVICE_ID_BYTES] = "device id of one";
	struct unlocked u = { 0 };

	expect("store", OK, store_new(&u.store, device, "Laptop", &uk_one));
	laptop_user(&u.store, "alice", "secret");
	laptop_volume(&u.store);
	u.uk = uk_one;
	expect("signing key", OK, store_signing_key(&u.sk, &u.store, &u.uk));
	expect("save", OK, unlocked_save(&u, &laptop, 1));
	unlocked_drop(&u);
}

static inline int laptop_setup(void **state)
{
	if (sodium_init() < 0 || image_setup(state))
		return -1;
	memset(&laptop, 0, sizeof(laptop));
	laptop_folder(laptop_esp, "esp");
	laptop_folder(laptop_efivars, "efivars");
	laptop_folder(laptop_state, "state");
	laptop.options.state = laptop_state;
	laptop.keys.in_memory = 1;
	expect("esp", OK, espstore_at(&laptop.esp, laptop_esp, laptop_efivars));
	laptop_store();
	memcpy(laptop.device_id, "device id of one", DEVICE_ID_BYTES);
	hex_encode(laptop.device, laptop.device_id, DEVICE_ID_BYTES);
	expect("key", OK, bootkeys_put(&laptop.keys, BOOTKEY_UNLOCK, uk_one.bytes));
	expect("attestation", OK, attest_load(&laptop.attestation, laptop_state));
	expect("state", OK, vstate_load(&laptop.state, laptop_state));
	expect("outbox", OK, outbox_open(&laptop.outbox, laptop_state));
	return 0;
}

static inline int laptop_teardown(void **state)
{
	char command[512];

	bootkeys_drop(&laptop.keys);
	outbox_drop(&laptop.outbox);
	vstate_drop(&laptop.state);
	snprintf(command, sizeof(command), "rm -rf %s %s %s", laptop_esp, laptop_efivars, laptop_state);
	if (system(command))
		return -1;
	return image_teardown(state);
}

static inline void laptop_device(void)
{
	struct espstore_found found;
	STORE s = { 0 };

	expect("load", OK, espstore_load(&s, &found, &laptop.esp));
	memcpy(laptop.options.devices[0].uuid, s.manifest.volumes[0].uuid, 16);
	laptop.options.devices[0].path = image_path;
	laptop.options.device_count = 1;
}

#define LAPTOP_TEST(f) cmocka_unit_test_setup_teardown(f, laptop_setup, laptop_teardown)

#endif
