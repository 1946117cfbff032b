/* Tombstone: what decodes encodes to the same bytes, also behind a repaired checksum. */
#include "core_fuzz.h"

#include "common/tombstone.h"

static struct tombstone stone;

static int try(const uint8_t *bytes, size_t len)
{
	static uint8_t again[TOMBSTONE_BYTES_MAX];
	size_t again_len;

	if (tombstone_decode(&stone, bytes, len))
		return 0;
	sample_must(tombstone_encode(again, &again_len, &stone));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[TOMBSTONE_BYTES_MAX];
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_tombstone(&stone);
	sample_must(tombstone_encode(bytes, &len, &stone));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "tombstone", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	sample_repair(bytes, len);
	try(bytes, len);
	free(bytes);
	return 0;
}
