/* Store: what decodes encodes to the same bytes, also behind a repaired checksum; and
 * nothing but the sample, with or without its seals, passes the signature. */
#include "core_fuzz.h"

#include "common/store.h"

static struct store_vk vk;
static uint8_t signature[SIGNATURE_BYTES];

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
	if (!store_verify(&s, &vk) && memcmp(s.signature, signature, sizeof(signature)))
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct unlock_key uk = { "the unlock key of 32 random byte" };
	STORE s = { 0 };
	uint8_t *bytes;
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_store(&s, &uk);
	memcpy(vk.bytes, s.head.store_vk, sizeof(vk.bytes));
	memcpy(signature, s.signature, sizeof(signature));
	sample_must(store_encode(&bytes, &len, &s));
	if (!try(bytes, len) || store_verify(&s, &vk))
		abort();
	fuzz_seed(*argv, "store", bytes, sample_store_total(bytes));
	free(bytes);
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
