/* The guard: every wrong answer counts, whatever the power, the store and the firmware do; and nobody is locked
 * out or erased for less. A "start" is guard_start over the same variables. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/guard.h"
#include "preboot_variables.h"

#define ANYTHING 0x5a

static struct store sample(uint16_t limit, uint8_t action)
{
	struct store s = { .head = { .generation = 5, .store_vk = { 1 } } };

	s.rules.head.failure_limit = limit;
	s.rules.head.failure_action = action;
	return s;
}

static void fail_times(unsigned n)
{
	while (n--) {
		expect("count a try", OK, guard_begin());
		(void)!guard_failed();
	}
}

/* Unlocked once, so that the rules are known from then on. */
static void unlock_with(const struct store *s)
{
	guard_start(s);
	expect("count a try", OK, guard_begin());
	assert_int_equal(guard_verified(s), OK);
}

static const char *const verdicts[] = { "go on", "lock", "kill" };

static void expect_verdict(const char *why, enum guard_verdict want, enum guard_verdict got)
{
	if (want != got)
		fail_msg("%s: expected %s, got %s", why, verdicts[want], verdicts[got]);
}

static void limit_is_reached_by_just_so_many(void **state)
{
	static const struct {
		const char *why;
		uint16_t limit;
		uint8_t action;
		unsigned failures;
		enum guard_verdict want;
	} rows[] = {
		{ "no limit", 0, RULES_KILL, 3000, GUARD_GO_ON },
		{ "a limit of delay only", 3, RULES_DELAY, 3000, GUARD_GO_ON },
		{ "one before the lock", 10, RULES_LOCK, 9, GUARD_GO_ON },
		{ "the last one locks", 10, RULES_LOCK, 10, GUARD_LOCK },
		{ "the first one locks", 1, RULES_LOCK, 1, GUARD_LOCK },
		{ "one before the kill", 5, RULES_KILL, 4, GUARD_GO_ON },
		{ "the last one kills", 5, RULES_KILL, 5, GUARD_KILL },
		{ "the largest limit", UINT16_MAX, RULES_KILL, UINT16_MAX - 1, GUARD_GO_ON },
		{ "the largest limit, reached", UINT16_MAX, RULES_KILL, UINT16_MAX, GUARD_KILL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct store s = sample(rows[i].limit, rows[i].action);

		/* in one start */
		variables_forget(state);
		guard_start(&s);
		expect_verdict(rows[i].why, GUARD_GO_ON, guard_check());
		fail_times(rows[i].failures - 1);
		expect("count a try", OK, guard_begin());
		expect_verdict(rows[i].why, rows[i].want, guard_failed());
		/* and, if nothing was done about it, at the next one */
		guard_start(&s);
		expect_verdict(rows[i].why, rows[i].want, guard_check());
		/* each in a start of its own */
		variables_forget(state);
		for (unsigned n = 0; n < rows[i].failures; n++) {
			guard_start(&s);
			expect_verdict(rows[i].why, GUARD_GO_ON, guard_check());
			fail_times(1);
		}
		guard_start(&s);
		expect_verdict(rows[i].why, rows[i].want, guard_check());
	}
}

static void stricter_rule_counts(void **state)
{
	static const struct {
		const char *why;
		uint16_t verified;
		uint8_t verified_action;
		uint16_t hint;
		uint8_t hint_action;
		unsigned failures;
		enum guard_verdict want;
	} rows[] = {
		{ "the store's limit was taken out", 5, RULES_KILL, 0, RULES_DELAY, 5, GUARD_KILL },
		{ "the store's limit was raised", 5, RULES_KILL, 60000, RULES_KILL, 5, GUARD_KILL },
		{ "kill was made a lock", 5, RULES_KILL, 5, RULES_LOCK, 5, GUARD_KILL },
		{ "an earlier lock before the kill", 10, RULES_KILL, 5, RULES_LOCK, 5, GUARD_LOCK },
		{ "... does not put the kill off", 10, RULES_KILL, 5, RULES_LOCK, 10, GUARD_KILL },
		{ "a stricter store counts at once", 0, RULES_DELAY, 3, RULES_LOCK, 3, GUARD_LOCK },
		{ "neither yet", 5, RULES_KILL, 6, RULES_LOCK, 4, GUARD_GO_ON },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct store verified = sample(rows[i].verified, rows[i].verified_action);
		const struct store hint = sample(rows[i].hint, rows[i].hint_action);

		variables_forget(state);
		unlock_with(&verified);
		guard_start(&hint);
		fail_times(rows[i].failures);
		guard_start(&hint);
		expect_verdict(rows[i].why, rows[i].want, guard_check());
		/* once it is verified, the new one counts alone */
		expect("count a try", OK, guard_begin());
		assert_int_equal(guard_verified(&hint), OK);
		fail_times(rows[i].failures);
		guard_start(&hint);
		expect_verdict(rows[i].why,
			       rows[i].hint && rows[i].failures >= rows[i].hint
				       ? (enum guard_verdict)rows[i].hint_action
				       : GUARD_GO_ON,
			       guard_check());
	}
}

static void duress_is_as_the_stricter_says(void **state)
{
	struct store with = sample(0, RULES_DELAY), without = sample(0, RULES_DELAY);

	(void)state;
	with.rules.head.flags = RULES_DURESS;
	guard_start(&without);
	assert_false(guard_duress());
	guard_start(&with);
	assert_true(guard_duress());
	unlock_with(&with);
	guard_start(&without);
	assert_true(guard_duress());
	unlock_with(&without);
	assert_false(guard_duress());
}

static void right_answer_ends_the_row(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		guard_start(&s);
		fail_times(4);
		assert_int_equal(guard_left(), 1);
		expect("count a try", OK, guard_begin());
		assert_int_equal(guard_verified(&s), OK); /* and the kernel may start or not */
		assert_int_equal(guard_left(), 5);
	}
	guard_start(&s);
	expect_verdict("nothing is left of them", GUARD_GO_ON, guard_check());
	assert_int_equal(guard_delay_s(), 0);
}

