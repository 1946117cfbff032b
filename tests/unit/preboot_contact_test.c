/* Contact: days without the server, by clocks that are right, empty, and wrong by years. Nobody is to be locked out by a
 * clock alone, and nobody gets days back by setting it back. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/calendar.h"
#include "preboot/contact.h"
#include "preboot/guard.h"
#include "preboot_variables.h"

#define DAY 86400u
#define YEAR (365 * (uint64_t)DAY)
#define T0 1800000000u /* a day in 2027 */

static uint64_t clock_now;
static enum err clock_fault;
static struct guard_contact verified;

enum err calendar_now(uint64_t *ret)
{
	if (clock_fault)
		return clock_fault;
	*ret = clock_now;
	return OK;
}

void guard_contact(struct guard_contact *ret)
{
	*ret = verified;
}

static int forget(void **state)
{
	clock_fault = OK;
	clock_now = T0;
	verified = (struct guard_contact){ 0 };
	return variables_forget(state);
}

static struct rules sample(uint64_t last_contact, uint16_t warn, uint16_t lock)
{
	struct rules r = { 0 };

	r.head.last_contact = last_contact;
	r.head.contact_warn_days = warn;
	r.head.contact_lock_days = lock;
	return r;
}

static const char *const verdicts[] = { "fine", "warn", "lock" };

static struct contact check(const struct rules *r)
{
	struct contact c;

	memset(&c, 0xa5, sizeof(c));
	contact_check(&c, r);
	return c;
}

static void expect_verdict(const char *why, enum contact_verdict want, const struct rules *r)
{
	struct contact c = check(r);

	if (c.verdict != want)
		fail_msg("%s: expected %s, got %s after %u days", why, verdicts[want], verdicts[c.verdict], c.days);
}

