/* The TPM's client, over a model of a TPM: what comes of every refusal, of every byte changed on the bus,
 * of every command that gets lost; what stands on the bus; and that nothing is left loaded. */
#include "core_test.h"

#include <stdlib.h>

#include "common/tpm.h"
#include "common/tpm_wire.h"
#include "tests/fake/model_tpm.h"

#define BUS_MAX 65536

struct bench {
	struct model_tpm *m;
	struct tpm model, t; /* t: with the bus between */
	struct tpm_parent parent;
	struct tpm_object object, open_object; /* with an authorization value, without */
	uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES], wrong[TPM_AUTH_BYTES];

	/* The bus: what went over it, and what is done to answer number `at` (from 0). */
	uint8_t bus[BUS_MAX];
	size_t bus_len;
	unsigned answers, damaged;
	int lose, flip; /* which answer; -1: none */
	size_t flip_byte, answer_len;
	uint8_t flip_bits;
};

static void bus_add(struct bench *b, const uint8_t *bytes, size_t len)
{
	if (len > sizeof(b->bus) - b->bus_len)
		b->bus_len = 0;
	memcpy(b->bus + b->bus_len, bytes, len);
	b->bus_len += len;
}

static enum err submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	struct bench *b = context;
	enum err e = b->model.submit(b->model.context, ret, ret_len, command, len);
	int n = (int)b->answers++;

	bus_add(b, command, len);
	if (e)
		return e;
	bus_add(b, ret, *ret_len);
	if (n == b->lose)
		return ERR_IO;
	if (n == b->flip) {
		b->answer_len = *ret_len;
		if (b->flip_byte < *ret_len)
			ret[b->flip_byte] ^= b->flip_bits;
	}
	return OK;
}

static void wait_ms(void *context, unsigned ms)
{
	struct bench *b = context;

	b->model.wait_ms(b->model.context, ms);
}

static int begin(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b || sodium_init() < 0)
		return 1;
	b->m = model_tpm_new(1);
	b->model = model_tpm_transport(b->m);
	b->t = (struct tpm){ submit, wait_ms, b };
	b->lose = b->flip = -1;
	memset(b->m->pcrs[TPM_PCR_SECURE_BOOT], 7, TPM_PCR_BYTES);
	randombytes_buf(b->secret, sizeof(b->secret));
	randombytes_buf(b->auth, sizeof(b->auth));
	model_tpm_parent(&b->parent, b->m);
	model_tpm_seal(&b->object, b->m, b->secret, b->auth);
	model_tpm_seal(&b->open_object, b->m, b->secret, NULL);
	*state = b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;

	model_tpm_free(b->m);
	free(b);
	return 0;
}

static void unseal(const char *why, struct bench *b, const struct tpm_object *o, const uint8_t *auth, enum err want)
{
	uint8_t got[TPM_SECRET_BYTES];

	memset(got, 0xa5, sizeof(got));
	expect(why, want, tpm_unseal(got, &b->t, &b->parent, o, auth));
	if (want && !untouched(got, sizeof(got)))
		fail_msg("%s: something was given out all the same", why);
	if (!want && memcmp(got, b->secret, sizeof(got)) != 0)
		fail_msg("%s: another secret", why);
	if (model_tpm_loaded(b->m))
		fail_msg("%s: something is left loaded", why);
}

static void what_was_sealed_is_unsealed(void **state)
{
	struct bench *b = *state;

	unseal("with an authorization value", b, &b->object, b->auth, OK);
	unseal("without", b, &b->open_object, NULL, OK);
	b->m->persistent = 0;
	unseal("the parent is not persistent", b, &b->object, b->auth, OK);
	b->parent.handle = 0;
	unseal("nor thought to be", b, &b->object, b->auth, OK);
	b->parent.handle = 0x81800000;
	unseal("a handle of the platform's", b, &b->object, b->auth, OK);
	b->auth[30] = b->auth[31] = 0;
	model_tpm_seal(&b->object, b->m, b->secret, b->auth);
	unseal("zeros at the end of the authorization value", b, &b->object, b->auth, OK);
}

