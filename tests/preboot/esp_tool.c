/* Makes, shows and tampers with stores and tombstones for the pre-boot tests.
 *   make DIR OPTION=VALUE...
 *        DIR/store.0 and .1; prints "code N TEXT" and "recovery TEXT". The options (any number of users,
 *        targets and volumes):
 *          generation=N memory=KIB passes=N   of the store; of a password's KDF, the least if not given
 *          user=NAME:PASSWORD[,must-change][,changed=DAY][,duress=PASSWORD]
 *          crowd=N             N more users, user001 and so on with the password "crowd user001"
 *          codes=N             one-time codes; there is a recovery key always
 *          target=NAME=DIR     whose vmlinuz, initrd.img and cmdline the manifest vouches for
 *          volume=GUID_HEX:BYTES
 *          organisation=TEXT banner=TEXT (\\n is a new line) logo=1 layout=NAME
 *          failures=N:delay|lock|kill contact=WARN_DAYS:LOCK_DAYS:UNIX_SECONDS
 *          password_days=N password_min=N flag=single-user|duress|beep|contrast|large
 *   lock IN OUT        users' seals dropped, as pre-boot does
 *   forge IN OUT       a value of the head changed, checksum mended
 *   plant IN OUT       another record's seal copied over each record's own, checksum mended
 *   show IN            "generation N", "revision N", "code N sealed|dropped",
 *                      "user NAME sealed|dropped changed DAY[ must-change]"
 *   open IN USER PASSWORD                           "opens", or why not: what any program could do with it
 *   tombstone OUT PARTITION_GUID_HEX BYTES          a kill that has begun
 *   state IN           "PENDING" or "ERASED" of a tombstone, and its command */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/code.h"
#include "common/store_format.h"
#include "common/tombstone.h"

#define FILE_MAX ((size_t)256 << 20)

/* The laptop that all of this is about. */
static const uint8_t device[DEVICE_ID_BYTES] = { 0xd0, 0x0d, 0xfe, 0xed };

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

static void add_volume(struct manifest *m, const char *spec)
{
	struct manifest_volume *v = &m->volumes[m->volume_count++];

	sodium_hex2bin(v->partition, 16, spec, strcspn(spec, ":"), NULL, NULL, NULL);
	memcpy(v->uuid, v->partition, sizeof(v->uuid));
	memcpy(v->name, "root_crypt", 10);
	memcpy(v->cipher, "aes-xts-plain64", 15);
	v->header_bytes = strtoull(strchr(spec, ':') + 1, NULL, 10);
	v->sector_size = 4096;
	v->key_bits = 512;
}

#define USERS_MAX 300

struct user {
	char name[64], password[200], duress[200];
	uint8_t flags;
	uint16_t changed_day;
};

/* What is to be made. */
static struct {
	unsigned long generation, memory_kib, passes, lanes, codes;
	unsigned user_count;
	struct user users[USERS_MAX];
	struct manifest manifest;
	struct rules rules;
} plan = { .generation = 1, .memory_kib = KDF_PASSWORD_MEMORY_KIB_MIN, .passes = 1, .lanes = KDF_PASSWORD_LANES };

static void copy_text(void *ret, size_t size, const char *text)
{
	if (strlen(text) >= size) {
		fprintf(stderr, "preboot_tool: too long: %s\n", text);
		exit(2);
	}
	memcpy(ret, text, strlen(text) + 1);
}

/* NAME:PASSWORD[,...] */
static void plan_user(char *value)
{
	struct user *u = &plan.users[plan.user_count++];
	char *colon = strchr(value, ':'), *part;

	*colon = 0;
	copy_text(u->name, sizeof(u->name), value);
	copy_text(u->password, sizeof(u->password), strtok(colon + 1, ","));
	while ((part = strtok(NULL, ","))) {
		if (!strcmp(part, "must-change"))
			u->flags |= RECORD_MUST_CHANGE;
		else if (!strncmp(part, "changed=", 8))
			u->changed_day = (uint16_t)strtoul(part + 8, NULL, 10);
		else if (!strncmp(part, "duress=", 7))
			copy_text(u->duress, sizeof(u->duress), part + 7);
		else
			exit(2);
	}
}

static void plan_crowd(const char *value)
{
	for (unsigned i = 1; i <= strtoul(value, NULL, 10); i++) {
		struct user *u = &plan.users[plan.user_count++];

		snprintf(u->name, sizeof(u->name), "user%03u", i);
		snprintf(u->password, sizeof(u->password), "crowd user%03u", i);
	}
}

/* "\n" as two characters is a new line. */
static void plan_banner(const char *value)
{
	uint8_t *to = plan.rules.banner;

	for (; *value; value++) {
		int escaped = value[0] == '\\' && value[1] == 'n';

		*to++ = escaped ? '\n' : (uint8_t)*value;
		value += escaped;
	}
}

