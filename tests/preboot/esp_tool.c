/* Makes, shows and tampers with stores and tombstones for the pre-boot tests.
 *   make DIR GENERATION USER PASSWORD MEMORY_KIB CODES TARGET=DIR...
 *        DIR/store.0 and .1 for one user, CODES one-time codes and a recovery key; each TARGET's DIR holds
 *        vmlinuz, initrd.img and cmdline. Prints "code N TEXT" and "recovery TEXT".
 *   lock IN OUT        users' seals dropped and STORE_LOCKED set, without a valid signature
 *   forge IN OUT       a value of the head changed, checksum mended
 *   plant IN OUT       another record's seal copied over each record's own, checksum mended
 *   show IN            "generation N", "revision N", "code N sealed|dropped"
 *   tombstone OUT PARTITION_GUID_HEX BYTES          a kill that has begun
 *   state IN           "PENDING" or "ERASED" of a tombstone */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/code.h"
#include "common/store.h"
#include "common/tombstone.h"

#define FILE_MAX ((size_t)256 << 20)

static void need(enum err e, const char *what)
{
	if (!e)
		return;
	fprintf(stderr, "preboot_tool: %s: %s\n", what, err_text(e));
	exit(1);
}

static uint8_t *slurp(size_t *ret_len, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(FILE_MAX);

	if (!f || !bytes) {
		perror(path);
		exit(1);
	}
	*ret_len = fread(bytes, 1, FILE_MAX, f);
	fclose(f);
	return bytes;
}