static void wrong_auth(struct bench *b)
{
	b->auth[0] ^= 1;
}

static void locked(struct bench *b)
{
	b->m->tries = b->m->tries_max;
}

static void pcr_changed(struct bench *b)
{
	b->m->pcrs[TPM_PCR_SECURE_BOOT][0] ^= 1;
}

static void capped(struct bench *b)
{
	model_tpm_extend(b->m, TPM_PCR_OWN, b->secret);
}

static void cleared(struct bench *b)
{
	model_tpm_clear(b->m);
}

static void another_key_there(struct bench *b)
{
	model_tpm_clear(b->m);
	b->m->persistent = b->parent.handle;
}

static void owner_has_a_password(struct bench *b)
{
	b->m->persistent = 0;
	b->m->has_owner = 1;
}

static void object_of_another(struct bench *b)
{
	struct model_tpm *m = model_tpm_new(2);

	memcpy(m->pcrs, b->m->pcrs, sizeof(m->pcrs));
	model_tpm_seal(&b->object, m, b->secret, b->auth);
	model_tpm_free(m);
}

static void public_area_changed(struct bench *b)
{
	b->object.public_area[5] ^= 0x40; /* userWithAuth */
}

static void private_area_changed(struct bench *b)
{
	b->object.private_area[3] ^= 1;
}

static void public_area_empty(struct bench *b)
{
	b->object.public_len = 0;
}

static void public_area_too_long(struct bench *b)
{
	b->object.public_len = TPM_PUBLIC_MAX + 1;
}

static void private_area_too_long(struct bench *b)
{
	b->object.private_len = TPM_PRIVATE_MAX + 1;
}

static void longest_areas(struct bench *b)
{
	b->object.public_len = TPM_PUBLIC_MAX;
	b->object.private_len = TPM_PRIVATE_MAX;
}

static void no_point(struct bench *b)
{
	b->parent.x[0] ^= 1;
}

static void busy(struct bench *b)
{
	b->m->again = 3;
}

static void busy_for_ever(struct bench *b)
{
	b->m->again = 1000000;
}

static void no_room(struct bench *b)
{
	b->m->refuses = TPM_LOAD;
	b->m->refusal = 0x902;
}

static void hierarchy_disabled(struct bench *b)
{
	b->m->persistent = 0;
	b->m->refuses = TPM_CREATE_PRIMARY;
	b->m->refusal = 0x185;
}

static void pcrs_move_meanwhile(struct bench *b)
{
	b->m->refuses = TPM_UNSEAL;
	b->m->refusal = 0x128;
}

static void failed(struct bench *b)
{
	b->m->refuses = TPM_START_AUTH_SESSION;
	b->m->refusal = 0x101;
}

