/* What is measured before the kernel starts: the texts to the letter, their digests in PCR 11, the cap, which
 * takes the secrets from whoever comes after, and what comes of a TPM that fails or lies. */
#include "core_test.h"

#include "common/tpm_wire.h"
#include "preboot/entropy.h"
#include "preboot/measure.h"
#include "preboot/tpm.h"
#include "tests/fake/fake.h"
#include "tests/fake/model_tpm.h"
#include "tests/fake/tcg2.h"

#define DIGEST_1 "0101010101010101010101010101010101010101010101010101010101010101"
#define DIGEST_2 "0202020202020202020202020202020202020202020202020202020202020202"
#define DIGEST_3 "0303030303030303030303030303030303030303030303030303030303030303"

struct bench {
	struct fake *f;
	struct fake_tcg2 *tcg2;
	struct model_tpm *m;
	int without_protocol, no_entropy;
	enum credential_kind kind;
	struct manifest_target target;
	struct tpm_object object;
	enum err want, want_unseal;
};

/* Instead of preboot/entropy.c. */
static int no_entropy;

enum err entropy_seed(uint8_t ret[static 32])
{
	if (no_entropy)
		return ERR_UNSUPPORTED;
	memset(ret, 1, 32);
	return OK;
}

static int begin(void **state)
{
	static struct bench b;

	memset(&b, 0, sizeof(b));
	b.f = fake_new(1);
	b.tcg2 = fake_tcg2_new();
	b.m = model_tpm_new(1);
	b.kind = CREDENTIAL_TPM_PIN;
	memcpy(b.target.name, "current", 7);
	memset(b.target.kernel, 1, 32);
	memset(b.target.initrd, 2, 32);
	memset(b.target.cmdline, 3, 32);
	b.tcg2->submit = model_tpm_submit;
	b.tcg2->extend = model_tpm_extend;
	b.tcg2->context = b.m;
	b.want_unseal = ERR_CHANGED;
	model_tpm_seal(&b.object, b.m, b.target.kernel, NULL);
	*state = &b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;

	model_tpm_free(b->m);
	fake_tcg2_free(b->tcg2);
	fake_free(b->f);
	return 0;
}

static void measure(void *argument)
{
	struct bench *b = argument;

	no_entropy = b->no_entropy;
	if (!b->without_protocol)
		fake_tcg2_start(b->tcg2);
	expect("measure", b->want, measure_start(b->kind, &b->target));
}

/* As the system that is started would try it. */
static void run(struct bench *b)
{
	const struct tpm t = model_tpm_transport(b->m);
	struct tpm_parent parent;
	uint8_t secret[TPM_SECRET_BYTES];

	assert_int_equal(fake_call(b->f, measure, b), FAKE_RETURNED);
	model_tpm_parent(&parent, b->m);
	expect("unseal afterwards", b->want_unseal, tpm_unseal(secret, &t, &parent, &b->object, NULL));
}

static void the_texts(void **state)
{
	static const char *const want[] = {
		"holdfast: version ",
		"holdfast: unlocked by tpm-pin",
		"holdfast: target current kernel " DIGEST_1 " initrd " DIGEST_2 " cmdline " DIGEST_3,
		"holdfast: cap",
	};
	struct bench *b = *state;
	uint8_t pcr[TPM_PCR_BYTES] = { 0 };

	run(b);
	assert_int_equal(b->tcg2->event_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		const struct fake_tcg2_event *e = &b->tcg2->events[i];
		uint8_t both[2 * TPM_PCR_BYTES];

		if (i)
			assert_string_equal(e->text, want[i]);
		else
			assert_int_equal(strncmp(e->text, want[i], strlen(want[i])), 0);
		assert_int_equal(e->pcr, TPM_PCR_OWN);
		/* from the text alone */
		memcpy(both, pcr, sizeof(pcr));
		crypto_hash_sha256(both + sizeof(pcr), (const uint8_t *)e->text, strlen(e->text));
		crypto_hash_sha256(pcr, both, sizeof(both));
	}
	assert_memory_equal(pcr, b->m->pcrs[TPM_PCR_OWN], sizeof(pcr));
}

