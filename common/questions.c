/* Questions: shares masked by answers, and the box that they lie in. */
#include "questions.h"

#include <sodium.h>
#include <string.h>

#include "stack.h"
#include "text.h"
#include "threshold.h"

#define FORMAT_TABLE "questions_box_v1.inc"
#define FORMAT_NOUN questions_box
#define FORMAT_PREFIX BOX
#include "format_codec.h"

#define TEXT_BYTES (QUESTION_TEXT_MAX + 1)
#define SALT_BYTES 16
#define DIGITS (2 * THRESHOLD_BYTES)

_Static_assert(BOX_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES ==
		       sizeof(((struct questions *)0)->box),
	       "the box is not its inside and the tag");
_Static_assert(sizeof(((struct questions_box *)0)->texts) == QUESTIONS_MAX * TEXT_BYTES &&
		       sizeof(((struct questions_box *)0)->shares) == QUESTIONS_MAX * THRESHOLD_BYTES,
	       "questions.h says other widths than the table");
_Static_assert(QUESTIONS_MAX == THRESHOLD_SHARES_MAX && QUESTIONS_NEED_MIN == THRESHOLD_NEED_MIN,
	       "threshold.h has other bounds");

struct share { uint8_t bytes[THRESHOLD_BYTES]; };

static void share_wipe(struct share *s)
{
	secret_wipe(s, sizeof(*s));
}
#define SHARE __attribute__((cleanup(share_wipe))) struct share

struct shares { uint8_t of[QUESTIONS_MAX][THRESHOLD_BYTES]; };

static void shares_wipe(struct shares *s)
{
	secret_wipe(s, sizeof(*s));
}
#define SHARES __attribute__((cleanup(shares_wipe))) struct shares

struct inside { uint8_t bytes[BOX_BYTES]; };

static void inside_wipe(struct inside *i)
{
	secret_wipe(i, sizeof(*i));
}
#define INSIDE __attribute__((cleanup(inside_wipe))) struct inside

struct answers { struct secret of[QUESTIONS_MAX]; };

static void answers_drop(struct answers *a)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&a->of[i]);
}
#define ANSWERS __attribute__((cleanup(answers_drop))) struct answers

void questions_box_wipe(struct questions_box *b)
{
	secret_wipe(b, sizeof(*b));
}

const char *questions_text(const struct questions_box *b, unsigned i)
{
	return (const char *)b->texts + (size_t)i * TEXT_BYTES;
}

static int counts_valid(unsigned count, unsigned need)
{
	return need >= QUESTIONS_NEED_MIN && need <= count && count <= QUESTIONS_MAX;
}

/* Texts that can be shown, none twice. */
static int texts_valid(const uint8_t *texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!texts[i * TEXT_BYTES] || !text_valid(texts + i * TEXT_BYTES, TEXT_BYTES))
			return 0;
		for (unsigned j = 0; j < i; j++)
			if (!memcmp(texts + i * TEXT_BYTES, texts + j * TEXT_BYTES, TEXT_BYTES))
				return 0;
	}
	return 1;
}

static int box_valid(const struct questions_box *b)
{
	if (!counts_valid(b->count, b->need) || b->reserved || !texts_valid(b->texts, b->count))
		return 0;
	return sodium_is_zero(b->texts + (size_t)b->count * TEXT_BYTES,
			      (size_t)(QUESTIONS_MAX - b->count) * TEXT_BYTES) &&
	       sodium_is_zero(b->shares + (size_t)b->count * THRESHOLD_BYTES,
			      (size_t)(QUESTIONS_MAX - b->count) * THRESHOLD_BYTES);
}

/* Exclusive or with what the answer to question `number` gives; the same again takes it off. */
static void share_mask(uint8_t share[static THRESHOLD_BYTES], unsigned number,
		       const struct secret *answer, const uint8_t salt[static SALT_BYTES])
{
	static const char masked_as[] = "holdfast answer v1";
	const uint8_t number_byte = (uint8_t)number;
	crypto_generichash_state state;
	SHARE mask = { 0 };

	crypto_generichash_init(&state, salt, SALT_BYTES, sizeof(mask.bytes));
	crypto_generichash_update(&state, (const uint8_t *)masked_as, sizeof(masked_as) - 1);
	crypto_generichash_update(&state, &number_byte, 1);
	crypto_generichash_update(&state, answer->bytes, answer->len);
	crypto_generichash_final(&state, mask.bytes, sizeof(mask.bytes));
	secret_wipe(&state, sizeof(state));
	for (size_t i = 0; i < THRESHOLD_BYTES; i++)
		share[i] ^= mask.bytes[i];
}

static int same_answer(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && !sodium_memcmp(a->bytes, b->bytes, a->len);
}

static enum err answers_normalize(struct answers *ret, const struct secret *typed, unsigned count)
{
	enum err e = OK;

	for (unsigned i = 0; !e && i < count; i++) {
		e = answer_normalize(&ret->of[i], &typed[i]);
		for (unsigned j = 0; !e && j < i; j++)
			if (same_answer(&ret->of[i], &ret->of[j]))
				e = ERR_EXISTS;
	}
	return e;
}

static enum err texts_set(struct questions_box *b, const char *const *texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(texts[i], texts[j]))
				return ERR_EXISTS;
		if (!text_set(b->texts + (size_t)i * TEXT_BYTES, TEXT_BYTES, texts[i]))
			return ERR_RANGE;
	}
	return texts_valid(b->texts, count) ? OK : ERR_RANGE;
}

