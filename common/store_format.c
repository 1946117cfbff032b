/* Store: encoder, decoder, and the message that is signed. Everything is bounded before the
 * checksum is computed, and nothing is trusted after it: it finds torn writes, not forgers. */
#include "store_format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "text.h"

#define MAGIC "HFSTORE1"
#define VERSION 1
#define TAIL_BYTES (SIGNATURE_BYTES + DIGEST_BYTES)

#define FORMAT_TABLE "store_head_v1.inc"
#define FORMAT_NOUN store_head
#define FORMAT_PREFIX TABLE
#include "format_codec.h"

#define FORMAT_TABLE "questions_v1.inc"
#define FORMAT_NOUN questions
#define FORMAT_PREFIX QUESTIONS_TABLE
#include "format_codec.h"

_Static_assert(TABLE_BYTES == STORE_HEAD_BYTES, "store_format.h says another size than the table");
_Static_assert(QUESTIONS_TABLE_BYTES == QUESTIONS_BYTES, "questions.h says another size than the table");
_Static_assert(sizeof(((struct store_head *)0)->name) == STORE_NAME_MAX + 1 &&
		       sizeof(((struct store_head *)0)->uk_id) == sizeof(struct uk_id) &&
		       sizeof(((struct store_head *)0)->sk_wrap) ==
			       KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	       "the headers say other widths than the table");
_Static_assert(STORE_HEAD_BYTES + STORE_RECORDS_MAX * RECORD_BYTES + MANIFEST_BYTES_MAX +
			       RULES_BYTES_MAX + BINDINGS_BYTES_MAX +
			       QUESTIONS_USERS_MAX * QUESTIONS_BYTES + TAIL_BYTES <=
		       STORE_BYTES_MAX,
	       "a full store is larger than STORE_BYTES_MAX");
_Static_assert(RULES_BYTES_MAX <= UINT16_MAX, "rules_bytes is too narrow");
_Static_assert(STORE_BYTES_MAX % STORE_FILE_STEP == 0, "the largest file is not a whole step");

static const char signed_as[] = "holdfast store v1";

static void bytes_drop(uint8_t **bytes)
{
	free(*bytes);
}
#define BYTES __attribute__((cleanup(bytes_drop))) uint8_t

static enum err head_check(const struct store_head *h)
{
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	if (h->flags & ~STORE_LOCKED || h->reserved)
		return ERR_FORMAT;
	if (h->total_bytes > STORE_BYTES_MAX || h->record_count > STORE_RECORDS_MAX ||
	    h->manifest_bytes > MANIFEST_BYTES_MAX || h->rules_bytes > RULES_BYTES_MAX ||
	    h->bindings_bytes > BINDINGS_BYTES_MAX || h->questions_count > QUESTIONS_USERS_MAX ||
	    h->generation > STORE_GENERATION_MAX)
		return ERR_RANGE;
	if (h->total_bytes != STORE_HEAD_BYTES + h->record_count * RECORD_BYTES +
				      h->manifest_bytes + h->rules_bytes + h->bindings_bytes +
				      h->questions_count * QUESTIONS_BYTES + TAIL_BYTES)
		return ERR_FORMAT;
	return text_valid(h->name, sizeof(h->name)) ? OK : ERR_FORMAT;
}

static enum err checksum_check(const uint8_t *bytes, size_t total)
{
	struct digest d;

	crypto_generichash(d.bytes, sizeof(d.bytes), bytes, total - DIGEST_BYTES, NULL, 0);
	return memcmp(d.bytes, bytes + total - DIGEST_BYTES, DIGEST_BYTES) ? ERR_CHECKSUM : OK;
}

static enum err records_decode(struct store *s, struct cursor *c)
{
	enum err e = OK;

	if (s->head.record_count == 0)
		return OK;
	s->records = malloc(s->head.record_count * sizeof(*s->records));
	if (!s->records)
		return ERR_MEMORY;
	for (size_t i = 0; !e && i < s->head.record_count; i++)
		e = record_decode(&s->records[i], cursor_take(c, RECORD_BYTES));
	return e;
}