static const struct {
	const char *why;
	void (*prepare)(struct bench *b);
	enum err want, want_change; /* of tpm_change_auth, which no PCR concerns */
	unsigned tries;             /* counted by the TPM, by each of both */
} rows[] = {
	{ "wrong authorization value", wrong_auth, ERR_AUTH, ERR_AUTH, 1 },
	{ "locked out", locked, ERR_LOCKED_OUT, ERR_LOCKED_OUT, 0 },
	{ "PCR 7 has another value", pcr_changed, ERR_CHANGED, OK, 0 },
	{ "our PCR has been extended", capped, ERR_CHANGED, OK, 0 },
	{ "the TPM was cleared", cleared, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "another key under the parent's handle", another_key_there, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "no persistent parent, and the owner has a password", owner_has_a_password, ERR_MISDIRECTED,
	  ERR_MISDIRECTED, 0 },
	{ "no persistent parent, and the hierarchy is disabled", hierarchy_disabled, ERR_MISDIRECTED,
	  ERR_MISDIRECTED, 0 },
	{ "an object of another TPM's", object_of_another, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "public area changed", public_area_changed, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "private area changed", private_area_changed, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "public area empty", public_area_empty, ERR_RANGE, ERR_RANGE, 0 },
	{ "public area too long", public_area_too_long, ERR_RANGE, ERR_RANGE, 0 },
	{ "private area too long", private_area_too_long, ERR_RANGE, ERR_RANGE, 0 },
	{ "areas as long as they may be", longest_areas, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "the parent's point is none", no_point, ERR_MISDIRECTED, ERR_MISDIRECTED, 0 },
	{ "busy for a while", busy, OK, OK, 0 },
	{ "busy for ever", busy_for_ever, ERR_BUSY, ERR_BUSY, 0 },
	{ "no room for objects", no_room, ERR_BUSY, ERR_BUSY, 0 },
	{ "PCRs extended between policy and use", pcrs_move_meanwhile, ERR_CHANGED, OK, 0 },
	{ "a TPM that has failed", failed, ERR_IO, ERR_IO, 0 },
};

static void refusals_have_a_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		void *fresh;
		struct bench *b;

		assert_int_equal(begin(&fresh), 0);
		b = fresh;
		rows[i].prepare(b);
		unseal(rows[i].why, b, &b->object, b->auth, rows[i].want);
		if (b->m->tries != rows[i].tries + (rows[i].prepare == locked ? b->m->tries_max : 0))
			fail_msg("%s: %u tries counted", rows[i].why, b->m->tries);
		if (b->m->waits_ms > 10000 || (rows[i].want == ERR_BUSY && b->m->again && b->m->waits_ms < 2000))
			fail_msg("%s: waited %u ms", rows[i].why, b->m->waits_ms);
		end(&fresh);
	}
}

/* As firmware leaves them. The model has three slots of each kind. */
static void fill(struct bench *b, unsigned objects, unsigned sessions)
{
	for (unsigned i = 0; i < objects; i++)
		b->m->objects[i].is_used = b->m->objects[i].is_parent = 1;
	for (uint32_t i = 0; i < sessions; i++) {
		b->m->sessions[i].is_used = 1;
		b->m->sessions[i].s.handle = 0x02000000 | i;
	}
}

