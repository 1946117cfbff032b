/* Codes that people type: letters, groups, check letters. docs/formats.md, "Codes". */
#include "code.h"

#include <sodium.h>

#define GROUP_DATA_LETTERS 4
#define GROUP_BYTES 2

static const char alphabet[] = "BCDEFGHJKLNPRSTX";

/* mark: differs between kinds, so that the first group of a code of another kind is refused. */
static const struct {
	uint8_t groups, mark;
} kinds[] = {
	[CODE_RECOVERY] = { 8, 0x0 },
	[CODE_ONE_TIME] = { 7, 0x4 },
	[CODE_CHALLENGE] = { 3, 0x8 },
	[CODE_SHEET] = { 16, 0xc },
};

size_t code_groups(enum code_kind kind)
{
	return kinds[kind].groups;
}

size_t code_bytes(enum code_kind kind)
{
	return code_groups(kind) * GROUP_BYTES;
}

/* a^(i+1) * v in GF(16), x^4 + x + 1, without a branch or table look-up on v. */
static uint8_t weighted(uint8_t v, size_t i)
{
	for (size_t n = 0; n <= i; n++)
		v = (uint8_t)((v << 1 & 0xf) ^ (0x3 & -(v >> 3)));
	return v;
}

/* Kind and group number (from 0) in a nibble: differs between the groups of one kind, and between
 * the kinds in one group. */
static uint8_t group_mark(enum code_kind kind, size_t group)
{
	return (uint8_t)(kinds[kind].mark ^ (group & 0xf));
}

/* The nibble of a letter of either case; 0x80 set: not in the alphabet. Looks at the whole alphabet,
 * so that time says nothing about the letter. */
static uint8_t letter_value(uint8_t c)
{
	uint32_t v = 0x80, upper = c & 0xdfu;

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t same = ((upper ^ (uint8_t)alphabet[i]) - 1) >> 8 & 0xff;

		v ^= same & (0x80 ^ i);
	}
	return (uint8_t)v;
}

/* The letter of a nibble, again without an index made from a secret. */
static char letter_of(uint8_t v)
{
	uint32_t letter = 0;

	for (uint32_t i = 0; i < 16; i++)
		letter |= (((v ^ i) - 1) >> 8 & 0xff) & (uint8_t)alphabet[i];
	return (char)letter;
}

static void group_format(char *ret, uint8_t mark, const uint8_t bytes[static GROUP_BYTES])
{
	uint8_t check = mark;

	for (size_t i = 0; i < GROUP_DATA_LETTERS; i++) {
		uint8_t v = i % 2 ? bytes[i / 2] & 0xf : bytes[i / 2] >> 4;

		ret[i] = letter_of(v);
		check ^= weighted(v, i);
	}
	ret[GROUP_DATA_LETTERS] = letter_of(check);
}

void code_format(char ret[CODE_TEXT_MAX], enum code_kind kind, const uint8_t *bytes)
{
	for (size_t g = 0; g < code_groups(kind); g++) {
		group_format(ret, group_mark(kind, g), bytes + g * GROUP_BYTES);
		ret += CODE_GROUP_LETTERS;
		*ret++ = '-';
	}
	ret[-1] = '\0'; /* in the place of the last hyphen */
}

/* What has been read of a code. wrong: a bit for each group whose check failed, the bit behind the
 * last group for letters too many. */
struct reading {
	enum code_kind kind;
	size_t letters;
	uint8_t check;
	uint32_t wrong;
	uint8_t bytes[CODE_BYTES_MAX];
};

static void reading_drop(struct reading *r)
{
	secret_wipe(r, sizeof(*r));
}

