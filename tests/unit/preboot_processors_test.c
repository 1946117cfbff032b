/* Argon2id as pre-boot runs it: processors that come, come late, never come or cannot help, and memory
 * that is only there in fragments. */
#include "core_test.h"

/* Instead of Linux' threads and mapping. */
#include "preboot/workplace_efi.c"

#include "common/argon2.h"
#include "common/shift.h"
#include "preboot/events.h"
#include "preboot/firmware.h"
#include "tests/fake/inside.h"
#include "tests/fake/processors.h"

#include <argon2.h>

#define MIB ((size_t)1 << 20)

static const uint8_t salt[ARGON2_SALT_BYTES] = "sixteen of salt";

static int begin(void **state)
{
	*state = fake_new(1);
	fake_here(*state);
	return 0;
}

static int end(void **state)
{
	fake_free(*state);
	return 0;
}

static void derives_right(const char *why, uint32_t memory_kib, uint32_t lanes)
{
	const struct argon2_cost cost = { memory_kib, 2, lanes };
	uint8_t want[32], got[32];

	assert_int_equal(argon2id_hash_raw(2, memory_kib, lanes, "secret", 6, salt, sizeof(salt), want, 32), ARGON2_OK);
	expect(why, OK, argon2id(got, "secret", 6, salt, &cost));
	if (memcmp(got, want, sizeof(want)))
		fail_msg("%s: %u lanes give another key than libargon2", why, lanes);
	assert_int_equal(workplace_progress(), 100);
}

