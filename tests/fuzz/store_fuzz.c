/* Store: what decodes encodes to the same bytes, also behind a repaired checksum; nothing but the
 * samples, with or without their seals, passes the signature; and any store can be locked. */
#include "core_fuzz.h"

#include "common/store.h"

static struct store_vk vk;

/* Signatures of the samples: nothing else verifies. */
static uint8_t signatures[3][SIGNATURE_BYTES];

static int is_sample(const struct store *s)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (!memcmp(s->signature, signatures[i], SIGNATURE_BYTES))
			return 1;
	return 0;
}

static int try(uint8_t *bytes, size_t len)
{
	STORE s = { 0 };
	uint8_t *again;
	size_t again_len;
	uint32_t total;

	if (store_decode(&s, bytes, len))
		return 0;
	total = s.head.total_bytes;
	sample_must(store_encode(&again, &again_len, &s));
	if (total > len || total > again_len || memcmp(bytes, again, total))
		abort();
	free(again);
	if (!store_verify(&s, &vk) && !is_sample(&s))
		abort();
	store_lock(&s);
	if (store_is_locked(&s) != (store_user_count(&s) > 0))
		abort();
	if (s.head.record_count > 0) /* with what is tied to it */
		sample_must(store_remove(&s, s.records[0].id));
	sample_must(store_encode(&again, &again_len, &s));
	free(again);
	return 1;
}

static void seed(char **argv, const char *name, const struct store *s)
{
	uint8_t *bytes;
	size_t len;

	sample_must(store_verify(s, &vk));
	sample_must(store_encode(&bytes, &len, s));
	if (!try(bytes, len))
		abort();
	fuzz_seed(argv, name, bytes, sample_store_total(bytes));
	free(bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct unlock_key uk = { "the unlock key of 32 random byte" };
	STORE s = { 0 };
	STORE_SK sk = { 0 };

	(void)argc;
	fuzz_begin();
	sample_store(&s, &uk);
	memcpy(vk.bytes, s.head.store_vk, sizeof(vk.bytes));
	memcpy(signatures[0], s.signature, SIGNATURE_BYTES);
	seed(*argv, "store", &s);
	/* without the users' seals, and with the shortest rules, so that they come within reach */
	store_lock(&s);
	seed(*argv, "locked", &s);
	rules_drop(&s.rules);
	rules_default(&s.rules);
	while (s.head.record_count > 0)
		sample_must(store_remove(&s, s.records[0].id));
	sample_must(store_signing_key(&sk, &s, &uk));
	sample_must(store_sign(&s, &sk));
	memcpy(signatures[1], s.signature, SIGNATURE_BYTES);
	seed(*argv, "bare", &s);
	sample_bound(&s, &uk, "bert", "1234");
	sample_self_help(&s, &uk, "anna");
	sample_must(store_sign(&s, &sk));
	memcpy(signatures[2], s.signature, SIGNATURE_BYTES);
	seed(*argv, "bound", &s);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	sample_repair_store(bytes, len);
	try(bytes, len);
	free(bytes);
	return 0;
}
