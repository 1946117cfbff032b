/* The firmware's TPM as transport: whether there is one, what its answers and failures become, and what a
 * measured text is on the firmware's side. Each row in a process of its own, as pre-boot looks for the TPM
 * once. */
#include "core_test.h"

#include <efi.h>

#include "preboot/entropy.h"
#include "preboot/measure.h"
#include "preboot/tpm.h"
#include "tests/fake/fake.h"
#include "tests/fake/model_tpm.h"
#include "tests/fake/tcg2.h"

#define EV_IPL 0x0d

struct bench {
	struct fake *f;
	struct fake_tcg2 *tcg2;
	struct model_tpm *m;
	int without_protocol;
	unsigned silent_from, silent_times;
	enum err want;
};

/* Instead of preboot/entropy.c: silent so many times, from the first or the given time on. */
static unsigned silent_from, silent_times, asked;

enum err entropy_seed(uint8_t ret[static 32])
{
	asked++;
	if (asked > silent_from && asked <= silent_from + silent_times)
		return ERR_UNSUPPORTED;
	memset(ret, 1, 32);
	return OK;
}

static int begin(void **state)
{
	static struct bench b;

	b = (struct bench){ fake_new(1), fake_tcg2_new(), model_tpm_new(1), 0, 0, 0, OK };
	b.tcg2->submit = model_tpm_submit;
	b.tcg2->extend = model_tpm_extend;
	b.tcg2->context = b.m;
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

static void run(struct bench *b, void (*function)(void *))
{
	assert_int_equal(fake_call(b->f, function, b), FAKE_RETURNED);
}

static void start(struct bench *b)
{
	silent_from = b->silent_from;
	silent_times = b->silent_times;
	asked = 0;
	if (!b->without_protocol)
		fake_tcg2_start(b->tcg2);
}

static void finds(void *argument)
{
	struct bench *b = argument;

	start(b);
	assert_true((tpm_efi() != NULL) == (b->want == OK));
	assert_ptr_equal(tpm_efi(), tpm_efi());
}

static void a_tpm_is_there_or_not(void **state)
{
	struct bench *b = *state;

	run(b, finds);
	b->want = ERR_NOT_FOUND;
	b->tcg2->is_absent = 1;
	run(b, finds);
	b->tcg2->is_absent = 0;
	b->tcg2->no_sha256 = 1;
	run(b, finds);
	b->tcg2->no_sha256 = 0;
	b->tcg2->capability_fails = b->tcg2->submit_fails = FAKE_DEVICE_ERROR;
	run(b, finds);
	b->tcg2->submit_fails = 0;
	b->want = OK; /* it does not describe itself, and answers */
	run(b, finds);
	b->want = ERR_NOT_FOUND;
	b->tcg2->capability_fails = 0;
	b->without_protocol = 1;
	run(b, finds);
}

static enum err knows_no_sha256(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	enum err e = model_tpm_submit(context, ret, ret_len, command, len);

	ret[19] = 0x04; /* the bank that was read: SHA-1's */
	return e;
}

static void structure_version_1_0(void **state)
{
	struct bench *b = *state;

	b->tcg2->is_old = 1;
	run(b, finds);
	assert_int_equal(b->m->commands, 1);
	b->want = ERR_NOT_FOUND;
	b->tcg2->submit = knows_no_sha256;
	run(b, finds);
	b->tcg2->submit = model_tpm_submit;
	b->tcg2->is_absent = 1;
	run(b, finds);
}

/* Plain commands need none. */
static void finds_plain(void *argument)
{
	start(argument);
	assert_null(tpm_efi());
	assert_non_null(tpm_efi_plain());
}

static void keeps(void *argument)
{
	start(argument);
	for (int i = 0; i < 5; i++)
		assert_non_null(tpm_efi());
}

static void a_moment_without_entropy_hides_no_tpm(void **state)
{
	struct bench *b = *state;

	b->silent_times = 3;
	run(b, finds);
	b->silent_from = 1;
	b->silent_times = UINT16_MAX;
	run(b, keeps);
	b->silent_from = 0;
	run(b, finds_plain);
}

static void unseals(void *argument)
{
	struct bench *b = argument;
	uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES] = { 3 }, got[TPM_SECRET_BYTES];
	struct tpm_parent parent;
	struct tpm_object object;

	start(b);
	memset(secret, 5, sizeof(secret));
	model_tpm_parent(&parent, b->m);
	model_tpm_seal(&object, b->m, secret, auth);
	expect("unseal", b->want, tpm_unseal(got, tpm_efi(), &parent, &object, auth));
	if (!b->want)
		assert_memory_equal(got, secret, sizeof(got));
}