static void same_result_whoever_helps(void **state)
{
	static const struct {
		const char *why;
		unsigned count;
		enum fake_processors_habit habit;
		unsigned started, most;
	} rows[] = {
		{ "one processor", 1, FAKE_COME, 0, 1 },
		{ "two", 2, FAKE_COME, 2, 2 },
		{ "three, for two lanes as well", 3, FAKE_COME, 2, 3 },
		{ "twelve", 12, FAKE_COME, 2, 8 },
		{ "others that come when it is over", 4, FAKE_COME_LATE, 1, 1 },
		{ "others that never come", 4, FAKE_COME_NEVER, 1, 1 },
		{ "others without SSE", 4, FAKE_NO_SSE, 2, 1 },
		{ "firmware that does not start them", 4, FAKE_REFUSE, 2, 1 },
		{ "firmware that cannot count", 4, FAKE_MISCOUNT, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(state);
		fake_processors(rows[i].count, rows[i].habit);
		derives_right(rows[i].why, 2048, 8);
		assert_true(workplace_processors() >= 1 && workplace_processors() <= rows[i].most);
		derives_right(rows[i].why, 1111, 2);
		if (fake_processors_started() != rows[i].started)
			fail_msg("%s: %u starts instead of %u", rows[i].why, fake_processors_started(),
				 rows[i].started);
		fake_processors_end();
		assert_true(fake_processors_wiped());
		derives_right("afterwards", 300, 1); /* sees that all have left */
		end(state);
	}
}

static void one_lane_asks_nobody(void **state)
{
	(void)state;
	fake_processors(4, FAKE_COME);
	derives_right("one lane", 1024, 1);
	assert_int_equal(fake_processors_started(), 0);
	workplace_limit(1);
	derives_right("at most one processor", 1024, 4);
	workplace_limit(0);
	assert_int_equal(fake_processors_started(), 0);
}

static void without_the_protocol(void **state)
{
	(void)state;
	for (uint32_t lanes = 1; lanes <= ARGON2_LANES_MAX; lanes++)
		derives_right("no protocol", 777, lanes);
	assert_int_equal(workplace_processors(), 1);
}

/* Without the event nobody could tell when all have left. */
static void no_event_to_be_had(void **state)
{
	struct fake *f = *state;

	fake_processors(4, FAKE_COME);
	fake_fail(f, FAKE_CREATE_EVENT, f->calls[FAKE_CREATE_EVENT] + 1, 1, FAKE_OUT_OF_RESOURCES);
	derives_right("no event", 1024, 4);
	assert_int_equal(fake_processors_started(), 0);
	assert_int_equal(workplace_processors(), 1);
}

/* ---- processors that stop ---- */

static struct {
	int here; /* what the variable is while lanes are worked on, -1: none */
	unsigned lanes;
} during;

static int helpers_variable(void)
{
	uint8_t value;
	uint32_t attributes;

	if (fake_variable(fake_now, "HoldfastHelpers", &value, sizeof(value), &attributes) != 1)
		return -1;
	assert_int_equal(attributes, 3); /* non-volatile, for boot services */
	return value;
}

static void look_at_variable(void *context, uint32_t round, uint32_t lane)
{
	(void)context;
	(void)round;
	if (!lane)
		during.here = helpers_variable();
	__atomic_add_fetch(&during.lanes, 1, __ATOMIC_ACQ_REL);
}

struct start {
	enum fake_processors_habit habit;
	int here;         /* while working */
	unsigned started; /* of the others */
	int event;        /* its value, -1: none */
};

static int event_of(enum preboot_event kind)
{
	HANDOFF h = { 0 };

	events_deliver(&h);
	for (unsigned i = 0; i < h.head.event_count; i++)
		if (h.events[i].kind == kind)
			return h.events[i].value;
	return -1;
}

static void work_at_a_start(void *argument)
{
	const struct start *s = argument;
	const struct workplace_job job = { 3, 4, look_at_variable, NULL };

	events_start();
	fake_processors(4, s->habit);
	for (int again = 0; again < 2; again++) {
		during.lanes = 0;
		workplace_run(&job);
		assert_int_equal(during.lanes, 12);
		if (!again)
			assert_int_equal(during.here, s->here);
		fake_processors_end();
	}
	assert_int_equal(fake_processors_started(), s->started);
	assert_int_equal(event_of(PREBOOT_PROCESSORS_HUNG), s->event);
}

static void start_with(struct fake *f, const char *why, struct start s, int afterwards)
{
	uint8_t left = 0;
	int len;

	print_message("%s\n", why);
	assert_int_equal(fake_call(f, work_at_a_start, &s), FAKE_RETURNED);
	len = fake_variable(f, "HoldfastHelpers", &left, sizeof(left), NULL);
	assert_int_equal(len, afterwards ? 1 : -1);
	assert_int_equal(left, afterwards);
}

/* That a start did not get past it is all that the next one finds. */
static void who_hung_once_works_alone(void **state)
{
	const uint8_t at_work = 255;
	struct fake *f = *state;

	start_with(f, "the first", (struct start){ FAKE_COME, 255, 2, -1 }, 0);
	start_with(f, "nobody comes", (struct start){ FAKE_COME_NEVER, 255, 2, -1 }, 0);
	start_with(f, "firmware refuses", (struct start){ FAKE_REFUSE, -1, 2, -1 }, 0);
	fake_variable_put(f, "HoldfastHelpers", 3, &at_work, 1);
	for (int left = 10; left; left--)
		start_with(f, "alone", (struct start){ FAKE_COME, left == 10 ? 255 : left, 0, left }, left - 1);
	start_with(f, "with the others again", (struct start){ FAKE_COME, 255, 2, -1 }, 0);
	fake_variable_put(f, "HoldfastHelpers", 7, &at_work, 1);
	start_with(f, "a system's variable is none of ours", (struct start){ FAKE_COME, 255, 2, -1 }, 0);
}

/* As many others as lanes, each before the one that asks. */
static struct shift crowded;
static unsigned own, others;

static void nothing(void)
{
}

static void call_another(void *context, uint32_t round, uint32_t lane)
{
	(void)context;
	(void)round;
	if (lane == 0) {
		shift_help(&crowded, nothing, NULL);
		others++;
		assert_int_equal(crowded.done, 0); /* nobody has taken the last seat */
		assert_int_equal(crowded.next, 1);
	}
}

static void who_asks_has_a_seat(void **state)
{
	const struct workplace_job job = { 1, 2, call_another, NULL };

	(void)state;
	shift_begin(&crowded, &job);
	others = 0;
	shift_help(&crowded, nothing, NULL);
	assert_int_equal(others, 1);
	own = workplace_processors();
	shift_begin(&crowded, &job);
	shift_help(&crowded, nothing, NULL);
	shift_help(&crowded, nothing, NULL);
	shift_work(&crowded, nothing, NULL);
	shift_finish(&crowded, nothing);
	assert_int_equal(own, 1);
	workplace_limit(1);
	shift_begin(&crowded, &job);
	shift_help(&crowded, nothing, NULL);
	assert_int_equal(crowded.next, 0);
	workplace_limit(0);
}

/* Every piece is there once: numbers that are written stay. */
static void pieces_are_apart(const struct workplace *w)
{
	for (size_t i = 0; i < w->count; i++) {
		assert_int_equal((uintptr_t)w->pieces[i] % 64, 0);
		memset(w->pieces[i], (int)(i & 0xff), WORKPLACE_PIECE_BYTES);
		memcpy(w->pieces[i] + WORKPLACE_PIECE_BYTES - sizeof(i), &i, sizeof(i));
	}
	for (size_t i = 0; i < w->count; i++) {
		assert_int_equal(w->pieces[i][0], i & 0xff);
		assert_memory_equal(w->pieces[i] + WORKPLACE_PIECE_BYTES - sizeof(i), &i, sizeof(i));
	}
}

static void memory_from_fragments(void **state)
{
	static const struct {
		const char *why;
		size_t bytes, largest;
		enum err want;
	} rows[] = {
		{ "one run", 64 * MIB, 0, OK },
		{ "an odd size", 5 * MIB + 1, 0, OK },
		{ "less than a piece", 1024, 0, OK },
		{ "two runs", 64 * MIB, 32 * MIB, OK },
		{ "ranges of no round size", 10 * MIB, 3 * MIB - 4096, OK },
		{ "many runs", 16 * MIB, 100 << 10, OK },
		{ "ranges smaller than a piece", 16 * MIB, WORKPLACE_PIECE_BYTES - 1, ERR_MEMORY },
		{ "nothing", 0, 0, ERR_MEMORY },
		{ "more than any record asks for", (size_t)2 << 30, 0, ERR_MEMORY },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct workplace w;

		memset(&w, 0xa5, sizeof(w));
		f->fail_larger = rows[i].largest;
		expect(rows[i].why, rows[i].want, fragments_gather(&w, rows[i].bytes));
		if (rows[i].want) {
			assert_true(untouched(&w, sizeof(w)));
			continue;
		}
		assert_true(w.count * WORKPLACE_PIECE_BYTES >= rows[i].bytes);
		assert_true(w.count * WORKPLACE_PIECE_BYTES - rows[i].bytes < WORKPLACE_PIECE_BYTES);
		pieces_are_apart(&w);
		fragments_return(&w);
		assert_null(w.pieces);
		fragments_return(&w);
	}
	f->fail_larger = 0;
}

/* The fake looks through all that is given back. */
static void what_is_given_back_is_wiped(void **state)
{
	static const uint8_t secret[32] = "half of a block is as bad as one";
	struct fake *f = *state;
	struct workplace w;

	fake_plant(f, "block", secret, sizeof(secret));
	f->fail_larger = MIB;
	expect("gather", OK, fragments_gather(&w, 4 * MIB + 9));
	for (size_t i = 0; i < w.count; i++)
		memcpy(w.pieces[i] + 4711, secret, sizeof(secret));
	fragments_return(&w);
	assert_string_equal(f->leaks, "");
}

/* Memory that runs out on the way is given back. */
static void runs_out_on_the_way(void **state)
{
	struct fake *f = *state;
	unsigned failed = 0;

	f->fail_larger = 256 << 10;
	for (unsigned call = 1; call <= 12; call++) {
		struct workplace w = { 0 };
		enum err e;

		fake_fail(f, FAKE_ALLOCATE_PAGES, f->calls[FAKE_ALLOCATE_PAGES] + call, 1000,
			  FAKE_OUT_OF_RESOURCES);
		e = fragments_gather(&w, 2 * MIB);
		fake_fail_nothing(f);
		failed += e == ERR_MEMORY;
		fragments_return(&w);
		expect("afterwards", OK, fragments_gather(&w, 2 * MIB));
		fragments_return(&w);
	}
	assert_int_equal(failed, 11); /* 2 MiB, 1 and a half are refused, then eight quarters: the eleven calls */
	f->fail_larger = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_hung_once_works_alone), /* first: a process looks for the variable once */
		cmocka_unit_test(same_result_whoever_helps),
		TEST(one_lane_asks_nobody),
		TEST(without_the_protocol),
		TEST(no_event_to_be_had),
		TEST(who_asks_has_a_seat),
		TEST(memory_from_fragments),
		TEST(what_is_given_back_is_wiped),
		TEST(runs_out_on_the_way),
	};

	return RUN(tests);
}