static void what_was_no_answer_does_not_count(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	guard_start(&s);
	for (int i = 0; i < 20; i++) {
		expect("count a try", OK, guard_begin());
		guard_take_back();
	}
	assert_int_equal(guard_left(), 5);
	fail_times(2);
	guard_take_back(); /* there was no try since */
	guard_take_back();
	assert_int_equal(guard_left(), 3);
	/* one of an earlier start cannot be taken back */
	expect("count a try", OK, guard_begin());
	guard_start(&s);
	guard_take_back();
	assert_int_equal(guard_left(), 2);
}

static void lock_is_said_once_a_start(void **state)
{
	const struct store s = sample(3, RULES_LOCK);

	(void)state;
	guard_start(&s);
	fail_times(2);
	assert_int_equal(guard_left(), 1);
	expect_verdict("what comes", GUARD_LOCK, guard_next());
	expect("count a try", OK, guard_begin());
	expect_verdict("third", GUARD_LOCK, guard_failed());
	for (int i = 0; i < 100; i++) {
		expect("count a try", OK, guard_begin());
		expect_verdict("wrong codes on a locked laptop", GUARD_GO_ON, guard_failed());
	}
	assert_true(guard_left() == UINT32_MAX);
	expect_verdict("nothing more comes", GUARD_GO_ON, guard_next());
	assert_int_equal(guard_delay_s(), 30);
	guard_start(&s);
	expect_verdict("a store copied back is locked again", GUARD_LOCK, guard_check());
	expect("count a try", OK, guard_begin());
	expect_verdict("and once only", GUARD_GO_ON, guard_failed());
	expect("a right code", OK, guard_begin());
	assert_int_equal(guard_verified(&s), OK);
	guard_start(&s);
	expect_verdict("forgiven", GUARD_GO_ON, guard_check());
}

static void locked_laptop_can_still_be_killed(void **state)
{
	const struct store kill = sample(10, RULES_KILL), lock = sample(3, RULES_LOCK);

	(void)state;
	unlock_with(&kill);
	guard_start(&lock);
	fail_times(2);
	assert_int_equal(guard_left(), 1);
	expect_verdict("first the lock", GUARD_LOCK, guard_next());
	fail_times(1);
	assert_int_equal(guard_left(), 7);
	expect_verdict("then the kill", GUARD_KILL, guard_next());
	fail_times(6);
	expect("count a try", OK, guard_begin());
	expect_verdict("tenth", GUARD_KILL, guard_failed());
}

/* Tries with power cuts until it erases: how many wrong answers were told, and how often the power failed. */
static void play_with_cuts(const struct store *s, unsigned *seen, unsigned *cuts)
{
	int killed;

	if (setjmp(power))
		++*cuts;
	cut_in = rand() % 6;
	cut_after_all = rand() % 2;
	guard_start(s);
	killed = guard_check() == GUARD_KILL;
	while (!killed) {
		expect("count a try", OK, guard_begin());
		if (rand() % 3 == 0)
			longjmp(power, 1); /* in the midst of the KDF */
		killed = guard_failed() == GUARD_KILL;
		++*seen; /* now the person is told */
	}
}