static void slots_that_somebody_has_left_full_are_emptied(void **state)
{
	static const struct {
		const char *why;
		unsigned objects, sessions, left;
		uint32_t persistent;
	} cases[] = {
		{ "all objects", 3, 0, 0, 0x81000001 },
		{ "all sessions", 0, 3, 0, 0x81000001 },
		{ "everything", 3, 3, 0, 0x81000001 },
		{ "room for the parent, but not for the object", 2, 0, 0, 0 },
		{ "as much as is not needed", 2, 2, 4, 0x81000001 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t got[TPM_SECRET_BYTES], new_auth[TPM_AUTH_BYTES] = { 7 };
		void *fresh;
		struct bench *b;

		assert_int_equal(begin(&fresh), 0);
		b = fresh;
		b->m->persistent = cases[i].persistent;
		model_tpm_parent(&b->parent, b->m);
		fill(b, cases[i].objects, cases[i].sessions);
		expect(cases[i].why, OK, tpm_unseal(got, &b->t, &b->parent, &b->object, b->auth));
		assert_memory_equal(got, b->secret, sizeof(got));
		assert_int_equal(model_tpm_loaded(b->m), cases[i].left);
		fill(b, cases[i].objects, cases[i].sessions);
		expect(cases[i].why, OK, tpm_change_auth(&b->object, &b->t, &b->parent, b->auth, new_auth));
		assert_int_equal(model_tpm_loaded(b->m), cases[i].left);
		assert_int_equal(b->m->tries, 0);
		end(&fresh);
	}
}

static void a_pcr_is_extended_by_command(void **state)
{
	struct bench *b = *state;
	uint8_t digest[TPM_PCR_BYTES] = { 5 }, want[2 * TPM_PCR_BYTES] = { 0 }, got[TPM_PCR_BYTES];

	memcpy(want + TPM_PCR_BYTES, digest, sizeof(digest));
	crypto_hash_sha256(want, want, sizeof(want));
	memset(b->m->pcrs[TPM_PCR_OWN], 0, TPM_PCR_BYTES);
	expect("extend", OK, tpm_pcr_extend(&b->t, TPM_PCR_OWN, digest));
	expect("read", OK, tpm_pcr_read(got, &b->t, TPM_PCR_OWN));
	assert_memory_equal(got, want, sizeof(got));
	expect("no such PCR", ERR_RANGE, tpm_pcr_extend(&b->t, 24, digest));
	b->m->refuses = TPM_PCR_EXTEND;
	b->m->refusal = 0x907; /* not at this locality */
	expect("refused", ERR_IO, tpm_pcr_extend(&b->t, TPM_PCR_OWN, digest));
}

static void an_authorization_value_is_changed(void **state)
{
	struct bench *b = *state;
	uint8_t new_auth[TPM_AUTH_BYTES];
	struct tpm_object before = b->object;

	randombytes_buf(new_auth, sizeof(new_auth));
	expect("change", OK, tpm_change_auth(&b->object, &b->t, &b->parent, b->auth, new_auth));
	assert_int_equal(model_tpm_loaded(b->m), 0);
	unseal("with the new one", b, &b->object, new_auth, OK);
	unseal("with the old one", b, &b->object, b->auth, ERR_AUTH);
	unseal("the object from before", b, &before, b->auth, OK);
	assert_memory_equal(before.public_area, b->object.public_area, sizeof(before.public_area));
}

static void a_change_that_fails_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t new_auth[TPM_AUTH_BYTES] = { 1 };
		struct tpm_object before;
		void *fresh;
		struct bench *b;

		assert_int_equal(begin(&fresh), 0);
		b = fresh;
		rows[i].prepare(b);
		before = b->object;
		expect(rows[i].why, rows[i].want_change,
		       tpm_change_auth(&b->object, &b->t, &b->parent, b->auth, new_auth));
		if (rows[i].want_change && memcmp(&before, &b->object, sizeof(before)) != 0)
			fail_msg("%s: the object is another", rows[i].why);
		if (model_tpm_loaded(b->m))
			fail_msg("%s: something is left loaded", rows[i].why);
		end(&fresh);
	}
}

static void an_object_needs_all_of_its_policy(void **state)
{
	struct bench *b = *state;

	unseal("without the authorization value", b, &b->object, NULL, ERR_CHANGED);
	unseal("with one that it has not", b, &b->open_object, b->auth, ERR_CHANGED);
	assert_int_equal(b->m->tries, 0);
}

static void tries_lead_to_the_lockout(void **state)
{
	struct bench *b = *state;
	struct tpm_lockout l;

	for (unsigned i = 0; i < b->m->tries_max; i++) {
		unseal("wrong", b, &b->object, b->wrong, ERR_AUTH);
		expect("lockout", OK, tpm_lockout_read(&l, &b->t));
		assert_int_equal(l.tries, i + 1);
		assert_int_equal(l.locked, i + 1 == b->m->tries_max);
	}
	assert_int_equal(l.tries_max, b->m->tries_max);
	assert_int_equal(l.recovery_s, b->m->recovery_s);
	unseal("the right one comes too late", b, &b->object, b->auth, ERR_LOCKED_OUT);
	unseal("what needs none is not concerned", b, &b->open_object, NULL, OK);
}

/* Whole or in parts: any 8 bytes of it. */
static int on_the_bus(const struct bench *b, const uint8_t *bytes, size_t len)
{
	for (size_t from = 0; from + 8 <= len; from++)
		for (size_t at = 0; at + 8 <= b->bus_len; at++)
			if (!memcmp(b->bus + at, bytes + from, 8))
				return 1;
	return 0;
}

