/* Self-test report: encoder, decoder, words. */
#include "selftest.h"

#include <sodium.h>
#include <string.h>

#include "text.h"

#define MAGIC "HFTEST01"
#define VERSION 1

#define FORMAT_TABLE "selftest_v1.inc"
#define FORMAT_NOUN selftest_head
#define FORMAT_PREFIX SELFTEST_HEAD
#include "format_codec.h"

#define FORMAT_TABLE "selftest_test_v1.inc"
#define FORMAT_NOUN selftest_test
#define FORMAT_PREFIX SELFTEST_TEST
#include "format_codec.h"

_Static_assert(SELFTEST_HEAD_BYTES + SELFTEST_TESTS_MAX * SELFTEST_TEST_BYTES == SELFTEST_BYTES_MAX,
	       "SELFTEST_BYTES_MAX is not what the tables add up to");
_Static_assert(SELFTEST_HEAD_LAST_digest == 31, "the digest is not where digest_of leaves it out");

static const struct known {
	uint16_t kind;
	const char *key, *words, *figures;
} list[] = {
#define X(name, number, key, words, figures) { number, key, words, figures },
	SELFTEST_LIST(X)
#undef X
};
#define LIST_COUNT (sizeof(list) / sizeof(list[0]))

_Static_assert(LIST_COUNT <= SELFTEST_TESTS_MAX, "not all tests fit into a report");

static const struct known *find(uint16_t kind)
{
	for (size_t i = 0; i < LIST_COUNT; i++)
		if (list[i].kind == kind)
			return &list[i];
	return NULL;
}

static void digest_of(uint8_t ret[static 16], const uint8_t *bytes, size_t len)
{
	static const uint8_t zeros[16];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 16);
	crypto_generichash_update(&state, bytes, SELFTEST_HEAD_AT_digest);
	crypto_generichash_update(&state, zeros, sizeof(zeros));
	crypto_generichash_update(&state, bytes + SELFTEST_HEAD_LAST_digest + 1,
				  len - SELFTEST_HEAD_LAST_digest - 1);
	crypto_generichash_final(&state, ret, 16);
}

static enum err head_bounds(const struct selftest_head *h)
{
	if (h->test_count > SELFTEST_TESTS_MAX)
		return ERR_RANGE;
	return h->reserved || !text_valid(h->vendor, sizeof(h->vendor)) ||
			       !text_valid(h->program, sizeof(h->program)) ||
			       !text_is_layout(h->layout, sizeof(h->layout))
		       ? ERR_FORMAT
		       : OK;
}

static enum err tests_bounds(const struct selftest *s)
{
	for (unsigned i = 0; i < s->head.test_count; i++) {
		if (!s->tests[i].kind || (i && s->tests[i].kind <= s->tests[i - 1].kind))
			return ERR_FORMAT;
		if (s->tests[i].result >= SELFTEST_RESULT_COUNT || s->tests[i].cause >= SELFTEST_CAUSE_COUNT)
			return ERR_RANGE;
	}
	return OK;
}

static enum err head_decode(struct selftest_head *ret, struct cursor *c)
{
	selftest_head_read(c, ret);
	if (c->e || memcmp(ret->magic, MAGIC, sizeof(ret->magic)))
		return ERR_FORMAT;
	if (ret->version != VERSION)
		return ret->version > VERSION ? ERR_VERSION : ERR_FORMAT;
	return head_bounds(ret);
}

enum err selftest_decode(struct selftest *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct selftest s = { 0 };
	uint8_t digest[16];
	enum err e = head_decode(&s.head, &c);

	for (unsigned i = 0; !e && i < s.head.test_count; i++)
		selftest_test_read(&c, &s.tests[i]);
	if (!e)
		e = s.head.total_bytes == len ? cursor_end(&c) : ERR_FORMAT;
	if (e)
		return e;
	digest_of(digest, bytes, len);
	if (memcmp(digest, s.head.digest, sizeof(digest)))
		return ERR_CHECKSUM;
	e = tests_bounds(&s);
	if (!e)
		*ret = s;
	return e;
}

enum err selftest_encode(uint8_t *ret, size_t *ret_len, const struct selftest *s)
{
	struct selftest_head head = s->head;
	size_t len = SELFTEST_HEAD_BYTES + (size_t)head.test_count * SELFTEST_TEST_BYTES;
	struct writer w = writer_over(ret, len);
	enum err e = head_bounds(&head);

	if (!e)
		e = tests_bounds(s);
	if (e)
		return e;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	head.version = VERSION;
	head.total_bytes = (uint32_t)len;
	selftest_head_write(&w, &head);
	for (unsigned i = 0; i < head.test_count; i++)
		selftest_test_write(&w, &s->tests[i]);
	e = writer_end(&w);
	if (e)
		return e;
	digest_of(ret + SELFTEST_HEAD_AT_digest, ret, len);
	*ret_len = len;
	return OK;
}

