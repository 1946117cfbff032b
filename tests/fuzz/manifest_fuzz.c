/* Manifest: what decodes encodes to the same bytes. */
#include "core_fuzz.h"

#include "common/manifest.h"

static int try(const uint8_t *bytes, size_t len)
{
	uint8_t again[MANIFEST_BYTES_MAX];
	struct manifest m;
	size_t again_len;

	if (manifest_decode(&m, bytes, len))
		return 0;
	sample_must(manifest_encode(again, &again_len, &m));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct manifest m = sample_manifest();
	uint8_t bytes[MANIFEST_BYTES_MAX];
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_must(manifest_encode(bytes, &len, &m));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "manifest", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