/* What the person has seen must be counted, and a cut in the last try must not erase anything: the answer may have
 * been right. */
static void power_cuts_give_no_guess_and_take_no_data(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	for (unsigned seed = 0; seed < 2000; seed++) {
		unsigned seen = 0, cuts = 0;

		variables_forget(state);
		srand(seed);
		unlock_with(&s);
		play_with_cuts(&s, &seen, &cuts);
		if (seen > 5)
			fail_msg("seed %u: %u wrong answers were told before it erased", seed, seen);
		if (seen + cuts < 5)
			fail_msg("seed %u: erased after %u answers and %u cuts", seed, seen, cuts);
	}
}

static void one_cut_in_the_last_try_erases_nothing(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	guard_start(&s);
	fail_times(4);
	expect("the fifth may be right", OK, guard_begin());
	guard_start(&s);
	expect_verdict("nobody knows", GUARD_GO_ON, guard_check());
	expect("once more", OK, guard_begin());
	guard_start(&s);
	expect_verdict("still nobody knows", GUARD_GO_ON, guard_check());
	expect("and a wrong one", OK, guard_begin());
	expect_verdict("all of them count now", GUARD_KILL, guard_failed());
	guard_start(&s);
	expect_verdict("and it was told", GUARD_KILL, guard_check());
	/* or it is given again, and was right */
	variables_forget(state);
	guard_start(&s);
	fail_times(4);
	expect("the fifth", OK, guard_begin());
	guard_start(&s);
	expect("again", OK, guard_begin());
	assert_int_equal(guard_verified(&s), OK);
	assert_int_equal(guard_left(), 5);
}

/* The bug: a laptop that hangs in the KDF of the right password, start after start, was erased (or locked) before any
 * prompt as soon as it had hung as often as the limit says. */
static void tries_without_an_answer_erase_nothing(void **state)
{
	static const uint8_t actions[] = { RULES_LOCK, RULES_KILL };

	for (size_t i = 0; i < COUNT(actions); i++) {
		const struct store s = sample(5, actions[i]);

		variables_forget(state);
		unlock_with(&s);
		for (int starts = 0; starts < 50; starts++) {
			guard_start(&s);
			expect_verdict("it hung again", GUARD_GO_ON, guard_check());
			expect("the right password", OK, guard_begin());
		}
		/* but they were no gift: one answer that is told, and all of them count */
		guard_start(&s);
		expect("a wrong one", OK, guard_begin());
		expect_verdict("told", actions[i] == RULES_KILL ? GUARD_KILL : GUARD_LOCK, guard_failed());
	}
}

/* The bug: four wrong answers of five, the power cut in the fifth, and a right password on a locked laptop (or one
 * without memory): guard_take_back said that the fifth had been told, and the next start erased. */
static void taking_back_tells_no_older_try(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	unlock_with(&s);
	fail_times(4);
	expect("the fifth, cut off", OK, guard_begin());
	guard_start(&s);
	expect("no memory", OK, guard_begin());
	guard_take_back();
	guard_start(&s);
	expect_verdict("nobody knows of the fifth", GUARD_GO_ON, guard_check());
	assert_int_equal(guard_left(), 0);
	/* a full count stays full, and ours */
	fail_times(UINT16_MAX);
	expect("no memory", OK, guard_begin());
	guard_take_back();
	guard_start(&s);
	expect_verdict("full", GUARD_KILL, guard_check());
	assert_int_equal(told[PREBOOT_TAMPERED].count, 0);
}

static void full_variable_store_locks_nobody_out(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	unlock_with(&s);
	fail_times(3);
	write_fault = ERR_MEMORY;
	expect("said, and counted in memory", ERR_MEMORY, guard_begin());
	expect_verdict("fourth", GUARD_GO_ON, guard_failed());
	assert_int_equal(guard_left(), 1);
	assert_int_equal(guard_delay_s(), 8);
	guard_start(&s);
	assert_int_equal(guard_left(), 2); /* what was kept */
	for (int i = 0; i < 2; i++)
		expect("each time", ERR_MEMORY, guard_begin());
	expect_verdict("the limit counts all the same", GUARD_KILL, guard_failed());
	assert_int_equal(told[PREBOOT_TAMPERED].count, 0);
}

static void cleared_variables_begin_anew(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	unlock_with(&s);
	fail_times(4);
	variables_forget(state);
	guard_start(&s);
	expect_verdict("firmware forgot", GUARD_GO_ON, guard_check());
	assert_int_equal(guard_left(), 5);
	assert_int_equal(told[PREBOOT_TAMPERED].count, 0);
}

