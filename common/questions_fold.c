/* Answers, made the same however they are typed: what people write differently each time is taken out.
 * Tables of ranges over Unicode; nothing grows, so that an answer stays within its bound. */
#include "questions.h"

#include <string.h>

#include "text.h"

/* Taken out: white space, punctuation, symbols, what is not seen. Inclusive. */
static const struct {
	uint16_t first, last;
} dropped[] = {
	{ 0x0009, 0x0009 }, { 0x0020, 0x002f }, { 0x003a, 0x0040 }, { 0x005b, 0x0060 },
	{ 0x007b, 0x007e }, { 0x00a0, 0x00a9 }, { 0x00ab, 0x00b1 }, { 0x00b4, 0x00b4 },
	{ 0x00b6, 0x00b8 }, { 0x00bb, 0x00bb }, { 0x00bf, 0x00bf }, { 0x00d7, 0x00d7 },
	{ 0x00f7, 0x00f7 }, { 0x02b9, 0x02df }, { 0x02e5, 0x02ff }, { 0x0374, 0x0375 },
	{ 0x037e, 0x037e }, { 0x0384, 0x0385 }, { 0x0387, 0x0387 }, { 0x0559, 0x055f },
	{ 0x0589, 0x058a }, { 0x05be, 0x05be }, { 0x05f3, 0x05f4 }, { 0x060c, 0x060d },
	{ 0x061b, 0x061f }, { 0x0640, 0x0640 }, { 0x066a, 0x066d }, { 0x06d4, 0x06d4 },
	{ 0x0964, 0x0965 }, { 0x2000, 0x206f }, { 0x20a0, 0x20cf }, { 0x2190, 0x2bff },
	{ 0x2e00, 0x2e7f }, { 0x3000, 0x3003 }, { 0x3008, 0x3020 }, { 0x3030, 0x3030 },
	{ 0xfeff, 0xfeff }, { 0xff3b, 0xff40 }, { 0xff5b, 0xff65 },
};

/* Capitals to small letters: all of a range by one distance, or every second one by 1; and small letters
 * that mean the same. Inclusive; looked up once, the first range that fits. */
static const struct {
	uint16_t first, last;
	int16_t add;
	uint8_t step;
} folded[] = {
	{ 0x0041, 0x005a, 32, 1 },     /* ASCII */
	{ 0x00b5, 0x00b5, 775, 1 },    /* micro sign: the Greek letter */
	{ 0x00c0, 0x00de, 32, 1 },     /* Latin-1; the sign in it is dropped before */
	{ 0x0100, 0x012e, 1, 2 },
	{ 0x0130, 0x0130, 'i' - 0x130, 1 }, /* Turkish: all four are one letter */
	{ 0x0131, 0x0131, 'i' - 0x131, 1 },
	{ 0x0132, 0x0136, 1, 2 },
	{ 0x0139, 0x0147, 1, 2 },
	{ 0x014a, 0x0176, 1, 2 },
	{ 0x0178, 0x0178, -121, 1 },
	{ 0x0179, 0x017d, 1, 2 },
	{ 0x017f, 0x017f, 's' - 0x17f, 1 }, /* long s */
	{ 0x0181, 0x0181, 210, 1 },    /* letters of African languages and Azerbaijani */
	{ 0x0186, 0x0186, 206, 1 },
	{ 0x0187, 0x0187, 1, 1 },
	{ 0x018a, 0x018a, 205, 1 },
	{ 0x018e, 0x018e, 79, 1 },
	{ 0x018f, 0x018f, 202, 1 },
	{ 0x0190, 0x0190, 203, 1 },
	{ 0x0198, 0x0198, 1, 1 },
	{ 0x01a0, 0x01a4, 1, 2 },      /* Vietnamese */
	{ 0x01af, 0x01af, 1, 1 },
	{ 0x01b3, 0x01b5, 1, 2 },
	{ 0x01c4, 0x01c4, 2, 1 },      /* Croatian: in capitals, and with the first a capital */
	{ 0x01c5, 0x01c5, 1, 1 },
	{ 0x01c7, 0x01c7, 2, 1 },
	{ 0x01c8, 0x01c8, 1, 1 },
	{ 0x01ca, 0x01ca, 2, 1 },
	{ 0x01cb, 0x01db, 1, 2 },
	{ 0x01de, 0x01ee, 1, 2 },
	{ 0x01f8, 0x021e, 1, 2 },
	{ 0x0222, 0x0232, 1, 2 },
	{ 0x0246, 0x024e, 1, 2 },
	{ 0x0386, 0x0386, 43, 1 },     /* Greek loses its accent, which its capitals do not carry */
	{ 0x0388, 0x0388, 45, 1 },
	{ 0x0389, 0x0389, 46, 1 },
	{ 0x038a, 0x038a, 47, 1 },
	{ 0x038c, 0x038c, 51, 1 },
	{ 0x038e, 0x038e, 55, 1 },
	{ 0x038f, 0x038f, 58, 1 },
	{ 0x0390, 0x0390, 58, 1 },
	{ 0x0391, 0x03a1, 32, 1 },
	{ 0x03a3, 0x03ab, 32, 1 },
	{ 0x03ac, 0x03ac, 5, 1 },
	{ 0x03ad, 0x03ad, 8, 1 },
	{ 0x03ae, 0x03ae, 9, 1 },
	{ 0x03af, 0x03af, 10, 1 },
	{ 0x03b0, 0x03b0, 27, 1 },
	{ 0x03c2, 0x03c2, 1, 1 },      /* the s at the end of a word */
	{ 0x03cc, 0x03cc, -13, 1 },
	{ 0x03cd, 0x03cd, -8, 1 },
	{ 0x03ce, 0x03ce, -5, 1 },
	{ 0x0401, 0x0401, 52, 1 },     /* Cyrillic; io is written as ie by most */
	{ 0x0400, 0x040f, 80, 1 },
	{ 0x0410, 0x042f, 32, 1 },
	{ 0x0451, 0x0451, -28, 1 },
	{ 0x0460, 0x0480, 1, 2 },
	{ 0x048a, 0x04be, 1, 2 },
	{ 0x04c0, 0x04c0, 15, 1 },
	{ 0x04c1, 0x04cd, 1, 2 },
	{ 0x04d0, 0x052e, 1, 2 },
	{ 0x1e00, 0x1e94, 1, 2 },
	{ 0x1ea0, 0x1efe, 1, 2 },      /* Vietnamese */
};

