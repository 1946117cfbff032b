/* What people meet with a TPM: PINs and passwords that are bound to it, self-help, and everything that a TPM
 * refuses; from power on to the kernel. Each trouble of the TPM's has a way out that is told, counts as no
 * failure, and is told to the server. */
#include "core_test.h"

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/cheap_tpm.h"

#define PIN "824613"
#define DURESS "open now please"
#define FRESH_PIN "970351"

static void pins(struct store *s)
{
	cheap_user(s, CREDENTIAL_TPM_PIN, LAPTOP_USER, PIN);
	cheap_user(s, CREDENTIAL_TPM_PASSWORD, LAPTOP_USER_2, LAPTOP_PASSWORD_2);
}

static void pins_only(struct store *s)
{
	struct record *r;

	pins(s);
	laptop_must(store_find_user(&r, s, LAPTOP_USER_2));
	laptop_must(store_remove(s, r->id));
}

static void pins_that_must_change(struct store *s)
{
	struct record *r;

	pins(s);
	s->rules.head.password_min = 12;
	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	r->flags = RECORD_MUST_CHANGE;
}

static void pins_with_duress(struct store *s)
{
	SECRET struct secret duress = { 0 };
	SEALED sealed = { 0 };
	struct binding *b;
	struct record *r;

	pins(s);
	s->rules.head.flags = RULES_DURESS;
	laptop_must(secret_copy(&duress, DURESS, strlen(DURESS)));
	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	laptop_must(bindings_find(&b, &s->bindings, r->id, BINDING_SECRET));
	laptop_must(binding_open(&sealed, b, laptop_key));
	laptop_must(credential_set_duress_bound(r, &duress, sealed.secret));
}

static void pins_with_duress_that_does_nothing(struct store *s)
{
	pins_with_duress(s);
	s->rules.head.flags = 0;
}

static void pins_and_questions(struct store *s)
{
	pins(s);
	cheap_self_help(s, LAPTOP_USER);
}

static void pins_without_binding(struct store *s)
{
	pins(s);
	for (uint32_t i = 0; i < s->head.record_count; i++)
		bindings_remove(&s->bindings, s->records[i].id);
}

static void pins_locked(struct store *s)
{
	pins_and_questions(s);
	store_lock(s);
}

/* What has become of the TPM since. */
static void as_it_was(void)
{
}

static void cleared(void)
{
	cheap_tpm->identity++;
}

static void missing(void)
{
	cheap_tpm->missing = 1;
}

static void firmware_updated(void)
{
	cheap_tpm->pcr7[0]++;
}

static void used_before_us(void)
{
	cheap_tpm->own[0]++;
}

static void locked_out(void)
{
	cheap_tpm->tries = CHEAP_TPM_TRIES;
}

static void nearly_locked_out(void)
{
	cheap_tpm->tries = CHEAP_TPM_TRIES - 4;
}

static void bus_tampered_with(void)
{
	cheap_tpm->fails = ERR_SIGNATURE;
}

static void broken(void)
{
	cheap_tpm->fails = ERR_IO;
}

static void measures_nothing(void)
{
	cheap_tpm->measures_nothing = 1;
}

/* What the person does. */
static void type_name_and(struct laptop *l, const char *user, const char *typed)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, user);
	fake_type(l->f, "\r");
	fake_await(l->f, "Password or PIN: ");
	fake_type(l->f, typed);
	fake_type(l->f, "\r");
}

static void pin(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER, PIN);
}

static void tpm_password(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER_2, LAPTOP_PASSWORD_2);
}

static void pin_of_the_only_user(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, LAPTOP_USER "\r");
	fake_await(l->f, "\nPIN: ");
	fake_type(l->f, PIN "\r");
}

static void wrong_pin(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER, "824614");
	fake_pause(l->f, 5);
}

static void wrong_pin_then_right(struct laptop *l)
{
	wrong_pin(l);
	pin(l);
}

