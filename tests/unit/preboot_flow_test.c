/* Flows: what people do at the prompt, from power on to the kernel, and what comes of it, by start
 * and by restart. */
#include "core_test.h"

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define DURESS "open now please"
#define FRESH "quite another one"
#define DAY 86400
#define TODAY 20454 /* 2026-01-01 */

/* What policy or the agent has made of the store. */
static void as_it_is(struct store *s)
{
	(void)s;
}

static struct record *anna(struct store *s)
{
	struct record *r;

	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	return r;
}

static void one_user(struct store *s)
{
	struct record *r;

	s->rules.head.flags = RULES_SINGLE_USER;
	laptop_must(store_find_user(&r, s, LAPTOP_USER_2));
	laptop_must(store_remove(s, r->id));
}

static void two_users_in_single_mode(struct store *s)
{
	s->rules.head.flags = RULES_SINGLE_USER;
}

static void must_change(struct store *s)
{
	anna(s)->flags = RECORD_MUST_CHANGE;
	s->rules.head.password_min = 8;
}

static void expired(struct store *s)
{
	anna(s)->changed_day = TODAY - 91;
	s->rules.head.password_days = 90;
}

static void nearly_expired(struct store *s)
{
	anna(s)->changed_day = TODAY - 90;
	s->rules.head.password_days = 90;
}

static void locks_after_three(struct store *s)
{
	s->rules.head.failure_limit = 3;
	s->rules.head.failure_action = RULES_LOCK;
}

static void locked(struct store *s)
{
	store_lock(s);
}

static void duress_with(struct store *s, uint16_t flags)
{
	SECRET struct secret duress = { 0 };

	s->rules.head.flags = flags;
	laptop_must(secret_copy(&duress, DURESS, strlen(DURESS)));
	laptop_must(credential_set_duress(anna(s), &duress));
}

static void duress_kills(struct store *s)
{
	duress_with(s, RULES_DURESS);
}

static void duress_not_allowed(struct store *s)
{
	duress_with(s, 0);
}

static void no_codes(struct store *s)
{
	struct record *r;

	while (!store_next_code(&r, s))
		laptop_must(store_remove(s, r->id));
}

static void no_codes_no_recovery(struct store *s)
{
	struct record *r;

	no_codes(s);
	laptop_must(store_find_code(&r, s, CREDENTIAL_RECOVERY_KEY, 0));
	laptop_must(store_remove(s, r->id));
}

static void out_of_touch_warns(struct store *s)
{
	s->rules.head.contact_warn_days = 20;
	s->rules.head.contact_lock_days = 30;
	s->rules.head.last_contact = (uint64_t)(TODAY - 25) * DAY;
}

static void out_of_touch_locks(struct store *s)
{
	out_of_touch_warns(s);
	s->rules.head.last_contact = (uint64_t)(TODAY - 30) * DAY;
}

static void with_a_banner(struct store *s)
{
	memcpy(s->rules.head.organisation, "Example & Sons", 14);
	memcpy(s->rules.banner, "If found: +49 30 123456\n", 24);
	s->rules.head.flags = RULES_BEEP;
}

/* What the person does. */
static void right(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
}

static void second_user(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER_2, LAPTOP_PASSWORD_2);
}

static void wrong(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, "wrong");
	fake_pause(l->f, 40);
}

static void wrong_then_right(struct laptop *l)
{
	wrong(l);
	right(l);
}

static void others_password(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD_2);
}

static void three_wrong(struct laptop *l)
{
	for (int i = 0; i < 3; i++)
		wrong(l);
}

static void three_wrong_then_code(struct laptop *l)
{
	three_wrong(l);
	fake_await(l->f, "Code: ");
	fake_type(l->f, l->codes[1]);
	fake_type(l->f, "\r");
}

static void password_only(struct laptop *l)
{
	fake_await(l->f, "Password: ");
	fake_type(l->f, LAPTOP_PASSWORD "\r");
}

static void corrected(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "bert\b\b\b\banx\bna\r");
	fake_await(l->f, "Password: ");
	fake_type(l->f, "nonsense\x15" LAPTOP_PASSWORD "\r");
}

static void back_to_the_name(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "berta\r");
	fake_await(l->f, "Password: ");
	fake_type(l->f, "half\x1b");
	right(l);
}

static void code(struct laptop *l)
{
	laptop_type_code(l, l->codes[1]);
}