static void reading_letter(struct reading *r, uint8_t c)
{
	size_t group = r->letters / CODE_GROUP_LETTERS, i = r->letters % CODE_GROUP_LETTERS;
	uint8_t v = letter_value(c), nibble = v & 0xf;

	if (group >= code_groups(r->kind)) {
		r->wrong |= 1u << code_groups(r->kind);
		return;
	}
	r->letters++;
	r->wrong |= (uint32_t)(v >> 7) << group;
	if (i < GROUP_DATA_LETTERS) {
		r->bytes[group * GROUP_BYTES + i / 2] |= (uint8_t)(nibble << (i % 2 ? 0 : 4));
		r->check ^= weighted(nibble, i);
		return;
	}
	r->check ^= nibble ^ group_mark(r->kind, group);
	r->wrong |= (uint32_t)((r->check + 0xf) >> 4) << group;
	r->check = 0;
}

static void reading_text(struct reading *r, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '-')
			reading_letter(r, (uint8_t)text[i]);
}

static size_t first_wrong(uint32_t wrong)
{
	for (size_t g = 0; g <= CODE_BYTES_MAX / GROUP_BYTES; g++)
		if (wrong >> g & 1)
			return g + 1;
	return 0;
}

size_t code_check_typed(enum code_kind kind, const char *text, size_t len)
{
	__attribute__((cleanup(reading_drop))) struct reading r = { .kind = kind };

	reading_text(&r, text, len);
	return first_wrong(r.wrong);
}

enum err code_parse(uint8_t *ret, size_t *ret_group, enum code_kind kind, const char *text,
		    size_t len)
{
	__attribute__((cleanup(reading_drop))) struct reading r = { .kind = kind };
	uint32_t surplus = 1u << code_groups(kind);

	reading_text(&r, text, len);
	if (r.wrong || r.letters != code_groups(kind) * CODE_GROUP_LETTERS) {
		if (ret_group)
			*ret_group = first_wrong(r.wrong & (surplus - 1));
		return ERR_FORMAT;
	}
	for (size_t i = 0; i < code_bytes(kind); i++)
		ret[i] = r.bytes[i];
	return OK;
}

/* Text of bytes as a secret; wipes what it needs in between. */
static enum err code_secret(struct secret *ret, enum code_kind kind, const uint8_t *bytes)
{
	char text[CODE_TEXT_MAX];
	enum err e;

	code_format(text, kind, bytes);
	e = secret_copy(ret, text, code_groups(kind) * (CODE_GROUP_LETTERS + 1) - 1);
	secret_wipe(text, sizeof(text));
	return e;
}

enum err code_new(struct secret *ret, enum code_kind kind)
{
	uint8_t bytes[CODE_BYTES_MAX];
	enum err e;

	randombytes_buf(bytes, code_bytes(kind));
	e = code_secret(ret, kind, bytes);
	secret_wipe(bytes, sizeof(bytes));
	return e;
}

enum err code_canonical(struct secret *ret, size_t *ret_group, enum code_kind kind,
			const char *text, size_t len)
{
	uint8_t bytes[CODE_BYTES_MAX];
	enum err e = code_parse(bytes, ret_group, kind, text, len);

	if (!e)
		e = code_secret(ret, kind, bytes);
	secret_wipe(bytes, sizeof(bytes));
	return e;
}

void challenge_format(char ret[CODE_TEXT_MAX], const uint8_t device[static DEVICE_ID_BYTES],
		      uint16_t number)
{
	const uint8_t bytes[] = { device[0], device[1], device[2], device[3],
				  (uint8_t)number, (uint8_t)(number >> 8) };

	code_format(ret, CODE_CHALLENGE, bytes);
}

enum err challenge_parse(uint8_t ret_tag[static 4], uint16_t *ret_number, size_t *ret_group,
			 const char *text, size_t len)
{
	uint8_t bytes[6];
	enum err e = code_parse(bytes, ret_group, CODE_CHALLENGE, text, len);

	if (e)
		return e;
	for (size_t i = 0; i < 4; i++)
		ret_tag[i] = bytes[i];
	*ret_number = (uint16_t)(bytes[4] | bytes[5] << 8);
	return OK;
}