static void spill(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void digest_file(uint8_t ret[DIGEST_BYTES], const char *dir, const char *name)
{
	char path[512];
	size_t len;
	uint8_t *bytes;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	bytes = slurp(&len, path);
	crypto_generichash(ret, DIGEST_BYTES, bytes, len, NULL, 0);
	free(bytes);
}

static void add_target(struct manifest *m, char *spec)
{
	struct manifest_target *t = &m->targets[m->target_count++];
	char *dir = strchr(spec, '=');

	*dir++ = 0;
	memcpy(t->name, spec, strlen(spec));
	digest_file(t->kernel, dir, "vmlinuz");
	digest_file(t->initrd, dir, "initrd.img");
	digest_file(t->cmdline, dir, "cmdline");
}

static void add_record(struct store *s, const struct credential_spec *spec, const struct secret *password,
		       const struct unlock_key *uk)
{
	struct store_vk vk;
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	need(credential_new(&r, spec, password, &vk, uk), "credential");
	need(store_add(s, &r), "add");
}

static void add_code(struct store *s, enum credential_kind kind, uint16_t number, const struct unlock_key *uk)
{
	const struct credential_spec spec = { .kind = kind, .user = "", .number = number,
					      .kdf_memory_kib = KDF_CODE_MEMORY_KIB,
					      .kdf_passes = KDF_CODE_PASSES };
	SECRET struct secret code = { 0 };
	int one_time = kind == CREDENTIAL_ONE_TIME_CODE;

	need(code_new(&code, one_time ? CODE_ONE_TIME : CODE_RECOVERY), "code");
	add_record(s, &spec, &code, uk);
	if (one_time)
		printf("code %u %.*s\n", number, (int)code.len, (const char *)code.bytes);
	else
		printf("recovery %.*s\n", (int)code.len, (const char *)code.bytes);
}

static void save(const char *path, const struct store *s)
{
	uint8_t *bytes;
	size_t len;

	need(store_encode(&bytes, &len, s), path);
	spill(path, bytes, len);
	free(bytes);
}

static void load(struct store *ret, const char *path)
{
	size_t len;
	uint8_t *bytes = slurp(&len, path);

	need(store_decode(ret, bytes, len), path);
	free(bytes);
}

static int make(int argc, char **argv)
{
	static const uint8_t device[DEVICE_ID_BYTES] = { 0xd0, 0x0d, 0xfe, 0xed };
	STORE s = { 0 };
	UNLOCK_KEY uk;
	STORE_SK sk;
	SECRET struct secret password = { 0 };
	char path[512];

	randombytes_buf(uk.bytes, sizeof(uk.bytes));
	need(store_new(&s, device, "test laptop", &uk), "store");
	s.head.generation = strtoull(argv[1], NULL, 10);
	need(secret_copy(&password, argv[3], strlen(argv[3])), "password");
	add_record(&s, &(struct credential_spec){ .kind = CREDENTIAL_PASSWORD, .user = argv[2],
						  .kdf_memory_kib = (uint32_t)strtoul(argv[4], NULL, 10),
						  .kdf_passes = 4 },
		   &password, &uk);
	for (uint16_t n = 1; n <= strtoul(argv[5], NULL, 10); n++)
		add_code(&s, CREDENTIAL_ONE_TIME_CODE, n, &uk);
	add_code(&s, CREDENTIAL_RECOVERY_KEY, 0, &uk);
	for (int i = 6; i < argc; i++)
		add_target(&s.manifest, argv[i]);
	need(store_signing_key(&sk, &s, &uk), "signing key");
	need(store_sign(&s, &sk), "sign");
	for (int copy = 0; copy < 2; copy++) {
		snprintf(path, sizeof(path), "%s/store.%d", argv[0], copy);
		save(path, &s);
	}
	return 0;
}

static int lock(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	s.head.flags |= STORE_LOCKED;
	for (uint32_t i = 0; i < s.head.record_count; i++)
		if (s.records[i].kind == CREDENTIAL_PASSWORD)
			record_unseal(&s.records[i]);
	save(argv[1], &s);
	return 0;
}

static int forge(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	s.head.command_seq++;
	save(argv[1], &s);
	return 0;
}

static int plant(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	for (uint32_t i = 0; i + 1 < s.head.record_count; i++)
		memcpy(s.records[i].seal, s.records[i + 1].seal, sizeof(s.records[i].seal));
	save(argv[1], &s);
	return 0;
}

static int show(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	printf("generation %llu\nrevision %u\n", (unsigned long long)s.head.generation, s.head.revision);
	for (uint32_t i = 0; i < s.head.record_count; i++)
		if (s.records[i].kind == CREDENTIAL_ONE_TIME_CODE)
			printf("code %u %s\n", s.records[i].number, s.records[i].has_seal ? "sealed" : "dropped");
	return 0;
}

static int tombstone(int argc, char **argv)
{
	static struct tombstone t;
	static uint8_t bytes[TOMBSTONE_BYTES_MAX];
	static const char command[] = "kill.command.kept";
	size_t len;

	(void)argc;
	t.area_count = 1;
	sodium_hex2bin(t.areas[0].partition, 16, argv[1], strlen(argv[1]), NULL, NULL, NULL);
	t.areas[0].bytes = strtoull(argv[2], NULL, 10);
	t.command_bytes = sizeof(command) - 1;
	memcpy(t.command, command, sizeof(command) - 1);
	need(tombstone_encode(bytes, &len, &t), "tombstone");
	spill(argv[0], bytes, len);
	return 0;
}

static int state(int argc, char **argv)
{
	static struct tombstone t;
	size_t len;
	uint8_t *bytes = slurp(&len, argv[0]);

	(void)argc;
	need(tombstone_decode(&t, bytes, len), argv[0]);
	free(bytes);
	printf("%s %.*s\n", t.erased ? "ERASED" : "PENDING", (int)t.command_bytes, (const char *)t.command);
	return 0;
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "make", 6, make },   { "lock", 2, lock },           { "forge", 2, forge }, { "plant", 2, plant },
	{ "show", 1, show },   { "tombstone", 3, tombstone }, { "state", 1, state },
};

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].arguments)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: preboot_tool make|lock|forge|plant|show|tombstone|state ...\n");
	return 2;
}