static void days_are_counted(void **state)
{
	static const struct {
		const char *why;
		uint16_t warn, lock;
		uint64_t after_s;
		enum contact_verdict want;
		uint32_t days, left;
	} rows[] = {
		{ "just now", 20, 30, 0, CONTACT_FINE, 0, 30 },
		{ "a second before the warning", 20, 30, 20 * DAY - 1, CONTACT_FINE, 19, 11 },
		{ "the warning", 20, 30, 20 * DAY, CONTACT_WARN, 20, 10 },
		{ "a second before the lock", 20, 30, 30 * DAY - 1, CONTACT_WARN, 29, 1 },
		{ "the lock", 20, 30, 30 * DAY, CONTACT_LOCK, 30, 0 },
		{ "long after it", 20, 30, 1000 * DAY, CONTACT_LOCK, 1000, 0 },
		{ "warning without lock", 20, 0, 1000 * DAY, CONTACT_WARN, 1000, 0 },
		{ "lock without warning", 0, 30, 29 * DAY, CONTACT_FINE, 29, 1 },
		{ "no rule", 0, 0, 1000 * DAY, CONTACT_FINE, 1000, 0 },
		{ "warning after the lock", 30, 20, 25 * DAY, CONTACT_LOCK, 25, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct rules r = sample(T0, rows[i].warn, rows[i].lock);
		struct contact c;

		forget(state);
		clock_now = T0 + rows[i].after_s;
		expect_verdict(rows[i].why, rows[i].want, &r);
		c = check(&r);
		if (c.days != rows[i].days || c.left_days != rows[i].left)
			fail_msg("%s: %u days, %u left", rows[i].why, c.days, c.left_days);
		assert_false(c.clock_doubted);
		assert_int_equal(told[PREBOOT_CLOCK_DOUBTED].count, 0);
		assert_int_equal(told[PREBOOT_CONTACT_OVERDUE].count != 0, rows[i].want != CONTACT_FINE);
		if (rows[i].want != CONTACT_FINE)
			assert_int_equal(told[PREBOOT_CONTACT_OVERDUE].value, rows[i].days);
	}
}

static void without_any_contact_there_is_no_rule(void **state)
{
	const struct rules r = sample(0, 1, 2);

	(void)state;
	clock_now = T0;
	expect_verdict("never enrolled", CONTACT_FINE, &r);
	clock_now = T0 + 1000 * DAY;
	expect_verdict("three years later", CONTACT_FINE, &r);
	contact_now();
	clock_now += 1000 * DAY;
	expect_verdict("a code makes no rule", CONTACT_FINE, &r);
}

/* Clocks as they are found, ten days after the last contact, which is the last time that was seen. */
static void senseless_clock_locks_nobody(void **state)
{
	static const struct {
		const char *why;
		uint64_t clock;
		enum err fault;
		int doubted;
		uint16_t doubt;
	} rows[] = {
		{ "right", T0 + 10 * DAY, OK, 0, 0 },
		{ "hours behind, as in another zone", T0 + 10 * DAY - DAY / 2, OK, 0, 0 },
		{ "an empty battery: 1970", 0, OK, 1, CONTACT_CLOCK_BEHIND },
		{ "an empty battery: 1980", 315532800, OK, 1, CONTACT_CLOCK_BEHIND },
		{ "an empty battery: 2000", 946684800, OK, 1, CONTACT_CLOCK_BEHIND },
		{ "ten years behind", T0 - 10 * YEAR, OK, 1, CONTACT_CLOCK_BEHIND },
		{ "ten years ahead", T0 + 10 * YEAR, OK, 1, CONTACT_CLOCK_AHEAD },
		{ "three years and a bit ahead", T0 + 11 * DAY + 3 * YEAR, OK, 1, CONTACT_CLOCK_AHEAD },
		{ "the year 9999", 253402300799, OK, 1, CONTACT_CLOCK_AHEAD },
		{ "no date at all", 0, ERR_RANGE, 1, CONTACT_CLOCK_BEHIND },
		{ "no clock", 0, ERR_UNSUPPORTED, 1, CONTACT_CLOCK_BEHIND },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct rules r = sample(T0, 20, 30);
		struct contact c;

		forget(state);
		clock_now = T0 + 10 * DAY;
		expect_verdict("before", CONTACT_FINE, &r);
		verified.last_contact = T0; /* unlocked then */
		clock_now = rows[i].clock;
		clock_fault = rows[i].fault;
		for (int starts = 0; starts < 3; starts++) {
			c = check(&r);
			if (c.verdict != CONTACT_FINE || c.days != 10 || c.clock_doubted != rows[i].doubted)
				fail_msg("%s: %s, %u days, doubted %d", rows[i].why, verdicts[c.verdict],
					 c.days, c.clock_doubted);
			assert_int_equal(contact_today(&r), (T0 + 10 * DAY) / DAY);
		}
		if (told[PREBOOT_CLOCK_DOUBTED].value != rows[i].doubt)
			fail_msg("%s: told %u", rows[i].why, told[PREBOOT_CLOCK_DOUBTED].value);
		/* put right again, it counts on as if nothing had been */
		clock_fault = OK;
		clock_now = T0 + 29 * DAY;
		expect_verdict(rows[i].why, CONTACT_WARN, &r);
		clock_now = T0 + 30 * DAY;
		expect_verdict(rows[i].why, CONTACT_LOCK, &r);
	}
}

static void clock_set_back_gives_no_days_back(void **state)
{
	const struct rules r = sample(T0, 20, 30);

	(void)state;
	clock_now = T0 + 40 * DAY;
	expect_verdict("overdue", CONTACT_LOCK, &r);
	clock_now = T0 + DAY;
	expect_verdict("set back", CONTACT_LOCK, &r);
	clock_now = 0;
	expect_verdict("set back to 1970", CONTACT_LOCK, &r);
	write_fault = ERR_MEMORY;
	expect_verdict("and the variables are full", CONTACT_LOCK, &r);
}

/* The clock ran two years ahead for one start, and is right again. The server's word puts it right. */
static void clock_that_ran_ahead_is_put_right_by_the_server(void **state)
{
	struct rules r = sample(T0, 20, 30);

	(void)state;
	verified.last_contact = T0;
	clock_now = T0 + 2 * YEAR;
	expect_verdict("as far as anybody can tell", CONTACT_LOCK, &r);
	contact_now(); /* a code helped */
	expect_verdict("helped", CONTACT_FINE, &r);
	clock_now = T0 + DAY;
	expect_verdict("still helped", CONTACT_FINE, &r);
	assert_int_equal(contact_today(&r), (T0 + 2 * YEAR) / DAY);
	/* then the server was in touch, at its own time */
	r.head.last_contact = T0 + DAY;
	expect_verdict("in touch", CONTACT_FINE, &r);
	assert_int_equal(contact_today(&r), (T0 + DAY) / DAY);
	verified.last_contact = T0 + DAY; /* and unlocked */
	clock_now = T0 + 2 * DAY;
	expect_verdict("next day", CONTACT_FINE, &r);
	assert_int_equal(contact_today(&r), (T0 + 2 * DAY) / DAY);
	clock_now = T0 + 32 * DAY;
	expect_verdict("the rule works again", CONTACT_LOCK, &r);
}

static void help_is_a_contact(void **state)
{
	struct rules r = sample(T0, 20, 30);

	(void)state;
	verified = (struct guard_contact){ .last_contact = T0 };
	clock_now = T0 + 40 * DAY;
	expect_verdict("overdue", CONTACT_LOCK, &r);
	contact_now();
	expect_verdict("in this start", CONTACT_FINE, &r);
	clock_now += 29 * DAY;
	expect_verdict("later", CONTACT_WARN, &r);
	clock_now += DAY;
	expect_verdict("not for ever", CONTACT_LOCK, &r);
	/* an hour after the start, and then the battery is empty */
	clock_now += 3600;
	contact_now();
	clock_now = 0;
	expect_verdict("helped, by whatever clock", CONTACT_FINE, &r);
	clock_now = T0 + 101 * DAY;
	expect_verdict("overdue", CONTACT_LOCK, &r);
	/* help before the newer contact of the store was verified counts as well */
	r.head.last_contact = T0 + 65 * DAY;
	contact_now();
	verified.last_contact = T0 + 65 * DAY;
	expect_verdict("helped", CONTACT_FINE, &r);
	clock_now += DAY;
	expect_verdict("the next day", CONTACT_FINE, &r);
}

static void stricter_rule_and_later_contact_count(void **state)
{
	struct rules r = sample(T0, 0, 0);

	(void)state;
	clock_now = T0 + 30 * DAY;
	expect_verdict("the store's rule was taken out, and none known", CONTACT_FINE, &r);
	verified = (struct guard_contact){ .warn_days = 20, .lock_days = 30, .last_contact = T0 };
	expect_verdict("the verified one counts", CONTACT_LOCK, &r);
	r = sample(T0, 0, 60000);
	expect_verdict("the verified one is stricter", CONTACT_LOCK, &r);
	r = sample(T0 + 5 * DAY, 0, 10);
	expect_verdict("the store's is stricter", CONTACT_LOCK, &r);
	r = sample(T0 + 5 * DAY, 0, 30);
	expect_verdict("the store's contact is later", CONTACT_WARN, &r);
	verified.last_contact = T0 + 29 * DAY;
	r = sample(T0, 20, 30);
	expect_verdict("an old store locks nobody", CONTACT_FINE, &r);
}

/* A contact that somebody wrote into the store does not stay when the right store is back. */
static void forged_contact_leaves_nothing(void **state)
{
	static const uint64_t forged[] = { T0 + 20 * YEAR, 5662224000u, UINT64_MAX, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(forged); i++) {
		struct rules r = sample(T0, 20, 30), f = sample(forged[i], 20, 30);

		forget(state);
		verified = (struct guard_contact){ .warn_days = 20, .lock_days = 30, .last_contact = T0 };
		clock_now = T0 + 10 * DAY;
		check(&r);
		check(&f);
		assert_int_equal(check(&r).days, 10);
		clock_now = T0 + 31 * DAY;
		check(&f);
		expect_verdict("the right store", CONTACT_LOCK, &r);
	}
}

static void today_is_unknown_rather_than_wrong(void **state)
{
	static const struct {
		const char *why;
		uint64_t clock;
		enum err fault;
		uint16_t want;
	} rows[] = {
		{ "right", T0, OK, T0 / DAY },
		{ "no clock", T0, ERR_IO, 0 },
		{ "an empty battery", 946684800, OK, 0 },
		{ "before this program", 1767225600 - 2 * DAY, OK, 0 },
		{ "no day of 16 bits", (uint64_t)UINT16_MAX * DAY + DAY, OK, 0 },
		{ "the year 9999", 253402300799, OK, 0 },
		{ "the last day", (uint64_t)UINT16_MAX * DAY, OK, UINT16_MAX },
	};
	const struct rules r = sample(0, 20, 30);

	for (size_t i = 0; i < COUNT(rows); i++) {
		forget(state);
		clock_now = rows[i].clock;
		clock_fault = rows[i].fault;
		if (contact_today(&r) != rows[i].want)
			fail_msg("%s: %u", rows[i].why, contact_today(&r));
		expect_verdict(rows[i].why, CONTACT_FINE, &r);
		contact_now();
		expect_verdict(rows[i].why, CONTACT_FINE, &r);
	}
}

static void variable_that_is_not_ours_is_forgotten(void **state)
{
	static const struct damage rows[] = {
		{ "as it was", 0, "\1", 1, OK },
		{ "version 0", 0, "\0", 1, ERR_FORMAT },
		{ "version 2", 0, "\2", 1, ERR_FORMAT },
		{ "reserved", 2, "\1", 1, ERR_FORMAT },
		{ "reserved2", 7, "\1", 1, ERR_FORMAT },
		{ "latest beyond all days", 15, "\1", 1, ERR_FORMAT },
		{ "contact beyond all days", 23, "\1", 1, ERR_FORMAT },
		{ "verified contact beyond all days", 31, "\1", 1, ERR_FORMAT },
		{ "help beyond all days", 39, "\1", 1, ERR_FORMAT },
	};
	const struct rules r = sample(T0, 20, 30);
	uint8_t ours[VARIABLE_BYTES_MAX];

	clock_now = T0 + 40 * DAY;
	check(&r);
	assert_int_equal(kept_find(VARIABLE_CLOCK)->len, 40);
	memcpy(ours, kept_find(VARIABLE_CLOCK)->bytes, sizeof(ours));
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[40];

		forget(state);
		memcpy(bytes, ours, sizeof(bytes));
		damage_apply(bytes, &rows[i]);
		kept_put(VARIABLE_CLOCK, bytes, sizeof(bytes));
		clock_now = T0 + DAY; /* set back: only the variable tells */
		expect_verdict(rows[i].why, rows[i].want ? CONTACT_FINE : CONTACT_LOCK, &r);
	}
	for (size_t len = 0; len <= sizeof(ours); len++) {
		forget(state);
		kept_put(VARIABLE_CLOCK, ours, len);
		clock_now = T0 + DAY;
		expect_verdict("another length", len == 40 ? CONTACT_LOCK : CONTACT_FINE, &r);
	}
}