static void lower_case_code_without_hyphens(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\r"); /* Enter alone: a code */
	fake_await(l->f, "Code: ");
	for (const char *c = l->codes[1]; *c; c++)
		if (*c != '-')
			fake_type(l->f, (char[]){ (char)(*c | 0x20), 0 });
	fake_type(l->f, "\r");
}

static void another_number(struct laptop *l)
{
	laptop_type_code(l, l->codes[2]);
	fake_await(l->f, "[HF-203]");
	fake_pause(l->f, 5);
	code(l);
}

static void code_at_the_first_page(struct laptop *l)
{
	fake_await(l->f, "Code: ");
	fake_type(l->f, l->codes[1]);
	fake_type(l->f, "\r");
}

static void recovery(struct laptop *l)
{
	laptop_type_recovery(l, l->recovery);
}

static void recovery_after_asking_for_a_code(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_press(l->f, FAKE_KEYBOARD, 0x0c, 0, 0, 0); /* F2 */
	fake_await(l->f, "Recovery key: ");
	fake_type(l->f, l->recovery);
	fake_type(l->f, "\r");
}

static void ask_for_a_code_in_vain(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\x12");
	fake_await(l->f, "[HF-207]");
	right(l);
}

static void choose(struct laptop *l, const char *first, const char *again)
{
	fake_await(l->f, "New password: ");
	fake_type(l->f, first);
	fake_type(l->f, "\r");
	fake_await(l->f, "The same again: ");
	fake_type(l->f, again);
	fake_type(l->f, "\r");
}

static void right_and_choose(struct laptop *l)
{
	right(l);
	choose(l, FRESH, FRESH);
}

static void right_and_choose_badly_first(struct laptop *l)
{
	right(l);
	choose(l, "short", "short");
	fake_await(l->f, "[HF-604]");
	choose(l, FRESH, FRESH "r");
	fake_await(l->f, "[HF-605]");
	choose(l, LAPTOP_PASSWORD, LAPTOP_PASSWORD);
	fake_await(l->f, "[HF-606]");
	fake_await(l->f, "New password: ");
	fake_type(l->f, "\x1b\x12\x0b"); /* no way past it */
	choose(l, FRESH, FRESH);
}

static void wish_to_change(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_press(l->f, FAKE_KEYBOARD, 0x11, 0, 0, 0); /* F7 */
	fake_await(l->f, "[HF-603]");
	right_and_choose(l);
}

static void wish_to_change_and_go_back(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\x10");
	right(l);
	fake_await(l->f, "New password: ");
	fake_type(l->f, "not this\x1b");
}

static void wish_to_change_with_a_code(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type(l->f, "\x10");
	code(l);
}

static void duress(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, DURESS);
}

static void duress_is_wrong_then_right(struct laptop *l)
{
	duress(l);
	fake_await(l->f, "[HF-201]");
	fake_pause(l->f, 5);
	right(l);
}

static void nobody(struct laptop *l)
{
	(void)l;
}

static void on_the_serial_line(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type_on(l->f, FAKE_TERMINAL, LAPTOP_USER "\r" LAPTOP_PASSWORD "\r");
}

static void on_two_keyboards(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_type_on(l->f, FAKE_KEYBOARD_2, LAPTOP_USER "\r");
	fake_type(l->f, LAPTOP_PASSWORD "\r");
}

#define NO_EVENT 0

