/* Rules: what policy may say to pre-boot, and what neither agent nor pre-boot takes. */
#include "core_test.h"

#include "common/rules.h"
#include "core_sample.h"

#define BANNER 120
#define BANNER_BYTES 37
#define LOGO (BANNER + BANNER_BYTES)
#define TOTAL (LOGO + 16 + 4 * 4 + 5 * 3)

static uint8_t bytes[RULES_BYTES_MAX + 1], again[RULES_BYTES_MAX];

static void encode(size_t *ret_len)
{
	RULES r;

	sample_rules(&r, 5, 3, 4);
	expect("encode", OK, rules_encode(bytes, ret_len, &r));
}

static void round_trip(void **state)
{
	RULES r = { 0 };
	size_t len, again_len;

	(void)state;
	encode(&len);
	assert_int_equal(len, TOTAL);
	expect("decode", OK, rules_decode(&r, bytes, len));
	assert_int_equal(r.head.flags, RULES_DURESS | RULES_BEEP);
	assert_int_equal(r.head.failure_limit, 10);
	assert_int_equal(r.head.failure_action, RULES_LOCK);
	assert_int_equal(r.head.password_days, 90);
	assert_true(r.head.last_contact == 1767225600);
	assert_string_equal((char *)r.head.organisation, "M\xc3\xbcller & Co");
	assert_string_equal((char *)r.head.layout, "de(nodeadkeys)");
	assert_string_equal((char *)r.banner, "If found:\nM\xc3\xbcller & Co\n+49 30 123456\n");
	assert_int_equal(r.head.logo_bytes, TOTAL - LOGO);
	assert_memory_equal(r.logo, bytes + LOGO, TOTAL - LOGO);
	expect("encode again", OK, rules_encode(again, &again_len, &r));
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
}

static void defaults(void **state)
{
	RULES r = { 0 };
	struct rules fresh;
	size_t len;

	(void)state;
	memset(&fresh, 0xa5, sizeof(fresh));
	rules_default(&fresh);
	expect("encode", OK, rules_encode(bytes, &len, &fresh));
	assert_int_equal(len, RULES_HEAD_BYTES);
	expect("decode", OK, rules_decode(&r, bytes, len));
	assert_int_equal(r.head.flags, 0);
	assert_int_equal(r.head.failure_limit, 0);
	assert_int_equal(r.head.failure_action, RULES_DELAY);
	assert_int_equal(r.head.password_min, 1);
	assert_int_equal(r.head.contact_lock_days, 0);
	assert_int_equal(r.head.password_days, 0);
	assert_int_equal(r.banner[0], 0);
	assert_null(r.logo);
	rules_drop(&fresh);
}

static void largest(void **state)
{
	RULES r, decoded = { 0 };
	size_t len;

	(void)state;
	sample_rules(&r, LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, LOGO_COLOURS_MAX);
	memset(r.banner, 'b', RULES_BANNER_MAX);
	memset(r.head.organisation, 'o', RULES_ORGANISATION_MAX);
	memset(r.head.layout, 'l', RULES_LAYOUT_MAX);
	r.head.flags = RULES_FLAGS;
	r.head.failure_action = RULES_KILL;
	r.head.failure_limit = 1000;
	r.head.password_min = 64;
	r.head.contact_warn_days = r.head.contact_lock_days = r.head.password_days = 3650;
	r.head.last_contact = 253402300799;
	expect("full", OK, rules_encode(bytes, &len, &r));
	assert_int_equal(len, RULES_BYTES_MAX);
	expect("full", OK, rules_decode(&decoded, bytes, len));
}

static void lengths(void **state)
{
	struct rules r;
	size_t full;

	(void)state;
	encode(&full);
	bytes[full] = 0;
	memset(&r, 0xa5, sizeof(r));
	for (size_t len = 0; len <= full + 1; len++)
		if (len != full)
			expect("wrong length", ERR_FORMAT, rules_decode(&r, bytes, len));
	assert_true(untouched(&r, sizeof(r)));
}