/* A test picture: a shield with a keyhole, on nothing. */
static void plan_logo(void)
{
	enum { WIDTH = 56, HEIGHT = 64, HALF = 26, MIDDLE = WIDTH / 2 };
	static const uint8_t palette[3 * 4] = { 0, 0, 0, 0, 0x1f, 0x6f, 0xb2, 255, 0xff, 0xff, 0xff, 255 };
	static uint8_t pixels[WIDTH * HEIGHT], bytes[LOGO_BYTES_MAX];
	const struct logo l = { { .width = WIDTH, .height = HEIGHT, .colours = 3 }, palette, pixels };
	size_t len;

	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			int dx = abs(x - MIDDLE), dy = y - 26;
			int shield = dx <= (y < 32 ? HALF : HALF * (HEIGHT - y) / 32);
			int hole = dx * dx + dy * dy < 64 || (dx < 4 && y >= 26 && y < 46);

			pixels[y * WIDTH + x] = (uint8_t)(shield ? 1 + hole : 0);
		}
	need(logo_encode(bytes, &len, &l), "logo");
	plan.rules.logo = malloc(len);
	memcpy(plan.rules.logo, bytes, len);
	plan.rules.head.logo_bytes = (uint32_t)len;
}

static void plan_failures(const char *value)
{
	static const char *const actions[] = { "delay", "lock", "kill" };
	char *end;

	plan.rules.head.failure_limit = (uint16_t)strtoul(value, &end, 10);
	for (uint8_t i = 0; i < 3; i++)
		if (!strcmp(end + 1, actions[i]))
			plan.rules.head.failure_action = i;
}

static void plan_contact(const char *value)
{
	char *end;

	plan.rules.head.contact_warn_days = (uint16_t)strtoul(value, &end, 10);
	plan.rules.head.contact_lock_days = (uint16_t)strtoul(end + 1, &end, 10);
	plan.rules.head.last_contact = strtoull(end + 1, NULL, 10);
}

static void plan_flag(const char *value)
{
	static const struct {
		const char *name;
		uint16_t flag;
	} flags[] = { { "single-user", RULES_SINGLE_USER },
		      { "duress", RULES_DURESS },
		      { "beep", RULES_BEEP },
		      { "contrast", RULES_HIGH_CONTRAST },
		      { "large", RULES_LARGE_TYPE } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(value, flags[i].name))
			plan.rules.head.flags |= flags[i].flag;
}

/* Returns 0 when there is no such option. */
static int plan_text(const char *name, char *value)
{
	struct rules_head *head = &plan.rules.head;

	if (!strcmp(name, "user"))
		plan_user(value);
	else if (!strcmp(name, "target"))
		add_target(&plan.manifest, value);
	else if (!strcmp(name, "volume"))
		add_volume(&plan.manifest, value);
	else if (!strcmp(name, "organisation"))
		copy_text(head->organisation, sizeof(head->organisation), value);
	else if (!strcmp(name, "layout"))
		copy_text(head->layout, sizeof(head->layout), value);
	else if (!strcmp(name, "banner"))
		plan_banner(value);
	else if (!strcmp(name, "failures"))
		plan_failures(value);
	else if (!strcmp(name, "contact"))
		plan_contact(value);
	else if (!strcmp(name, "flag"))
		plan_flag(value);
	else
		return 0;
	return 1;
}

static int plan_number(const char *name, const char *value)
{
	unsigned long n = strtoul(value, NULL, 10);

	if (!strcmp(name, "generation"))
		plan.generation = n;
	else if (!strcmp(name, "memory"))
		plan.memory_kib = n;
	else if (!strcmp(name, "passes"))
		plan.passes = n;
	else if (!strcmp(name, "lanes"))
		plan.lanes = n;
	else if (!strcmp(name, "codes"))
		plan.codes = n;
	else if (!strcmp(name, "crowd"))
		plan_crowd(value);
	else if (!strcmp(name, "logo"))
		plan_logo();
	else if (!strcmp(name, "password_days"))
		plan.rules.head.password_days = (uint16_t)n;
	else if (!strcmp(name, "password_min"))
		plan.rules.head.password_min = (uint8_t)n;
	else
		return 0;
	return 1;
}

static void plan_option(char *option)
{
	char *value = strchr(option, '=');

	if (value)
		*value++ = 0;
	if (value && (plan_text(option, value) || plan_number(option, value)))
		return;
	fprintf(stderr, "preboot_tool: no such option: %s\n", option);
	exit(2);
}

static void add_record(struct store *s, const struct credential_spec *spec, const struct secret *password,
		       const char *duress, const struct unlock_key *uk)
{
	SECRET struct secret other = { 0 };
	struct store_vk vk;
	struct record r;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	need(credential_new(&r, spec, password, &vk, uk), "credential");
	if (duress[0]) {
		need(secret_copy(&other, duress, strlen(duress)), "duress");
		need(credential_set_duress(&r, &other), "duress");
	}
	need(store_add(s, &r), "add");
}