static const struct {
	const char *why;
	void (*edit)(struct store *);
	void (*type)(struct laptop *);
	enum fake_end want;
	const char *says;
	enum preboot_event event; /* in the hand-off */
	int value;
} rows[] = {
	{ "password", as_it_is, right, FAKE_KERNEL, "Anna's laptop", PREBOOT_UNLOCKED, 0 },
	{ "a second user", as_it_is, second_user, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0 },
	{ "typed with corrections", as_it_is, corrected, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0 },
	{ "Esc goes back to the name", as_it_is, back_to_the_name, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "wrong password", as_it_is, wrong, FAKE_WAITING, "[HF-201]", NO_EVENT, 0 },
	{ "wrong, then right", as_it_is, wrong_then_right, FAKE_KERNEL, "[HF-201]",
	  PREBOOT_WRONG_PASSWORD, 1 },
	{ "another user's password", as_it_is, others_password, FAKE_WAITING, "[HF-201]",
	  NO_EVENT, 0 },
	{ "on the serial line", as_it_is, on_the_serial_line, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "on two keyboards", as_it_is, on_two_keyboards, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0 },
	{ "banner and beeps", with_a_banner, right, FAKE_KERNEL, "If found: +49 30 123456",
	  PREBOOT_UNLOCKED, 0 },

	{ "one user, password only", one_user, password_only, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "two users, in spite of the rule", two_users_in_single_mode, right, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },

	{ "one-time code", as_it_is, code, FAKE_KERNEL, "Challenge: ", PREBOOT_CODE_USED, 1 },
	{ "code in lower case", as_it_is, lower_case_code_without_hyphens, FAKE_KERNEL, "",
	  PREBOOT_CODE_USED, 1 },
	{ "another code's answer first", as_it_is, another_number, FAKE_KERNEL, "[HF-203]",
	  PREBOOT_WRONG_CODE, 1 },
	{ "no code left", no_codes, recovery_after_asking_for_a_code, FAKE_KERNEL, "[HF-207]",
	  PREBOOT_UNLOCKED, 0 },
	{ "neither code nor recovery key", no_codes_no_recovery, ask_for_a_code_in_vain,
	  FAKE_KERNEL, "[HF-207]", PREBOOT_UNLOCKED, 0 },
	{ "recovery key", as_it_is, recovery, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0 },

	{ "must change", must_change, right_and_choose, FAKE_KERNEL, "[HF-601]",
	  PREBOOT_PASSWORD_CHANGED, 0 },
	{ "must change, and nothing helps", must_change, right_and_choose_badly_first, FAKE_KERNEL,
	  "[HF-607]", PREBOOT_PASSWORD_CHANGED, 0 },
	{ "must change, but a code does not ask", must_change, code, FAKE_KERNEL, "",
	  PREBOOT_CODE_USED, 1 },
	{ "expired", expired, right_and_choose, FAKE_KERNEL, "[HF-602]",
	  PREBOOT_PASSWORD_CHANGED, 0 },
	{ "the last day of a password", nearly_expired, right, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "changed by wish", as_it_is, wish_to_change, FAKE_KERNEL, "[HF-607]",
	  PREBOOT_PASSWORD_CHANGED, 0 },
	{ "kept after all", as_it_is, wish_to_change_and_go_back, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "changed with a code: no", as_it_is, wish_to_change_with_a_code, FAKE_KERNEL, "[HF-609]",
	  PREBOOT_CODE_USED, 1 },

	{ "locked by the organisation", locked, nobody, FAKE_WAITING, "[HF-301]", NO_EVENT, 0 },
	{ "... and a code", locked, code_at_the_first_page, FAKE_KERNEL, "[HF-301]",
	  PREBOOT_CODE_USED, 1 },
	{ "... and the recovery key", locked, recovery, FAKE_KERNEL, "", PREBOOT_UNLOCKED, 0 },
	{ "locks itself", locks_after_three, three_wrong, FAKE_WAITING, "[HF-303]", NO_EVENT, 0 },
	{ "locks itself, and a code", locks_after_three, three_wrong_then_code, FAKE_KERNEL,
	  "[HF-303]", PREBOOT_LOCKED, 1 },
	{ "two wrong are told that one is left", locks_after_three, wrong_then_right, FAKE_KERNEL,
	  "[HF-202]", PREBOOT_WRONG_PASSWORD, 1 },

	{ "out of touch", out_of_touch_warns, right, FAKE_KERNEL, "[HF-306]",
	  PREBOOT_CONTACT_OVERDUE, 25 },
	{ "out of touch for too long", out_of_touch_locks, code_at_the_first_page, FAKE_KERNEL,
	  "[HF-304]", PREBOOT_CONTACT_OVERDUE, 30 },

	{ "duress", duress_kills, duress, FAKE_POWER_OFF, "[HF-504]", NO_EVENT, 0 },
	{ "duress set, and the right password", duress_kills, right, FAKE_KERNEL, "",
	  PREBOOT_UNLOCKED, 0 },
	{ "duress that policy does not allow", duress_not_allowed, duress_is_wrong_then_right,
	  FAKE_KERNEL, "", PREBOOT_WRONG_PASSWORD, 1 },
};