/* '0' to '9', 'a' to 'f'; no branch. */
static uint8_t digit(unsigned value)
{
	return (uint8_t)('0' + value + (('a' - '0' - 10) & -((9 - value) >> 31)));
}

static enum err secret_digits(struct secret *ret, const struct share *s)
{
	enum err e = secret_new(ret, DIGITS);

	for (size_t i = 0; !e && i < sizeof(s->bytes); i++) {
		ret->bytes[2 * i] = digit(s->bytes[i] >> 4);
		ret->bytes[2 * i + 1] = digit(s->bytes[i] & 15u);
	}
	return e;
}

static enum err box_make(struct questions_box *ret, struct secret *ret_secret,
			 const char *const *texts, const struct secret *typed, unsigned count,
			 unsigned need, const uint8_t salt[static SALT_BYTES])
{
	QUESTIONS_BOX box = { .need = (uint8_t)need, .count = (uint8_t)count };
	SHARES shares = { 0 };
	ANSWERS answers = { 0 };
	SHARE secret;
	enum err e = counts_valid(count, need) ? texts_set(&box, texts, count) : ERR_RANGE;

	randombytes_buf(&secret, sizeof(secret));
	if (!e)
		e = answers_normalize(&answers, typed, count);
	if (!e)
		e = threshold_split(shares.of, count, need, secret.bytes);
	if (!e)
		e = secret_digits(ret_secret, &secret);
	if (e)
		return e;
	for (unsigned i = 0; i < count; i++) {
		share_mask(shares.of[i], i, &answers.of[i], salt);
		memcpy(box.shares + (size_t)i * THRESHOLD_BYTES, shares.of[i], THRESHOLD_BYTES);
	}
	*ret = box;
	return OK;
}

enum err questions_make(struct questions_box *ret, struct secret *ret_secret,
			const char *const *texts, const struct secret *answers, unsigned count,
			unsigned need, const uint8_t salt[static 16])
{
	enum err e = box_make(ret, ret_secret, texts, answers, count, need, salt);

	stack_wipe();
	return e;
}

static enum err share_unmask(uint8_t ret[static THRESHOLD_BYTES], const struct questions_box *b,
			     unsigned number, const struct secret *typed,
			     const uint8_t salt[static SALT_BYTES])
{
	SECRET struct secret answer = { 0 };
	enum err e = number < b->count ? answer_normalize(&answer, typed) : ERR_RANGE;

	if (e)
		return e;
	memcpy(ret, b->shares + (size_t)number * THRESHOLD_BYTES, THRESHOLD_BYTES);
	share_mask(ret, number, &answer, salt);
	return OK;
}

static enum err box_answer(struct secret *ret_secret, const struct questions_box *b,
			   const unsigned *chosen, const struct secret *answers,
			   const uint8_t salt[static SALT_BYTES])
{
	SHARES shares = { 0 };
	SHARE secret = { 0 };
	enum err e = box_valid(b) ? OK : ERR_RANGE;

	for (unsigned j = 0; !e && j < b->need; j++)
		e = share_unmask(shares.of[j], b, chosen[j], &answers[j], salt);
	if (!e)
		e = threshold_join(secret.bytes, chosen, (const uint8_t(*)[THRESHOLD_BYTES])shares.of,
				   b->need);
	return e ? e : secret_digits(ret_secret, &secret);
}

enum err questions_answer(struct secret *ret_secret, const struct questions_box *b,
			  const unsigned *chosen, const struct secret *answers,
			  const uint8_t salt[static 16])
{
	enum err e = box_answer(ret_secret, b, chosen, answers, salt);

	stack_wipe();
	return e;
}

static const char closed_as[] = "holdfast questions v1";
#define AAD_BYTES (sizeof(closed_as) - 1 + 16)

static void box_aad(uint8_t ret[static AAD_BYTES], const struct questions *q)
{
	memcpy(ret, closed_as, sizeof(closed_as) - 1);
	memcpy(ret + sizeof(closed_as) - 1, q->credential, sizeof(q->credential));
}

void questions_close(struct questions *q, const struct questions_box *b,
		     const uint8_t key[static TPM_SECRET_BYTES])
{
	uint8_t aad[AAD_BYTES];
	INSIDE inside = { 0 };
	struct writer w = writer_over(inside.bytes, sizeof(inside.bytes));

	questions_box_write(&w, b);
	box_aad(aad, q);
	randombytes_buf(q->nonce, sizeof(q->nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt(q->box, NULL, inside.bytes, sizeof(inside.bytes), aad,
						   sizeof(aad), NULL, q->nonce, key);
	stack_wipe();
}

static enum err box_open(struct questions_box *ret, const struct questions *q,
			 const uint8_t key[static TPM_SECRET_BYTES])
{
	uint8_t aad[AAD_BYTES];
	QUESTIONS_BOX box = { 0 };
	INSIDE inside = { 0 };
	struct cursor c = cursor_over(inside.bytes, sizeof(inside.bytes));

	box_aad(aad, q);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(inside.bytes, NULL, NULL, q->box, sizeof(q->box),
						       aad, sizeof(aad), q->nonce, key))
		return ERR_AUTH;
	questions_box_read(&c, &box);
	if (!box_valid(&box))
		return ERR_FORMAT;
	*ret = box;
	return OK;
}

enum err questions_open(struct questions_box *ret, const struct questions *q,
			const uint8_t key[static TPM_SECRET_BYTES])
{
	enum err e = box_open(ret, q, key);

	stack_wipe();
	return e;
}
