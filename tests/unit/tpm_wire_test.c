/* The TPM's wire: big-endian fields, headers, what response codes mean. */
#include "core_test.h"

#include "common/tpm_session.h"
#include "common/tpm_wire.h"

static void fields_are_big_endian(void **state)
{
	static const uint8_t want[] = { 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0, 2, 'h', 'i' };
	uint8_t bytes[sizeof(want)];
	struct writer w = writer_over(bytes, sizeof(bytes));
	struct cursor c;
	const uint8_t *got;
	size_t len;

	(void)state;
	tpm_write_u16(&w, 0x1234);
	tpm_write_u32(&w, 0x89abcdef);
	tpm_write_2b(&w, "hi", 2);
	expect("filled", OK, writer_end(&w));
	assert_memory_equal(bytes, want, sizeof(want));
	c = cursor_over(bytes, sizeof(bytes));
	assert_int_equal(tpm_read_u16(&c), 0x1234);
	assert_int_equal(tpm_read_u32(&c), 0x89abcdef);
	got = tpm_read_2b(&c, &len, 2);
	assert_non_null(got);
	assert_int_equal(len, 2);
	expect("read", OK, cursor_end(&c));
}

static void a_size_is_held_to_its_bounds(void **state)
{
	static const struct {
		const char *why;
		const char *bytes;
		size_t len, max;
		int is_good;
	} rows[] = {
		{ "empty", "\0\0", 2, 4, 1 },
		{ "fits exactly", "\0\4abcd", 6, 4, 1 },
		{ "larger than allowed", "\0\5abcde", 7, 4, 0 },
		{ "more than there is", "\0\4abc", 5, 4, 0 },
		{ "half a size", "\0", 1, 4, 0 },
		{ "nothing", "", 0, 4, 0 },
		{ "as large as can be", "\xff\xff" "abcd", 6, 65535, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cursor c = cursor_over((const uint8_t *)rows[i].bytes, rows[i].len);
		size_t len = 99;
		const uint8_t *got = tpm_read_2b(&c, &len, rows[i].max);

		if ((got != NULL) != rows[i].is_good || (c.e == OK) != rows[i].is_good)
			fail_msg("%s: judged wrongly", rows[i].why);
		assert_int_equal(len, rows[i].is_good ? rows[i].len - 2 : 0);
	}
}

static void headers_are_checked(void **state)
{
	static const struct {
		const char *why;
		const char *bytes;
		size_t len;
		enum tpm_tag tag;
		enum err want;
		uint32_t rc;
	} rows[] = {
		{ "good", "\x80\1\0\0\0\12\0\0\0\0", 10, TPM_PLAIN, OK, 0 },
		{ "good, with sessions", "\x80\2\0\0\0\12\0\0\0\0", 10, TPM_WITH_SESSIONS, OK, 0 },
		{ "more behind it", "\x80\1\0\0\0\13\0\0\0\0x", 11, TPM_PLAIN, OK, 0 },
		{ "a refusal of a command with sessions", "\x80\1\0\0\0\12\0\0\x9\x21", 10, TPM_WITH_SESSIONS, OK,
		  0x921 },
		{ "a refusal that claims sessions", "\x80\2\0\0\0\12\0\0\x9\x21", 10, TPM_WITH_SESSIONS, ERR_FORMAT,
		  0 },
		{ "a refusal with something behind it", "\x80\1\0\0\0\13\0\0\x9\x21x", 11, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "success without the sessions", "\x80\1\0\0\0\12\0\0\0\0", 10, TPM_WITH_SESSIONS, ERR_FORMAT, 0 },
		{ "sessions that nobody asked for", "\x80\2\0\0\0\12\0\0\0\0", 10, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "a TPM 1.2's tag", "\0\xc4\0\0\0\12\0\0\0\36", 10, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "size too small", "\x80\1\0\0\0\11\0\0\0\0", 10, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "size too large", "\x80\1\0\0\0\13\0\0\0\0", 10, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "short", "\x80\1\0\0\0\11\0\0\0", 9, TPM_PLAIN, ERR_FORMAT, 0 },
		{ "nothing", "", 0, TPM_PLAIN, ERR_FORMAT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cursor c = cursor_over((const uint8_t *)rows[i].bytes, rows[i].len);
		uint32_t rc = 0xa5a5a5a5;

		expect(rows[i].why, rows[i].want, tpm_read_header(&rc, &c, rows[i].tag, rows[i].len));
		assert_int_equal(rc, rows[i].want ? 0xa5a5a5a5 : rows[i].rc);
	}
}

static void codes_mean_something(void **state)
{
	static const struct {
		const char *why;
		uint32_t rc;
		enum err want;
		int again, full;
	} rows[] = {
		{ "success", 0, OK, 0, 0 },
		{ "authorization failed, session 1", 0x98e, ERR_AUTH, 0, 0 },
		{ "bad authorization, session 1", 0x9a2, ERR_AUTH, 0, 0 },
		{ "lockout", 0x921, ERR_LOCKED_OUT, 0, 0 },
		{ "policy fails, session 1", 0x99d, ERR_CHANGED, 0, 0 },
		{ "PCRs changed since the policy", 0x128, ERR_CHANGED, 0, 0 },
		{ "integrity, parameter 1", 0x1df, ERR_MISDIRECTED, 0, 0 },
		{ "handle 1", 0x18b, ERR_MISDIRECTED, 0, 0 },
		{ "private and public do not belong together", 0x2e5, ERR_MISDIRECTED, 0, 0 },
		{ "retry", 0x922, ERR_BUSY, 1, 0 },
		{ "yielded", 0x908, ERR_BUSY, 1, 0 },
		{ "testing", 0x90a, ERR_BUSY, 1, 0 },
		{ "writes too often", 0x920, ERR_BUSY, 1, 0 },
		{ "cannot write now", 0x923, ERR_BUSY, 1, 0 },
		{ "no room for objects", 0x902, ERR_BUSY, 0, 1 },
		{ "no room for sessions", 0x903, ERR_BUSY, 0, 1 },
		{ "no room", 0x904, ERR_BUSY, 0, 1 },
		{ "no handle for a session", 0x905, ERR_BUSY, 0, 1 },
		{ "no handle for an object", 0x906, ERR_BUSY, 0, 1 },
		{ "not started", 0x100, ERR_IO, 0, 0 },
		{ "a failed TPM", 0x101, ERR_IO, 0, 0 },
		{ "value, parameter 1", 0x1c4, ERR_IO, 0, 0 },
		{ "as large as can be", 0xffffffff, ERR_IO, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect(rows[i].why, rows[i].want, tpm_rc_err(rows[i].rc));
		assert_int_equal(tpm_rc_full(rows[i].rc), rows[i].full);
		if (tpm_rc_again(rows[i].rc) != rows[i].again)
			fail_msg("%s: again or not", rows[i].why);
	}
}

/* Computed with Python's hmac and hashlib from the formulas of Part 1, 11.4.10. */
static void derivation(void **state)
{
	static const uint8_t key[] = "key", u[32] = { 1 }, v[32] = { 2 };
	uint8_t got[32];
	char hex[65];

	(void)state;
	tpm_kdfa(got, key, 3, "ATH", u, v);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), got, sizeof(got)), "037e9d5ccf3aea3f1b1334bcba56eda9dc771439623ef0bd4392ce734ab60ce8");
	tpm_kdfe(got, u, "SECRET", v, u);
	assert_string_equal(sodium_bin2hex(hex, sizeof(hex), got, sizeof(got)), "392f283efbc747cdbd52c801999cf06b508ee850e87da70ca77d91ddcf5d2b68");
}

static void zeros_at_the_end_of_an_authorization_value_do_not_count(void **state)
{
	uint8_t auth[TPM_AUTH_BYTES] = { 0 };

	(void)state;
	assert_int_equal(tpm_auth_len(NULL), 0);
	assert_int_equal(tpm_auth_len(auth), 0);
	for (size_t i = 0; i < sizeof(auth); i++) {
		auth[i] = 1;
		assert_int_equal(tpm_auth_len(auth), i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_big_endian),
		cmocka_unit_test(a_size_is_held_to_its_bounds),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(codes_mean_something),
		cmocka_unit_test(derivation),
		cmocka_unit_test(zeros_at_the_end_of_an_authorization_value_do_not_count),
	};

	return RUN(tests);
}