static enum err answers_short(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	(void)context;
	(void)command;
	(void)len;
	memcpy(ret, "\x80\1\0\0\0\1", 6); /* a size less than the header's */
	*ret_len = 6;
	return OK;
}

static enum err answers_nothing(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	(void)context;
	(void)ret;
	(void)command;
	(void)len;
	*ret_len = 0;
	return OK;
}

static enum err answers_too_much(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	(void)context;
	(void)command;
	(void)len;
	memset(ret, 0xff, *ret_len);
	return OK;
}

static enum err needs_more_room(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	(void)context;
	(void)ret;
	(void)ret_len;
	(void)command;
	(void)len;
	return ERR_RANGE;
}

static void commands_go_through(void **state)
{
	static const struct {
		const char *why;
		enum err (*submit)(void *, uint8_t *, size_t *, const uint8_t *, size_t);
		uint64_t fails;
		enum err want;
	} rows[] = {
		{ "a TPM that works", model_tpm_submit, 0, OK },
		{ "firmware fails", model_tpm_submit, FAKE_DEVICE_ERROR, ERR_IO },
		{ "... with what is usually said of files", model_tpm_submit, FAKE_NOT_FOUND, ERR_IO },
		{ "... with what is usually said of disks", model_tpm_submit, FAKE_ERROR(12), ERR_IO },
		{ "an answer shorter than its header", answers_short, 0, ERR_FORMAT },
		{ "no answer", answers_nothing, 0, ERR_FORMAT },
		{ "an answer that claims to be larger than the room", answers_too_much, 0, ERR_RANGE },
		{ "an answer that is larger than the room", needs_more_room, 0, ERR_RANGE },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		b->tcg2->submit = rows[i].submit;
		b->tcg2->submit_fails = rows[i].fails;
		b->want = rows[i].want;
		run(b, unseals);
	}
}

static void ends_unasked(void *argument)
{
	start(argument);
	tpm_efi_end();
}

static void ends(void *argument)
{
	start(argument);
	assert_non_null(tpm_efi());
	tpm_efi_end();
}

static void a_tpm_that_was_used_is_told_of_the_end(void **state)
{
	struct bench *b = *state;

	run(b, ends_unasked);
	assert_int_equal(b->m->commands, 0);
	run(b, ends);
	assert_int_equal(b->m->shutdowns, 1);
	b->tcg2->submit_fails = FAKE_DEVICE_ERROR;
	run(b, ends);
	assert_int_equal(b->m->shutdowns, 1);
}

static void measures(void *argument)
{
	struct bench *b = argument;

	start(b);
	expect("measure", b->want, tpm_measure(TPM_PCR_OWN, "a text"));
}

static void a_text_is_hashed_and_logged(void **state)
{
	struct bench *b = *state;
	uint8_t digest[32];

	run(b, measures);
	assert_int_equal(b->tcg2->event_count, 1);
	assert_int_equal(b->tcg2->events[0].pcr, TPM_PCR_OWN);
	assert_int_equal(b->tcg2->events[0].type, EV_IPL);
	assert_string_equal(b->tcg2->events[0].text, "a text");
	assert_int_equal(b->tcg2->events[0].len, 6);
	crypto_hash_sha256(digest, (const uint8_t *)"a text", 6);
	assert_memory_equal(b->tcg2->events[0].digest, digest, sizeof(digest));
	b->tcg2->log_full = 1;
	run(b, measures);
	b->tcg2->extend_fails = FAKE_DEVICE_ERROR;
	b->want = ERR_IO;
	run(b, measures);
	b->tcg2->extend_fails = FAKE_NOT_FOUND;
	run(b, measures);
	b->without_protocol = 1;
	b->want = ERR_NOT_FOUND;
	run(b, measures);
	assert_int_equal(b->tcg2->event_count, 2);
}

static void measures_too_much(void *argument)
{
	char text[FAKE_TCG2_TEXT + 1];

	start(argument);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	expect("too long", ERR_RANGE, tpm_measure(TPM_PCR_OWN, text));
}

static void a_text_has_a_bound(void **state)
{
	run(*state, measures_too_much);
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_tpm_is_there_or_not),
		WITH_BENCH(structure_version_1_0),
		WITH_BENCH(a_moment_without_entropy_hides_no_tpm),
		WITH_BENCH(commands_go_through),
		WITH_BENCH(a_tpm_that_was_used_is_told_of_the_end),
		WITH_BENCH(a_text_is_hashed_and_logged),
		WITH_BENCH(a_text_has_a_bound),
	};

	return RUN(tests);
}