static void add_user(struct store *s, const struct user *u, const struct unlock_key *uk)
{
	const struct credential_spec spec = { .kind = CREDENTIAL_PASSWORD, .user = u->name, .flags = u->flags,
					      .changed_day = u->changed_day,
					      .kdf_memory_kib = (uint32_t)plan.memory_kib,
					      .kdf_passes = (uint32_t)plan.passes,
					      .kdf_lanes = (uint8_t)plan.lanes };
	SECRET struct secret password = { 0 };

	need(secret_copy(&password, u->password, strlen(u->password)), "password");
	add_record(s, &spec, &password, u->duress, uk);
}

static void add_code(struct store *s, enum credential_kind kind, uint16_t number, const struct unlock_key *uk)
{
	const struct credential_spec spec = { .kind = kind, .user = "", .number = number,
					      .kdf_memory_kib = KDF_CODE_MEMORY_KIB,
					      .kdf_passes = KDF_CODE_PASSES,
					      .kdf_lanes = KDF_CODE_LANES };
	SECRET struct secret code = { 0 };
	int one_time = kind == CREDENTIAL_ONE_TIME_CODE;

	need(code_new(&code, one_time ? CODE_ONE_TIME : CODE_RECOVERY), "code");
	add_record(s, &spec, &code, "", uk);
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

static void add_all(struct store *s, const struct unlock_key *uk)
{
	for (unsigned i = 0; i < plan.user_count; i++)
		add_user(s, &plan.users[i], uk);
	for (uint16_t n = 1; n <= plan.codes; n++)
		add_code(s, CREDENTIAL_ONE_TIME_CODE, n, uk);
	add_code(s, CREDENTIAL_RECOVERY_KEY, 0, uk);
}

/* All stores of one test are of one installation, whose signing key stays. */
static void key_set(struct store *s, const struct unlock_key *uk)
{
	STORE_SK sk = { { 1 } };
	struct store_vk vk;

	store_sk_public(&vk, &sk);
	memcpy(s->head.store_vk, vk.bytes, sizeof(s->head.store_vk));
	store_wrap_key(&s->head, &sk, uk);
}

static int make(int argc, char **argv)
{
	STORE s = { 0 };
	UNLOCK_KEY uk;
	STORE_SK sk;
	char path[512];

	rules_default(&plan.rules);
	for (int i = 1; i < argc; i++)
		plan_option(argv[i]);
	randombytes_buf(uk.bytes, sizeof(uk.bytes));
	need(store_new(&s, device, "test laptop", &uk), "store");
	key_set(&s, &uk);
	s.head.generation = plan.generation;
	s.manifest = plan.manifest;
	rules_drop(&s.rules);
	s.rules = plan.rules;
	add_all(&s, &uk);
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
	store_lock(&s);
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

static void show_record(const struct record *r)
{
	const char *seal = r->has_seal ? "sealed" : "dropped";

	if (r->kind == CREDENTIAL_ONE_TIME_CODE)
		printf("code %u %s\n", r->number, seal);
	else if (r->kind == CREDENTIAL_PASSWORD)
		printf("user %s %s changed %u%s\n", (const char *)r->user, seal, r->changed_day,
		       r->flags & RECORD_MUST_CHANGE ? " must-change" : "");
}

static int show(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	printf("generation %llu\nrevision %u\n", (unsigned long long)s.head.generation, s.head.revision);
	for (uint32_t i = 0; i < s.head.record_count; i++)
		show_record(&s.records[i]);
	return 0;
}

static int open_store(int argc, char **argv)
{
	STORE s = { 0 };
	CREDENTIAL c = { 0 };
	SECRET struct secret password = { 0 };
	struct record *r;
	enum err e;

	(void)argc;
	load(&s, argv[0]);
	need(store_find_user(&r, &s, argv[1]), argv[1]);
	need(secret_copy(&password, argv[2], strlen(argv[2])), "password");
	e = credential_open(&c, r, &password);
	if (!e)
		e = store_verify(&s, &c.store_vk);
	printf("%s\n", e ? err_text(e) : "opens");
	return 0;
}

static int tombstone(int argc, char **argv)
{
	static struct tombstone t;
	static uint8_t bytes[TOMBSTONE_BYTES_MAX];
	static const char command[] = "kill.command.kept";
	size_t len;

	(void)argc;
	memcpy(t.device, device, sizeof(t.device));
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
	{ "make", 1, make },   { "lock", 2, lock },       { "forge", 2, forge },         { "plant", 2, plant },
	{ "show", 1, show },   { "open", 3, open_store }, { "tombstone", 3, tombstone }, { "state", 1, state },
};

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].arguments)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: preboot_tool make|lock|forge|plant|show|open|tombstone|state ...\n");
	return 2;
}