void selftest_set(struct selftest *s, const struct selftest_test *t)
{
	unsigned at = 0;

	while (at < s->head.test_count && s->tests[at].kind < t->kind)
		at++;
	if (at < s->head.test_count && s->tests[at].kind == t->kind) {
		s->tests[at] = *t;
		return;
	}
	if (s->head.test_count == SELFTEST_TESTS_MAX)
		return;
	memmove(&s->tests[at + 1], &s->tests[at], (s->head.test_count - at) * sizeof(*t));
	s->tests[at] = *t;
	s->head.test_count++;
}

const char *selftest_key(uint16_t kind)
{
	const struct known *k = find(kind);

	return k ? k->key : NULL;
}

const char *selftest_words(uint16_t kind)
{
	const struct known *k = find(kind);

	return k ? k->words : NULL;
}

/* No printf here: this runs under the firmware, too. */
struct out {
	char *at;
	size_t left;
};

static void out_text(struct out *o, const char *text)
{
	while (*text && o->left > 1) {
		*o->at++ = *text++;
		o->left--;
	}
	*o->at = '\0';
}

static void out_number(struct out *o, uint32_t n)
{
	char digits[11], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	out_text(o, at);
}

static void out_figures(struct out *o, const char *format, const struct selftest_test *t)
{
	for (; *format; format++) {
		char one[2] = { *format, '\0' };

		if (*format == '1' || *format == '2')
			out_number(o, *format == '1' ? t->figure : t->figure2);
		else
			out_text(o, one);
	}
}

void selftest_text(char ret[static SELFTEST_TEXT_MAX], const struct selftest_test *t)
{
	static const char *const results[SELFTEST_RESULT_COUNT] = { "not tested", "ok", "FAILED" };
	static const char *const secure_boot[] = { "off", "on", "set-up mode" };
	static const char *const causes[SELFTEST_CAUSE_COUNT] = {
#define X(name, number, text) [number] = text,
		SELFTEST_CAUSES(X)
#undef X
	};
	struct out o = { ret, SELFTEST_TEXT_MAX };
	const struct known *k = find(t->kind);

	ret[0] = '\0';
	out_text(&o, t->result < SELFTEST_RESULT_COUNT ? results[t->result] : "?");
	if (t->result != SELFTEST_NOT_TESTED && k && k->figures[0] && (t->figure || t->figure2)) {
		out_text(&o, ", ");
		out_figures(&o, k->figures, t);
	}
	if (t->kind == SELFTEST_SECURE_BOOT && t->result == SELFTEST_OK && t->figure < 3) {
		out_text(&o, ", ");
		out_text(&o, secure_boot[t->figure]);
	}
	if (t->cause && t->cause < SELFTEST_CAUSE_COUNT) {
		out_text(&o, ": ");
		out_text(&o, causes[t->cause]);
	}
}

enum selftest_result selftest_total(const struct selftest *s)
{
	enum selftest_result total = SELFTEST_OK;

	for (unsigned i = 0; i < s->head.test_count; i++) {
		if (s->tests[i].result == SELFTEST_FAILED)
			return SELFTEST_FAILED;
		if (s->tests[i].result == SELFTEST_NOT_TESTED)
			total = SELFTEST_NOT_TESTED;
	}
	return total;
}

static int is(const struct selftest *s, enum selftest_kind kind, enum selftest_result result)
{
	for (unsigned i = 0; i < s->head.test_count; i++)
		if (s->tests[i].kind == kind)
			return s->tests[i].result == result;
	return result == SELFTEST_NOT_TESTED;
}

const char *selftest_verdict(const struct selftest *s)
{
	if (is(s, SELFTEST_MEMORY, SELFTEST_FAILED) || is(s, SELFTEST_KDF, SELFTEST_FAILED) ||
	    is(s, SELFTEST_DISK, SELFTEST_FAILED) || is(s, SELFTEST_KEYBOARD, SELFTEST_FAILED))
		return "This laptop should not be put under Holdfast as it is: see what failed.";
	if (selftest_total(s) == SELFTEST_FAILED)
		return "Holdfast works on this laptop, with less than it could do: see what failed.";
	if (is(s, SELFTEST_TPM, SELFTEST_NOT_TESTED))
		return "Holdfast works on this laptop. It has no TPM 2.0: no PIN, and no self-help.";
	if (selftest_total(s) == SELFTEST_NOT_TESTED)
		return "Holdfast works on this laptop, as far as it was tested.";
	return "Holdfast works on this laptop.";
}