static void another_ones(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER, LAPTOP_PASSWORD_2);
}

static void code(struct laptop *l)
{
	laptop_type_code(l, l->codes[1]);
}

static void recovery(struct laptop *l)
{
	laptop_type_recovery(l, l->recovery);
}

static void pin_in_vain_then_code(struct laptop *l)
{
	pin(l);
	fake_await(l->f, "[HF-22");
	code(l);
}

static void code_after_two_in_vain(struct laptop *l)
{
	pin(l);
	fake_await(l->f, "[HF-22");
	pin(l);
	fake_await(l->f, "[HF-22");
	code(l);
}

static void nobody_in_vain_then_code(struct laptop *l)
{
	type_name_and(l, "nobody", PIN);
	fake_await(l->f, "[HF-22");
	code(l);
}

static void duress(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER, DURESS);
}

static void choose(struct laptop *l, const char *first, const char *again)
{
	fake_await(l->f, "New PIN: ");
	fake_type(l->f, first);
	fake_type(l->f, "\r");
	fake_await(l->f, "The same again: ");
	fake_type(l->f, again);
	fake_type(l->f, "\r");
}

static void pin_and_a_better_one(struct laptop *l)
{
	pin(l);
	choose(l, "12345", "12345");
	fake_await(l->f, "[HF-604]");
	choose(l, PIN, PIN);
	fake_await(l->f, "[HF-606]");
	choose(l, FRESH_PIN, FRESH_PIN);
}

static void begin_questions(struct laptop *l, const char *user)
{
	fake_await(l->f, "User name: ");
	fake_press(l->f, FAKE_KEYBOARD, 0x12, 0, 0, 0); /* F8 */
	fake_await(l->f, "Whose are they?");
	fake_await(l->f, "User name: ");
	fake_type(l->f, user);
	fake_type(l->f, "\r");
}

static void answer(struct laptop *l, const char *text)
{
	fake_await(l->f, "Answer: ");
	fake_type(l->f, text);
	fake_type(l->f, "\r");
}

static void first_three_answers(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	answer(l, "rex the third");
	answer(l, "Linden-Allee");
	answer(l, "mrs robinson");
}

static void others_than_the_first(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	fake_await(l->f, "First pet?");
	answer(l, "");
	fake_await(l->f, "Question 2 of 5.");
	answer(l, "x"); /* too short to be one */
	fake_await(l->f, "[HF-218]");
	answer(l, "lindenallee");
	fake_await(l->f, "given: 1.");
	answer(l, "");
	answer(l, "the kinks");
	answer(l, "dumplings with plums");
}

static void a_wrong_answer(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	answer(l, "rex the second");
	answer(l, "lindenallee");
	answer(l, "mrs robinson");
}

static void a_wrong_answer_then_right(struct laptop *l)
{
	a_wrong_answer(l);
	fake_await(l->f, "[HF-215]");
	fake_pause(l->f, 5);
	first_three_answers(l);
}

static void too_few_answers_then_pin(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	answer(l, "rex the third");
	for (int i = 1; i < CHEAP_QUESTIONS; i++)
		answer(l, "");
	fake_await(l->f, "[HF-217]");
	pin(l);
}

static void back_from_questions_then_pin(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	fake_await(l->f, "Answer: ");
	fake_type(l->f, "rex\x1b");
	pin(l);
}

static void questions_of_nobody(struct laptop *l)
{
	begin_questions(l, "nobody");
	fake_await(l->f, "[HF-216]");
	begin_questions(l, LAPTOP_USER_2);
	fake_await(l->f, "[HF-216]");
	pin(l);
}

static void questions_in_vain_then_code(struct laptop *l)
{
	begin_questions(l, LAPTOP_USER);
	fake_await(l->f, "[HF-22");
	code(l);
}

static void answers_in_vain_then_code(struct laptop *l)
{
	first_three_answers(l);
	fake_await(l->f, "[HF-22");
	code(l);
}

