/* Store: bytes, signatures, roll-back, the list of records, and the change of the unlock key. */
#include "core_test.h"

#include <time.h>

#include "common/store_format.h"
#include "core_sample.h"
#include "stack_probe.h"

#define HEAD 264
#define RECORD 625
#define RECORD_1 (HEAD + RECORD) /* the first code */
#define MANIFEST (HEAD + 4 * RECORD)
#define RULES_AT (MANIFEST + 16 + 2 * 112 + 300 + 64)
#define BANNER (RULES_AT + 120)
#define LOGO (BANNER + 37)
#define BINDINGS (LOGO + 16 + 4 * 4 + 5 * 3)
#define SIGNATURE (BINDINGS + 184)
#define TOTAL (SIGNATURE + 64 + 32)

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const struct unlock_key next_uk = { "another unlock key: 32 more byte" };

/* Argon2id takes its time: one sample serves all tests, each of which works on a copy. */
static uint8_t *sample;
static size_t sample_len;
static struct store_vk vk;

static int setup(void **state)
{
	STORE s = { 0 };

	(void)state;
	if (sodium_init() < 0)
		return 1;
	sample_store(&s, &uk);
	memcpy(vk.bytes, s.head.store_vk, sizeof(vk.bytes));
	return store_encode(&sample, &sample_len, &s) != OK;
}

static int teardown(void **state)
{
	(void)state;
	free(sample);
	return 0;
}

static void load(struct store *ret)
{
	expect("the sample", OK, store_decode(ret, sample, sample_len));
}

static uint8_t *copy(void)
{
	uint8_t *bytes = malloc(sample_len);

	assert_non_null(bytes);
	memcpy(bytes, sample, sample_len);
	return bytes;
}

static void round_trip(void **state)
{
	STORE s = { 0 };
	uint8_t *again;
	size_t len;

	(void)state;
	load(&s);
	assert_int_equal(sample_len % STORE_FILE_STEP, 0);
	assert_int_equal(s.head.record_count, 4);
	assert_true(s.head.generation == 1);
	assert_string_equal((char *)s.head.name, "Anna's laptop");
	assert_string_equal((char *)s.rules.head.layout, "de(nodeadkeys)");
	assert_int_equal(s.rules.head.logo_bytes, BINDINGS - LOGO);
	assert_memory_equal(s.head.device, sample_device, sizeof(s.head.device));
	expect("verify", OK, store_verify(&s, &vk));
	expect("encode again", OK, store_encode(&again, &len, &s));
	assert_int_equal(len, sample_len);
	assert_memory_equal(again, sample, len);
	free(again);
}

static void empty(void **state)
{
	STORE s = { 0 }, again = { 0 };
	struct store_vk own;
	uint8_t *bytes;
	size_t len;

	(void)state;
	expect("new", OK, store_new(&s, sample_device, "", &uk));
	memcpy(own.bytes, s.head.store_vk, sizeof(own.bytes));
	expect("signed from the start", OK, store_verify(&s, &own));
	expect("encode", OK, store_encode(&bytes, &len, &s));
	assert_int_equal(len, STORE_FILE_STEP);
	expect("decode", OK, store_decode(&again, bytes, len));
	expect("verify", OK, store_verify(&again, &own));
	assert_int_equal(again.rules.head.failure_limit, 0);
	assert_int_equal(again.rules.head.password_min, 1);
	free(bytes);
}

