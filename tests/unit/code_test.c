/* Codes: round trips, and every promise about mistakes in code.h, tried out in full. */
#include "core_test.h"

#include "common/code.h"

static const enum code_kind kinds[] = { CODE_RECOVERY, CODE_ONE_TIME, CODE_CHALLENGE, CODE_SHEET };
static const char letters[] = "BCDEFGHJKLNPRSTX";

static size_t group_of(enum code_kind kind, const char *text)
{
	uint8_t bytes[CODE_BYTES_MAX];
	size_t group = 999;

	expect(text, ERR_FORMAT, code_parse(bytes, &group, kind, text, strlen(text)));
	return group;
}

static void random_text(char ret[CODE_TEXT_MAX], enum code_kind kind)
{
	uint8_t bytes[CODE_BYTES_MAX];

	randombytes_buf(bytes, sizeof(bytes));
	code_format(ret, kind, bytes);
}

/* The worked example of docs/formats.md. */
static void documented_example(void **state)
{
	const uint8_t bytes[16] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
				    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	char text[CODE_TEXT_MAX];

	(void)state;
	code_format(text, CODE_RECOVERY, bytes);
	assert_string_equal(text, "BBBCE-BDBER-BFBGT-BHBJC-BKBLN-BNBPG-BRBSJ-BTBXK");
}

static void round_trips(void **state)
{
	static const size_t bits[] = { 128, 112, 48, 256 };
	uint8_t in[CODE_BYTES_MAX], out[CODE_BYTES_MAX];
	char text[CODE_TEXT_MAX];
	size_t group;

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		assert_int_equal(code_bytes(kinds[k]) * 8, bits[k]);
		for (int n = 0; n < 1000; n++) {
			randombytes_buf(in, sizeof(in));
			code_format(text, kinds[k], in);
			assert_int_equal(strlen(text), code_groups(kinds[k]) * 6 - 1);
			assert_int_equal(code_check_typed(kinds[k], text, strlen(text)), 0);
			expect(text, OK, code_parse(out, &group, kinds[k], text, strlen(text)));
			assert_memory_equal(in, out, code_bytes(kinds[k]));
		}
	}
}

static void typed_loosely(void **state)
{
	SECRET struct secret canonical = { 0 };
	char text[CODE_TEXT_MAX], loose[3 * CODE_TEXT_MAX];
	size_t group, n = 0;

	(void)state;
	random_text(text, CODE_ONE_TIME);
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '-')
			continue;
		loose[n++] = i % 2 ? (char)(text[i] | 0x20) : text[i];
		loose[n++] = i % 3 ? ' ' : '\t';
		loose[n++] = '-';
	}
	expect("lower case and blanks", OK, code_canonical(&canonical, &group, CODE_ONE_TIME, loose, n));
	assert_int_equal(canonical.len, strlen(text));
	assert_memory_equal(canonical.bytes, text, canonical.len);
}

static void new_codes_differ(void **state)
{
	SECRET struct secret a = { 0 }, b = { 0 };
	uint8_t bytes[CODE_BYTES_MAX];
	size_t group;

	(void)state;
	expect("new code", OK, code_new(&a, CODE_RECOVERY));
	expect("new code", OK, code_new(&b, CODE_RECOVERY));
	assert_int_equal(a.len, 8 * 6 - 1);
	assert_memory_not_equal(a.bytes, b.bytes, a.len);
	expect("new code", OK, code_parse(bytes, &group, CODE_RECOVERY, (char *)a.bytes, a.len));
}

/* Every length but the right one, and nothing written. */
static void lengths(void **state)
{
	char text[CODE_TEXT_MAX + 2];
	uint8_t bytes[CODE_BYTES_MAX];
	size_t group;

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		size_t full = code_groups(kinds[k]) * 6 - 1;

		random_text(text, kinds[k]);
		strcat(text, "B");
		for (size_t len = 0; len <= full + 1; len++) {
			memset(bytes, 0xa5, sizeof(bytes));
			group = 999;
			if (len == full)
				continue;
			expect("wrong length", ERR_FORMAT,
			       code_parse(bytes, &group, kinds[k], text, len));
			assert_int_equal(group, 0);
			assert_true(untouched(bytes, sizeof(bytes)));
			assert_int_equal(code_check_typed(kinds[k], text, len),
					 len > full ? code_groups(kinds[k]) + 1 : 0);
		}
		expect("no place for the group", ERR_FORMAT,
		       code_parse(bytes, NULL, kinds[k], text, 1));
	}
}

