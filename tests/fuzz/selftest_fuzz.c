/* Self-test report: what decodes encodes to the same bytes. The digest is mended, so that inputs get past it. */
#include "core_fuzz.h"

#include "common/selftest.h"

#define DIGEST_AT 16
#define DIGEST_LEN 16

static int try(const uint8_t *bytes, size_t len)
{
	static uint8_t again[SELFTEST_BYTES_MAX];
	char text[SELFTEST_TEXT_MAX];
	struct selftest s;
	size_t again_len;

	if (selftest_decode(&s, bytes, len))
		return 0;
	sample_must(selftest_encode(again, &again_len, &s));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	for (unsigned i = 0; i < s.head.test_count; i++)
		selftest_text(text, &s.tests[i]);
	return *selftest_verdict(&s) != 0;
}

static void mend(uint8_t *bytes, size_t len)
{
	if (len < DIGEST_AT + DIGEST_LEN)
		return;
	memset(bytes + DIGEST_AT, 0, DIGEST_LEN);
	crypto_generichash(bytes + DIGEST_AT, DIGEST_LEN, bytes, len, NULL, 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[SELFTEST_BYTES_MAX];
	struct selftest s = { .head = { .firmware = 7, .vendor = "EDK II", .layout = "de(nodeadkeys)" } };
	size_t len;

	(void)argc;
	fuzz_begin();
	for (uint16_t kind = 1; kind <= SELFTEST_KEYBOARD; kind++)
		selftest_set(&s, &(struct selftest_test){ kind, (uint8_t)(kind % SELFTEST_RESULT_COUNT), 0, kind, 1 });
	sample_must(selftest_encode(bytes, &len, &s));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "report", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	mend(bytes, len);
	try(bytes, len);
	free(bytes);
	return 0;
}
