/* Tombstone: round trip, bounds, checksum. */
#include "core_test.h"

#include "common/tombstone.h"
#include "core_sample.h"

#define AREA 40
#define COMMAND (AREA + 24)

static uint8_t good[TOMBSTONE_BYTES_MAX + 1], bytes[TOMBSTONE_BYTES_MAX + 1];
static size_t good_len;
static struct tombstone stone;

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return 1;
	sample_tombstone(&stone);
	return tombstone_encode(good, &good_len, &stone) != OK;
}

static void round_trip(void **state)
{
	size_t len;

	(void)state;
	for (int erased = 0; erased < 2; erased++) {
		sample_tombstone(&stone);
		stone.erased = erased;
		expect("encode", OK, tombstone_encode(bytes, &len, &stone));
		memset(&stone, 0xa5, sizeof(stone));
		expect("decode", OK, tombstone_decode(&stone, bytes, len));
		assert_int_equal(stone.erased, erased);
		assert_int_equal(stone.area_count, 1);
		assert_true(stone.areas[0].bytes == 16 << 20);
		assert_int_equal(stone.areas[0].partition[0], 5);
		assert_memory_equal(stone.command, "head.body.s", 11);
		assert_memory_equal(stone.device, sample_device, sizeof(stone.device));
		assert_int_equal(len, good_len); /* the state changes in place */
	}
}

static void largest(void **state)
{
	size_t len;

	(void)state;
	sample_tombstone(&stone);
	for (size_t i = 1; i < MANIFEST_VOLUMES_MAX; i++)
		stone.areas[i] = stone.areas[0];
	stone.area_count = MANIFEST_VOLUMES_MAX;
	stone.command_bytes = TOMBSTONE_COMMAND_MAX;
	expect("full", OK, tombstone_encode(bytes, &len, &stone));
	assert_int_equal(len, TOMBSTONE_BYTES_MAX);
	expect("full", OK, tombstone_decode(&stone, bytes, len));
	stone.command_bytes++;
	expect("a command too long", ERR_RANGE, tombstone_encode(bytes, &len, &stone));
	stone.command_bytes = 0;
	stone.area_count++;
	expect("one area too many", ERR_RANGE, tombstone_encode(bytes, &len, &stone));
	stone.area_count = 1;
	stone.areas[0].bytes = TOMBSTONE_AREA_MAX + 4096;
	expect("an area too large", ERR_RANGE, tombstone_encode(bytes, &len, &stone));
}

static void lengths(void **state)
{
	(void)state;
	memcpy(bytes, good, good_len);
	bytes[good_len] = 0;
	memset(&stone, 0xa5, sizeof(stone));
	for (size_t len = 0; len <= good_len + 1; len++)
		if (len != good_len)
			expect("wrong length", ERR_FORMAT, tombstone_decode(&stone, bytes, len));
	assert_true(untouched(&stone, sizeof(stone)));
}

/* want: once the checksum has been repaired. */
static const struct damage damages[] = {
	{ "another magic", 0, "X", 1, ERR_FORMAT },
	{ "version 0", 8, "\0\0", 2, ERR_FORMAT },
	{ "version 2", 8, "\2\0", 2, ERR_VERSION },
	{ "more areas than there are", 10, "\2", 1, ERR_FORMAT },
	{ "seventeen areas", 10, "\x11", 1, ERR_RANGE },
	{ "a command too long", 12, "\1\x20", 2, ERR_RANGE },
	{ "a command that overflows", 12, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "an unknown state", 32, "WAITING", 7, ERR_FORMAT },
	{ "a state without its padding", 39, "X", 1, ERR_FORMAT },
	{ "an area of nothing", AREA + 16, "\0\0\0\0", 4, ERR_RANGE },
	{ "an area of half a block", AREA + 16, "\0\2", 2, ERR_RANGE },
	{ "an area of 64 MiB and a block", AREA + 16, "\0\x10\0\4", 4, ERR_RANGE },
	{ "an area of the whole disk", AREA + 16, "\0\0\0\0\1", 5, ERR_RANGE },
};

static void damaged(void **state)
{
	(void)state;
	memset(&stone, 0xa5, sizeof(stone));
	for (size_t i = 0; i < COUNT(damages); i++) {
		memcpy(bytes, good, good_len);
		damage_apply(bytes, &damages[i]);
		if (damages[i].at >= AREA)
			expect(damages[i].why, ERR_CHECKSUM,
			       tombstone_decode(&stone, bytes, good_len));
		sample_repair(bytes, good_len);
		expect(damages[i].why, damages[i].want, tombstone_decode(&stone, bytes, good_len));
	}
	assert_true(untouched(&stone, sizeof(stone)));
}

/* A torn write is noticed wherever it stopped. */
static void torn(void **state)
{
	(void)state;
	for (size_t kept = COMMAND; kept < good_len; kept++) {
		memcpy(bytes, good, kept);
		memset(bytes + kept, 0xff, good_len - kept);
		expect("a torn write", ERR_CHECKSUM, tombstone_decode(&stone, bytes, good_len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(largest), cmocka_unit_test(lengths),
		cmocka_unit_test(damaged),    cmocka_unit_test(torn),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
