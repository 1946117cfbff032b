/* Store: bytes, signatures, roll-back, the list of records, and the change of the unlock key. */
#include "core_test.h"

#include "common/store.h"
#include "core_sample.h"
#include "stack_probe.h"

#define HEAD 256
#define RECORD 625
#define RECORD_1 (HEAD + RECORD) /* the first code */
#define MANIFEST (HEAD + 4 * RECORD)

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

static void largest(void **state)
{
	STORE s = { 0 }, again = { 0 };
	struct record r;
	uint8_t *bytes;
	size_t len;

	(void)state;
	load(&s);
	r = s.records[1];
	while (s.head.record_count < STORE_RECORDS_MAX) {
		r.number++;
		memcpy(r.id, &r.number, sizeof(r.number));
		expect("one more", OK, store_add(&s, &r));
	}
	r.number++;
	r.id[15] ^= 1;
	expect("one too many", ERR_SPACE, store_add(&s, &r));
	expect("encode", OK, store_encode(&bytes, &len, &s));
	assert_true(len <= STORE_BYTES_MAX);
	expect("decode", OK, store_decode(&again, bytes, len));
	free(bytes);
	s.head.record_count++; /* encoder and verifier look at the bound before the records */
	expect("one too many", ERR_RANGE, store_encode(&bytes, &len, &s));
	expect("one too many", ERR_SIGNATURE, store_verify(&s, &vk));
	s.head.record_count--;
}

/* No length but the whole store, to which zeros may be added. */
static void lengths(void **state)
{
	const size_t total = MANIFEST + 16 + 2 * 112 + 300 + 64 + 64 + 32;
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
	{ "more records than there are", 28, "\5", 1, ERR_FORMAT },
	{ "fewer records than there are", 28, "\3", 1, ERR_FORMAT },
	{ "too many records", 28, "\x41\1", 2, ERR_RANGE },
	{ "as many records as overflow", 28, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "a manifest too large", 32, "\xff\xff", 2, ERR_RANGE },
	{ "a manifest of another length", 32, "\0\0", 2, ERR_FORMAT },
	{ "reserved bytes in use", 38, "\1", 1, ERR_FORMAT },
	{ "a name with an escape", 200, "\x1b", 1, ERR_FORMAT },
	{ "a name without an end", 213, "0123456789012345678901234567890123456789012", 43, ERR_FORMAT },
	{ "an unknown kind of record", HEAD + 16, "\4", 1, ERR_FORMAT },
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
	{ "two lanes", HEAD + 92, "\2", 1, ERR_RANGE },
	{ "reserved bytes of a record in use", HEAD + 95, "\1", 1, ERR_FORMAT },
	{ "a seal that is there twice", HEAD + 544, "\2", 1, ERR_FORMAT },
	{ "a dropped seal that is not zero", HEAD + 544, "\0", 1, ERR_FORMAT },
	{ "another manifest magic", MANIFEST, "X", 1, ERR_FORMAT },
	{ "a manifest of version 2", MANIFEST + 8, "\2", 1, ERR_VERSION },
	{ "a target outside the folder", MANIFEST + 16, "..", 2, ERR_RANGE },
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
		free(bytes);
	}
}

/* A forger who repairs the checksum still changes nothing but what pre-boot may change. */
static void every_byte_is_signed(void **state)
{
	const size_t end = MANIFEST + 16 + 2 * 112 + 300 + 64 + 64;
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
	memcpy(s.records[0].signature, old.signature, sizeof(old.signature));
	expect("a record of the first", ERR_SIGNATURE, store_verify(&s, &vk));
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
	r.kdf_lanes = 2;
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
		cmocka_unit_test(round_trip),	 cmocka_unit_test(empty),
		cmocka_unit_test(laptop_names),	 cmocka_unit_test(largest),
		cmocka_unit_test(lengths),	 cmocka_unit_test(oversize),
		cmocka_unit_test(damaged),	 cmocka_unit_test(every_byte_is_signed),
		cmocka_unit_test(other_key),	 cmocka_unit_test(other_device),
		cmocka_unit_test(seals),	 cmocka_unit_test(newer),
		cmocka_unit_test(finding),	 cmocka_unit_test(next_code),
		cmocka_unit_test(adding),	 cmocka_unit_test(signing),
		cmocka_unit_test(rekey_open),	 cmocka_unit_test(rekey_locked),
		cmocka_unit_test(rekey_fails_whole), cmocka_unit_test(old_copy),
		cmocka_unit_test(dropping),	 cmocka_unit_test(leaves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