static void questions_where_there_are_none(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_press(l->f, FAKE_KEYBOARD, 0x12, 0, 0, 0);
	pin(l);
}

static void code_of_a_locked_laptop(struct laptop *l)
{
	fake_await(l->f, "Code: ");
	fake_type(l->f, l->codes[1]);
	fake_type(l->f, "\r");
}

#define NO_EVENT 0

static const struct {
	const char *why;
	void (*edit)(struct store *);
	void (*spoil)(void);
	void (*type)(struct laptop *);
	enum fake_end want;
	const char *says;
	enum preboot_event event;
	int value, failures; /* failures: what the guard had counted by then, told by the events */
	uint16_t trust;
} rows[] = {
	{ "PIN", pins, as_it_was, pin, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "password and TPM", pins, as_it_was, tpm_password, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0, -1,
	  HANDOFF_TPM | HANDOFF_CAPPED },
	{ "only a PIN", pins_only, as_it_was, pin_of_the_only_user, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0, -1,
	  HANDOFF_TPM | HANDOFF_CAPPED },
	{ "wrong PIN, then right", pins, as_it_was, wrong_pin_then_right, FAKE_KERNEL,
	  "or password or PIN.", PREBOOT_WRONG_PASSWORD, 1, 1,
	  HANDOFF_TPM | HANDOFF_CAPPED },
	{ "another user's password", pins, as_it_was, another_ones, FAKE_WAITING, "[HF-201]", NO_EVENT, 0, 0, 0 },
	{ "code", pins, as_it_was, code, FAKE_KERNEL, "", PREBOOT_CODE_USED, 1, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "recovery key", pins, as_it_was, recovery, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0, -1,
	  HANDOFF_TPM | HANDOFF_CAPPED },
	{ "PIN changed", pins_that_must_change, as_it_was, pin_and_a_better_one, FAKE_KERNEL,
	  "Your PIN has been", PREBOOT_PASSWORD_CHANGED, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "duress", pins_with_duress, as_it_was, duress, FAKE_POWER_OFF, "[HF-504]", NO_EVENT, 0, 0, 0 },
	{ "duress, and the TPM is gone", pins_with_duress, missing, duress, FAKE_POWER_OFF, "[HF-504]", NO_EVENT, 0,
	  0, 0 },
	{ "duress set, and the right PIN", pins_with_duress, as_it_was, pin, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0, -1,
	  HANDOFF_TPM | HANDOFF_CAPPED },

	{ "TPM nearly locked out", pins, nearly_locked_out, wrong_pin_then_right, FAKE_KERNEL,
	  "Tries left: 3,", PREBOOT_WRONG_PASSWORD, 1, 1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "TPM locked out", pins, locked_out, pin_in_vain_then_code, FAKE_KERNEL, "in 10 minutes",
	  PREBOOT_TPM_LOCKED_OUT, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "TPM locked out, for nobody too", pins, locked_out, nobody_in_vain_then_code, FAKE_KERNEL, "[HF-221]",
	  PREBOOT_TPM_LOCKED_OUT, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "firmware updated", pins, firmware_updated, code_after_two_in_vain, FAKE_KERNEL, "[HF-222]",
	  PREBOOT_TPM_CHANGED, TPM_PCR_SECURE_BOOT, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "firmware updated, for nobody too", pins, firmware_updated, nobody_in_vain_then_code, FAKE_KERNEL,
	  "[HF-222]", PREBOOT_TPM_CHANGED, TPM_PCR_SECURE_BOOT, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "something was there before", pins, used_before_us, pin_in_vain_then_code, FAKE_KERNEL, "[HF-223]",
	  PREBOOT_TPM_CHANGED, TPM_PCR_OWN, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "TPM cleared", pins, cleared, pin_in_vain_then_code, FAKE_KERNEL, "[HF-224]", PREBOOT_TPM_GONE, 2, -1,
	  HANDOFF_TPM | HANDOFF_CAPPED },
	{ "TPM missing", pins, missing, pin_in_vain_then_code, FAKE_KERNEL, "[HF-225]", PREBOOT_TPM_GONE, 1, -1, 0 },
	{ "TPM missing, for nobody too", pins, missing, nobody_in_vain_then_code, FAKE_KERNEL, "[HF-225]",
	  PREBOOT_TPM_GONE, 1, -1, 0 },
	{ "somebody on the bus", pins, bus_tampered_with, pin_in_vain_then_code, FAKE_KERNEL, "[HF-226]",
	  PREBOOT_TPM_FAILED, 2, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "TPM broken", pins, broken, pin_in_vain_then_code, FAKE_KERNEL, "[HF-227]", PREBOOT_TPM_FAILED, 1, -1, 0 },
	{ "the binding is gone", pins_without_binding, as_it_was, pin, FAKE_WAITING, "[HF-212]", NO_EVENT, 0, 0, 0 },
	{ "a TPM that only says that it measures", pins, measures_nothing, pin, FAKE_KERNEL, "", PREBOOT_NOT_CAPPED,
	  0, -1, HANDOFF_TPM },

	{ "answers", pins_and_questions, as_it_was, first_three_answers, FAKE_KERNEL, "[HF-611]", PREBOOT_UNLOCKED, 0,
	  -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "answers to other questions", pins_and_questions, as_it_was, others_than_the_first, FAKE_KERNEL,
	  "[HF-611]", PREBOOT_UNLOCKED, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "a wrong answer", pins_and_questions, as_it_was, a_wrong_answer, FAKE_WAITING, "[HF-215]", NO_EVENT, 0, 0, 0 },
	{ "a wrong answer, then right", pins_and_questions, as_it_was, a_wrong_answer_then_right, FAKE_KERNEL,
	  "[HF-215]", PREBOOT_WRONG_SELF_HELP, 1, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "too few answers, then the PIN", pins_and_questions, as_it_was, too_few_answers_then_pin, FAKE_KERNEL,
	  "[HF-217]", PREBOOT_WRONG_SELF_HELP, -1, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "back from the questions", pins_and_questions, as_it_was, back_from_questions_then_pin, FAKE_KERNEL, "",
	  PREBOOT_WRONG_SELF_HELP, -1, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "who has no questions", pins_and_questions, as_it_was, questions_of_nobody, FAKE_KERNEL, "[HF-216]",
	  PREBOOT_UNLOCKED, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "questions after an update", pins_and_questions, firmware_updated, questions_in_vain_then_code, FAKE_KERNEL,
	  "[HF-222]", PREBOOT_TPM_CHANGED, TPM_PCR_SECURE_BOOT, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "answers, locked out", pins_and_questions, locked_out, answers_in_vain_then_code, FAKE_KERNEL, "takes no answers",
	  PREBOOT_TPM_LOCKED_OUT, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "nobody has questions", pins, as_it_was, questions_where_there_are_none, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0, -1, HANDOFF_TPM | HANDOFF_CAPPED },
	{ "no TPM, no questions", pins_and_questions, missing, pin_in_vain_then_code, FAKE_KERNEL, "[HF-225]",
	  PREBOOT_TPM_GONE, 1, -1, 0 },
	{ "locked", pins_locked, as_it_was, code_of_a_locked_laptop, FAKE_KERNEL, "[HF-301]", PREBOOT_CODE_USED, 1,
	  -1, HANDOFF_TPM | HANDOFF_CAPPED },
};

