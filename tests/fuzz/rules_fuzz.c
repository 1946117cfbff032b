/* Rules: what decodes encodes to the same bytes, with a logo or without, and so does its copy. */
#include "core_fuzz.h"

#include "common/rules.h"

static void same(const struct rules *r, const uint8_t *bytes, size_t len)
{
	static uint8_t again[RULES_BYTES_MAX];
	size_t again_len;

	sample_must(rules_encode(again, &again_len, r));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
}

static int try(const uint8_t *bytes, size_t len)
{
	RULES r = { 0 }, copy = { 0 };

	if (rules_decode(&r, bytes, len))
		return 0;
	same(&r, bytes, len);
	sample_must(rules_copy(&copy, &r));
	same(&copy, bytes, len);
	return 1;
}

static void seed(char **argv, const char *name, const struct rules *r)
{
	static uint8_t bytes[RULES_BYTES_MAX];
	size_t len;

	sample_must(rules_encode(bytes, &len, r));
	if (!try(bytes, len))
		abort();
	fuzz_seed(argv, name, bytes, len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RULES full = { 0 }, bare = { 0 };

	(void)argc;
	fuzz_begin();
	sample_rules(&full, 5, 3, 4);
	seed(*argv, "rules", &full);
	rules_default(&bare);
	seed(*argv, "default", &bare);
	memcpy(bare.banner, "a banner", 8);
	seed(*argv, "banner", &bare);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
