/* Questions: answers however they are typed, shares behind them, and the box. */
#include "core_test.h"

#include "common/questions.h"
#include "core_sample.h"
#include "stack_probe.h"

#define TEXT_BYTES (QUESTION_TEXT_MAX + 1)
#define BOX_BYTES 1028

static const uint8_t salt[16] = "a record's salt", other_salt[16] = "another's salt";
static const uint8_t key[TPM_SECRET_BYTES] = "what only the TPM gives: 32 byte";

static const char *const texts[QUESTIONS_MAX] = { "Pet?", "Street?", "Car?", "Aunt?",
						  "Town?", "Song?", "Book?", "Meal?" };
static const char *const answers[QUESTIONS_MAX] = { "Rex", "Hauptstr. 5", "Mini", "Frieda",
						    "K\xc3\xb6ln", "Yesterday", "Momo", "Pizza" };

struct answers { struct secret of[QUESTIONS_MAX]; };

static void answers_drop(struct answers *a)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&a->of[i]);
}
#define ANSWERS __attribute__((cleanup(answers_drop))) struct answers

static void typed(struct secret *ret, const char *text)
{
	secret_drop(ret);
	if (text[0])
		expect(text, OK, secret_copy(ret, text, strlen(text)));
}

static void typed_all(struct answers *ret)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		typed(&ret->of[i], answers[i]);
}

