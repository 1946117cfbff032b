#include "laptop.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_BYTES 20000
#define INITRD_BYTES 30001

static const uint8_t device[DEVICE_ID_BYTES] = "laptop number 7";

const struct unlock_key *laptop_key;

void laptop_must(enum err e)
{
	if (e)
		abort();
}

static void add(struct laptop *l, struct store *s, const struct credential_spec *spec,
		const struct secret *password)
{
	struct store_vk vk;
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	laptop_must(credential_new(&r, spec, password, &vk, &l->unlock_key));
	laptop_must(store_add(s, &r));
}

static void add_user(struct laptop *l, struct store *s, const char *user, const char *text)
{
	const struct credential_spec spec = { .kind = CREDENTIAL_PASSWORD,
					      .user = user,
					      .kdf_memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN,
					      .kdf_passes = 1,
					      .kdf_lanes = KDF_CODE_LANES };
	SECRET struct secret password = { 0 };

	laptop_must(secret_copy(&password, text, strlen(text)));
	add(l, s, &spec, &password);
}

static void add_code(struct laptop *l, struct store *s, enum credential_kind kind, uint16_t number,
		     char ret[CODE_TEXT_MAX])
{
	const struct credential_spec spec = { .kind = kind,
					      .user = "",
					      .number = number,
					      .kdf_memory_kib = KDF_MEMORY_KIB_MIN,
					      .kdf_passes = 1,
					      .kdf_lanes = KDF_CODE_LANES };
	int is_one_time = kind == CREDENTIAL_ONE_TIME_CODE;
	SECRET struct secret code = { 0 };

	laptop_must(code_new(&code, is_one_time ? CODE_ONE_TIME : CODE_RECOVERY));
	memcpy(ret, code.bytes, code.len);
	ret[code.len] = 0;
	add(l, s, &spec, &code);
}

static void boot_file(struct laptop *l, uint8_t ret_digest[DIGEST_BYTES], const char *target,
		      const char *name, const uint8_t *bytes, size_t len)
{
	char path[120];

	snprintf(path, sizeof(path), "\\EFI\\holdfast\\boot\\%s\\%s", target, name);
	fake_file_put(l->f, path, bytes, len);
	crypto_generichash(ret_digest, DIGEST_BYTES, bytes, len, NULL, 0);
}

static void add_target(struct laptop *l, struct manifest *m, const char *name)
{
	struct manifest_target *t = &m->targets[m->target_count++];
	uint8_t bytes[INITRD_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + (size_t)name[0]);
	memcpy(t->name, name, strlen(name));
	boot_file(l, t->initrd, name, "initrd.img", bytes, sizeof(bytes));
	memcpy(bytes, "MZ", 2);
	boot_file(l, t->kernel, name, "vmlinuz", bytes, KERNEL_BYTES);
	boot_file(l, t->cmdline, name, "cmdline", (const uint8_t *)LAPTOP_CMDLINE "\n",
		  sizeof(LAPTOP_CMDLINE));
}

static void add_volume(struct laptop *l, struct manifest *m)
{
	struct manifest_volume *v = &m->volumes[m->volume_count++];
	uint8_t bytes[LAPTOP_DISK_BYTES];

	memset(l->partition, 0x5a, sizeof(l->partition));
	l->partition[0] = 1;
	memset(v->uuid, 4, sizeof(v->uuid));
	memcpy(v->partition, l->partition, sizeof(v->partition));
	memcpy(v->name, "root_crypt", 10);
	memcpy(v->cipher, "aes-xts-plain64", 15);
	v->header_bytes = LAPTOP_HEADER_BYTES;
	v->sector_size = 512;
	v->key_bits = 512;
	memset(v->headers, 6, DIGEST_BYTES);
	memset(v->keyslots, 7, DIGEST_BYTES);
	l->disk = fake_partition(l->f, l->partition, LAPTOP_DISK_BYTES, 512);
	memset(bytes, 'L', sizeof(bytes));
	fake_partition_put(l->f, l->disk, bytes, sizeof(bytes));
}

static void sign_and_write(struct laptop *l, struct store *s)
{
	STORE_SK sk = { 0 };
	uint8_t *bytes;
	size_t len;

	laptop_must(store_signing_key(&sk, s, &l->unlock_key));
	laptop_must(store_sign(s, &sk));
	laptop_must(store_encode(&bytes, &len, s));
	fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	free(bytes);
}

struct laptop *laptop_new(uint64_t seed, void (*edit)(struct store *s))
{
	struct laptop *l = calloc(1, sizeof(*l));
	STORE s = { 0 };

