/* Store: what ties it to the TPM and what users help themselves with. Sections, signature, and what goes with
 * which record. */
#include "core_test.h"

#include "common/store_format.h"
#include "core_sample.h"

#define HEAD 264
#define RECORD 625
#define BINDING 512
#define QUESTION 1084

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const struct unlock_key next_uk = { "another unlock key: 32 more byte" };

/* anna with a password and self-help, bert with TPM and PIN; three bindings, one user's questions. */
static uint8_t *sample;
static size_t sample_len, bindings_at, questions_at, signature_at;
static struct store_vk vk;

enum { ANNA = 0, BERT = 4, HELP = 5 };

static void sign(struct store *s, const struct unlock_key *with)
{
	STORE_SK sk = { 0 };

	sample_must(store_signing_key(&sk, s, with));
	sample_must(store_sign(s, &sk));
}

static int setup(void **state)
{
	STORE s = { 0 };

	(void)state;
	if (sodium_init() < 0)
		return 1;
	sample_store(&s, &uk);
	sample_bound(&s, &uk, "bert", "1234");
	sample_self_help(&s, &uk, "anna");
	sign(&s, &uk);
	memcpy(vk.bytes, s.head.store_vk, sizeof(vk.bytes));
	if (store_encode(&sample, &sample_len, &s))
		return 1;
	signature_at = sample_store_total(sample) - 64 - 32;
	questions_at = signature_at - QUESTION;
	bindings_at = questions_at - 184 - (size_t)3 * BINDING;
	return 0;
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
	expect("verify", OK, store_verify(&s, &vk));
	assert_int_equal(s.bindings.head.count, 3);
	assert_int_equal(s.bindings.head.parent, 0x81000001);
	assert_int_equal(s.head.bindings_bytes, 184 + 3 * BINDING);
	assert_int_equal(s.head.questions_count, 1);
	assert_memory_equal(s.questions[0].credential, s.records[HELP].id, 16);
	expect("encode again", OK, store_encode(&again, &len, &s));
	assert_int_equal(len, sample_len);
	assert_memory_equal(again, sample, len);
	free(again);
}

/* Where each section lies, by docs/formats.md. */
static void places(void **state)
{
	(void)state;
	assert_memory_equal(sample + bindings_at, "HFBIND01", 8);
	assert_memory_equal(sample + questions_at, sample + HEAD + HELP * RECORD, 16);
	assert_int_equal(sample[256] | sample[257] << 8, 184 + 3 * BINDING);
	assert_int_equal(sample[260], 1);
}

static void every_byte_is_signed(void **state)
{
	uint8_t *bytes = copy();

	(void)state;
	for (size_t i = 256; i < signature_at; i = i == HEAD - 1 ? bindings_at : i + 1) {
		STORE s = { 0 };

		bytes[i] ^= 0x04;
		sample_repair_store(bytes, sample_len);
		if (!store_decode(&s, bytes, sample_len) && store_verify(&s, &vk) != ERR_SIGNATURE)
			fail_msg("byte %zu can be changed", i);
		bytes[i] ^= 0x04;
	}
	free(bytes);
}

static void lengths(void **state)
{
	STORE s = { 0 };

	(void)state;
	for (size_t len = bindings_at - 1; len < signature_at + 96; len++)
		expect("too short", ERR_FORMAT, store_decode(&s, sample, len));
	expect("the bare store", OK, store_decode(&s, sample, signature_at + 96));
}

