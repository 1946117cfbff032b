/* Hand-off: what decodes encodes to the same bytes; once stripped it has no key. */
#include "core_fuzz.h"

#include "common/handoff.h"

static int try(const uint8_t *bytes, size_t len)
{
	uint8_t again[HANDOFF_BYTES_MAX];
	HANDOFF h = { 0 };
	size_t again_len;

	if (handoff_decode(&h, bytes, len))
		return 0;
	sample_must(handoff_encode(again, &again_len, &h));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	handoff_strip(&h);
	sample_must(handoff_encode(again, &again_len, &h));
	sample_must(handoff_decode(&h, again, again_len));
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct handoff h = sample_handoff();
	uint8_t bytes[HANDOFF_BYTES_MAX];
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_must(handoff_encode(bytes, &len, &h));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "handoff", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