/* Whatever is kept and claimed: days and dates fit their types, the sanitizers find nothing, and without a rule nobody
 * is locked out. */
static void nothing_breaks_it(void **state)
{
	srand(1);
	for (int i = 0; i < 200000; i++) {
		const uint64_t times[] = { 0, T0, T0 + 40 * DAY, T0 - 10 * YEAR, T0 + 2 * YEAR,
					   (uint64_t)UINT16_MAX * DAY, UINT64_MAX, (uint64_t)rand() << 32 };
		struct rules r = sample(times[rand() % 8], (uint16_t)rand(), (uint16_t)(rand() % 2 ? rand() : 0));
		uint8_t bytes[40] = { 1 };
		struct contact c;

		forget(state);
		verified.last_contact = times[rand() % 8];
		clock_now = times[rand() % 8];
		for (size_t at = 8; at < sizeof(bytes); at++)
			bytes[at] = (uint8_t)(at % 8 < 4 ? rand() : 0);
		kept_put(VARIABLE_CLOCK, bytes, sizeof(bytes));
		c = check(&r);
		if (c.verdict == CONTACT_LOCK)
			assert_true(r.head.contact_lock_days && c.days >= r.head.contact_lock_days);
		assert_true(c.days <= UINT16_MAX);
		contact_now();
		(void)contact_today(&r);
		assert_int_not_equal(check(&r).verdict, CONTACT_LOCK);
	}
}

/* Flash wears: not a write for each look. */
static void writes_are_few(void **state)
{
	const struct rules r = sample(T0, 20, 30);

	(void)state;
	clock_now = T0;
	for (int i = 0; i < 100; i++) {
		check(&r);
		clock_now += 60;
	}
	assert_int_equal(writes, 1);
	clock_now += DAY;
	check(&r);
	assert_int_equal(writes, 2);
}

#define TEST(function) cmocka_unit_test_setup(function, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(days_are_counted),
		TEST(without_any_contact_there_is_no_rule),
		TEST(senseless_clock_locks_nobody),
		TEST(clock_set_back_gives_no_days_back),
		TEST(clock_that_ran_ahead_is_put_right_by_the_server),
		TEST(help_is_a_contact),
		TEST(stricter_rule_and_later_contact_count),
		TEST(forged_contact_leaves_nothing),
		TEST(today_is_unknown_rather_than_wrong),
		TEST(variable_that_is_not_ours_is_forgotten),
		TEST(nothing_breaks_it),
		TEST(writes_are_few),
	};

	return RUN(tests);
}
