/* Hand-off: what decodes encodes to the same bytes; once stripped it has no key. */
#include "core_fuzz.h"

#include "common/credential.h"
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
	static const uint8_t kinds[] = { CREDENTIAL_PASSWORD, CREDENTIAL_TPM_PIN, CREDENTIAL_TPM_PASSWORD,
					 CREDENTIAL_SELF_HELP };
	struct handoff h = sample_handoff();
	uint8_t bytes[HANDOFF_BYTES_MAX];
	char name[16];
	size_t len;

	(void)argc;
	fuzz_begin();
	for (size_t i = 0; i < sizeof(kinds); i++) {
		h.head.kind = kinds[i];
		h.head.trust = i ? HANDOFF_TRUST : 0;
		h.head.loader = (uint8_t)i;
		h.head.tpm_ms = i ? 900 : 0;
		memset(h.head.pcr7, i ? 0x77 : 0, sizeof(h.head.pcr7));
		sample_must(handoff_encode(bytes, &len, &h));
		if (!try(bytes, len))
			abort();
		snprintf(name, sizeof(name), "handoff-%u", kinds[i]);
		fuzz_seed(*argv, name, bytes, len);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