static void variable_that_is_not_ours_is_forgotten(void **state)
{
	static const struct damage rows[] = {
		{ "version 0", 0, "\0", 1, ERR_FORMAT },    { "version 2", 0, "\2", 1, ERR_FORMAT },
		{ "reserved", 4, "\1", 1, ERR_FORMAT },     { "duress twice", 5, "\2", 1, ERR_FORMAT },
		{ "a fourth action", 6, "\3", 1, ERR_FORMAT },
		{ "kill after four", 6, "\2\0\4\0", 4, ERR_FORMAT },
		{ "reserved2", 7, "\1", 1, ERR_FORMAT },    { "more told than tried", 14, "\4", 1, ERR_FORMAT },
		{ "told fewer", 14, "\2", 1, OK },
		{ "kill after five", 6, "\2\0\5\0", 4, OK }, { "many failures", 2, "\xff\xff", 2, OK },
	};
	const struct store s = sample(10, RULES_LOCK);
	uint8_t ours[VARIABLE_BYTES_MAX + 1];

	unlock_with(&s);
	fail_times(3);
	memcpy(ours, kept_find(VARIABLE_GUARD)->bytes, sizeof(ours));
	assert_int_equal(kept_find(VARIABLE_GUARD)->len, 64);
	for (size_t len = 1; len <= sizeof(ours); len++) {
		variables_forget(state);
		kept_put(VARIABLE_GUARD, ours, len);
		guard_start(&s);
		assert_int_equal(guard_left(), len == 64 ? 7 : 10);
		assert_int_equal(told[PREBOOT_TAMPERED].count, len != 64);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[64];

		variables_forget(state);
		memcpy(bytes, ours, sizeof(bytes));
		damage_apply(bytes, &rows[i]);
		kept_put(VARIABLE_GUARD, bytes, sizeof(bytes));
		guard_start(&s);
		if (told[PREBOOT_TAMPERED].count != (rows[i].want != OK))
			fail_msg("%s: told %u times", rows[i].why, told[PREBOOT_TAMPERED].count);
		/* the next try makes it ours again */
		fail_times(1);
		guard_start(&s);
		assert_int_equal(told[PREBOOT_TAMPERED].count, rows[i].want != OK);
	}
}

static void no_variable_breaks_it(void **state)
{
	const struct store s = sample(10, RULES_LOCK);

	srand(1);
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[64] = { 1 };

		variables_forget(state);
		for (size_t at = 2; at < sizeof(bytes); at++)
			bytes[at] = (uint8_t)(rand() % 4 ? rand() % 3 : rand());
		kept_put(VARIABLE_GUARD, bytes, sizeof(bytes));
		guard_start(&s);
		assert_in_range(guard_check(), GUARD_GO_ON, GUARD_KILL);
		fail_times(1);
		assert_in_range(guard_next(), GUARD_GO_ON, GUARD_KILL);
		assert_int_equal(guard_verified(&s), OK);
		assert_int_equal(guard_left(), 10);
	}
}

static void count_does_not_wrap(void **state)
{
	const struct store s = sample(UINT16_MAX, RULES_KILL);

	(void)state;
	guard_start(&s);
	fail_times(UINT16_MAX + 3u);
	assert_int_equal(guard_left(), 0);
	assert_int_equal(guard_delay_s(), 30);
	guard_start(&s);
	expect_verdict("still", GUARD_KILL, guard_check());
}

static void generation_put(uint64_t generation)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(generation >> 8 * i);
	kept_put(VARIABLE_GENERATION, bytes, sizeof(bytes));
}

/* The bug: a self-made store, which verifies with its own key, washed count and rules away when its maker unlocked it. */
static void planted_store_forgives_nothing(void **state)
{
	const struct store ours = sample(5, RULES_KILL);
	struct store planted = sample(0, RULES_DELAY);

	(void)state;
	generation_put(5);
	planted.head.store_vk[0] = 2;
	planted.head.generation = 5;
	unlock_with(&ours);
	fail_times(4);
	guard_start(&planted);
	assert_int_equal(guard_left(), 1);
	assert_int_equal(told[PREBOOT_TAMPERED].count, 0);
	expect("its maker knows its password", OK, guard_begin());
	expect("it is not ours", ERR_MISDIRECTED, guard_verified(&planted));
	assert_int_equal(told[PREBOOT_TAMPERED].count, 1);
	assert_int_equal(guard_left(), 1);
	guard_start(&ours);
	assert_int_equal(guard_left(), 1);
	expect("the fifth", OK, guard_begin());
	expect_verdict("the rules are the old ones", GUARD_KILL, guard_failed());
	unlock_with(&ours);
	assert_int_equal(told[PREBOOT_TAMPERED].count, 1);
}