static struct laptop *laptop_spoilt(size_t i)
{
	struct laptop *l;

	cheap_tpm_new();
	l = laptop_new(1, rows[i].edit);
	rows[i].spoil();
	rows[i].type(l);
	return l;
}

static void check_kernel(size_t i, const struct laptop *l)
{
	HANDOFF h = { 0 };

	expect(rows[i].why, OK, laptop_handoff(&h, l));
	assert_memory_equal(h.head.unlock_key, l->unlock_key.bytes, KEY_BYTES);
	if (laptop_event(&h, rows[i].event) != rows[i].value)
		fail_msg("%s: event %s is %d, expected %d", rows[i].why,
			 preboot_event_text((uint16_t)rows[i].event), laptop_event(&h, rows[i].event),
			 rows[i].value);
	if (laptop_event(&h, PREBOOT_WRONG_PASSWORD) != rows[i].failures)
		fail_msg("%s: %d wrong passwords are told", rows[i].why,
			 laptop_event(&h, PREBOOT_WRONG_PASSWORD));
	if (h.head.trust != rows[i].trust)
		fail_msg("%s: trust is %04x, expected %04x", rows[i].why, h.head.trust, rows[i].trust);
	if (h.head.trust & HANDOFF_TPM)
		assert_memory_equal(h.head.pcr7, cheap_tpm->pcr7, sizeof(h.head.pcr7));
	assert_int_equal(h.head.tpm_ms > 0, credential_is_bound(h.head.kind));
}