static void folds(void **state)
{
	static const struct {
		const char *why, *typed, *want;
	} rows[] = {
		{ "capitals", "ReX", "rex" },
		{ "blanks and punctuation", " Rex, \t the 1st!", "rexthe1st" },
		{ "a hyphen or a blank", "Karl-Marx-Stadt", "karlmarxstadt" },
		{ "German", "\xc3\x84\xc3\x96\xc3\x9c", "\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "sharp s", "Stra\xc3\x9f" "e", "strasse" },
		{ "capital sharp s", "STRA\xe1\xba\x9e" "E", "strasse" },
		{ "French", "\xc3\x89" "cole d\xe2\x80\x99\xc3\x8ele", "\xc3\xa9" "cole" "d\xc3\xaele" },
		{ "y with two dots", "L'Ha\xc5\xb8", "lha\xc3\xbf" },
		{ "Danish", "\xc3\x86r\xc3\x98 \xc3\x85", "\xc3\xa6r\xc3\xb8\xc3\xa5" },
		{ "Polish", "\xc5\x81\xc3\x93" "D\xc5\xb9", "\xc5\x82\xc3\xb3" "d\xc5\xba" },
		{ "Czech", "\xc5\x98" "\xc5\xbd\xc4\x8c", "\xc5\x99\xc5\xbe\xc4\x8d" },
		{ "Hungarian", "\xc5\x90\xc5\xb0", "\xc5\x91\xc5\xb1" },
		{ "Romanian", "\xc8\x98\xc8\x9a\xc4\x82", "\xc8\x99\xc8\x9b\xc4\x83" },
		{ "Turkish capitals", "\xc4\xb0STANBUL", "istanbul" },
		{ "Turkish without the dot", "I\xc4\xb1s\xc4\xb1k", "iisik" },
		{ "Vietnamese", "\xe1\xba\xa4\xc6\xa0\xc6\xaf", "\xe1\xba\xa5\xc6\xa1\xc6\xb0" },
		{ "Croatian", "\xc7\x84\xc7\x85\xc7\x86", "\xc7\x86\xc7\x86\xc7\x86" },
		{ "Azerbaijani", "\xc6\x8f" "A", "\xc9\x99" "a" },
		{ "Greek in capitals", "\xce\x91\xce\x98\xce\x97\xce\x9d\xce\x91", "\xce\xb1\xce\xb8\xce\xb7\xce\xbd\xce\xb1" },
		{ "Greek with its accent", "\xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1", "\xce\xb1\xce\xb8\xce\xb7\xce\xbd\xce\xb1" },
		{ "Greek s at the end", "\xce\xa3\xce\xa3 \xcf\x82", "\xcf\x83\xcf\x83\xcf\x83" },
		{ "Greek with accent and dots", "\xce\x90\xce\x8f", "\xcf\x8a\xcf\x89" },
		{ "Russian", "\xd0\x9c\xd0\x9e\xd0\xa1\xd0\x9a\xd0\x92\xd0\x90", "\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0" },
		{ "Russian io", "\xd0\x81\xd1\x91\xd0\x95", "\xd0\xb5\xd0\xb5\xd0\xb5" },
		{ "Ukrainian", "\xd0\x84\xd0\x86\xd0\x87\xd2\x90", "\xd1\x94\xd1\x96\xd1\x97\xd2\x91" },
		{ "Serbian", "\xd0\x82\xd0\x8f", "\xd1\x92\xd1\x9f" },
		{ "wide letters", "\xef\xbc\xb2\xef\xbd\x85\xef\xbc\x81\xef\xbd\x98", "rex" },
		{ "Japanese stays", "\xe6\x9d\xb1\xe4\xba\xac\xe3\x80\x82", "\xe6\x9d\xb1\xe4\xba\xac" },
		{ "Hebrew and Arabic stay", "\xd7\x90\xd7\xb3 \xd8\xa8\xd8\x8c", "\xd7\x90\xd8\xa8" },
		{ "beyond the first plane", "\xf0\x9f\x90\xb6\xf0\x9f\x90\xb1", "\xf0\x9f\x90\xb6\xf0\x9f\x90\xb1" },
		{ "digits, fractions and squares stay", "5\xc2\xbd m\xc2\xb2", "5\xc2\xbdm\xc2\xb2" },
		{ "combining marks stay", "e\xcc\x81q", "e\xcc\x81q" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		SECRET struct secret in = { 0 }, out = { 0 }, again = { 0 };

		typed(&in, rows[i].typed);
		expect(rows[i].why, OK, answer_normalize(&out, &in));
		if (out.len != strlen(rows[i].want) || memcmp(out.bytes, rows[i].want, out.len))
			fail_msg("%s: \"%s\" became \"%.*s\"", rows[i].why, rows[i].typed, (int)out.len,
				 (char *)out.bytes);
		expect(rows[i].why, OK, answer_normalize(&again, &out));
		assert_int_equal(again.len, out.len);
		assert_memory_equal(again.bytes, out.bytes, out.len);
	}
}

/* Of every character there is: what comes out is UTF-8, no longer, and does not change any more. */
static void every_character(void **state)
{
	(void)state;
	for (uint32_t point = 0xa0; point < 0x11000; point++) {
		uint8_t text[8] = { 'z', 'z', (uint8_t)(0xe0 | point >> 12), (uint8_t)(0x80 | (point >> 6 & 63)),
				    (uint8_t)(0x80 | (point & 63)) };
		SECRET struct secret in = { 0 }, out = { 0 }, again = { 0 };
		size_t len = 5;
		enum err e;

		if (point < 0x800) {
			text[2] = (uint8_t)(0xc0 | point >> 6);
			text[3] = (uint8_t)(0x80 | (point & 63));
			len = 4;
		} else if (point >= 0x10000) {
			text[2] = 0xf0;
			text[3] = (uint8_t)(0x80 | point >> 12);
			text[4] = (uint8_t)(0x80 | (point >> 6 & 63));
			text[5] = (uint8_t)(0x80 | (point & 63));
			len = 6;
		}
		expect("secret", OK, secret_copy(&in, text, len));
		e = answer_normalize(&out, &in);
		if (point >= 0xd800 && point < 0xe000) {
			expect("a surrogate", ERR_FORMAT, e);
			continue;
		}
		if (e == ERR_FORMAT && ((point >= 0x2028 && point <= 0x202e) ||
					(point >= 0x2066 && point <= 0x2069)))
			continue; /* lines and directions: no text at all */
		expect("a character", OK, e);
		assert_true(out.len <= in.len);
		expect("once more", OK, answer_normalize(&again, &out));
		if (again.len != out.len || memcmp(again.bytes, out.bytes, out.len))
			fail_msg("U+%04x changes a second time", (unsigned)point);
	}
}

static void answers_refused(void **state)
{
	static char long_one[ANSWER_BYTES_MAX + 2];
	static const struct {
		const char *why, *typed;
		enum err want;
	} rows[] = {
		{ "nothing", "", ERR_RANGE },
		{ "one letter", "a", ERR_RANGE },
		{ "two letters", "ab", OK },
		{ "one letter of three bytes", "\xe6\x9d\xb1", ERR_RANGE },
		{ "sharp s is two", "\xc3\x9f", OK },
		{ "punctuation only", "?!...", ERR_RANGE },
		{ "one letter and much else", "  a - !", ERR_RANGE },
		{ "too long", long_one, ERR_RANGE },
		{ "as long as may be", long_one + 1, OK },
		{ "no UTF-8", "a\xff" "b", ERR_FORMAT },
		{ "a sequence cut off", "ab\xc3", ERR_FORMAT },
		{ "a line feed", "ab\n", ERR_FORMAT },
		{ "an escape", "ab\x1b", ERR_FORMAT },
	};
	SECRET struct secret zero = { 0 };

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		SECRET struct secret in = { 0 }, out = { 0 };

		typed(&in, rows[i].typed);
		expect(rows[i].why, rows[i].want, answer_normalize(&out, &in));
		if (rows[i].want)
			assert_null(out.bytes);
	}
	{
		SECRET struct secret out = { 0 };

		expect("secret", OK, secret_copy(&zero, "ab\0cd", 5));
		expect("a zero inside", ERR_FORMAT, answer_normalize(&out, &zero));
		zero.bytes[2] = 'x';
		zero.bytes[4] = 0;
		expect("a zero at the end", ERR_FORMAT, answer_normalize(&out, &zero));
	}
}

static void make(struct questions_box *ret, struct secret *ret_secret, unsigned count, unsigned need)
{
	ANSWERS a = { 0 };

	typed_all(&a);
	expect("make", OK, questions_make(ret, ret_secret, texts, a.of, count, need, salt));
	assert_int_equal(ret_secret->len, 64);
	for (size_t i = 0; i < 64; i++)
		assert_non_null(memchr("0123456789abcdef", ret_secret->bytes[i], 16));
}

/* Which questions are in a set, and what is answered. */
static unsigned choose(unsigned *ret_chosen, struct answers *ret, unsigned set)
{
	unsigned count = 0;

	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		if (set >> i & 1) {
			typed(&ret->of[count], answers[i]);
			ret_chosen[count++] = i;
		}
	return count;
}

static int same(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* Any k right answers give the secret; k - 1 right ones and one wrong another, without a word. */
static void any_k_of_n(void **state)
{
	(void)state;
	for (unsigned count = 2; count <= QUESTIONS_MAX; count++)
		for (unsigned need = 2; need <= count; need++) {
			QUESTIONS_BOX box = { 0 };
			SECRET struct secret secret = { 0 };

			make(&box, &secret, count, need);
			for (unsigned set = 0; set < 1u << count; set++) {
				SECRET struct secret got = { 0 }, wrong = { 0 };
				ANSWERS a = { 0 };
				unsigned chosen[QUESTIONS_MAX];

				if ((unsigned)__builtin_popcount(set) != need)
					continue;
				choose(chosen, &a, set);
				expect("answer", OK, questions_answer(&got, &box, chosen, a.of, salt));
				if (!same(&got, &secret))
					fail_msg("%u of %u, set %x: another secret", need, count, set);
				typed(&a.of[set % need], "wrong");
				expect("answer", OK, questions_answer(&wrong, &box, chosen, a.of, salt));
				assert_false(same(&wrong, &secret));
			}
		}
}

/* Neither the order nor how they are typed matters; which question and which salt does. */
static void answering(void **state)
{
	static const struct {
		const char *why;
		unsigned chosen[2];
		const char *typed[2];
		const uint8_t *salt;
		int right;
	} rows[] = {
		{ "as made", { 0, 1 }, { "Rex", "Hauptstr. 5" }, salt, 1 },
		{ "in another order", { 1, 0 }, { "Hauptstr. 5", "Rex" }, salt, 1 },
		{ "typed in another way", { 1, 0 }, { "HAUPT-STR 5", " rex! " }, salt, 1 },
		{ "to the other question", { 0, 1 }, { "Hauptstr. 5", "Rex" }, salt, 0 },
		{ "to a third question", { 0, 2 }, { "Rex", "Hauptstr. 5" }, salt, 0 },
		{ "another record's salt", { 0, 1 }, { "Rex", "Hauptstr. 5" }, other_salt, 0 },
		{ "one letter more", { 0, 1 }, { "Rexx", "Hauptstr. 5" }, salt, 0 },
		{ "both wrong", { 0, 1 }, { "one", "two" }, salt, 0 },
	};
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret secret = { 0 };

	(void)state;
	make(&box, &secret, 3, 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		SECRET struct secret got = { 0 };
		ANSWERS a = { 0 };

		typed(&a.of[0], rows[i].typed[0]);
		typed(&a.of[1], rows[i].typed[1]);
		expect(rows[i].why, OK, questions_answer(&got, &box, rows[i].chosen, a.of, rows[i].salt));
		if (same(&got, &secret) != rows[i].right)
			fail_msg("%s: %s secret", rows[i].why, rows[i].right ? "another" : "the");
	}
}

/* The formula of docs/formats.md, by itself: two shares on a straight line. */
static void mask_format(void **state)
{
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret secret = { 0 };
	uint8_t share[2][32], mask[32], message[64], joined[32];
	char digits[65];

	(void)state;
	make(&box, &secret, 2, 2);
	for (unsigned i = 0; i < 2; i++) {
		const char *plain = i ? "hauptstr5" : "rex";

		memcpy(message, "holdfast answer v1", 18);
		message[18] = (uint8_t)i;
		memcpy(message + 19, plain, strlen(plain));
		crypto_generichash(mask, 32, message, 19 + strlen(plain), salt, 16);
		for (unsigned b = 0; b < 32; b++)
			share[i][b] = box.shares[i * 32 + b] ^ mask[b];
	}
	/* f(1) = s + a, f(2) = s + 2a, so 2 f(1) + f(2) = 3 s; and 1/3 is 0xf6 */
	for (unsigned b = 0; b < 32; b++) {
		unsigned product = 0, x = share[0][b];
		unsigned three = (x << 1 ^ (x & 0x80 ? 0x11b : 0)) ^ share[1][b];

		for (unsigned bit = 0; bit < 8; bit++) {
			if (0xf6 >> bit & 1)
				product ^= three;
			three = three << 1 ^ (three & 0x80 ? 0x11b : 0);
		}
		joined[b] = (uint8_t)product;
	}
	sodium_bin2hex(digits, sizeof(digits), joined, 32);
	assert_memory_equal(secret.bytes, digits, 64);
}

static void two_boxes(void **state)
{
	QUESTIONS_BOX box = { 0 }, other = { 0 };
	SECRET struct secret secret = { 0 }, other_secret = { 0 }, got = { 0 };
	ANSWERS a = { 0 };
	unsigned chosen[QUESTIONS_MAX];

	(void)state;
	make(&box, &secret, 3, 2);
	make(&other, &other_secret, 3, 2);
	assert_false(same(&secret, &other_secret));
	assert_memory_not_equal(box.shares, other.shares, 96);
	memcpy(box.shares, other.shares, 32);
	choose(chosen, &a, 3);
	expect("a share of another box", OK, questions_answer(&got, &box, chosen, a.of, salt));
	assert_false(same(&got, &secret));
	assert_false(same(&got, &other_secret));
}

static void making_refused(void **state)
{
	static char long_text[QUESTION_TEXT_MAX + 2];
	static const struct {
		const char *why;
		unsigned count, need;
		const char *text, *answer; /* instead of the second */
		enum err want;
	} rows[] = {
		{ "as it should be", 3, 2, NULL, NULL, OK },
		{ "one of three", 3, 1, NULL, NULL, ERR_RANGE },
		{ "none", 3, 0, NULL, NULL, ERR_RANGE },
		{ "four of three", 3, 4, NULL, NULL, ERR_RANGE },
		{ "nine questions", 9, 2, NULL, NULL, ERR_RANGE },
		{ "one question", 1, 1, NULL, NULL, ERR_RANGE },
		{ "an empty question", 3, 2, "", NULL, ERR_RANGE },
		{ "a question with an escape", 3, 2, "Pet\x1b?", NULL, ERR_RANGE },
		{ "a question that is no UTF-8", 3, 2, "Pet\xff?", NULL, ERR_RANGE },
		{ "a question too long", 3, 2, long_text, NULL, ERR_RANGE },
		{ "the longest question", 3, 2, long_text + 1, NULL, OK },
		{ "the same question", 3, 2, "Pet?", NULL, ERR_EXISTS },
		{ "the same answer", 3, 2, NULL, "rex.", ERR_EXISTS },
		{ "an answer too short", 3, 2, NULL, "x!", ERR_RANGE },
		{ "an answer that is no UTF-8", 3, 2, NULL, "ab\xc3", ERR_FORMAT },
	};

	(void)state;
	memset(long_text, 'q', sizeof(long_text) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *asked[QUESTIONS_MAX + 1] = { 0 };
		QUESTIONS_BOX box;
		SECRET struct secret secret = { 0 };
		ANSWERS a = { 0 };

		memcpy(asked, texts, sizeof(texts));
		asked[QUESTIONS_MAX] = "More?";
		typed_all(&a);
		if (rows[i].text)
			asked[1] = rows[i].text;
		if (rows[i].answer)
			typed(&a.of[1], rows[i].answer);
		memset(&box, 0xa5, sizeof(box));
		expect(rows[i].why, rows[i].want, questions_make(&box, &secret, asked, a.of, rows[i].count,
								 rows[i].need, salt));
		if (rows[i].want) {
			assert_true(untouched(&box, sizeof(box)));
			assert_null(secret.bytes);
		}
	}
}

static void answering_refused(void **state)
{
	static const struct {
		const char *why;
		unsigned chosen[2];
		const char *second;
		enum err want;
	} rows[] = {
		{ "the same question twice", { 1, 1 }, "Mini", ERR_RANGE },
		{ "a question that is not there", { 0, 3 }, "Mini", ERR_RANGE },
		{ "a question past them all", { 0, 99 }, "Mini", ERR_RANGE },
		{ "no answer", { 0, 1 }, "", ERR_RANGE },
		{ "an answer that is no UTF-8", { 0, 1 }, "\xff\xff", ERR_FORMAT },
	};
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret secret = { 0 };

	(void)state;
	make(&box, &secret, 3, 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		SECRET struct secret got = { 0 };
		ANSWERS a = { 0 };

		typed(&a.of[0], "Rex");
		typed(&a.of[1], rows[i].second);
		expect(rows[i].why, rows[i].want, questions_answer(&got, &box, rows[i].chosen, a.of, salt));
		assert_null(got.bytes);
	}
}

static void closing(void **state)
{
	QUESTIONS_BOX box = { 0 }, got;
	SECRET struct secret secret = { 0 };
	struct questions q = { .credential = "a record's id" }, again, damaged;
	uint8_t other_key[TPM_SECRET_BYTES];

	(void)state;
	make(&box, &secret, 3, 2);
	questions_close(&q, &box, key);
	again = q;
	questions_close(&again, &box, key);
	assert_memory_not_equal(q.nonce, again.nonce, sizeof(q.nonce));
	expect("open", OK, questions_open(&got, &q, key));
	assert_memory_equal(&got, &box, sizeof(box));
	assert_string_equal(questions_text(&got, 1), "Street?");
	memset(&got, 0xa5, sizeof(got));
	memcpy(other_key, key, sizeof(other_key));
	other_key[31] ^= 1;
	expect("another key", ERR_AUTH, questions_open(&got, &q, other_key));
	for (size_t i = 0; i < sizeof(q); i++) {
		damaged = q;
		((uint8_t *)&damaged)[i] ^= 0x10;
		expect("any byte changed", ERR_AUTH, questions_open(&got, &damaged, key));
	}
	assert_true(untouched(&got, sizeof(got)));
}

/* What a box shows without its key: nothing of its questions. */
static void box_hides(void **state)
{
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret secret = { 0 };
	struct questions q = { .credential = "a record's id" };

	(void)state;
	make(&box, &secret, 3, 2);
	questions_close(&q, &box, key);
	for (unsigned i = 0; i < 3; i++)
		assert_null(memmem(&q, sizeof(q), texts[i], strlen(texts[i])));
	for (unsigned i = 0; i < 3; i++)
		assert_null(memmem(&q, sizeof(q), box.shares + (size_t)i * 32, 8));
}

/* By docs/formats.md, with anything in it: who knows the key is not believed either. */
static void close_by_hand(struct questions *q, const uint8_t inside[BOX_BYTES])
{
	uint8_t aad[37];

	memcpy(aad, "holdfast questions v1", 21);
	memcpy(aad + 21, q->credential, 16);
	crypto_aead_xchacha20poly1305_ietf_encrypt(q->box, NULL, inside, BOX_BYTES, aad, sizeof(aad), NULL,
						   q->nonce, key);
}

static void hostile_boxes(void **state)
{
	static const struct damage rows[] = {
		{ "as made", 0, "\2\3\0\0", 4, OK },
		{ "one answer is enough", 0, "\1", 1, ERR_FORMAT },
		{ "none is", 0, "\0", 1, ERR_FORMAT },
		{ "more needed than there are", 0, "\4", 1, ERR_FORMAT },
		{ "nine questions", 1, "\x9", 1, ERR_FORMAT },
		{ "two questions, and a third behind them", 1, "\2", 1, ERR_FORMAT },
		{ "four questions, one of them empty", 1, "\4", 1, ERR_FORMAT },
		{ "no question", 0, "\0\0", 2, ERR_FORMAT },
		{ "255 of 255", 0, "\xff\xff", 2, ERR_FORMAT },
		{ "a reserved byte in use", 3, "\1", 1, ERR_FORMAT },
		{ "a question that is no UTF-8", 4, "\xff", 1, ERR_FORMAT },
		{ "a question with an escape", 4, "\x1b", 1, ERR_FORMAT },
		{ "a question that is not there", 4, "\0\0\0\0", 4, ERR_FORMAT },
		{ "a question twice", 4, "Street?", 7, ERR_FORMAT },
		{ "a question without an end", 4 + 95, "x", 1, ERR_FORMAT },
		{ "a question behind the last", 4 + 3 * 96, "x", 1, ERR_FORMAT },
		{ "a share behind the last", 772 + 96, "x", 1, ERR_FORMAT },
		{ "any share", 772, "any share", 9, OK },
	};
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret secret = { 0 };

	(void)state;
	make(&box, &secret, 3, 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct questions q = { .credential = "a record's id" };
		uint8_t inside[BOX_BYTES] = { 2, 3 };
		QUESTIONS_BOX got = { 0 };

		memcpy(inside + 4, box.texts, sizeof(box.texts));
		memcpy(inside + 772, box.shares, sizeof(box.shares));
		damage_apply(inside, &rows[i]);
		close_by_hand(&q, inside);
		expect(rows[i].why, rows[i].want, questions_open(&got, &q, key));
	}
	box.need = 1;
	{
		SECRET struct secret got = { 0 };
		ANSWERS a = { 0 };
		unsigned chosen[QUESTIONS_MAX];

		choose(chosen, &a, 1);
		expect("a box that nobody opened", ERR_RANGE, questions_answer(&got, &box, chosen, a.of, salt));
	}
}

struct run {
	struct questions_box box;
	struct questions q;
	struct answers answers;
	struct secret secret;
	enum err e;
};

static void run_make(void *p)
{
	struct run *r = p;

	r->e = questions_make(&r->box, &r->secret, texts, r->answers.of, 3, 2, salt);
}

static void run_answer(void *p)
{
	static const unsigned chosen[] = { 0, 1 };
	struct run *r = p;

	r->e = questions_answer(&r->secret, &r->box, chosen, r->answers.of, salt);
}

static void run_open(void *p)
{
	struct run *r = p;

	r->e = questions_open(&r->box, &r->q, key);
}

/* Neither answers nor shares nor the secret lie on the stack afterwards. */
static void leaves_nothing(void **state)
{
	static const char long_answer[] = "an answer of more than thirty-two bytes, plain";
	static const char plain[] = "ananswerofmorethanthirtytwobytesplain";
	void (*const steps[])(void *) = { run_make, run_answer, run_open };
	struct run *r = calloc(1, sizeof(*r));

	(void)state;
	assert_non_null(r);
	typed_all(&r->answers);
	typed(&r->answers.of[1], long_answer);
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct stack_probe probe;
		uint8_t raw[32];

		if (i == 1)
			secret_drop(&r->secret);
		if (i == 2)
			questions_close(&r->q, &r->box, key);
		stack_probe_run(&probe, steps[i], r);
		expect("run", OK, r->e);
		assert_int_equal(sodium_hex2bin(raw, 32, (char *)r->secret.bytes, 64, NULL, NULL, NULL), 0);
		assert_false(stack_probe_holds(&probe, long_answer));
		assert_false(stack_probe_holds(&probe, plain));
		assert_false(stack_probe_holds(&probe, raw));
		assert_false(stack_probe_holds(&probe, r->secret.bytes));
		assert_false(stack_probe_holds(&probe, r->box.shares));
		assert_false(stack_probe_holds(&probe, key));
		stack_probe_drop(&probe);
	}
	answers_drop(&r->answers);
	secret_drop(&r->secret);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),
		cmocka_unit_test(every_character),
		cmocka_unit_test(answers_refused),
		cmocka_unit_test(any_k_of_n),
		cmocka_unit_test(answering),
		cmocka_unit_test(mask_format),
		cmocka_unit_test(two_boxes),
		cmocka_unit_test(making_refused),
		cmocka_unit_test(answering_refused),
		cmocka_unit_test(closing),
		cmocka_unit_test(box_hides),
		cmocka_unit_test(hostile_boxes),
		cmocka_unit_test(leaves_nothing),
	};

	return RUN(tests);
}