static void laptop_names(void **state)
{
	STORE s = { 0 };
	char name[STORE_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[STORE_NAME_MAX + 1] = '\0';
	expect("a name too long", ERR_RANGE, store_new(&s, sample_device, name, &uk));
	expect("a bell", ERR_RANGE, store_new(&s, sample_device, "\a", &uk));
	name[STORE_NAME_MAX] = '\0';
	expect("the longest name", OK, store_new(&s, sample_device, name, &uk));
}

/* As many records as there may be, each with an id and a number or name of its own. */
static void fill(struct store *s, const struct record *model, uint32_t count)
{
	struct record r = *model;

	while (s->head.record_count < count) {
		if (r.kind == CREDENTIAL_PASSWORD)
			snprintf((char *)r.user, sizeof(r.user), "user%u", s->head.record_count);
		else
			r.number++;
		memcpy(r.id, &s->head.record_count, sizeof(s->head.record_count));
		expect("one more", OK, store_add(s, &r));
	}
}

/* Everything at its bound at once: records, targets, volumes, banner and logo. */
static void largest(void **state)
{
	STORE s = { 0 }, again = { 0 };
	STORE_SK sk = { 0 };
	struct record r;
	uint8_t *bytes;
	size_t len;

	(void)state;
	load(&s);
	expect("signing key", OK, store_signing_key(&sk, &s, &uk));
	fill(&s, &s.records[1], STORE_RECORDS_MAX);
	r = s.records[1];
	r.number = 9999;
	r.id[15] ^= 1;
	expect("one too many", ERR_SPACE, store_add(&s, &r));
	rules_drop(&s.rules);
	sample_rules(&s.rules, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, LOGO_COLOURS_MAX);
	memset(s.rules.banner, 'b', RULES_BANNER_MAX);
	for (size_t i = 1; i < MANIFEST_TARGETS_MAX; i++)
		s.manifest.targets[i] = s.manifest.targets[0];
	for (size_t i = 1; i < MANIFEST_VOLUMES_MAX; i++)
		s.manifest.volumes[i] = s.manifest.volumes[0];
	s.manifest.target_count = MANIFEST_TARGETS_MAX;
	s.manifest.volume_count = MANIFEST_VOLUMES_MAX;
	expect("sign", OK, store_sign(&s, &sk));
	expect("encode", OK, store_encode(&bytes, &len, &s));
	assert_true(len <= STORE_BYTES_MAX);
	assert_int_equal(sample_store_total(bytes), HEAD + STORE_RECORDS_MAX * RECORD + MANIFEST_BYTES_MAX +
							    RULES_BYTES_MAX + 184 + 64 + 32);
	expect("decode", OK, store_decode(&again, bytes, len));
	expect("verify", OK, store_verify(&again, &vk));
	assert_int_equal(again.rules.head.logo_bytes, LOGO_BYTES_MAX);
	assert_memory_equal(again.rules.logo, s.rules.logo, LOGO_BYTES_MAX);
	free(bytes);
	s.head.record_count++; /* encoder and verifier look at the bound before the records */
	expect("one too many", ERR_RANGE, store_encode(&bytes, &len, &s));
	expect("one too many", ERR_SIGNATURE, store_verify(&s, &vk));
	s.head.record_count--;
	s.head.generation = STORE_GENERATION_MAX;
	expect("the last generation", OK, store_sign(&s, &sk));
	s.head.generation++;
	expect("a generation over the bound", ERR_RANGE, store_sign(&s, &sk));
	expect("a generation over the bound", ERR_RANGE, store_encode(&bytes, &len, &s));
	s.head.generation = 1;
	s.rules.head.password_min = 0;
	expect("rules that could not be read again", ERR_RANGE, store_encode(&bytes, &len, &s));
	expect("rules that were never signed", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("rules that could not be read again", ERR_RANGE, store_sign(&s, &sk));
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* 250 people share one laptop. The check of its store must not grow to one signature a person: under
 * a firmware in a virtual machine that would be half a second at every start. */
static void many_users(void **state)
{
	STORE s = { 0 }, again = { 0 };
	STORE_SK sk = { 0 };
	uint8_t *bytes, message[64] = { 0 }, signature[SIGNATURE_BYTES];
	uint64_t whole_us = UINT64_MAX, one_us = UINT64_MAX;
	size_t len;

	(void)state;
	load(&s);
	expect("signing key", OK, store_signing_key(&sk, &s, &uk));
	fill(&s, &s.records[0], 253);
	assert_int_equal(store_user_count(&s), 250);
	expect("sign", OK, store_sign(&s, &sk));
	expect("encode", OK, store_encode(&bytes, &len, &s));
	expect("decode", OK, store_decode(&again, bytes, len));
	free(bytes);
	for (uint32_t i = 4; i < again.head.record_count; i++) {
		struct record *found;
		char name[16];

		snprintf(name, sizeof(name), "user%u", i);
		expect(name, OK, store_find_user(&found, &again, name));
		assert_ptr_equal(found, &again.records[i]);
		expect("its own signature", OK, store_verify_record(&again, found, &vk));
	}
	store_sk_sign(signature, &sk, message, sizeof(message));
	for (int i = 0; i < 5; i++) {
		uint64_t start = now_us(), middle;

		expect("one signature", OK, store_vk_check(&vk, signature, message, sizeof(message)));
		middle = now_us();
		expect("verify", OK, store_verify(&again, &vk));
		one_us = middle - start < one_us ? middle - start : one_us;
		whole_us = now_us() - middle < whole_us ? now_us() - middle : whole_us;
	}
	if (whole_us > 100 * (one_us + 1))
		fail_msg("250 users: %u us to verify, one signature %u us", (unsigned)whole_us, (unsigned)one_us);
}

/* No length but the whole store, to which zeros may be added. */
static void lengths(void **state)
{
	const size_t total = TOTAL;
	STORE s = { 0 };
	uint8_t *bytes = copy();
	static const uint8_t untouched_store[sizeof(struct store)];

	(void)state;
	for (size_t len = 0; len < total; len++)
		expect("too short", ERR_FORMAT, store_decode(&s, bytes, len));
	bytes[total] = 1;
	expect("something behind the end", ERR_FORMAT, store_decode(&s, bytes, total + 1));
	bytes[total] = 0;
	bytes[sample_len - 1] = 1;
	expect("something at the end of the file", ERR_FORMAT, store_decode(&s, bytes, sample_len));
	assert_memory_equal(&s, untouched_store, sizeof(s));
	expect("the bare store", OK, store_decode(&s, bytes, total));
	free(bytes);
}

static void oversize(void **state)
{
	STORE s = { 0 };
	uint8_t *bytes = calloc(1, STORE_BYTES_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, sample, sample_len);
	expect("a file too large", ERR_RANGE, store_decode(&s, bytes, STORE_BYTES_MAX + 1));
	expect("the largest file", OK, store_decode(&s, bytes, STORE_BYTES_MAX));
	free(bytes);
}

/* want: once the checksum has been repaired, as a forger would. */
static const struct damage damages[] = {
	{ "another magic", 0, "X", 1, ERR_FORMAT },
	{ "version 0", 8, "\0\0", 2, ERR_FORMAT },
	{ "version 2", 8, "\2\0", 2, ERR_VERSION },
	{ "an unknown flag", 10, "\2", 1, ERR_FORMAT },
	{ "an unknown high flag", 11, "\x80", 1, ERR_FORMAT },
	{ "a total of nothing", 12, "\0\0\0\0", 4, ERR_FORMAT },
	{ "a total of one byte more", 12, "\x01", 1, ERR_FORMAT },
	{ "a total over the bound", 12, "\0\0\xff\xff", 4, ERR_RANGE },
	/* A planted store of generation 2^64 - 1 poisoned the firmware's generation: no store came after it. */
	{ "a generation that nothing follows", 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, ERR_RANGE },
	{ "a generation over the bound", 16, "\1\0\0\0\0\0\1\0", 8, ERR_RANGE },
	{ "more records than there are", 28, "\5", 1, ERR_FORMAT },
	{ "fewer records than there are", 28, "\3", 1, ERR_FORMAT },
	{ "too many records", 28, "\x41\1", 2, ERR_RANGE },
	{ "as many records as overflow", 28, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "a manifest too large", 32, "\xff\xff", 2, ERR_RANGE },
	{ "a manifest of another length", 32, "\0\0", 2, ERR_FORMAT },
	{ "no manifest, and rules that begin there", 32, "\0\0\0\0\0\0\x28\3", 8, ERR_FORMAT },
	{ "rules too large", 38, "\xff\xff", 2, ERR_RANGE },
	{ "rules of another length", 38, "\1\0", 2, ERR_FORMAT },
	{ "a name with an escape", 200, "\x1b", 1, ERR_FORMAT },
	{ "a name without an end", 213, "0123456789012345678901234567890123456789012", 43, ERR_FORMAT },
	{ "an unknown kind of record", HEAD + 16, "\7", 1, ERR_FORMAT },
	{ "kind 0", HEAD + 16, "\0", 1, ERR_FORMAT },
	{ "an unknown flag of a record", HEAD + 17, "\2", 1, ERR_FORMAT },
	{ "a password with a number", HEAD + 18, "\1", 1, ERR_FORMAT },
	{ "a user without a name", HEAD + 20, "\0\0\0\0", 4, ERR_FORMAT },
	{ "bytes behind a user's name", HEAD + 60, "x", 1, ERR_FORMAT },
	{ "a user's name that is no UTF-8", HEAD + 20, "\xff", 1, ERR_FORMAT },
	{ "a user's name with a line feed", HEAD + 21, "\n", 1, ERR_FORMAT },
	{ "a code with a user", RECORD_1 + 20, "x", 1, ERR_FORMAT },
	{ "a cost of 4 TiB", HEAD + 84, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "a cost of 32 KiB", HEAD + 84, "\x20\0\0\0", 4, ERR_RANGE },
	{ "a password for the cost of a code", HEAD + 84, "\0\x20\0\0", 4, ERR_RANGE },
	{ "no pass", HEAD + 88, "\0\0\0\0", 4, ERR_RANGE },
	{ "seventeen passes", HEAD + 88, "\x11", 1, ERR_RANGE },
	{ "nine lanes", HEAD + 92, "\11", 1, ERR_RANGE },
	{ "a reserved byte of a record in use", HEAD + 95, "\1", 1, ERR_FORMAT },
	{ "a seal that is there twice", HEAD + 544, "\2", 1, ERR_FORMAT },
	{ "a dropped seal that is not zero", HEAD + 544, "\0", 1, ERR_FORMAT },
	{ "another manifest magic", MANIFEST, "X", 1, ERR_FORMAT },
	{ "a manifest of version 2", MANIFEST + 8, "\2", 1, ERR_VERSION },
	{ "a target outside the folder", MANIFEST + 16, "..", 2, ERR_RANGE },
	{ "another rules magic", RULES_AT, "X", 1, ERR_FORMAT },
	{ "rules of version 2", RULES_AT + 8, "\2", 1, ERR_VERSION },
	{ "an unknown rule", RULES_AT + 11, "\1", 1, ERR_FORMAT },
	{ "a kill after one mistake", RULES_AT + 12, "\1\0\2", 3, ERR_RANGE },
	{ "a banner with an escape", BANNER, "\x1b", 1, ERR_FORMAT },
	{ "a banner of one byte less", RULES_AT + 22, "\x24", 1, ERR_FORMAT },
	{ "another logo magic", LOGO, "X", 1, ERR_FORMAT },
	{ "a pixel of no colour", BINDINGS - 1, "\4", 1, ERR_RANGE },
};

static void damaged(void **state)
{
	STORE s = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		uint8_t *bytes = copy();

		damage_apply(bytes, &damages[i]);
		if (damages[i].at >= HEAD)
			expect(damages[i].why, ERR_CHECKSUM, store_decode(&s, bytes, sample_len));
		sample_repair_store(bytes, sample_len);
		expect(damages[i].why, damages[i].want, store_decode(&s, bytes, sample_len));
		assert_null(s.records);
		assert_null(s.rules.logo);
		free(bytes);
	}
}

/* A forger who repairs the checksum still changes nothing but what pre-boot may change. */
static void every_byte_is_signed(void **state)
{
	const size_t end = SIGNATURE + 64;
	uint8_t *bytes = copy();

	(void)state;
	for (size_t i = 0; i < end; i++) {
		STORE s = { 0 };

		if (i >= 24 && i < 28)
			continue; /* revision */
		bytes[i] ^= 0x04;
		sample_repair_store(bytes, sample_len);
		if (!store_decode(&s, bytes, sample_len) && store_verify(&s, &vk) != ERR_SIGNATURE)
			fail_msg("byte %zu can be changed", i);
		bytes[i] ^= 0x04;
	}
	free(bytes);
}

static void other_key(void **state)
{
	STORE s = { 0 };
	struct store_vk other = vk;

	(void)state;
	load(&s);
	other.bytes[5] ^= 1;
	expect("another store's key", ERR_SIGNATURE, store_verify(&s, &other));
	memcpy(s.head.store_vk, other.bytes, sizeof(other.bytes));
	expect("with the hint to match", ERR_SIGNATURE, store_verify(&s, &other));
}

/* A record of another laptop's store, signed by the same key, is not taken. */
static void other_device(void **state)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	struct record old;

	(void)state;
	load(&s);
	expect("signing key", OK, store_signing_key(&sk, &s, &uk));
	old = s.records[0];
	s.head.device[0] ^= 1;
	expect("sign as another laptop", OK, store_sign(&s, &sk));
	expect("signed", OK, store_verify(&s, &vk));
	expect("its record", OK, store_verify_record(&s, &s.records[0], &vk));
	expect("a record of the first", ERR_SIGNATURE, store_verify_record(&s, &old, &vk));
	memcpy(s.records[0].signature, old.signature, sizeof(old.signature));
	expect("a record of the first", ERR_SIGNATURE, store_verify(&s, &vk));
}

static void forge_signature(struct store *s)
{
	s->records[1].signature[0] ^= 1;
}

static void forge_by_another_key(struct store *s)
{
	const struct store_sk other = { "a seed of thirty-two random byte" };
	uint8_t old[SIGNATURE_BYTES], vk_old[KEY_BYTES];
	struct store_vk other_vk;

	/* all of it is signed, by a key of the forger's own; then the store says the right one again */
	memcpy(old, s->signature, sizeof(old));
	memcpy(vk_old, s->head.store_vk, sizeof(vk_old));
	store_sk_public(&other_vk, &other);
	memcpy(s->head.store_vk, other_vk.bytes, sizeof(other_vk.bytes));
	expect("the forger signs", OK, store_sign(s, &other));
	expect("for himself", OK, store_verify(s, &other_vk));
	memcpy(s->head.store_vk, vk_old, sizeof(vk_old));
}

static void forge_one_record(struct store *s)
{
	const uint8_t theirs[SIGNATURE_BYTES] = { 0 };

	memcpy(s->records[0].signature, theirs, sizeof(theirs));
	memset(s->records[0].cred_pk, 9, sizeof(s->records[0].cred_pk));
}

static void forge_seal(struct store *s)
{
	expect("a seal of one's own", OK, record_seal(&s->records[0], &next_uk));
}

static void forge_seal_alone(struct store *s)
{
	struct record r = s->records[0];

	expect("a seal of one's own", OK, record_seal(&r, &next_uk));
	memcpy(s->records[0].seal, r.seal, sizeof(r.seal));
}

static void forge_digest_alone(struct store *s)
{
	s->records[0].seal_digest[31] ^= 0x80;
}

static void forge_order(struct store *s)
{
	struct record first = s->records[0];

	s->records[0] = s->records[1];
	s->records[1] = first;
}

static void forge_removal(struct store *s)
{
	expect("remove", OK, store_remove(s, s->records[2].id));
}

static void forge_addition(struct store *s)
{
	fill(s, &s->records[1], s->head.record_count + 1);
}

static void forge_rule(struct store *s)
{
	s->rules.head.failure_action = RULES_DELAY;
}

static void forge_no_rules(struct store *s)
{
	rules_drop(&s->rules);
	rules_default(&s->rules);
}

static void forge_logo(struct store *s)
{
	s->rules.logo[LOGO_HEAD_BYTES] ^= 1;
}

static void forge_flag(struct store *s)
{
	s->head.flags ^= STORE_LOCKED;
}

static void forge_manifest_signature(struct store *s)
{
	s->manifest.signature[63] ^= 1;
}

static void forge_hint(struct store *s)
{
	s->head.store_vk[0] ^= 1;
}

static void forge_changed_day(struct store *s)
{
	s->records[0].changed_day++;
}

/* The records' own signatures are not looked at one by one; forging any of it is noticed all the same,
 * and also once it has been written and read. */
static void forged(void **state)
{
	static const struct {
		const char *why;
		void (*forge)(struct store *s);
	} rows[] = {
		{ "a record's signature changed", forge_signature },
		{ "everything signed by another key", forge_by_another_key },
		{ "a record with a key of the forger's", forge_one_record },
		{ "a seal and its digest", forge_seal },
		{ "a seal without its digest", forge_seal_alone },
		{ "a digest without its seal", forge_digest_alone },
		{ "two records exchanged", forge_order },
		{ "a record left out", forge_removal },
		{ "a record too many", forge_addition },
		{ "a softer rule", forge_rule },
		{ "rules taken away", forge_no_rules },
		{ "another logo", forge_logo },
		{ "locked by a forger", forge_flag },
		{ "the manifest's signature", forge_manifest_signature },
		{ "another key named in the head", forge_hint },
		{ "a password that is younger than it is", forge_changed_day },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		STORE s = { 0 }, again = { 0 };
		uint8_t *bytes;
		size_t len;

		load(&s);
		rows[i].forge(&s);
		expect(rows[i].why, ERR_SIGNATURE, store_verify(&s, &vk));
		expect("encode", OK, store_encode(&bytes, &len, &s));
		expect("decode", OK, store_decode(&again, bytes, len));
		expect(rows[i].why, ERR_SIGNATURE, store_verify(&again, &vk));
		free(bytes);
	}
}

/* A store that is signed as a whole, but not by store_sign: what else must be right is looked at. */
static void signed_carelessly(void **state)
{
	static const struct {
		const char *why;
		void (*forge)(struct store *s);
	} rows[] = {
		{ "the manifest's own signature", forge_manifest_signature },
		{ "another key named in the head", forge_hint },
		{ "a seal without its digest", forge_seal_alone },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		STORE s = { 0 };
		STORE_SK sk = { 0 };
		uint8_t *message;
		size_t len;

		load(&s);
		expect("signing key", OK, store_signing_key(&sk, &s, &uk));
		rows[i].forge(&s);
		expect("message", OK, store_message(&message, &len, &s));
		store_sk_sign(s.signature, &sk, message, len);
		free(message);
		expect(rows[i].why, ERR_SIGNATURE, store_verify(&s, &vk));
	}
}

/* One record changed and signed among others that keep their signatures. */
static void sign_record(void **state)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	const struct store_sk other = { "a seed of thirty-two random byte" };
	struct record kept;

	(void)state;
	load(&s);
	expect("signing key", OK, store_signing_key(&sk, &s, &uk));
	kept = s.records[1];
	s.records[0].changed_day = 20000;
	s.head.generation++;
	expect("not signed", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("another store's key", ERR_AUTH, store_sign_record(&s, &s.records[0], &other));
	expect("still not signed", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("sign", OK, store_sign_record(&s, &s.records[0], &sk));
	expect("signed", OK, store_verify(&s, &vk));
	for (uint32_t i = 0; i < s.head.record_count; i++)
		expect("each record's own signature", OK, store_verify_record(&s, &s.records[i], &vk));
	assert_memory_equal(&kept, &s.records[1], sizeof(kept));
	s.records[1].changed_day = 20000;
	expect("sign the wrong one", OK, store_sign_record(&s, &s.records[0], &sk));
	expect("a signer's mistake shows", ERR_SIGNATURE, store_verify_record(&s, &s.records[1], &vk));
	s.records[0].kdf_lanes = 9;
	expect("what can't be read again", ERR_RANGE, store_sign_record(&s, &s.records[0], &sk));
}

static void seals(void **state)
{
	STORE s = { 0 };
	struct record kept;

	(void)state;
	load(&s);
	kept = s.records[1];
	store_drop_seal(&s, &s.records[1]);
	expect("a dropped seal", OK, store_verify(&s, &vk));
	assert_int_equal(s.head.revision, 1);
	assert_int_equal(s.records[1].has_seal, 0);
	memcpy(s.records[1].seal, s.records[2].seal, SEAL_BYTES);
	s.records[1].has_seal = 1;
	expect("another record's seal", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("a seal of one's own", OK, record_seal(&s.records[1], &next_uk));
	expect("a seal of one's own", ERR_SIGNATURE, store_verify(&s, &vk));
	s.records[1] = kept;
	expect("as it was", OK, store_verify(&s, &vk));
	s.head.revision = UINT32_MAX;
	store_drop_seal(&s, &s.records[1]);
	assert_int_equal(s.head.revision, UINT32_MAX);
}

static void newer(void **state)
{
	struct store a = { .head = { .generation = 5, .revision = 2 } }, b = a;

	(void)state;
	assert_null(store_newer(NULL, NULL));
	assert_ptr_equal(store_newer(&a, NULL), &a);
	assert_ptr_equal(store_newer(NULL, &b), &b);
	assert_non_null(store_newer(&a, &b));
	b.head.revision = 3;
	assert_ptr_equal(store_newer(&a, &b), &b);
	assert_ptr_equal(store_newer(&b, &a), &b);
	a.head.generation = 6;
	assert_ptr_equal(store_newer(&a, &b), &a);
	assert_ptr_equal(store_newer(&b, &a), &a);
	a.head.generation = (uint64_t)1 << 40;
	assert_ptr_equal(store_newer(&b, &a), &a);
}

static void finding(void **state)
{
	static const char long_name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	STORE s = { 0 };
	struct record *r = NULL;

	(void)state;
	load(&s);
	expect("nobody", ERR_NOT_FOUND, store_find_user(&r, &s, ""));
	expect("somebody else", ERR_NOT_FOUND, store_find_user(&r, &s, "ann"));
	expect("somebody else", ERR_NOT_FOUND, store_find_user(&r, &s, "annas"));
	expect("a long name", ERR_NOT_FOUND, store_find_user(&r, &s, long_name));
	expect("code 3", ERR_NOT_FOUND, store_find_code(&r, &s, CREDENTIAL_ONE_TIME_CODE, 3));
	expect("a number past 16 bits", ERR_NOT_FOUND, store_find_code(&r, &s, CREDENTIAL_RECOVERY_KEY, 1));
	assert_null(r);
	expect("anna", OK, store_find_user(&r, &s, "anna"));
	assert_ptr_equal(r, &s.records[0]);
	expect("code 1", OK, store_find_code(&r, &s, CREDENTIAL_ONE_TIME_CODE, 1));
	assert_ptr_equal(r, &s.records[2]);
	expect("recovery key", OK, store_find_code(&r, &s, CREDENTIAL_RECOVERY_KEY, 0));
	assert_ptr_equal(r, &s.records[3]);
}

static void next_code(void **state)
{
	STORE s = { 0 };
	struct record *r;

	(void)state;
	load(&s);
	expect("lowest first", OK, store_next_code(&r, &s));
	assert_int_equal(r->number, 1);
	store_drop_seal(&s, r);
	expect("then the next", OK, store_next_code(&r, &s));
	assert_int_equal(r->number, 2);
	expect("removed", OK, store_remove(&s, r->id));
	expect("none is left", ERR_NOT_FOUND, store_next_code(&r, &s));
}

static void adding(void **state)
{
	STORE s = { 0 };
	struct record r, *found;

	(void)state;
	load(&s);
	r = s.records[0];
	r.id[0] ^= 1;
	expect("the same user", ERR_EXISTS, store_add(&s, &r));
	r = s.records[2];
	r.id[0] ^= 1;
	expect("the same code", ERR_EXISTS, store_add(&s, &r));
	r.number = 7;
	r.kdf_lanes = 9;
	expect("what can't be read again", ERR_RANGE, store_add(&s, &r));
	r.kdf_lanes = 1;
	memcpy(r.id, s.records[0].id, sizeof(r.id));
	expect("the same id", ERR_EXISTS, store_add(&s, &r));
	r.id[0] ^= 1;
	expect("a new code", OK, store_add(&s, &r));
	expect("not signed yet", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("find it", OK, store_find_code(&found, &s, CREDENTIAL_ONE_TIME_CODE, 7));
	expect("remove it", OK, store_remove(&s, r.id));
	expect("remove it again", ERR_NOT_FOUND, store_remove(&s, r.id));
	expect("as it was", OK, store_verify(&s, &vk));
	while (s.head.record_count > 0)
		expect("remove all", OK, store_remove(&s, s.records[0].id));
	expect("from nothing", ERR_NOT_FOUND, store_remove(&s, r.id));
	expect("in nothing", ERR_NOT_FOUND, store_find_user(&found, &s, "anna"));
}

static void signing(void **state)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	const struct store_sk other = { "a seed of thirty-two random byte" };

	(void)state;
	load(&s);
	expect("another unlock key", ERR_AUTH, store_signing_key(&sk, &s, &next_uk));
	assert_true(sodium_is_zero(sk.seed, sizeof(sk.seed)));
	expect("the unlock key", OK, store_signing_key(&sk, &s, &uk));
	s.head.generation++;
	expect("not signed", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("another store's key", ERR_AUTH, store_sign(&s, &other));
	expect("sign", OK, store_sign(&s, &sk));
	expect("signed", OK, store_verify(&s, &vk));
	s.records[0].kdf_lanes = 9;
	expect("what can't be read again", ERR_RANGE, store_sign(&s, &sk));
	s.records[0].kdf_lanes = 1;
	s.head.store_vk[0] ^= 1;
	expect("a wrap for another key", ERR_AUTH, store_signing_key(&sk, &s, &uk));
}

static enum err opened_by(const struct store *s, size_t record, const char *text,
			  struct credential *ret)
{
	SECRET struct secret password = { 0 };

	expect("secret", OK, secret_copy(&password, text, strlen(text)));
	return credential_open(ret, &s->records[record], &password);
}

static int holds(const uint8_t *bytes, size_t len, const void *secret)
{
	for (size_t i = 0; i + 8 <= KEY_BYTES; i++)
		if (memmem(bytes, len, (const uint8_t *)secret + i, 8))
			return 1;
	return 0;
}

/* How many places of the bytes are a box that the credential's key opens? */
static size_t boxes(const uint8_t *bytes, size_t len, const struct record *r,
		    const uint8_t cred_sk[static KEY_BYTES])
{
	uint8_t inside[UNLOCK_KEY_BYTES];
	size_t count = 0;

	for (size_t i = 0; i + SEAL_BYTES <= len; i++)
		count += !crypto_box_seal_open(inside, bytes + i, SEAL_BYTES, r->cred_pk, cred_sk);
	return count;
}

/* Nothing in the bytes leads from what the right password opens to the unlock key. */
static void search(const struct store *s, const struct credential *c, const struct unlock_key *now,
		   size_t want_boxes)
{
	uint8_t *bytes, cred_sk[KEY_BYTES];
	size_t len, total;

	sample_cred_sk(cred_sk, &s->records[0], SAMPLE_PASSWORD);
	expect("encode", OK, store_encode(&bytes, &len, s));
	total = sample_store_total(bytes);
	assert_true(sodium_is_zero(bytes + total, len - total));
	if (holds(bytes, len, now->bytes) || holds(bytes, len, uk.bytes))
		fail_msg("the unlock key lies in the store");
	if (holds(bytes, len, cred_sk) || holds(bytes, len, c->user_key.seed))
		fail_msg("a credential's key lies in the store");
	assert_int_equal(boxes(bytes, total, &s->records[0], cred_sk), want_boxes);
	free(bytes);
}

/* As many users as seals are to be dropped from. */
static void load_with_users(struct store *ret)
{
	STORE_SK sk = { 0 };

	load(ret);
	sample_add(ret, &uk, vk, CREDENTIAL_PASSWORD, "bert", 0, "battery staple");
	expect("signing key", OK, store_signing_key(&sk, ret, &uk));
	expect("sign", OK, store_sign(ret, &sk));
}

/* Locked from pre-boot, which has no key. */
static void lock(struct store *s)
{
	store_lock(s);
	assert_int_equal(s->head.revision, 1);
}

/* Locked by the server: the agent has given it another unlock key as well. */
static void lock_with_new_key(struct store *s)
{
	STORE_SK sk = { 0 };

	expect("rekey", OK, store_rekey(s, &uk, &next_uk, 1));
	expect("signing key", OK, store_signing_key(&sk, s, &next_uk));
	s->head.generation++;
	expect("sign", OK, store_sign(s, &sk));
	assert_int_equal(s->head.flags, STORE_LOCKED);
}

/* A code gives the unlock key, and with it every user is let in again. */
static void bring_back(struct store *s)
{
	CREDENTIAL code = { 0 }, c = { 0 };
	STORE_SK sk = { 0 };

	expect("the code", OK, opened_by(s, 2, SAMPLE_CODE, &code));
	expect("rekey", OK, store_rekey(s, &code.unlock_key, &uk, 0));
	expect("signing key", OK, store_signing_key(&sk, s, &uk));
	s->head.generation++;
	expect("sign", OK, store_sign(s, &sk));
	expect("verify", OK, store_verify(s, &code.store_vk));
	assert_false(store_is_locked(s));
	assert_int_equal(s->head.flags, 0);
	expect("anna", OK, opened_by(s, 0, SAMPLE_PASSWORD, &c));
	assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
	expect("bert", OK, opened_by(s, 4, "battery staple", &c));
	assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
}

static void locked(void **state)
{
	static const struct {
		const char *why;
		void (*lock)(struct store *s);
		const struct unlock_key *now;
	} rows[] = {
		{ "locked from pre-boot", lock, &uk },
		{ "locked by the server", lock_with_new_key, &next_uk },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		STORE s = { 0 };
		CREDENTIAL c = { 0 }, shut = { 0 };

		load_with_users(&s);
		assert_false(store_is_locked(&s));
		expect("before", OK, opened_by(&s, 0, SAMPLE_PASSWORD, &c));
		search(&s, &c, &uk, 1);
		rows[i].lock(&s);
		assert_true(store_is_locked(&s));
		assert_int_equal(store_user_count(&s), 2);
		expect(rows[i].why, OK, store_verify(&s, &vk));
		expect(rows[i].why, ERR_LOCKED, opened_by(&s, 4, "battery staple", &shut));
		expect(rows[i].why, ERR_LOCKED, opened_by(&s, 0, SAMPLE_PASSWORD, &shut));
		assert_true(sodium_is_zero(shut.unlock_key.bytes, 32));
		assert_memory_equal(&shut.user_key, &c.user_key, sizeof(c.user_key));
		search(&s, &shut, rows[i].now, 0);
		expect(rows[i].why, OK, opened_by(&s, 3, "recovery", &shut));
		assert_memory_equal(shut.unlock_key.bytes, rows[i].now->bytes, 32);
		bring_back(&s);
	}
}

static void is_locked(void **state)
{
	STORE s = { 0 }, nobody = { 0 };

	(void)state;
	load_with_users(&s);
	store_drop_seal(&s, &s.records[0]);
	assert_false(store_is_locked(&s));
	store_drop_seal(&s, &s.records[4]);
	assert_true(store_is_locked(&s));
	assert_int_equal(s.head.flags, 0);
	expect("new", OK, store_new(&nobody, sample_device, "", &uk));
	assert_int_equal(store_user_count(&nobody), 0);
	assert_false(store_is_locked(&nobody));
	sample_add(&nobody, &uk, vk, CREDENTIAL_ONE_TIME_CODE, "", 1, SAMPLE_CODE);
	store_lock(&nobody);
	assert_int_equal(nobody.records[0].has_seal, 1);
	assert_false(store_is_locked(&nobody));
}

/* Another password, as pre-boot sets it: one record signed, and no copy of before opens with it. */
static void changed_password(void **state)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	CREDENTIAL c = { 0 };
	SECRET struct secret password = { 0 };

	(void)state;
	load(&s);
	expect("secret", OK, secret_copy(&password, "battery staple", 14));
	expect("before", OK, opened_by(&s, 0, SAMPLE_PASSWORD, &c));
	expect("change", OK, credential_change(&s.records[0], &c, &password, 20000));
	expect("not signed", ERR_SIGNATURE, store_verify(&s, &vk));
	expect("signing key", OK, store_signing_key(&sk, &s, &c.unlock_key));
	s.head.generation++;
	expect("sign", OK, store_sign_record(&s, &s.records[0], &sk));
	expect("the old one", ERR_AUTH, opened_by(&s, 0, SAMPLE_PASSWORD, &c));
	expect("the new one", OK, opened_by(&s, 0, "battery staple", &c));
	expect("signed", OK, store_verify(&s, &c.store_vk));
	expect("its record", OK, store_verify_record(&s, &s.records[0], &c.store_vk));
	assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
}

/* Rekey, sign, and look whom it opens for. */
static void rekey(int locked, enum err want_user)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	CREDENTIAL c = { 0 };
	struct uk_id id;

	load(&s);
	expect("another unlock key", ERR_AUTH, store_rekey(&s, &next_uk, &uk, locked));
	expect("unchanged", OK, store_verify(&s, &vk));
	expect("rekey", OK, store_rekey(&s, &uk, &next_uk, locked));
	assert_int_equal(s.head.flags, locked ? STORE_LOCKED : 0);
	unlock_key_id(&id, &next_uk);
	assert_memory_equal(s.head.uk_id, id.bytes, sizeof(id.bytes));
	expect("the old unlock key", ERR_AUTH, store_signing_key(&sk, &s, &uk));
	expect("the new unlock key", OK, store_signing_key(&sk, &s, &next_uk));
	s.head.generation++;
	expect("sign", OK, store_sign(&s, &sk));
	expect("signed", OK, store_verify(&s, &vk));
	expect("a code", OK, opened_by(&s, 2, SAMPLE_CODE, &c));
	assert_memory_equal(c.unlock_key.bytes, next_uk.bytes, 32);
	expect("a user", want_user, opened_by(&s, 0, SAMPLE_PASSWORD, &c));
	if (locked) {
		expect("unlock it again", OK, store_rekey(&s, &next_uk, &uk, 0));
		assert_int_equal(s.head.flags, 0);
		expect("a user after that", OK, opened_by(&s, 0, SAMPLE_PASSWORD, &c));
		assert_memory_equal(c.unlock_key.bytes, uk.bytes, 32);
	}
}

static void rekey_open(void **state)
{
	(void)state;
	rekey(0, OK);
}

static void rekey_locked(void **state)
{
	(void)state;
	rekey(1, ERR_LOCKED);
}

/* A record that can't be sealed to: nothing at all has changed. */
static void rekey_fails_whole(void **state)
{
	STORE s = { 0 };
	struct store_head head;
	struct record first;

	(void)state;
	load(&s);
	memset(s.records[3].cred_pk, 0, sizeof(s.records[3].cred_pk));
	head = s.head;
	first = s.records[0];
	expect("a key of zeros", ERR_RANGE, store_rekey(&s, &uk, &next_uk, 1));
	assert_memory_equal(&head, &s.head, sizeof(head));
	assert_memory_equal(&first, &s.records[0], sizeof(first));
}

/* An unlock key of before opens nothing that was sealed after. */
static void old_copy(void **state)
{
	STORE old = { 0 }, s = { 0 };
	CREDENTIAL c = { 0 };

	(void)state;
	load(&old);
	load(&s);
	expect("rekey", OK, store_rekey(&s, &uk, &next_uk, 0));
	s.head.generation++;
	assert_ptr_equal(store_newer(&old, &s), &s);
	expect("the old copy with its password", OK, opened_by(&old, 0, SAMPLE_PASSWORD, &c));
	assert_memory_not_equal(c.unlock_key.bytes, next_uk.bytes, 32);
}

static void dropping(void **state)
{
	struct store s = { 0 };

	(void)state;
	store_drop(&s);
	load(&s);
	store_drop(&s);
	assert_null(s.records);
	assert_null(s.rules.logo);
	store_drop(&s);
}

static void run_rekey(void *p)
{
	if (store_rekey(p, &uk, &next_uk, 1))
		abort();
}

static void leaves_nothing(void **state)
{
	STORE s = { 0 };
	STORE_SK sk = { 0 };
	struct stack_probe probe;

	(void)state;
	load(&s);
	expect("signing key", OK, store_signing_key(&sk, &s, &uk));
	stack_probe_run(&probe, run_rekey, &s);
	assert_false(stack_probe_holds(&probe, sk.seed));
	assert_false(stack_probe_holds(&probe, uk.bytes));
	assert_false(stack_probe_holds(&probe, next_uk.bytes));
	stack_probe_drop(&probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),	     cmocka_unit_test(empty),
		cmocka_unit_test(laptop_names),	     cmocka_unit_test(largest),
		cmocka_unit_test(many_users),	     cmocka_unit_test(lengths),
		cmocka_unit_test(oversize),	     cmocka_unit_test(damaged),
		cmocka_unit_test(every_byte_is_signed), cmocka_unit_test(other_key),
		cmocka_unit_test(other_device),	     cmocka_unit_test(forged),
		cmocka_unit_test(signed_carelessly),
		cmocka_unit_test(sign_record),	     cmocka_unit_test(seals),
		cmocka_unit_test(newer),	     cmocka_unit_test(finding),
		cmocka_unit_test(next_code),	     cmocka_unit_test(adding),
		cmocka_unit_test(signing),	     cmocka_unit_test(locked),
		cmocka_unit_test(is_locked),	     cmocka_unit_test(changed_password),
		cmocka_unit_test(rekey_open),	     cmocka_unit_test(rekey_locked),
		cmocka_unit_test(rekey_fails_whole), cmocka_unit_test(old_copy),
		cmocka_unit_test(dropping),	     cmocka_unit_test(leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