	if (!l || sodium_init() < 0)
		abort();
	l->f = fake_new(seed);
	randombytes_buf(l->unlock_key.bytes, sizeof(l->unlock_key.bytes));
	laptop_must(store_new(&s, device, "Anna's laptop", &l->unlock_key));
	add_user(l, &s, LAPTOP_USER, LAPTOP_PASSWORD);
	add_user(l, &s, LAPTOP_USER_2, LAPTOP_PASSWORD_2);
	for (uint16_t n = 1; n <= LAPTOP_CODES; n++)
		add_code(l, &s, CREDENTIAL_ONE_TIME_CODE, n, l->codes[n]);
	add_code(l, &s, CREDENTIAL_RECOVERY_KEY, 0, l->recovery);
	add_target(l, &s.manifest, "current");
	add_target(l, &s.manifest, "previous");
	add_volume(l, &s.manifest);
	laptop_key = &l->unlock_key;
	if (edit)
		edit(&s);
	sign_and_write(l, &s);
	return l;
}

void laptop_free(struct laptop *l)
{
	fake_free(l->f);
	sodium_memzero(l, sizeof(*l));
	free(l);
}

enum err laptop_copy(struct store *ret, const struct laptop *l, int copy)
{
	size_t len;
	const uint8_t *bytes = fake_file(l->f, copy ? LAPTOP_STORE_1 : LAPTOP_STORE_0, &len);
	struct cursor c;
	uint32_t total;

	if (!bytes || len < 16)
		return ERR_NOT_FOUND;
	/* Without the zeros behind it: to look at them takes most of the time of many runs. */
	c = cursor_over(bytes + 12, 4);
	total = cursor_u32(&c);
	return store_decode(ret, bytes, total < len ? total : len);
}

enum err laptop_store(struct store *ret, const struct laptop *l)
{
	struct store copies[2] = { 0 };
	int good[2];
	const struct store *newer;

	for (int i = 0; i < 2; i++)
		good[i] = laptop_copy(&copies[i], l, i) == OK;
	newer = store_newer(good[0] ? &copies[0] : NULL, good[1] ? &copies[1] : NULL);
	if (newer)
		*ret = *newer;
	for (int i = 0; i < 2; i++)
		if (good[i] && newer != &copies[i])
			store_drop(&copies[i]);
	return newer ? OK : ERR_NOT_FOUND;
}

void laptop_change(struct laptop *l, void (*edit)(struct store *s))
{
	STORE s = { 0 };

	laptop_must(laptop_store(&s, l));
	s.head.generation++;
	laptop_key = &l->unlock_key;
	edit(&s);
	sign_and_write(l, &s);
}

void laptop_type_password(struct laptop *l, const char *user, const char *password)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, user);
	fake_type(l->f, "\r");
	fake_await(l->f, "Password: ");
	fake_type(l->f, password);
	fake_type(l->f, "\r");
}

void laptop_type_code(struct laptop *l, const char *code)
{
	fake_await(l->f, ": ");
	fake_type(l->f, "\x12"); /* Ctrl-R */
	fake_await(l->f, "Code: ");
	fake_type(l->f, code);
	fake_type(l->f, "\r");
}

void laptop_type_recovery(struct laptop *l, const char *key)
{
	fake_await(l->f, ": ");
	fake_type(l->f, "\x0b"); /* Ctrl-K */
	fake_await(l->f, "Recovery key: ");
	fake_type(l->f, key);
	fake_type(l->f, "\r");
}

/* Number in eight hexadecimal digits, as the fields of newc are. */
static size_t hex(const uint8_t *at)
{
	char text[9] = { 0 };

	memcpy(text, at, 8);
	return strtoul(text, NULL, 16);
}

enum err laptop_handoff(struct handoff *ret, const struct laptop *l)
{
	const uint8_t *bytes = l->f->initrd;
	size_t at = 0;

	while (at + 110 <= l->f->initrd_len && !memcmp(bytes + at, "070701", 6)) {
		size_t size = hex(bytes + at + 54), name_len = hex(bytes + at + 94);
		const char *name = (const char *)bytes + at + 110;
		size_t data = (at + 110 + name_len + 3) / 4 * 4;

		if (!strcmp(name, "holdfast/handoff"))
			return handoff_decode(ret, bytes + data, size);
		at = (data + size + 3) / 4 * 4;
	}
	return ERR_FORMAT;
}

int laptop_event(const struct handoff *h, enum preboot_event kind)
{
	for (uint32_t i = 0; i < h->head.event_count; i++)
		if (h->events[i].kind == kind)
			return h->events[i].value;
	return -1;
}

int laptop_disk_whole(const struct laptop *l)
{
	const uint8_t *bytes = fake_partition_bytes(l->f, l->disk);

	for (size_t i = 0; i < LAPTOP_DISK_BYTES; i++)
		if (bytes[i] != 'L')
			return 0;
	return 1;
}

int laptop_disk_erased(const struct laptop *l)
{
	const uint8_t *bytes = fake_partition_bytes(l->f, l->disk);

	for (size_t at = 0; at < LAPTOP_HEADER_BYTES; at += 16)
		if (!memcmp(bytes + at, "LLLLLLLL", 8))
			return 0;
	return bytes[LAPTOP_HEADER_BYTES] == 'L';
}
