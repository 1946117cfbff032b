/* Makes, shows and tampers with stores and tombstones for the pre-boot tests.
 *   make DIR OPTION=VALUE...
 *        DIR/store.0 and .1; prints "code N TEXT" and "recovery TEXT". The options (any number of users,
 *        targets and volumes):
 *          generation=N memory=KIB passes=N   of the store; of a password's KDF, the least if not given
 *          user=NAME:PASSWORD[,must-change][,changed=DAY][,duress=PASSWORD]
 *          bound=NAME:pin|password:TYPED:SECRET_HEX[,as user=]
 *                              of the kinds with a secret of the TPM; prints "auth NAME HEX": what its sealed
 *                              object is to be made with
 *          questions=NAME:KEY_HEX:SECRET_HEX:NEED:QUESTION=ANSWER[:QUESTION=ANSWER...]
 *                              self-help; KEY is what the object of the shares holds, without auth; prints
 *                              "self-help NAME HEX" for the other object, which holds SECRET
 *          unlock=HEX          the unlock key; random if not given
 *          crowd=N             N more users, user001 and so on with the password "crowd user001"
 *          codes=N             one-time codes; there is a recovery key always
 *          target=NAME=DIR     whose vmlinuz, initrd.img and cmdline the manifest vouches for
 *          volume=GUID_HEX:BYTES
 *          organisation=TEXT banner=TEXT (\\n is a new line) logo=1 layout=NAME
 *          failures=N:delay|lock|kill contact=WARN_DAYS:LOCK_DAYS:UNIX_SECONDS
 *          password_days=N password_min=N flag=single-user|duress|beep|contrast|large
 *   bind DIR OPTION=VALUE...
 *        the sealed objects into DIR/store.0 and .1, signed again:
 *          parent=HANDLE_HEX:X_HEX:Y_HEX pcr7=HEX
 *          binding=NAME:login|self-help|shares:PUBLIC_FILE:PRIVATE_FILE[:SECRET_HEX:AUTH_HEX]
 *                              files as tpm2_create writes them (with their sizes); with secret and auth, and
 *                              unlock= given before, the copy under the unlock key; without, it is random
 *   lock IN OUT        users' seals dropped, as pre-boot does
 *   forge IN OUT       a value of the head changed, checksum mended
 *   plant IN OUT       another record's seal copied over each record's own, checksum mended
 *   show IN            "generation N", "revision N", "code N sealed|dropped",
 *                      "user NAME sealed|dropped changed DAY[ must-change][ pin|tpm-password]",
 *                      "self-help NAME sealed|dropped", "binding NAME login|self-help|shares SHA" (of the
 *                      private area, first 8 bytes of BLAKE2b)
 *   open IN USER PASSWORD [SECRET_HEX]              "opens", or why not: what any program could do with it
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
	enum credential_kind kind;
	uint8_t tpm_secret[KEY_BYTES];
	uint8_t flags;
	uint16_t changed_day;
};

struct help {
	char name[64];
	uint8_t key[KEY_BYTES], tpm_secret[KEY_BYTES];
	unsigned need, count;
	char *texts[QUESTIONS_MAX], *answers[QUESTIONS_MAX];
};

/* What is to be made. */
static struct {
	unsigned long generation, memory_kib, passes, lanes, codes;
	unsigned user_count;
	struct user users[USERS_MAX];
	unsigned help_count;
	struct help help[QUESTIONS_USERS_MAX];
	struct unlock_key unlock_key;
	int unlock_given;
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

static void hex_into(uint8_t *ret, size_t len, const char *hex)
{
	size_t got = 0;

	if (hex && !sodium_hex2bin(ret, len, hex, strlen(hex), NULL, &got, NULL) && got == len)
		return;
	fprintf(stderr, "preboot_tool: not %zu bytes in hex\n", len);
	exit(2);
}

/* What is up to the next colon; *rest goes behind it. */
static char *colon_part(char **rest)
{
	char *part = strsep(rest, ":");

	if (part)
		return part;
	fprintf(stderr, "preboot_tool: a part is missing\n");
	exit(2);
}

/* PASSWORD[,...] */
static void plan_password(struct user *u, char *value)
{
	char *part;

	copy_text(u->password, sizeof(u->password), strtok(value, ","));
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

/* NAME:PASSWORD[,...] */
static void plan_user(char *value)
{
	struct user *u = &plan.users[plan.user_count++];

	u->kind = CREDENTIAL_PASSWORD;
	copy_text(u->name, sizeof(u->name), colon_part(&value));
	plan_password(u, value);
}

/* NAME:KIND:TYPED:SECRET_HEX[,...] */
static void plan_bound(char *value)
{
	struct user *u = &plan.users[plan.user_count++];
	char typed[sizeof(u->password)], *comma;

	copy_text(u->name, sizeof(u->name), colon_part(&value));
	u->kind = strcmp(colon_part(&value), "pin") ? CREDENTIAL_TPM_PASSWORD : CREDENTIAL_TPM_PIN;
	copy_text(typed, sizeof(typed), colon_part(&value));
	comma = strchr(value, ',');
	if (comma)
		*comma = 0;
	hex_into(u->tpm_secret, sizeof(u->tpm_secret), value);
	if (comma)
		*comma = ',';
	plan_password(u, value);
	copy_text(u->password, sizeof(u->password), typed);
}

/* NAME:KEY_HEX:SECRET_HEX:NEED:QUESTION=ANSWER... */
static void plan_questions(char *value)
{
	struct help *h = &plan.help[plan.help_count++];

	copy_text(h->name, sizeof(h->name), colon_part(&value));
	hex_into(h->key, sizeof(h->key), colon_part(&value));
	hex_into(h->tpm_secret, sizeof(h->tpm_secret), colon_part(&value));
	h->need = (unsigned)strtoul(colon_part(&value), NULL, 10);
	while (value && h->count < QUESTIONS_MAX) {
		char *answer = colon_part(&value);

		h->texts[h->count] = strsep(&answer, "=");
		h->answers[h->count++] = answer ? answer : "";
	}
}

static void plan_unlock(const char *value)
{
	hex_into(plan.unlock_key.bytes, sizeof(plan.unlock_key.bytes), value);
	plan.unlock_given = 1;
}

static void plan_crowd(const char *value)
{
	for (unsigned i = 1; i <= strtoul(value, NULL, 10); i++) {
		struct user *u = &plan.users[plan.user_count++];

		u->kind = CREDENTIAL_PASSWORD;
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
	else if (!strcmp(name, "bound"))
		plan_bound(value);
	else if (!strcmp(name, "questions"))
		plan_questions(value);
	else if (!strcmp(name, "unlock"))
		plan_unlock(value);
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

static struct credential_spec spec_of(enum credential_kind kind, const char *user)
{
	return (struct credential_spec){ .kind = kind, .user = user,
					 .kdf_memory_kib = (uint32_t)plan.memory_kib,
					 .kdf_passes = (uint32_t)plan.passes,
					 .kdf_lanes = (uint8_t)plan.lanes };
}

static struct store_vk vk_of(const struct store *s)
{
	struct store_vk vk;

	memcpy(vk.bytes, s->head.store_vk, sizeof(vk.bytes));
	return vk;
}

static void print_hex(const char *what, const char *name, const uint8_t *bytes, size_t len)
{
	printf("%s %s ", what, name);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void duress_give(struct record *r, const struct user *u)
{
	SECRET struct secret other = { 0 };

	need(secret_copy(&other, u->duress, strlen(u->duress)), "duress");
	if (credential_is_bound(r->kind))
		need(credential_set_duress_bound(r, &other, u->tpm_secret), "duress");
	else
		need(credential_set_duress(r, &other), "duress");
}

static void add_user(struct store *s, const struct user *u, const struct unlock_key *uk)
{
	struct credential_spec spec = spec_of(u->kind, u->name);
	const struct store_vk vk = vk_of(s);
	SECRET struct secret password = { 0 };
	uint8_t auth[KEY_BYTES];
	struct record r;

	spec.flags = u->flags;
	spec.changed_day = u->changed_day;
	need(secret_copy(&password, u->password, strlen(u->password)), "password");
	if (credential_is_bound((uint8_t)u->kind)) {
		need(credential_new_bound(&r, auth, &spec, &password, u->tpm_secret, &vk, uk), "credential");
		print_hex("auth", u->name, auth, sizeof(auth));
	} else {
		need(credential_new(&r, &spec, &password, &vk, uk), "credential");
	}
	if (u->duress[0])
		duress_give(&r, u);
	need(store_add(s, &r), "add");
}

static void add_help(struct store *s, const struct help *h, const struct unlock_key *uk)
{
	struct credential_spec spec = spec_of(CREDENTIAL_SELF_HELP, h->name);
	const struct store_vk vk = vk_of(s);
	struct secret answers[QUESTIONS_MAX] = { 0 };
	SECRET struct secret typed = { 0 };
	QUESTIONS_BOX box;
	struct questions q = { 0 };
	uint8_t salt[16], auth[KEY_BYTES];
	struct record r;

	randombytes_buf(salt, sizeof(salt));
	spec.salt = salt;
	for (unsigned i = 0; i < h->count; i++)
		need(secret_copy(&answers[i], h->answers[i], strlen(h->answers[i])), "an answer");
	need(questions_make(&box, &typed, (const char *const *)h->texts, answers, h->count, h->need, salt),
	     "questions");
	need(credential_new_bound(&r, auth, &spec, &typed, h->tpm_secret, &vk, uk), "self-help");
	print_hex("self-help", h->name, auth, sizeof(auth));
	memcpy(q.credential, r.id, sizeof(q.credential));
	questions_close(&q, &box, h->key);
	need(store_add(s, &r), "self-help");
	need(store_questions_put(s, &q), "questions");
	for (unsigned i = 0; i < h->count; i++)
		secret_drop(&answers[i]);
}

static void add_code(struct store *s, enum credential_kind kind, uint16_t number, const struct unlock_key *uk)
{
	const struct credential_spec spec = { .kind = kind, .user = "", .number = number,
					      .kdf_memory_kib = KDF_CODE_MEMORY_KIB,
					      .kdf_passes = KDF_CODE_PASSES,
					      .kdf_lanes = KDF_CODE_LANES };
	SECRET struct secret code = { 0 };
	const struct store_vk vk = vk_of(s);
	int one_time = kind == CREDENTIAL_ONE_TIME_CODE;
	struct record r;

	need(code_new(&code, one_time ? CODE_ONE_TIME : CODE_RECOVERY), "code");
	need(credential_new(&r, &spec, &code, &vk, uk), "credential");
	need(store_add(s, &r), "add");
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
	for (unsigned i = 0; i < plan.help_count; i++)
		add_help(s, &plan.help[i], uk);
	for (uint16_t n = 1; n <= plan.codes; n++)
		add_code(s, CREDENTIAL_ONE_TIME_CODE, n, uk);
	add_code(s, CREDENTIAL_RECOVERY_KEY, 0, uk);
}

/* All stores of one test are of one installation, whose signing key stays. */
static const struct store_sk signing_key = { { 1 } };

static void key_set(struct store *s, const struct unlock_key *uk)
{
	struct store_vk vk;

	store_sk_public(&vk, &signing_key);
	memcpy(s->head.store_vk, vk.bytes, sizeof(s->head.store_vk));
	store_wrap_key(&s->head, &signing_key, uk);
}

static void save_both(const char *dir, struct store *s)
{
	char path[512];

	need(store_sign(s, &signing_key), "sign");
	for (int copy = 0; copy < 2; copy++) {
		snprintf(path, sizeof(path), "%s/store.%d", dir, copy);
		save(path, s);
	}
}

static int make(int argc, char **argv)
{
	STORE s = { 0 };
	UNLOCK_KEY uk;

	rules_default(&plan.rules);
	for (int i = 1; i < argc; i++)
		plan_option(argv[i]);
	randombytes_buf(uk.bytes, sizeof(uk.bytes));
	if (plan.unlock_given)
		uk = plan.unlock_key;
	need(store_new(&s, device, "test laptop", &uk), "store");
	key_set(&s, &uk);
	s.head.generation = plan.generation;
	s.manifest = plan.manifest;
	rules_drop(&s.rules);
	s.rules = plan.rules;
	add_all(&s, &uk);
	save_both(argv[0], &s);
	return 0;
}

/* HANDLE_HEX:X_HEX:Y_HEX */
static void bind_parent(struct store *s, char *value)
{
	struct tpm_parent parent;

	parent.handle = (uint32_t)strtoul(colon_part(&value), NULL, 16);
	hex_into(parent.x, sizeof(parent.x), colon_part(&value));
	hex_into(parent.y, sizeof(parent.y), value);
	bindings_set_parent(&s->bindings, &parent);
}

/* A TPM2B as tpm2_create writes it: two bytes of size, big-endian, and what it sizes. */
static uint16_t sized_file(uint8_t *ret, size_t room, const char *path)
{
	size_t len;
	uint8_t *bytes = slurp(&len, path);
	size_t inside = len < 2 ? 0 : (size_t)bytes[0] << 8 | bytes[1];

	if (inside == 0 || inside + 2 != len || inside > room) {
		fprintf(stderr, "preboot_tool: no sized structure: %s\n", path);
		exit(2);
	}
	memcpy(ret, bytes + 2, inside);
	free(bytes);
	return (uint16_t)inside;
}

/* NAME:KIND:PUBLIC_FILE:PRIVATE_FILE[:SECRET_HEX:AUTH_HEX] */
static void bind_object(struct store *s, char *value)
{
	const char *name = colon_part(&value), *kind = colon_part(&value);
	struct tpm_object object = { 0 };
	struct binding b = { .kind = strcmp(kind, "shares") ? BINDING_SECRET : BINDING_SHARES };
	SEALED sealed;
	struct record *r;

	need(strcmp(kind, "login") ? store_find_self_help(&r, s, name) : store_find_user(&r, s, name), name);
	memcpy(b.credential, r->id, sizeof(b.credential));
	object.public_len = sized_file(object.public_area, sizeof(object.public_area), colon_part(&value));
	object.private_len = sized_file(object.private_area, sizeof(object.private_area), colon_part(&value));
	binding_set_object(&b, &object);
	randombytes_buf(b.nonce, sizeof(b.nonce));
	randombytes_buf(b.copy, sizeof(b.copy));
	if (value && plan.unlock_given) {
		hex_into(sealed.secret, sizeof(sealed.secret), colon_part(&value));
		hex_into(sealed.auth, sizeof(sealed.auth), colon_part(&value));
		binding_close(&b, &sealed, &plan.unlock_key);
	}
	need(bindings_put(&s->bindings, &b), "binding");
}

static void bind_option(struct store *s, char *option)
{
	char *value = strchr(option, '=');

	if (value)
		*value++ = 0;
	if (value && !strcmp(option, "unlock"))
		plan_unlock(value);
	else if (value && !strcmp(option, "parent"))
		bind_parent(s, value);
	else if (value && !strcmp(option, "pcr7"))
		hex_into(s->bindings.head.pcr7, sizeof(s->bindings.head.pcr7), value);
	else if (value && !strcmp(option, "binding"))
		bind_object(s, value);
	else
		exit(2);
}

static int bind_objects(int argc, char **argv)
{
	STORE s = { 0 };
	char path[512];

	snprintf(path, sizeof(path), "%s/store.0", argv[0]);
	load(&s, path);
	for (int i = 1; i < argc; i++)
		bind_option(&s, argv[i]);
	save_both(argv[0], &s);
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
	else if (r->kind == CREDENTIAL_SELF_HELP)
		printf("self-help %s %s\n", (const char *)r->user, seal);
	else if (credential_is_login(r->kind))
		printf("user %s %s changed %u%s%s\n", (const char *)r->user, seal, r->changed_day,
		       r->flags & RECORD_MUST_CHANGE ? " must-change" : "",
		       r->kind == CREDENTIAL_TPM_PIN	     ? " pin"
		       : r->kind == CREDENTIAL_TPM_PASSWORD ? " tpm-password"
							    : "");
}

static void show_bindings(const struct store *s, const struct record *r)
{
	for (size_t i = 0; i < s->bindings.head.count; i++) {
		const struct binding *b = &s->bindings.entries[i];
		uint8_t digest[DIGEST_BYTES];
		char what[80];

		if (memcmp(b->credential, r->id, sizeof(b->credential)))
			continue;
		snprintf(what, sizeof(what), "%s %s", (const char *)r->user,
			 b->kind == BINDING_SHARES		? "shares"
			 : r->kind == CREDENTIAL_SELF_HELP ? "self-help"
							   : "login");
		crypto_generichash(digest, sizeof(digest), b->private_area, b->private_bytes, NULL, 0);
		print_hex("binding", what, digest, 8);
	}
}

static int show(int argc, char **argv)
{
	STORE s = { 0 };

	(void)argc;
	load(&s, argv[0]);
	printf("generation %llu\nrevision %u\n", (unsigned long long)s.head.generation, s.head.revision);
	for (uint32_t i = 0; i < s.head.record_count; i++)
		show_record(&s.records[i]);
	for (uint32_t i = 0; i < s.head.record_count; i++)
		show_bindings(&s, &s.records[i]);
	return 0;
}

static int open_store(int argc, char **argv)
{
	STORE s = { 0 };
	CREDENTIAL c = { 0 };
	STRETCHED stretched = { 0 };
	SECRET struct secret password = { 0 };
	uint8_t tpm_secret[KEY_BYTES];
	struct record *r;
	enum err e;

	if (argc > 3)
		hex_into(tpm_secret, sizeof(tpm_secret), argv[3]);
	load(&s, argv[0]);
	need(store_find_user(&r, &s, argv[1]), argv[1]);
	need(secret_copy(&password, argv[2], strlen(argv[2])), "password");
	e = credential_stretch(&stretched, r, &password);
	if (!e)
		e = credential_open_stretched(&c, r, &stretched, argc > 3 ? tpm_secret : NULL);
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
	{ "make", 1, make },   { "bind", 1, bind_objects }, { "lock", 2, lock },
	{ "forge", 2, forge }, { "plant", 2, plant },       { "show", 1, show },
	{ "open", 3, open_store }, { "tombstone", 3, tombstone }, { "state", 1, state },
};

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].arguments)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: preboot_tool make|bind|lock|forge|plant|show|open|tombstone|state ...\n");
	return 2;
}