static void check_kernel(size_t i, const struct laptop *l)
{
	HANDOFF h = { 0 };

	expect(rows[i].why, OK, laptop_handoff(&h, l));
	assert_memory_equal(h.head.unlock_key, l->unlock_key.bytes, KEY_BYTES);
	if (laptop_event(&h, rows[i].event) != rows[i].value)
		fail_msg("%s: event %s is %d, expected %d", rows[i].why,
			 preboot_event_text((uint16_t)rows[i].event),
			 laptop_event(&h, rows[i].event), rows[i].value);
	if (fake_open_files(l->f))
		fail_msg("%s: files are left open", rows[i].why);
	assert_int_equal(l->f->sounds != 0, rows[i].edit == with_a_banner);
}

static void play(size_t i, void (*machine)(struct fake *))
{
	struct laptop *l = laptop_new(1, rows[i].edit);
	enum fake_end end;

	machine(l->f);
	rows[i].type(l);
	end = fake_run(l->f);
	if (end != rows[i].want || !fake_said(l->f, rows[i].says) || fake_script_left(l->f))
		fail_msg("%s: %s, expected %s; %s\n%s\n%s", rows[i].why, fake_end_text(end),
			 fake_end_text(rows[i].want), rows[i].says, fake_serial(l->f),
			 fake_screen(l->f));
	if (end == FAKE_KERNEL)
		check_kernel(i, l);
	assert_int_equal(end == FAKE_POWER_OFF, laptop_disk_erased(l));
	laptop_free(l);
}

static void with_a_panel(struct fake *f)
{
	(void)f;
}

static void with_a_text_console(struct fake *f)
{
	f->panel_width = 0;
	f->no_serial = 1;
}

static void with_merged_input(struct fake *f)
{
	f->panel_width = 0;
	f->no_keyboard_handles = 1;
}

static void with_a_console_on_serial(struct fake *f)
{
	f->console_on_serial = 1;
}

static void on_panel_and_serial_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		play(i, with_a_panel);
}

static int needs_serial(size_t i)
{
	return rows[i].type == on_the_serial_line;
}

static void on_a_text_console(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!needs_serial(i))
			play(i, with_a_text_console);
}

static void on_other_machines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		play(i, with_merged_input);
		play(i, with_a_console_on_serial);
	}
}

/* Two starts: what the first one has done holds in the second. */
static enum fake_end again(struct laptop *l, void (*type)(struct laptop *))
{
	fake_script_clear(l->f);
	type(l);
	fake_script_quiet(l->f);
	return fake_run(l->f);
}

static void fresh_password(struct laptop *l)
{
	laptop_type_password(l, LAPTOP_USER, FRESH);
}

static void a_changed_password_is_the_one_from_now_on(void **state)
{
	struct laptop *l = laptop_new(1, must_change);
	HANDOFF h = { 0 };

	(void)state;
	assert_int_equal(again(l, right_and_choose), FAKE_KERNEL);
	assert_int_equal(again(l, right), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-201]"));
	assert_int_equal(again(l, fresh_password), FAKE_KERNEL);
	expect("hand-off", OK, laptop_handoff(&h, l));
	assert_int_equal(h.head.generation, 2);
	assert_false(fake_said(l->f, "[HF-601]"));
	assert_int_equal(again(l, second_user), FAKE_KERNEL);
	laptop_free(l);
}

static void wrong_answers_count_over_restarts(void **state)
{
	struct laptop *l = laptop_new(1, locks_after_three);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(again(l, wrong), FAKE_WAITING);
		assert_int_equal(fake_said(l->f, "[HF-303]"), i == 2);
	}
	assert_int_equal(again(l, right), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-303]") || fake_said(l->f, "[HF-301]"));
	laptop_free(l);
}

static void a_right_answer_forgives(void **state)
{
	struct laptop *l = laptop_new(1, locks_after_three);

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(again(l, wrong), FAKE_WAITING);
		assert_int_equal(again(l, wrong_then_right), FAKE_KERNEL);
	}
	laptop_free(l);
}

/* Whoever copies the store's files back after a lock has gained nothing. */
static void a_store_from_before_the_lock_is_locked_again(void **state)
{
	struct laptop *l = laptop_new(1, locks_after_three);
	uint8_t bytes[65536];
	size_t len;
	const uint8_t *there;

	(void)state;
	assert_int_equal(again(l, right), FAKE_KERNEL);
	there = fake_file(l->f, LAPTOP_STORE_0, &len);
	assert_int_equal(len, sizeof(bytes));
	memcpy(bytes, there, len);
	assert_int_equal(again(l, three_wrong), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-303]"));
	fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	assert_int_equal(again(l, right), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-303]"));
	assert_int_equal(again(l, code_at_the_first_page), FAKE_KERNEL);
	laptop_free(l);
}