/* at: from the head, the bindings or the questions. */
static void damaged(void **state)
{
	static const struct {
		const char *why;
		size_t *from, at;
		const char *bytes;
		size_t len;
		enum err want;
	} rows[] = {
		{ "bindings too large", NULL, 256, "\xff\xff\xff\xff", 4, ERR_RANGE },
		{ "bindings of one entry less", NULL, 256, "\xb8\4", 2, ERR_FORMAT },
		{ "no bindings", NULL, 256, "\0\0", 2, ERR_FORMAT },
		{ "too many questions", NULL, 260, "\x21", 1, ERR_RANGE },
		{ "questions that are not there", NULL, 260, "\2", 1, ERR_FORMAT },
		{ "a reserved byte of the head in use", NULL, 262, "\1", 1, ERR_FORMAT },
		{ "another magic", &bindings_at, 0, "X", 1, ERR_FORMAT },
		{ "bindings of version 0", &bindings_at, 8, "\0", 1, ERR_FORMAT },
		{ "bindings of version 2", &bindings_at, 8, "\2", 1, ERR_VERSION },
		{ "one binding more than there are", &bindings_at, 10, "\4", 1, ERR_FORMAT },
		{ "one binding less than there are", &bindings_at, 10, "\2", 1, ERR_FORMAT },
		{ "too many bindings", &bindings_at, 10, "\x41", 1, ERR_RANGE },
		{ "a transient parent", &bindings_at, 15, "\x80", 1, ERR_RANGE },
		{ "an unknown kind of binding", &bindings_at, 184 + 16, "\3", 1, ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t *bytes = copy();
		STORE s = { 0 };

		memcpy(bytes + (rows[i].from ? *rows[i].from : 0) + rows[i].at, rows[i].bytes, rows[i].len);
		sample_repair_store(bytes, sample_len);
		expect(rows[i].why, rows[i].want, store_decode(&s, bytes, sample_len));
		assert_null(s.bindings.entries);
		assert_null(s.questions);
		free(bytes);
	}
}

static void full(struct store *s)
{
	struct record r = s->records[1];
	struct binding b = s->bindings.entries[0];
	struct questions q = s->questions[0];

	for (uint32_t i = 0; s->head.record_count < STORE_RECORDS_MAX; i++) {
		r.number = (uint16_t)(100 + i);
		memcpy(r.id, &i, sizeof(i));
		expect("a record more", OK, store_add(s, &r));
	}
	for (uint32_t i = 1; s->bindings.head.count < BINDINGS_MAX; i++) {
		memcpy(b.credential, &i, sizeof(i));
		expect("a binding more", OK, bindings_put(&s->bindings, &b));
	}
	for (uint32_t i = 1; s->head.questions_count < QUESTIONS_USERS_MAX; i++) {
		memcpy(q.credential, &i, sizeof(i));
		expect("a user's questions more", OK, store_questions_put(s, &q));
	}
	b.credential[15] ^= 1;
	expect("a binding too many", ERR_SPACE, bindings_put(&s->bindings, &b));
	q.credential[15] ^= 1;
	expect("a user's questions too many", ERR_SPACE, store_questions_put(s, &q));
}

/* Everything at its bound at once: the largest store that there can be is no larger than a reader takes. */
static void largest(void **state)
{
	STORE s = { 0 }, again = { 0 };
	uint8_t *bytes;
	size_t len;

	(void)state;
	load(&s);
	full(&s);
	rules_drop(&s.rules);
	sample_rules(&s.rules, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, LOGO_COLOURS_MAX);
	memset(s.rules.banner, 'b', RULES_BANNER_MAX);
	for (size_t i = 1; i < MANIFEST_TARGETS_MAX; i++)
		s.manifest.targets[i] = s.manifest.targets[0];
	for (size_t i = 1; i < MANIFEST_VOLUMES_MAX; i++)
		s.manifest.volumes[i] = s.manifest.volumes[0];
	s.manifest.target_count = MANIFEST_TARGETS_MAX;
	s.manifest.volume_count = MANIFEST_VOLUMES_MAX;
	sign(&s, &uk);
	expect("encode", OK, store_encode(&bytes, &len, &s));
	assert_true(len <= STORE_BYTES_MAX);
	assert_int_equal(sample_store_total(bytes),
			 HEAD + STORE_RECORDS_MAX * RECORD + MANIFEST_BYTES_MAX + RULES_BYTES_MAX +
				 BINDINGS_BYTES_MAX + QUESTIONS_USERS_MAX * QUESTION + 64 + 32);
	expect("decode", OK, store_decode(&again, bytes, len));
	expect("verify", OK, store_verify(&again, &vk));
	free(bytes);
	s.head.questions_count++;
	expect("one too many, before they are looked at", ERR_RANGE, store_encode(&bytes, &len, &s));
	s.head.questions_count--;
	s.questions[1] = s.questions[0];
	expect("a credential's questions twice", ERR_RANGE, store_encode(&bytes, &len, &s));
	s.questions[1].credential[15] ^= 1;
	s.head.reserved = 1;
	expect("a reserved field in use", ERR_RANGE, store_encode(&bytes, &len, &s));
	s.head.reserved = 0;
	s.bindings.entries[0].kind = 0;
	expect("a binding that could not be read again", ERR_RANGE, store_encode(&bytes, &len, &s));
}

/* Which of the two would be found was left to the order. */
static void questions_twice(void **state)
{
	STORE s = { 0 }, again = { 0 };
	uint8_t *bytes;
	size_t len;

	(void)state;
	load(&s);
	s.questions[0].credential[0] ^= 1;
	{
		struct questions q = s.questions[0];

		q.credential[0] ^= 1;
		expect("another user's", OK, store_questions_put(&s, &q));
	}
	expect("encode", OK, store_encode(&bytes, &len, &s));
	memcpy(bytes + questions_at + QUESTION, bytes + questions_at, 16);
	sample_repair_store(bytes, len);
	expect("the same twice", ERR_FORMAT, store_decode(&again, bytes, len));
	free(bytes);
}

static struct record renamed(const struct record *r, const char *user)
{
	struct record other = *r;

	memset(other.user, 0, sizeof(other.user));
	memcpy(other.user, user, strlen(user));
	other.id[0] ^= 1;
	return other;
}

static void finding(void **state)
{
	STORE s = { 0 };
	struct record *r = NULL;

	(void)state;
	load(&s);
	expect("by PIN", OK, store_find_user(&r, &s, "bert"));
	assert_ptr_equal(r, &s.records[BERT]);
	expect("by password, although there is self-help", OK, store_find_user(&r, &s, "anna"));
	assert_ptr_equal(r, &s.records[ANNA]);
	expect("self-help", OK, store_find_self_help(&r, &s, "anna"));
	assert_ptr_equal(r, &s.records[HELP]);
	expect("no self-help", ERR_NOT_FOUND, store_find_self_help(&r, &s, "bert"));
	expect("nobody", ERR_NOT_FOUND, store_find_self_help(&r, &s, ""));
	s.records[BERT].kind = CREDENTIAL_TPM_PASSWORD;
	expect("by TPM and password", OK, store_find_user(&r, &s, "bert"));
	assert_int_equal(store_user_count(&s), 2);
}

static void adding(void **state)
{
	static const struct {
		const char *why, *user;
		enum credential_kind kind;
		enum err want;
	} rows[] = {
		{ "a PIN beside a password", "anna", CREDENTIAL_TPM_PIN, ERR_EXISTS },
		{ "TPM and password beside a password", "anna", CREDENTIAL_TPM_PASSWORD, ERR_EXISTS },
		{ "a password beside a PIN", "bert", CREDENTIAL_PASSWORD, ERR_EXISTS },
		{ "a second PIN", "bert", CREDENTIAL_TPM_PIN, ERR_EXISTS },
		{ "a second self-help", "anna", CREDENTIAL_SELF_HELP, ERR_EXISTS },
		{ "a first self-help", "bert", CREDENTIAL_SELF_HELP, OK },
		{ "somebody else's PIN", "carl", CREDENTIAL_TPM_PIN, OK },
		{ "self-help of nobody", "", CREDENTIAL_SELF_HELP, ERR_RANGE },
		{ "a PIN of nobody", "", CREDENTIAL_TPM_PIN, ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		STORE s = { 0 };
		struct record r;

		load(&s);
		r = renamed(&s.records[BERT], rows[i].user);
		r.kind = (uint8_t)rows[i].kind;
		expect(rows[i].why, rows[i].want, store_add(&s, &r));
	}
}

static void removing(void **state)
{
	STORE s = { 0 };
	struct binding *b;
	struct questions *q;
	uint8_t help[16];

	(void)state;
	load(&s);
	memcpy(help, s.records[HELP].id, sizeof(help));
	expect("bert goes", OK, store_remove(&s, s.records[BERT].id));
	assert_int_equal(s.bindings.head.count, 2);
	expect("anna's questions stay", OK, store_questions_find(&q, &s, help));
	expect("anna's binding stays", OK, bindings_find(&b, &s.bindings, help, BINDING_SHARES));
	expect("anna's self-help goes", OK, store_remove(&s, help));
	assert_int_equal(s.bindings.head.count, 0);
	assert_int_equal(s.head.questions_count, 0);
	expect("its questions too", ERR_NOT_FOUND, store_questions_find(&q, &s, help));
	expect("its bindings too", ERR_NOT_FOUND, bindings_find(&b, &s.bindings, help, BINDING_SECRET));
	sign(&s, &uk);
	expect("verify", OK, store_verify(&s, &vk));
}

static void questions_put(void **state)
{
	STORE s = { 0 };
	struct questions q, *found;

	(void)state;
	load(&s);
	q = s.questions[0];
	q.box[0] ^= 1;
	expect("in the place of the others", OK, store_questions_put(&s, &q));
	assert_int_equal(s.head.questions_count, 1);
	expect("find", OK, store_questions_find(&found, &s, q.credential));
	assert_memory_equal(found, &q, sizeof(q));
}

/* Whoever got in by TPM or by questions is a user as well. */
static void locking(void **state)
{
	STORE s = { 0 }, before = { 0 };

	(void)state;
	load(&s);
	load(&before);
	assert_false(store_is_locked(&s));
	store_lock(&s);
	assert_true(store_is_locked(&s));
	for (uint32_t i = 0; i < s.head.record_count; i++)
		assert_int_equal(s.records[i].has_seal, s.records[i].kind == CREDENTIAL_ONE_TIME_CODE ||
								s.records[i].kind == CREDENTIAL_RECOVERY_KEY);
	expect("locked without a key", OK, store_verify(&s, &vk));
	s.records[HELP] = before.records[HELP];
	assert_false(store_is_locked(&s));
	s.records[HELP].has_seal = 0;
	memset(s.records[HELP].seal, 0, sizeof(s.records[HELP].seal));
	s.records[BERT] = before.records[BERT];
	assert_false(store_is_locked(&s));
}

static void copies_open(const struct store *s, const struct unlock_key *with, enum err want)
{
	for (size_t i = 0; i < s->bindings.head.count; i++) {
		SEALED sealed = { 0 };

		expect("a binding's copy", want, binding_open(&sealed, &s->bindings.entries[i], with));
		assert_int_equal(sealed.secret[0], want ? 0 : 0x33);
	}
}

static void rekey(void **state)
{
	(void)state;
	for (int locked = 0; locked < 2; locked++) {
		STORE s = { 0 };

		load(&s);
		copies_open(&s, &uk, OK);
		expect("rekey", OK, store_rekey(&s, &uk, &next_uk, locked));
		copies_open(&s, &uk, ERR_AUTH);
		copies_open(&s, &next_uk, OK);
		assert_int_equal(s.records[BERT].has_seal, !locked);
		assert_int_equal(s.records[HELP].has_seal, !locked);
		assert_int_equal(s.records[1].has_seal, 1);
		assert_int_equal(store_is_locked(&s), locked);
		sign(&s, &next_uk);
		expect("verify", OK, store_verify(&s, &vk));
	}
}

/* A copy that does not open: nothing of the store has changed then. */
static void rekey_fails(void **state)
{
	STORE s = { 0 };
	uint8_t *before, *after;
	size_t len, after_len;

	(void)state;
	load(&s);
	s.bindings.entries[2].copy[0] ^= 1;
	sign(&s, &uk);
	expect("encode", OK, store_encode(&before, &len, &s));
	expect("a damaged copy", ERR_AUTH, store_rekey(&s, &uk, &next_uk, 0));
	expect("another key", ERR_AUTH, store_rekey(&s, &next_uk, &uk, 0));
	expect("encode", OK, store_encode(&after, &after_len, &s));
	assert_int_equal(len, after_len);
	assert_memory_equal(before, after, len);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(places),
		cmocka_unit_test(every_byte_is_signed),
		cmocka_unit_test(lengths),
		cmocka_unit_test(damaged),
		cmocka_unit_test(largest),
		cmocka_unit_test(questions_twice),
		cmocka_unit_test(finding),
		cmocka_unit_test(adding),
		cmocka_unit_test(removing),
		cmocka_unit_test(questions_put),
		cmocka_unit_test(locking),
		cmocka_unit_test(rekey),
		cmocka_unit_test(rekey_fails),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