/* No credential twice. */
static int questions_valid(const struct store *s)
{
	for (size_t i = 0; i < s->head.questions_count; i++)
		for (size_t j = 0; j < i; j++)
			if (!memcmp(s->questions[i].credential, s->questions[j].credential, 16))
				return 0;
	return 1;
}

static enum err questions_decode(struct store *s, struct cursor *c)
{
	if (s->head.questions_count == 0)
		return OK;
	s->questions = malloc(s->head.questions_count * sizeof(*s->questions));
	if (!s->questions)
		return ERR_MEMORY;
	for (size_t i = 0; i < s->head.questions_count; i++)
		questions_read(c, &s->questions[i]);
	return questions_valid(s) ? OK : ERR_FORMAT;
}

/* What stands between records and signature. */
static enum err sections_decode(struct store *s, struct cursor *c)
{
	const struct store_head *h = &s->head;
	enum err e = manifest_decode(&s->manifest, cursor_take(c, h->manifest_bytes), h->manifest_bytes);

	if (!e)
		e = rules_decode(&s->rules, cursor_take(c, h->rules_bytes), h->rules_bytes);
	if (!e)
		e = bindings_decode(&s->bindings, cursor_take(c, h->bindings_bytes), h->bindings_bytes);
	return e ? e : questions_decode(s, c);
}

enum err store_decode(struct store *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	STORE s = { 0 };
	enum err e;

	store_head_read(&c, &s.head);
	e = c.e ? ERR_FORMAT : head_check(&s.head);
	if (e)
		return e;
	if (len > STORE_BYTES_MAX)
		return ERR_RANGE;
	if (len < s.head.total_bytes ||
	    !sodium_is_zero(bytes + s.head.total_bytes, len - s.head.total_bytes))
		return ERR_FORMAT;
	e = checksum_check(bytes, s.head.total_bytes);
	if (!e)
		e = records_decode(&s, &c);
	if (!e)
		e = sections_decode(&s, &c);
	if (e)
		return e;
	cursor_bytes(&c, s.signature, sizeof(s.signature));
	*ret = s;
	s = (struct store){ 0 }; /* now ret's */
	return OK;
}

/* What stands between records and signature as bytes, one after the other. */
struct sections {
	size_t manifest_bytes, rules_bytes, bindings_bytes, total;
	uint8_t bytes[MANIFEST_BYTES_MAX + RULES_BYTES_MAX + BINDINGS_BYTES_MAX +
		      QUESTIONS_USERS_MAX * QUESTIONS_BYTES];
};

static void sections_drop(struct sections **x)
{
	free(*x);
}
#define SECTIONS __attribute__((cleanup(sections_drop))) struct sections

static enum err sections_fill(struct sections *x, const struct store *s)
{
	uint8_t *at = x->bytes;
	struct writer w;
	enum err e = manifest_encode(at, &x->manifest_bytes, &s->manifest);

	if (e)
		return e;
	at += x->manifest_bytes;
	e = rules_encode(at, &x->rules_bytes, &s->rules);
	if (e)
		return e;
	at += x->rules_bytes;
	e = bindings_encode(at, &x->bindings_bytes, &s->bindings);
	if (e)
		return e;
	at += x->bindings_bytes;
	w = writer_over(at, s->head.questions_count * (size_t)QUESTIONS_BYTES);
	for (size_t i = 0; i < s->head.questions_count; i++)
		questions_write(&w, &s->questions[i]);
	x->total = (size_t)(w.at - x->bytes);
	return writer_end(&w);
}

static enum err sections_new(struct sections **ret, const struct store *s)
{
	SECTIONS *x = malloc(sizeof(*x));
	enum err e;

	if (!x)
		return ERR_MEMORY;
	e = sections_fill(x, s);
	if (e)
		return e;
	*ret = x;
	x = NULL; /* now the caller's */
	return OK;
}