/* The bug: a variable that could not be read for once was taken for none, and the next try wrote over its count. */
static void count_that_cannot_be_read_is_kept(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	unlock_with(&s);
	fail_times(4);
	read_faults = 1;
	guard_start(&s);
	assert_int_equal(guard_left(), 1); /* read again */
	read_faults = 2;
	guard_start(&s);
	assert_int_equal(guard_left(), 5);
	expect("counted in memory", ERR_IO, guard_begin());
	expect_verdict("first", GUARD_GO_ON, guard_failed());
	assert_int_equal(guard_left(), 4);
	guard_start(&s);
	assert_int_equal(guard_left(), 1); /* what was kept */
	read_faults = 2;
	guard_start(&s);
	expect("counted in memory", ERR_IO, guard_begin());
	expect("right", OK, guard_verified(&s));
	guard_start(&s);
	assert_int_equal(guard_left(), 5);
}

/* A laptop that was set up anew while the old installation's tries were nearly used up must not be erased by its
 * new user's first typing mistake. */
static void new_installation_begins_anew(void **state)
{
	static const struct {
		const char *why;
		uint64_t generation; /* in the variable; 0: none */
		uint8_t store_vk, owner; /* 0: nobody says who */
		uint32_t left;
	} rows[] = {
		{ "the same store", 5, 1, 0, 1 },
		{ "the same store, variable lost", 0, 1, 0, 1 },
		{ "another store", 5, 2, 0, 1 },
		{ "another store, which the system has written", 1, 2, 0, 5 },
		{ "another store, variable taken away", 0, 2, 0, 5 },
		{ "another store, set up by the system", 5, 2, 2, 5 },
		{ "another store than the one that was set up", 5, 2, 1, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct store old = sample(5, RULES_KILL);
		struct store s = sample(5, RULES_KILL);

		variables_forget(state);
		generation_put(5);
		unlock_with(&old);
		fail_times(4);
		s.head.store_vk[0] = rows[i].store_vk;
		if (rows[i].owner)
			kept_put(VARIABLE_OWNER, (const uint8_t[32]){ rows[i].owner }, 32);
		if (rows[i].generation)
			generation_put(rows[i].generation);
		else
			kept_find(VARIABLE_GENERATION)->len = 0;
		guard_start(&s);
		if (guard_left() != rows[i].left)
			fail_msg("%s: %u tries are left", rows[i].why, guard_left());
	}
}

static void contact_of_the_last_unlock_is_kept(void **state)
{
	struct store s = sample(0, RULES_DELAY), forged = s;
	struct guard_contact c = { .warn_days = ANYTHING };

	(void)state;
	guard_start(&s);
	guard_contact(&c);
	assert_int_equal(c.warn_days + c.lock_days + c.last_contact, 0);
	s.rules.head.contact_warn_days = 20;
	s.rules.head.contact_lock_days = 30;
	s.rules.head.last_contact = 1000000000;
	unlock_with(&s);
	guard_start(&forged);
	guard_contact(&c);
	assert_int_equal(c.warn_days, 20);
	assert_int_equal(c.lock_days, 30);
	assert_int_equal(c.last_contact, 1000000000);
}

/* Flash wears: one write to count, one to settle. */
static void writes_are_few(void **state)
{
	const struct store s = sample(5, RULES_KILL);

	(void)state;
	unlock_with(&s);
	assert_int_equal(writes, 2);
	fail_times(1);
	assert_int_equal(writes, 4);
}

#define TEST(function) cmocka_unit_test_setup(function, variables_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limit_is_reached_by_just_so_many),
		TEST(stricter_rule_counts),
		TEST(duress_is_as_the_stricter_says),
		TEST(right_answer_ends_the_row),
		TEST(what_was_no_answer_does_not_count),
		TEST(lock_is_said_once_a_start),
		TEST(locked_laptop_can_still_be_killed),
		TEST(power_cuts_give_no_guess_and_take_no_data),
		TEST(one_cut_in_the_last_try_erases_nothing),
		TEST(tries_without_an_answer_erase_nothing),
		TEST(taking_back_tells_no_older_try),
		TEST(full_variable_store_locks_nobody_out),
		TEST(cleared_variables_begin_anew),
		TEST(variable_that_is_not_ours_is_forgotten),
		TEST(no_variable_breaks_it),
		TEST(count_does_not_wrap),
		TEST(planted_store_forgives_nothing),
		TEST(count_that_cannot_be_read_is_kept),
		TEST(new_installation_begins_anew),
		TEST(contact_of_the_last_unlock_is_kept),
		TEST(writes_are_few),
	};

	return RUN(tests);
}