static void each_has_its_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct laptop *l = laptop_spoilt(i);
		enum fake_end end = fake_run(l->f);

		if (end != rows[i].want || !fake_said(l->f, rows[i].says) || fake_script_left(l->f))
			fail_msg("%s: %s, expected %s, saying %s\n%s", rows[i].why, fake_end_text(end),
				 fake_end_text(rows[i].want), rows[i].says, fake_serial(l->f));
		if (end == FAKE_KERNEL)
			check_kernel(i, l);
		assert_int_equal(end == FAKE_POWER_OFF, laptop_disk_erased(l));
		assert_int_equal(end == FAKE_POWER_OFF, cheap_tpm->ended);
		laptop_free(l);
	}
}

static enum fake_end again(struct laptop *l, void (*type)(struct laptop *))
{
	cheap_tpm_restart();
	fake_script_clear(l->f);
	type(l);
	fake_script_quiet(l->f);
	return fake_run(l->f);
}

static void fresh_pin(struct laptop *l)
{
	type_name_and(l, LAPTOP_USER, FRESH_PIN);
}

static void a_changed_pin_is_the_one_from_now_on(void **state)
{
	struct laptop *l;

	(void)state;
	cheap_tpm_new();
	l = laptop_new(1, pins_that_must_change);
	assert_int_equal(again(l, pin_and_a_better_one), FAKE_KERNEL);
	assert_int_equal(again(l, pin), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-201]"));
	assert_int_equal(again(l, fresh_pin), FAKE_KERNEL);
	assert_int_equal(again(l, tpm_password), FAKE_KERNEL);
	laptop_free(l);
}

/* A PIN that the TPM refuses to change is the old one, and the store is what it was. */
static void a_tpm_that_fails_changes_nothing(void **state)
{
	static const enum err problems[] = { ERR_IO, ERR_SIGNATURE, ERR_MISDIRECTED };
	struct laptop *l;

	(void)state;
	for (size_t i = 0; i < COUNT(problems); i++) {
		cheap_tpm_new();
		cheap_tpm->change_fails = problems[i];
		l = laptop_new(1, pins_that_must_change);
		assert_int_equal(again(l, pin_and_a_better_one), FAKE_KERNEL);
		assert_true(fake_said(l->f, "[HF-608]"));
		assert_int_equal(again(l, fresh_pin), FAKE_WAITING);
		cheap_tpm->change_fails = OK;
		assert_int_equal(again(l, pin_and_a_better_one), FAKE_KERNEL);
		assert_int_equal(again(l, fresh_pin), FAKE_KERNEL);
		laptop_free(l);
	}
}

/* Trouble with the TPM, however often, locks nobody out by the rules. */
static void the_tpms_troubles_are_no_failures(void **state)
{
	struct laptop *l;

	(void)state;
	cheap_tpm_new();
	l = laptop_new(1, pins);
	firmware_updated();
	for (int i = 0; i < 4; i++) {
		pin(l);
		fake_await(l->f, "[HF-222]");
	}
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_false(fake_said(l->f, "Next try in"));
	assert_int_equal(cheap_tpm->tries, 0);
	laptop_free(l);
}