static const struct damage damages[] = {
	{ "another magic", 7, "2", 1, ERR_FORMAT },
	{ "version 0", 8, "\0\0", 2, ERR_FORMAT },
	{ "version 2", 8, "\2\0", 2, ERR_VERSION },
	{ "version 256", 8, "\0\1", 2, ERR_VERSION },
	{ "an unknown flag", 10, "\x20", 1, ERR_FORMAT },
	{ "an unknown high flag", 11, "\x80", 1, ERR_FORMAT },
	{ "1001 failures", 12, "\xe9\3", 2, ERR_RANGE },
	{ "an unknown action", 14, "\3", 1, ERR_FORMAT },
	{ "a kill after one mistake", 12, "\1\0\2", 3, ERR_RANGE },
	{ "a kill after four mistakes", 12, "\4\0\2", 3, ERR_RANGE },
	{ "a kill after five mistakes", 12, "\5\0\2", 3, OK },
	{ "a kill after none: never", 12, "\0\0\2", 3, OK },
	{ "a lock after one mistake", 12, "\1\0\1", 3, OK },
	{ "a password of no character", 15, "\0", 1, ERR_RANGE },
	{ "a password of 65 characters", 15, "\x41", 1, ERR_RANGE },
	{ "a warning after 3651 days", 16, "\x43\xe", 2, ERR_RANGE },
	{ "a lock after 3651 days", 18, "\x43\xe", 2, ERR_RANGE },
	{ "a password for 3651 days", 20, "\x43\xe", 2, ERR_RANGE },
	{ "a banner over its bound", 22, "\xe9\3", 2, ERR_RANGE },
	{ "a banner longer than it is", 22, "\x26", 1, ERR_FORMAT },
	{ "a banner shorter than it is", 22, "\x24", 1, ERR_FORMAT },
	{ "a contact in the year 10000", 24, "\x80\x41\xf4\xff\x3a\0\0\0", 8, ERR_RANGE },
	{ "a contact at the end of time", 24, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, ERR_RANGE },
	{ "an organisation with an escape", 32, "\x1b", 1, ERR_FORMAT },
	{ "an organisation with a line feed", 32, "\n", 1, ERR_FORMAT },
	{ "an organisation that is no UTF-8", 32, "\xff", 1, ERR_FORMAT },
	{ "bytes behind the organisation", 95, "x", 1, ERR_FORMAT },
	{ "a layout outside the folder", 96, "../", 3, ERR_FORMAT },
	{ "a layout with a blank", 96, " ", 1, ERR_FORMAT },
	{ "a layout of all that may be in one", 96, "Az0_-(9)", 8, OK },
	{ "a layout without an end", 110, "xx", 2, ERR_FORMAT },
	{ "bytes behind the layout", 98, "\0", 1, ERR_FORMAT },
	{ "a logo over its bound", 112, "\x11\x7c", 2, ERR_RANGE },
	{ "a logo that overflows", 112, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "a logo of no bytes, but there are", 112, "\0", 1, ERR_FORMAT },
	{ "reserved bytes in use", 119, "\1", 1, ERR_FORMAT },
	{ "a banner with an escape", BANNER, "\x1b", 1, ERR_FORMAT },
	{ "a banner with a tab", BANNER, "\t", 1, ERR_FORMAT },
	{ "a banner with a carriage return", BANNER, "\r", 1, ERR_FORMAT },
	{ "a banner that is no UTF-8", BANNER, "\x80", 1, ERR_FORMAT },
	{ "a banner that changes direction", BANNER, "\xe2\x80\xae", 3, ERR_FORMAT },
	{ "a banner with a zero", BANNER + 3, "\0", 1, ERR_FORMAT },
	{ "a banner that ends with a zero", LOGO - 1, "\0", 1, ERR_FORMAT },
	{ "a banner cut off in a letter", LOGO - 1, "\xc3", 1, ERR_FORMAT },
	{ "another logo magic", LOGO, "X", 1, ERR_FORMAT },
	{ "a logo of another size", LOGO + 8, "\6", 1, ERR_FORMAT },
	{ "a logo without a height", LOGO + 10, "\0", 1, ERR_RANGE },
	{ "a pixel of no colour", TOTAL - 1, "\4", 1, ERR_RANGE },
};