static void each_kind_has_a_word(void **state)
{
	static const struct {
		enum credential_kind kind;
		const char *want;
	} rows[] = {
		{ CREDENTIAL_PASSWORD, "holdfast: unlocked by password" },
		{ CREDENTIAL_ONE_TIME_CODE, "holdfast: unlocked by one-time-code" },
		{ CREDENTIAL_RECOVERY_KEY, "holdfast: unlocked by recovery-key" },
		{ CREDENTIAL_TPM_PIN, "holdfast: unlocked by tpm-pin" },
		{ CREDENTIAL_TPM_PASSWORD, "holdfast: unlocked by tpm-password" },
		{ CREDENTIAL_SELF_HELP, "holdfast: unlocked by self-help" },
		{ (enum credential_kind)0, "holdfast: unlocked by other" },
		{ (enum credential_kind)200, "holdfast: unlocked by other" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		b->tcg2->event_count = 0;
		b->kind = rows[i].kind;
		run(b);
		assert_string_equal(b->tcg2->events[1].text, rows[i].want);
	}
}

static void the_longest_name_fits(void **state)
{
	struct bench *b = *state;

	memset(b->target.name, 'z', sizeof(b->target.name));
	run(b);
	assert_non_null(strstr(b->tcg2->events[2].text, "zzzzzzzzzzzzzzzz kernel " DIGEST_1));
	assert_non_null(strstr(b->tcg2->events[2].text, "cmdline " DIGEST_3));
}

static void no_tpm(struct bench *b)
{
	b->without_protocol = 1;
}

static void all_fail(struct bench *b)
{
	b->tcg2->extend_fails = FAKE_DEVICE_ERROR;
}

static void the_cap_fails(struct bench *b)
{
	all_fail(b);
	b->tcg2->extend_first = 3;
}

static void firmware_lies(struct bench *b)
{
	b->tcg2->extends_nothing = 1;
}

static void log_is_full(struct bench *b)
{
	b->tcg2->log_full = 1;
}

static void cannot_be_read(struct bench *b)
{
	b->tcg2->submit_fails = FAKE_DEVICE_ERROR;
}

static void found_nothing(struct bench *b)
{
	b->tcg2->extend_fails = FAKE_NOT_FOUND;
}

static void command_finds_nothing(struct bench *b)
{
	b->tcg2->submit_fails = FAKE_NOT_FOUND;
}

/* Neither way. */
static void refused(struct bench *b)
{
	firmware_lies(b);
	b->m->refuses = TPM_PCR_EXTEND;
	b->m->refusal = 0x907;
}

static void all_refused(struct bench *b)
{
	refused(b);
	all_fail(b);
}

static void without_entropy(struct bench *b)
{
	b->no_entropy = 1;
}

static void lies_without_entropy(struct bench *b)
{
	b->no_entropy = 1;
	firmware_lies(b);
}

static void without_sha256(struct bench *b)
{
	b->tcg2->no_sha256 = 1;
}

static void old_structure(struct bench *b)
{
	b->tcg2->is_old = 1;
}

static void the_cap_is_in_or_it_is_said(void **state)
{
	static const struct {
		const char *why;
		void (*prepare)(struct bench *);
		enum err want, want_unseal;
	} rows[] = {
		{ "no TPM", no_tpm, ERR_NOT_FOUND, OK },
		{ "firmware extends nothing, and says so", all_fail, OK, ERR_CHANGED },
		{ "... by a status that is usually about files", found_nothing, OK, ERR_CHANGED },
		{ "only the cap fails", the_cap_fails, OK, ERR_CHANGED },
		{ "firmware extends nothing, and says that it has", firmware_lies, OK, ERR_CHANGED },
		{ "... and the TPM refuses, too", refused, ERR_IO, OK },
		{ "both say so", all_refused, ERR_IO, OK },
		{ "no entropy", without_entropy, OK, ERR_CHANGED },
		{ "no entropy, and firmware that extends nothing", lies_without_entropy, OK, ERR_CHANGED },
		{ "no SHA-256 bank", without_sha256, ERR_NOT_FOUND, ERR_CHANGED },
		{ "a structure of version 1.0", old_structure, OK, ERR_CHANGED },
		{ "commands fail, by a status that is usually about files", command_finds_nothing, ERR_IO, ERR_CHANGED },
		{ "the log is full", log_is_full, OK, ERR_CHANGED },
		{ "the PCR cannot be read", cannot_be_read, ERR_IO, ERR_CHANGED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		void *fresh;
		struct bench *b;

		begin(&fresh);
		b = fresh;
		rows[i].prepare(b);
		b->want = rows[i].want;
		b->want_unseal = rows[i].want_unseal;
		print_message("%s\n", rows[i].why);
		run(b);
		end(&fresh);
	}
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(the_texts),
		WITH_BENCH(each_kind_has_a_word),
		WITH_BENCH(the_longest_name_fits),
		cmocka_unit_test(the_cap_is_in_or_it_is_said),
	};

	return RUN(tests);
}