/* What can be seen, timed and counted of one try. */
struct sight {
	unsigned kdfs, unseals, tries;
	uint64_t ran_ms;
	char text[20000];
};

static void look(struct sight *ret, const char *user, const char *typed, void (*edit)(struct store *))
{
	struct laptop *l;
	const char *text;

	cheap_tpm_new();
	l = laptop_new(1, edit);
	l->f->panel_width = 0;
	type_name_and(l, user, typed);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	ret->kdfs = l->f->kdfs;
	ret->unseals = cheap_tpm->unseals;
	ret->tries = cheap_tpm->tries;
	ret->ran_ms = l->f->ran_ms;
	text = strstr(fake_screen(l->f), "Password or PIN: ");
	assert_non_null(text);
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	laptop_free(l);
}

static void same_sight(const struct sight *want, const struct sight *got)
{
	assert_int_equal(got->kdfs, want->kdfs);
	assert_int_equal(got->unseals, want->unseals);
	assert_int_equal(got->tries, want->tries);
	assert_string_equal(got->text, want->text);
	assert_in_range(got->ran_ms, want->ran_ms - 60, want->ran_ms + 60);
}

static void users_are_not_told_apart_from_nobody(void **state)
{
	static const char *const users[] = { LAPTOP_USER, LAPTOP_USER_2, "nobody", "ANNA", "x", "\xc3\xa4" };
	static struct sight first, next;

	(void)state;
	look(&first, LAPTOP_USER, "wrong one", pins);
	assert_int_equal(first.kdfs, 1);
	assert_int_equal(first.unseals, 1);
	assert_int_equal(first.tries, 1);
	for (size_t i = 1; i < COUNT(users); i++) {
		look(&next, users[i], "wrong one", pins);
		same_sight(&first, &next);
	}
}

/* Who forces somebody to type must not see that it was the duress password, where it does nothing. */
static void a_duress_password_that_does_nothing_is_a_wrong_one(void **state)
{
	static struct sight wrong, forced;

	(void)state;
	look(&wrong, LAPTOP_USER, "open now pleasf", pins_with_duress_that_does_nothing);
	look(&forced, LAPTOP_USER, DURESS, pins_with_duress_that_does_nothing);
	assert_int_equal(wrong.unseals, 1);
	assert_int_equal(wrong.tries, 1);
	same_sight(&wrong, &forced);
}

/* The model's own PIN under a name that nobody has opens nothing. */
static void nobody_opens_with_anybodys_pin(void **state)
{
	struct laptop *l;

	(void)state;
	for (int i = 0; i < 16; i++) {
		const char user[] = { 'n', (char)('a' + i), 0 };

		cheap_tpm_new();
		l = laptop_new(1, pins);
		type_name_and(l, user, i % 2 ? PIN : LAPTOP_PASSWORD_2);
		assert_int_equal(fake_run(l->f), FAKE_WAITING);
		assert_true(fake_said(l->f, "[HF-201]"));
		laptop_free(l);
	}
}

/* ... nor does who has no questions differ from who is not there. */
static void questions_of_nobody_take_as_long(void **state)
{
	static const char *const users[] = { LAPTOP_USER_2, "nobody" };
	uint64_t ran_ms[2];

	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		struct laptop *l;

		cheap_tpm_new();
		l = laptop_new(1, pins_and_questions);
		begin_questions(l, users[i]);
		assert_int_equal(fake_run(l->f), FAKE_WAITING);
		assert_true(fake_said(l->f, "[HF-216]"));
		assert_int_equal(cheap_tpm->unseals, 1);
		ran_ms[i] = l->f->ran_ms;
		laptop_free(l);
	}
	assert_in_range(ran_ms[0], ran_ms[1] - 60, ran_ms[1] + 60);
}