/* One letter wrong, at every place, for every wrong letter. */
static void substitutions(void **state)
{
	char text[CODE_TEXT_MAX];

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		random_text(text, kinds[k]);
		for (size_t i = 0; text[i]; i++) {
			char right = text[i];

			if (right == '-')
				continue;
			for (int c = 1; c < 256; c++) {
				if (c == ' ' || c == '\t' || c == '-' || c == right ||
				    c == (right | 0x20))
					continue;
				text[i] = (char)c;
				assert_int_equal(group_of(kinds[k], text), i / 6 + 1);
			}
			text[i] = right;
		}
	}
}

/* Two neighbours of a group exchanged: all four places in every one of the 65,536 groups. */
static void transpositions(void **state)
{
	char text[CODE_TEXT_MAX];

	(void)state;
	for (unsigned n = 0; n <= 0xffff; n++) {
		const uint8_t bytes[CODE_BYTES_MAX] = { (uint8_t)(n >> 8), (uint8_t)n };

		code_format(text, CODE_CHALLENGE, bytes);
		for (size_t at = 0; at < 4; at++) {
			char exchanged[] = { text[0], text[1], text[2], text[3], text[4] };

			if (text[at] == text[at + 1])
				continue;
			exchanged[at] = text[at + 1];
			exchanged[at + 1] = text[at];
			if (code_check_typed(CODE_CHALLENGE, exchanged, 5) != 1)
				fail_msg("%.5s for %.5s is not noticed", exchanged, text);
		}
	}
}

/* Two groups exchanged: at least one of them is noticed, the first one. */
static void groups_exchanged(void **state)
{
	char text[CODE_TEXT_MAX], kept[5];

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t a = 0; a < code_groups(kinds[k]); a++)
			for (size_t b = a + 1; b < code_groups(kinds[k]); b++) {
				random_text(text, kinds[k]);
				memcpy(kept, text + 6 * a, 5);
				memcpy(text + 6 * a, text + 6 * b, 5);
				memcpy(text + 6 * b, kept, 5);
				assert_int_equal(group_of(kinds[k], text), a + 1);
			}
}

/* A group left out or typed twice: the first one that is out of place is named. */
static void groups_shifted(void **state)
{
	char text[CODE_TEXT_MAX], typed[CODE_TEXT_MAX + 6];

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t g = 0; g + 1 < code_groups(kinds[k]); g++) {
			random_text(text, kinds[k]);
			memcpy(typed, text, 6 * g);
			strcpy(typed + 6 * g, text + 6 * (g + 1));
			assert_int_equal(group_of(kinds[k], typed), g + 1);
			memcpy(typed, text, 6 * (g + 1));
			strcpy(typed + 6 * (g + 1), text + 6 * g);
			assert_int_equal(group_of(kinds[k], typed), g + 2);
		}
}

/* A code of another kind is refused in its first group. */
static void wrong_kind(void **state)
{
	char text[CODE_TEXT_MAX];

	(void)state;
	for (size_t a = 0; a < COUNT(kinds); a++)
		for (size_t b = 0; b < COUNT(kinds); b++) {
			random_text(text, kinds[a]);
			if (a == b)
				continue;
			assert_int_equal(group_of(kinds[b], text), 1);
			assert_int_equal(code_check_typed(kinds[b], text, 5), 1);
		}
}

static void while_typing(void **state)
{
	char text[CODE_TEXT_MAX];

	(void)state;
	random_text(text, CODE_RECOVERY);
	text[12] = text[12] == letters[0] ? letters[1] : letters[0];
	for (size_t len = 0; len <= strlen(text); len++)
		assert_int_equal(code_check_typed(CODE_RECOVERY, text, len), len < 17 ? 0 : 3);
	text[18] = '1';
	assert_int_equal(code_check_typed(CODE_RECOVERY, text + 18, 1), 1);
}

static void challenges(void **state)
{
	const uint8_t device[DEVICE_ID_BYTES] = { 0xde, 0xad, 0xbe, 0xef };
	uint8_t tag[4];
	uint16_t number;
	char text[CODE_TEXT_MAX];
	size_t group;

	(void)state;
	challenge_format(text, device, 0x1234);
	expect(text, OK, challenge_parse(tag, &number, &group, text, strlen(text)));
	assert_memory_equal(tag, device, 4);
	assert_int_equal(number, 0x1234);
	text[7] = text[7] == 'B' ? 'C' : 'B';
	expect(text, ERR_FORMAT, challenge_parse(tag, &number, &group, text, strlen(text)));
	assert_int_equal(group, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_example),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(typed_loosely),
		cmocka_unit_test(new_codes_differ),
		cmocka_unit_test(lengths),
		cmocka_unit_test(substitutions),
		cmocka_unit_test(transpositions),
		cmocka_unit_test(groups_exchanged),
		cmocka_unit_test(groups_shifted),
		cmocka_unit_test(wrong_kind),
		cmocka_unit_test(while_typing),
		cmocka_unit_test(challenges),
	};

	return RUN(tests);
}