static void damaged(void **state)
{
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		RULES r = { 0 };
		static const uint8_t untouched_rules[sizeof(struct rules)];

		encode(&len);
		damage_apply(bytes, &damages[i]);
		expect(damages[i].why, damages[i].want, rules_decode(&r, bytes, len));
		if (damages[i].want)
			assert_memory_equal(&r, untouched_rules, sizeof(r));
	}
}

static void set_action(struct rules *r)
{
	r->head.failure_action = RULES_KILL;
	r->head.failure_limit = RULES_KILL_LIMIT_MIN - 1;
}

static void set_flag(struct rules *r)
{
	r->head.flags = 0x8000;
}

static void set_organisation(struct rules *r)
{
	memset(r->head.organisation, 'o', sizeof(r->head.organisation));
}

static void set_layout(struct rules *r)
{
	memcpy(r->head.layout, "de/../us", 8);
}

static void set_banner(struct rules *r)
{
	memset(r->banner, 'b', sizeof(r->banner));
}

static void set_banner_tail(struct rules *r)
{
	r->banner[RULES_BANNER_MAX - 1] = 'b';
}

static void set_logo_bytes(struct rules *r)
{
	r->head.logo_bytes--;
}

static void set_no_logo_bytes(struct rules *r)
{
	r->head.logo_bytes = 0;
}

static void set_no_logo(struct rules *r)
{
	free(r->logo);
	r->logo = NULL;
}

static void set_logo_over_bound(struct rules *r)
{
	r->head.logo_bytes = LOGO_BYTES_MAX + 1;
}

static void set_logo_magic(struct rules *r)
{
	r->logo[0] = 'X';
}

static void not_written(void **state)
{
	static const struct {
		const char *why;
		void (*set)(struct rules *r);
	} rows[] = {
		{ "a kill after four mistakes", set_action },
		{ "an unknown flag", set_flag },
		{ "an organisation without an end", set_organisation },
		{ "a layout that is a path", set_layout },
		{ "a banner without an end", set_banner },
		{ "something behind the banner", set_banner_tail },
		{ "a logo cut off", set_logo_bytes },
		{ "a logo of no bytes", set_no_logo_bytes },
		{ "bytes of no logo", set_no_logo },
		{ "a logo over its bound", set_logo_over_bound },
		{ "a logo that is none", set_logo_magic },
	};
	size_t len = 77;

	(void)state;
	memset(again, 0xa5, sizeof(again));
	for (size_t i = 0; i < COUNT(rows); i++) {
		RULES r;

		sample_rules(&r, 5, 3, 4);
		rows[i].set(&r);
		expect(rows[i].why, ERR_RANGE, rules_encode(again, &len, &r));
	}
	assert_int_equal(len, 77);
	assert_true(untouched(again, sizeof(again)));
}

static void copies(void **state)
{
	RULES r, copy = { 0 }, bare = { 0 };
	size_t len, copy_len;

	(void)state;
	sample_rules(&r, 5, 3, 4);
	expect("copy", OK, rules_copy(&copy, &r));
	assert_ptr_not_equal(copy.logo, r.logo);
	expect("encode", OK, rules_encode(bytes, &len, &r));
	rules_drop(&r);
	assert_null(r.logo);
	rules_drop(&r);
	expect("the copy lives on", OK, rules_encode(again, &copy_len, &copy));
	assert_int_equal(len, copy_len);
	assert_memory_equal(again, bytes, len);
	rules_default(&r);
	expect("without a logo", OK, rules_copy(&bare, &r));
	assert_null(bare.logo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(defaults),    cmocka_unit_test(largest),
		cmocka_unit_test(lengths),    cmocka_unit_test(damaged),     cmocka_unit_test(not_written),
		cmocka_unit_test(copies),
	};

	return RUN(tests);
}