static void the_bus_carries_no_secret(void **state)
{
	struct bench *b = *state;
	uint8_t new_auth[TPM_AUTH_BYTES], name[TPM_NAME_BYTES];

	randombytes_buf(new_auth, sizeof(new_auth));
	unseal("with an authorization value", b, &b->object, b->auth, OK);
	unseal("without", b, &b->open_object, NULL, OK);
	expect("change", OK, tpm_change_auth(&b->object, &b->t, &b->parent, b->auth, new_auth));
	tpm_parent_name(name, &b->parent);
	assert_true(on_the_bus(b, name, sizeof(name))); /* what does go over it is found */
	assert_false(on_the_bus(b, b->secret, sizeof(b->secret)));
	assert_false(on_the_bus(b, b->auth, sizeof(b->auth)));
	assert_false(on_the_bus(b, new_auth, sizeof(new_auth)));
}

/* Somebody on the bus shows a key of their own, and has the parent's name to show for it. */
static void the_salt_is_for_the_stored_key(void **state)
{
	struct bench *b = *state;
	struct model_tpm *theirs = model_tpm_new(9);
	struct tpm t = model_tpm_transport(theirs);
	uint8_t got[TPM_SECRET_BYTES];
	struct tpm_object object;

	theirs->pcrs[7][0] = 0;
	model_tpm_seal(&object, theirs, b->wrong, b->auth);
	b->parent.handle = 0;
	/* as if the name had matched */
	memcpy(theirs->point.x, b->parent.x, sizeof(theirs->point.x));
	memcpy(theirs->point.y, b->parent.y, sizeof(theirs->point.y));
	expect("another key", ERR_AUTH, tpm_unseal(got, &t, &b->parent, &object, b->auth));
	assert_int_equal(model_tpm_loaded(theirs), 0);
	model_tpm_free(theirs);
}

static void what_went_in_the_clear_is_not_taken(void **state)
{
	struct bench *b = *state;

	b->m->in_the_clear = 1;
	unseal("the TPM does not encrypt", b, &b->object, b->auth, ERR_SIGNATURE);
}

static const uint8_t flips[] = { 0x01, 0x80, 0xff };

/* May leave something loaded, where it is the handle that was changed. */
static enum err try_damaged(struct bench *b, int change, int *ret_is_wrong)
{
	uint8_t got[TPM_SECRET_BYTES], new_auth[TPM_AUTH_BYTES] = { 1 };
	struct tpm_object object = b->object;
	enum err e;

	b->answers = 0;
	b->m->tries = 0;
	memset(b->m->objects, 0, sizeof(b->m->objects));
	memset(b->m->sessions, 0, sizeof(b->m->sessions));
	if (change) {
		e = tpm_change_auth(&object, &b->t, &b->parent, b->auth, new_auth);
		*ret_is_wrong = 0;
	} else {
		memset(got, 0xa5, sizeof(got));
		e = tpm_unseal(got, &b->t, &b->parent, &b->object, b->auth);
		*ret_is_wrong = e ? !untouched(got, sizeof(got)) : memcmp(got, b->secret, sizeof(got)) != 0;
	}
	return e;
}

/* Answers that nothing depends on: the persistent parent's (where it does not match, the key is made
 * anew), and those of the flushes at the end. */
static int matters(struct bench *b, unsigned answer, unsigned flush_from)
{
	return answer >= flush_from || (b->parent.handle && !answer) ? 0 : 1;
}