static void pins_questions_and_a_limit(struct store *s)
{
	pins_and_questions(s);
	s->rules.head.failure_limit = 2;
	s->rules.head.failure_action = RULES_LOCK;
}

/* Time that so many look-ups take, one after the other, of users in turn. */
static uint64_t ms_of_lookups(unsigned count, const char *const users[static 2], void (*edit)(struct store *),
			      const char *says)
{
	struct laptop *l;
	uint64_t ms;

	cheap_tpm_new();
	l = laptop_new(1, edit);
	for (unsigned i = 0; i < count; i++) {
		begin_questions(l, users[i % 2]);
		fake_await(l->f, says);
		fake_type(l->f, "\x1b"); /* back, from the questions */
	}
	pin(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	assert_int_equal(cheap_tpm->unseals, count + 1);
	assert_int_equal(cheap_tpm->tries, 0);
	ms = l->f->ran_ms;
	laptop_free(l);
	return ms;
}

/* Whether they are there or not: 0 + 1 + 2 + 4 + 8 + 16 + 30 seconds; and nothing is counted. */
static void names_are_asked_for_slowly(void **state)
{
	static const char *const nobody[] = { "nobody", "noone" }, *const somebody[] = { LAPTOP_USER, LAPTOP_USER };
	uint64_t one;

	(void)state;
	one = ms_of_lookups(1, nobody, pins_questions_and_a_limit, "[HF-216]");
	assert_in_range(one, 0, 4000);
	assert_in_range(ms_of_lookups(7, nobody, pins_questions_and_a_limit, "[HF-216]"), one + 61000, one + 75000);
	one = ms_of_lookups(1, somebody, pins_questions_and_a_limit, "Answer: ");
	assert_in_range(one, 0, 4000);
	assert_in_range(ms_of_lookups(7, somebody, pins_questions_and_a_limit, "Answer: "), one + 61000, one + 75000);
}

/* Wrong answers lead where wrong passwords lead. */
static void two_wrong_answers(struct laptop *l)
{
	a_wrong_answer(l);
	fake_await(l->f, "[HF-215]");
	fake_pause(l->f, 5);
	a_wrong_answer(l);
}

static void wrong_answers_lock(void **state)
{
	struct laptop *l;

	(void)state;
	cheap_tpm_new();
	l = laptop_new(1, pins_questions_and_a_limit);
	assert_int_equal(again(l, two_wrong_answers), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-303]"));
	assert_int_equal(cheap_tpm->tries, 2);
	assert_int_equal(again(l, code_of_a_locked_laptop), FAKE_KERNEL);
	laptop_free(l);
}

/* Memory for a code, and not for a PIN: it is told with how much there was, and the code opens. */
static void memory_short(void **state)
{
	struct laptop *l;
	HANDOFF h = { 0 };

	(void)state;
	cheap_tpm_new();
	l = laptop_new(1, pins);
	l->f->fail_larger = 16 << 20;
	l->f->free_mib = 21;
	pin(l);
	fake_await(l->f, "[HF-211]");
	code(l);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	assert_int_equal(laptop_event(&h, PREBOOT_MEMORY_SHORT), 21);
	assert_int_equal(laptop_event(&h, PREBOOT_WRONG_PASSWORD), -1);
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_way),
		cmocka_unit_test(a_changed_pin_is_the_one_from_now_on),
		cmocka_unit_test(a_tpm_that_fails_changes_nothing),
		cmocka_unit_test(the_tpms_troubles_are_no_failures),
		cmocka_unit_test(users_are_not_told_apart_from_nobody),
		cmocka_unit_test(a_duress_password_that_does_nothing_is_a_wrong_one),
		cmocka_unit_test(nobody_opens_with_anybodys_pin),
		cmocka_unit_test(questions_of_nobody_take_as_long),
		cmocka_unit_test(names_are_asked_for_slowly),
		cmocka_unit_test(wrong_answers_lock),
		cmocka_unit_test(memory_short),
	};

	return RUN(tests);
}
