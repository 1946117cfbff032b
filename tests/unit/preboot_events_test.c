/* Events: what earlier starts have to tell is told once, by the first start that reaches a kernel. */
#define PREBOOT_OWN_EVENTS
#include "core_test.h"

#include <stdlib.h>

#include "preboot/clock.h"
#include "preboot_variables.h"

static uint64_t now_ms;

uint64_t clock_ms(void)
{
	return now_ms;
}

static int forget(void **state)
{
	now_ms = 0;
	variables_forget(state);
	events_start();
	return 0;
}

/* The value of an event in the hand-off; -1: it is not there. */
static int delivered(enum preboot_event kind)
{
	struct handoff h = { .head.event_count = 77 };
	int value = -1;

	events_deliver(&h);
	assert_true(h.head.event_count <= HANDOFF_EVENTS_MAX);
	for (uint32_t i = 0; i < h.head.event_count; i++)
		if (h.events[i].kind == kind)
			value = h.events[i].value;
	return value;
}

static unsigned delivered_count(void)
{
	struct handoff h;

	events_deliver(&h);
	return h.head.event_count;
}

static void each_kind_lasts_as_long_as_it_should(void **state)
{
	static const struct {
		const char *why;
		enum preboot_event kind;
		int now, later; /* value after three times 7: in this start, and in the next one */
	} rows[] = {
		{ "wrong passwords are counted", PREBOOT_WRONG_PASSWORD, 3, 3 },
		{ "wrong codes are counted", PREBOOT_WRONG_CODE, 3, 3 },
		{ "old stores are counted", PREBOOT_ROLLBACK_SEEN, 3, 3 },
		{ "tampering is counted", PREBOOT_TAMPERED, 3, 3 },
		{ "a lock keeps its cause", PREBOOT_LOCKED, 7, 7 },
		{ "a used code keeps its number", PREBOOT_CODE_USED, 7, 7 },
		{ "a changed password", PREBOOT_PASSWORD_CHANGED, 7, 7 },
		{ "a refused target", PREBOOT_TARGET_REFUSED, 7, 7 },
		{ "an unlock is of its start", PREBOOT_UNLOCKED, 7, -1 },
		{ "a damaged copy is seen again", PREBOOT_COPY_DAMAGED, 7, -1 },
		{ "a missing generation", PREBOOT_GENERATION_MISSING, 7, -1 },
		{ "a doubted clock", PREBOOT_CLOCK_DOUBTED, 7, -1 },
		{ "no contact for so many days", PREBOOT_CONTACT_OVERDUE, 7, -1 },
		{ "a count that is not kept", PREBOOT_COUNT_NOT_KEPT, 7, -1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		forget(state);
		for (int n = 0; n < 3; n++)
			events_add(rows[i].kind, 7);
		if (delivered(rows[i].kind) != rows[i].now)
			fail_msg("%s: %d in this start", rows[i].why, delivered(rows[i].kind));
		assert_int_equal(delivered_count(), 1);
		events_start();
		if (delivered(rows[i].kind) != rows[i].later)
			fail_msg("%s: %d in the next start", rows[i].why, delivered(rows[i].kind));
		assert_int_equal(delivered_count(), rows[i].later >= 0);
		/* told; from then on nothing is left of it */
		events_forget();
		assert_int_equal(delivered_count(), 0);
		events_start();
		assert_int_equal(delivered_count(), 0);
	}
}

static void ages_are_of_the_last_one(void **state)
{
	struct handoff h;

	(void)state;
	events_add(PREBOOT_WRONG_CODE, 0);
	now_ms = 5000;
	events_add(PREBOOT_WRONG_CODE, 0);
	events_add(PREBOOT_LOCKED, 1);
	now_ms = 9999;
	events_deliver(&h);
	assert_int_equal(h.head.event_count, 2);
	assert_int_equal(h.events[0].kind, PREBOOT_WRONG_CODE);
	assert_int_equal(h.events[0].age_s, 4);
	assert_int_equal(h.events[1].kind, PREBOOT_LOCKED);
	assert_int_equal(h.events[1].age_s, 4);
}

static void too_many_lose_nothing_that_is_counted(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 1000; i++)
		events_add(PREBOOT_CODE_USED, i);
	events_add(PREBOOT_TAMPERED, 0);
	assert_int_equal(delivered(PREBOOT_TAMPERED), 1);
	assert_true(delivered_count() < HANDOFF_EVENTS_MAX);
	events_start();
	assert_int_equal(delivered_count(), 11); /* ten are kept */
	for (unsigned i = 0; i < UINT16_MAX + 5u; i++)
		events_add(PREBOOT_WRONG_PASSWORD, 0);
	assert_int_equal(delivered(PREBOOT_WRONG_PASSWORD), UINT16_MAX);
}

static void full_variable_store_costs_the_memory_only(void **state)
{
	(void)state;
	write_fault = ERR_MEMORY;
	events_add(PREBOOT_WRONG_PASSWORD, 0);
	events_add(PREBOOT_LOCKED, 2);
	assert_int_equal(delivered(PREBOOT_WRONG_PASSWORD), 1);
	assert_int_equal(delivered(PREBOOT_LOCKED), 2);
	events_start();
	assert_int_equal(delivered_count(), 0);
}

/* Another length or version is forgotten, another length is told; what is in it otherwise is bounded. */
static void variable_that_is_not_ours(void **state)
{
	uint8_t ours[VARIABLE_BYTES_MAX];

	events_add(PREBOOT_WRONG_PASSWORD, 0);
	assert_int_equal(kept_find(VARIABLE_TALLY)->len, 52);
	memcpy(ours, kept_find(VARIABLE_TALLY)->bytes, sizeof(ours));
	for (size_t len = 0; len <= sizeof(ours); len++) {
		forget(state);
		kept_put(VARIABLE_TALLY, ours, len);
		events_start();
		assert_int_equal(delivered_count(), len != 0);
		assert_int_equal(delivered(PREBOOT_TAMPERED), len && len != 52 ? 1 : -1);
	}
	for (unsigned version = 0; version < 256; version++) {
		forget(state);
		ours[0] = (uint8_t)version;
		kept_put(VARIABLE_TALLY, ours, 52);
		events_start();
		assert_int_equal(delivered_count(), version == 1);
	}
	srand(1);
	for (int i = 0; i < 100000; i++) {
		forget(state);
		for (size_t at = 2; at < sizeof(ours); at++)
			ours[at] = (uint8_t)(rand() % 2 ? rand() % 16 : rand());
		ours[0] = 1;
		ours[1] = 0;
		kept_put(VARIABLE_TALLY, ours, 52);
		events_start();
		assert_true(delivered_count() <= 14);
		events_add(PREBOOT_LOCKED, 1);
		assert_true(delivered(PREBOOT_LOCKED) >= 0);
		events_forget();
		assert_int_equal(delivered_count(), 0);
	}
}

/* A morning without anything to tell wears no flash. */
static void writes_are_few(void **state)
{
	(void)state;
	events_add(PREBOOT_UNLOCKED, 0);
	events_forget();
	assert_int_equal(writes, 0);
	events_add(PREBOOT_TARGET_REFUSED, 1);
	events_add(PREBOOT_TARGET_REFUSED, 1);
	assert_int_equal(writes, 1);
}

#define TEST(function) cmocka_unit_test_setup(function, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_lasts_as_long_as_it_should),
		TEST(ages_are_of_the_last_one),
		TEST(too_many_lose_nothing_that_is_counted),
		TEST(full_variable_store_costs_the_memory_only),
		TEST(variable_that_is_not_ours),
		TEST(writes_are_few),
	};

	return RUN(tests);
}