static void second_code(struct laptop *l)
{
	laptop_type_code(l, l->codes[2]);
}

static void a_code_opens_once(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	assert_int_equal(again(l, code), FAKE_KERNEL);
	assert_int_equal(again(l, code), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-203]"));
	assert_int_equal(again(l, second_code), FAKE_KERNEL);
	laptop_free(l);
}

static const struct unlock_key *resealed;

/* What the agent does when a code has opened. */
static void reseal(struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		laptop_must(record_seal(&s->records[i], resealed));
}

/* The helpdesk's code is a contact: what it has opened does not lock itself at the next start. */
static void help_is_a_contact(void **state)
{
	struct laptop *l = laptop_new(1, out_of_touch_locks);

	(void)state;
	assert_int_equal(again(l, code_at_the_first_page), FAKE_KERNEL);
	resealed = &l->unlock_key;
	laptop_change(l, reseal);
	l->f->rtc += 19 * DAY;
	assert_int_equal(again(l, right), FAKE_KERNEL);
	assert_false(fake_said(l->f, "[HF-30"));
	l->f->rtc += 11 * DAY;
	assert_int_equal(again(l, right), FAKE_WAITING);
	assert_true(fake_said(l->f, "[HF-304]"));
	laptop_free(l);
}

static void f4_and_f6(struct laptop *l)
{
	fake_await(l->f, "User name: ");
	fake_press(l->f, FAKE_KEYBOARD, 0x0e, 0, 0, 0); /* F4: another layout */
	fake_await(l->f, "[HF-701]");
	fake_press(l->f, FAKE_KEYBOARD, 0x10, 0, 0, 0); /* F6: contrast */
	right(l);
}

static void layout_and_looks_are_remembered(void **state)
{
	struct laptop *l = laptop_new(1, NULL);
	uint8_t before[64], after[64];
	int len;

	(void)state;
	again(l, f4_and_f6);
	len = fake_variable(l->f, "HoldfastChoice", before, sizeof(before), NULL);
	assert_true(len > 0);
	again(l, nobody);
	assert_int_equal(fake_variable(l->f, "HoldfastChoice", after, sizeof(after), NULL), len);
	assert_memory_equal(before, after, (size_t)len);
	laptop_free(l);
}

/* The server hears of it where the laptop did not start by the copy that it should have. */
static void a_start_from_another_copy_is_told(void **state)
{
	static const struct {
		const char *path;
		int value; /* of the event; -1: none */
		enum handoff_loader loader;
	} copies[] = {
		{ NULL, -1, HANDOFF_LOADER_UNKNOWN },
		{ "\\EFI\\holdfast\\holdfast.efi", -1, HANDOFF_LOADER_CURRENT },
		{ "\\EFI\\holdfast\\next.efi", -1, HANDOFF_LOADER_NEXT },
		{ "\\EFI\\holdfast\\previous.efi", HANDOFF_LOADER_PREVIOUS, HANDOFF_LOADER_PREVIOUS },
		{ "\\EFI\\BOOT\\BOOTX64.EFI", HANDOFF_LOADER_REMOVABLE, HANDOFF_LOADER_REMOVABLE },
		{ "\\EFI\\other\\other.efi", -1, HANDOFF_LOADER_UNKNOWN },
	};
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(copies); i++) {
		HANDOFF h = { 0 };

		l->f->started_from = copies[i].path;
		assert_int_equal(again(l, right), FAKE_KERNEL);
		expect("hand-off", OK, laptop_handoff(&h, l));
		assert_int_equal(h.head.loader, copies[i].loader);
		assert_int_equal(laptop_event(&h, PREBOOT_LOADER_FALLBACK), copies[i].value);
	}
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_panel_and_serial_line),
		cmocka_unit_test(on_a_text_console),
		cmocka_unit_test(on_other_machines),
		cmocka_unit_test(a_changed_password_is_the_one_from_now_on),
		cmocka_unit_test(wrong_answers_count_over_restarts),
		cmocka_unit_test(a_right_answer_forgives),
		cmocka_unit_test(a_store_from_before_the_lock_is_locked_again),
		cmocka_unit_test(a_code_opens_once),
		cmocka_unit_test(help_is_a_contact),
		cmocka_unit_test(layout_and_looks_are_remembered),
		cmocka_unit_test(a_start_from_another_copy_is_told),
	};

	return RUN(tests);
}