static void flip_all(struct bench *b, int change, unsigned flush_from)
{
	for (b->flip = 0; b->flip < (int)flush_from + 2; b->flip++) {
		b->answer_len = 1;
		for (b->flip_byte = 0; b->flip_byte < b->answer_len; b->flip_byte++)
			for (size_t i = 0; i < COUNT(flips); i++) {
				int is_wrong;
				enum err e;

				b->flip_bits = flips[i];
				e = try_damaged(b, change, &is_wrong);
				if (is_wrong || (!e && matters(b, (unsigned)b->flip, flush_from)))
					fail_msg("answer %d, byte %zu, bits %02x: %s%s", b->flip, b->flip_byte,
						 flips[i], err_name(e), is_wrong ? ", wrong secret" : "");
			}
	}
	b->flip = -1;
}

static void every_byte_that_is_changed_is_noticed(void **state)
{
	struct bench *b = *state;

	/* ReadPublic, StartAuthSession, Load, PolicyPCR, PolicyAuthValue, Unseal */
	flip_all(b, 0, 6);
	/* ReadPublic, StartAuthSession, Load, ObjectChangeAuth */
	flip_all(b, 1, 4);
}

static void an_answer_that_gets_lost_leaves_nothing(void **state)
{
	struct bench *b = *state;

	for (b->lose = 0; b->lose < 8; b->lose++) {
		int is_wrong, change = b->lose % 2;
		enum err e = try_damaged(b, change, &is_wrong);

		assert_false(is_wrong);
		if (b->lose < (change ? 4 : 6) && e != ERR_IO)
			fail_msg("answer %d lost: %s", b->lose, err_name(e));
		/* What an unseen answer had loaded has no handle that we knew. */
		if (b->lose >= 3 && model_tpm_loaded(b->m) > 1)
			fail_msg("answer %d lost: something is left loaded", b->lose);
	}
}

static void pcrs_are_read(void **state)
{
	struct bench *b = *state;
	uint8_t value[TPM_PCR_BYTES];

	expect("7", OK, tpm_pcr_read(value, &b->t, 7));
	assert_memory_equal(value, b->m->pcrs[7], sizeof(value));
	expect("23", OK, tpm_pcr_read(value, &b->t, 23));
	expect("24", ERR_RANGE, tpm_pcr_read(value, &b->t, 24));
	b->answers = 0;
	b->flip = 0;
	b->flip_byte = 10 + 4 + 4 + 2 + 1; /* another PCR is selected */
	b->flip_bits = 0xff;
	expect("another PCR", ERR_UNSUPPORTED, tpm_pcr_read(value, &b->t, 7));
}

static void the_policy_is_what_tpm2_tools_compute(void **state)
{
	static const uint8_t zeros[TPM_PCR_BYTES];
	uint8_t digest[32];
	char hex[65];

	(void)state;
	/* tpm2_policypcr -l sha256:7,11, then tpm2_policyauthvalue, PCRs zero */
	tpm_policy(digest, zeros, zeros, 1);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest)),
			    "9fa6a45bed87ac1a2a81f2bdbc751b3b3506b117ee0ad552d961f469b4b7971c");
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(what_was_sealed_is_unsealed),
		cmocka_unit_test(refusals_have_a_meaning),
		cmocka_unit_test(slots_that_somebody_has_left_full_are_emptied),
		WITH_BENCH(a_pcr_is_extended_by_command),
		WITH_BENCH(an_authorization_value_is_changed),
		cmocka_unit_test(a_change_that_fails_changes_nothing),
		WITH_BENCH(an_object_needs_all_of_its_policy),
		WITH_BENCH(tries_lead_to_the_lockout),
		WITH_BENCH(the_bus_carries_no_secret),
		WITH_BENCH(the_salt_is_for_the_stored_key),
		WITH_BENCH(what_went_in_the_clear_is_not_taken),
		WITH_BENCH(every_byte_that_is_changed_is_noticed),
		WITH_BENCH(an_answer_that_gets_lost_leaves_nothing),
		WITH_BENCH(pcrs_are_read),
		cmocka_unit_test(the_policy_is_what_tpm2_tools_compute),
	};

	return RUN(tests);
}
