/* Questions: the inside of a box by whoever knows its key, and answers as they are typed. A box that opens
 * closes to the same inside, its questions are safe to show, and any answers to it give a secret or an error;
 * an answer made plain stays as it is. The first bytes are the inside, the rest is typed. */
#include "core_fuzz.h"

#include "common/text.h"

#define INSIDE 1028

static const uint8_t salt[16] = "a record's salt";

/* By docs/formats.md: closed around anything at all. */
static void close_by_hand(struct questions *q, const uint8_t inside[INSIDE])
{
	uint8_t aad[37];

	memcpy(aad, "holdfast questions v1", 21);
	memcpy(aad + 21, q->credential, 16);
	crypto_aead_xchacha20poly1305_ietf_encrypt(q->box, NULL, inside, INSIDE, aad, sizeof(aad), NULL,
						   q->nonce, sample_questions_key);
}

static void inside_of(uint8_t ret[INSIDE], const struct questions *q)
{
	uint8_t aad[37];

	memcpy(aad, "holdfast questions v1", 21);
	memcpy(aad + 21, q->credential, 16);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, q->box, sizeof(q->box), aad,
						       sizeof(aad), q->nonce, sample_questions_key))
		abort();
}

static int normalize(const uint8_t *typed, size_t len)
{
	SECRET struct secret in = { 0 }, out = { 0 }, again = { 0 };

	if (len == 0 || secret_copy(&in, typed, len))
		return 0;
	if (answer_normalize(&out, &in))
		return 0;
	if (out.len > in.len)
		abort();
	sample_must(answer_normalize(&again, &out));
	if (again.len != out.len || memcmp(again.bytes, out.bytes, out.len))
		abort();
	return 1;
}

static void answer(const struct questions_box *b, const uint8_t *typed, size_t len)
{
	struct secret answers[QUESTIONS_MAX] = { 0 };
	unsigned chosen[QUESTIONS_MAX];
	SECRET struct secret got = { 0 };

	for (unsigned i = 0; i < QUESTIONS_MAX; i++) {
		chosen[i] = i;
		sample_must(len ? secret_copy(&answers[i], typed, len) : secret_copy(&answers[i], "ab", 2));
	}
	if (!questions_answer(&got, b, chosen, answers, salt) && got.len != 64)
		abort();
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&answers[i]);
}

static int try(const uint8_t *bytes, size_t len)
{
	uint8_t inside[INSIDE] = { 0 }, again[INSIDE];
	struct questions q = { .credential = "a record's id" };
	size_t head = len < INSIDE ? len : INSIDE;
	QUESTIONS_BOX box = { 0 };

	if (head > 0)
		memcpy(inside, bytes, head);
	normalize(bytes + head, len - head);
	close_by_hand(&q, inside);
	if (questions_open(&box, &q, sample_questions_key))
		return 0;
	questions_close(&q, &box, sample_questions_key);
	inside_of(again, &q);
	if (memcmp(inside, again, INSIDE))
		abort();
	for (unsigned i = 0; i < box.count; i++)
		if (!text_valid((const uint8_t *)questions_text(&box, i), QUESTION_TEXT_MAX + 1))
			abort();
	answer(&box, bytes + head, len - head);
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char typed[] = " Stra\xc3\x9f" "e \xc3\x84 \xce\x91\xce\xb8\xce\xae \xd0\x81 5!";
	const struct unlock_key uk = { "the unlock key of 32 random byte" };
	uint8_t bytes[INSIDE + sizeof(typed)];
	STORE s = { 0 };

	(void)argc;
	fuzz_begin();
	sample_store(&s, &uk);
	sample_self_help(&s, &uk, "anna");
	inside_of(bytes, &s.questions[0]);
	memcpy(bytes + INSIDE, typed, sizeof(typed));
	if (!try(bytes, INSIDE + sizeof(typed) - 1) || !normalize((const uint8_t *)typed, sizeof(typed) - 1))
		abort();
	fuzz_seed(*argv, "three", bytes, INSIDE + sizeof(typed) - 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