/* The head as it is written: what the caller may leave unset is filled in. */
static void head_fill(struct store_head *ret, const struct store *s, const struct sections *x)
{
	*ret = s->head;
	memcpy(ret->magic, MAGIC, sizeof(ret->magic));
	ret->version = VERSION;
	ret->manifest_bytes = (uint32_t)x->manifest_bytes;
	ret->rules_bytes = (uint16_t)x->rules_bytes;
	ret->bindings_bytes = (uint32_t)x->bindings_bytes;
	ret->total_bytes = (uint32_t)(STORE_HEAD_BYTES + s->head.record_count * RECORD_BYTES + x->total +
				      TAIL_BYTES);
}

/* What can't be decoded must not be written. */
static enum err store_bounds(const struct store *s)
{
	if (s->head.record_count > STORE_RECORDS_MAX || s->head.flags & ~STORE_LOCKED ||
	    s->head.generation > STORE_GENERATION_MAX || s->head.reserved ||
	    s->head.questions_count > QUESTIONS_USERS_MAX || !questions_valid(s) ||
	    !text_valid(s->head.name, sizeof(s->head.name)))
		return ERR_RANGE;
	for (size_t i = 0; i < s->head.record_count; i++)
		if (record_check(&s->records[i]))
			return ERR_RANGE;
	return OK;
}

/* Head, of each record its first record_bytes, sections. */
static void body_write(struct writer *w, const struct store_head *head, const struct store *s,
		       size_t record_bytes, const struct sections *x)
{
	uint8_t record[RECORD_BYTES];

	store_head_write(w, head);
	for (size_t i = 0; i < s->head.record_count; i++) {
		record_encode(record, &s->records[i]);
		writer_bytes(w, record, record_bytes);
	}
	writer_bytes(w, x->bytes, x->total);
}

enum err store_encode(uint8_t **ret, size_t *ret_len, const struct store *s)
{
	BYTES *bytes = NULL;
	SECTIONS *x = NULL;
	struct store_head head;
	struct writer w;
	size_t len;
	enum err e = store_bounds(s);

	if (!e)
		e = sections_new(&x, s);
	if (e)
		return e;
	head_fill(&head, s, x);
	len = (head.total_bytes + STORE_FILE_STEP - 1) / STORE_FILE_STEP * STORE_FILE_STEP;
	bytes = malloc(len);
	if (!bytes)
		return ERR_MEMORY;
	memset(bytes, 0, len);
	w = writer_over(bytes, head.total_bytes - DIGEST_BYTES);
	body_write(&w, &head, s, RECORD_BYTES, x);
	writer_bytes(&w, s->signature, sizeof(s->signature));
	e = writer_end(&w);
	if (e)
		return e;
	crypto_generichash(bytes + head.total_bytes - DIGEST_BYTES, DIGEST_BYTES, bytes,
			   head.total_bytes - DIGEST_BYTES, NULL, 0);
	*ret = bytes;
	*ret_len = len;
	bytes = NULL; /* now the caller's */
	return OK;
}

enum err store_message(uint8_t **ret, size_t *ret_len, const struct store *s)
{
	BYTES *bytes = NULL;
	SECTIONS *x = NULL;
	struct store_head head;
	struct writer w;
	size_t len;
	enum err e = store_bounds(s);

	if (!e)
		e = sections_new(&x, s);
	if (e)
		return e;
	head_fill(&head, s, x);
	head.revision = 0;
	len = sizeof(signed_as) - 1 + STORE_HEAD_BYTES + head.record_count * RECORD_LISTED_BYTES +
	      x->total;
	bytes = malloc(len);
	if (!bytes)
		return ERR_MEMORY;
	w = writer_over(bytes, len);
	writer_bytes(&w, signed_as, sizeof(signed_as) - 1);
	body_write(&w, &head, s, RECORD_LISTED_BYTES, x);
	e = writer_end(&w);
	if (e)
		return e;
	*ret = bytes;
	*ret_len = len;
	bytes = NULL; /* now the caller's */
	return OK;
}