static int is_dropped(uint32_t point)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (point >= dropped[i].first && point <= dropped[i].last)
			return 1;
	return 0;
}

static uint32_t point_fold(uint32_t point)
{
	if (point >= 0xff01 && point <= 0xff5e)
		point -= 0xfee0; /* the wide forms of ASCII */
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++)
		if (point >= folded[i].first && point <= folded[i].last &&
		    (point - folded[i].first) % folded[i].step == 0)
			return (uint32_t)((int32_t)point + folded[i].add);
	return point;
}

/* Next character of valid UTF-8. */
static uint32_t point_take(const uint8_t **at)
{
	uint8_t first = *(*at)++;
	int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t point = more ? first & (0x3fu >> more) : first;

	for (; more > 0; more--)
		point = point << 6 | (*(*at)++ & 0x3f);
	return point;
}

static uint8_t *point_put(uint8_t *at, uint32_t point)
{
	static const uint8_t marks[] = { 0, 0xc0, 0xe0, 0xf0 };
	int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;

	*at++ = (uint8_t)(marks[more] | point >> (6 * more));
	for (; more > 0; more--)
		*at++ = (uint8_t)(0x80 | (point >> (6 * (more - 1)) & 0x3f));
	return at;
}

struct answer {
	uint8_t bytes[ANSWER_BYTES_MAX + 1];
	size_t len, characters;
};

static void answer_wipe(struct answer *a)
{
	secret_wipe(a, sizeof(*a));
}
#define ANSWER __attribute__((cleanup(answer_wipe))) struct answer

static void answer_add(struct answer *a, uint32_t point)
{
	a->len = (size_t)(point_put(a->bytes + a->len, point) - a->bytes);
	a->characters++;
}

static void answer_fold(struct answer *ret, const struct answer *typed)
{
	const uint8_t *at = typed->bytes;

	while (at < typed->bytes + typed->len) {
		uint32_t point = point_take(&at);

		if (is_dropped(point))
			continue;
		point = point_fold(point);
		if (is_dropped(point))
			continue;
		if (point == 0xdf || point == 0x1e9e) { /* sharp s */
			answer_add(ret, 's');
			point = 's';
		}
		answer_add(ret, point);
	}
}

enum err answer_normalize(struct secret *ret, const struct secret *typed)
{
	ANSWER as = { .len = typed->len }, plain = { 0 };

	if (typed->len == 0 || typed->len > ANSWER_BYTES_MAX)
		return ERR_RANGE;
	memcpy(as.bytes, typed->bytes, typed->len);
	for (size_t i = 0; i < as.len; i++)
		if (as.bytes[i] == '\t')
			as.bytes[i] = ' ';
	/* the field would take an end before its last byte */
	if (memchr(as.bytes, 0, as.len) || !text_valid(as.bytes, sizeof(as.bytes)))
		return ERR_FORMAT;
	answer_fold(&plain, &as);
	if (plain.characters < ANSWER_CHARACTERS_MIN)
		return ERR_RANGE;
	return secret_copy(ret, plain.bytes, plain.len);
}
