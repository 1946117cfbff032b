/* Codes: what parses formats to one canonical text, which parses to the same bytes; checking while
 * typing agrees with the parser. The first byte says which kind. */
#include "core_fuzz.h"

#include "common/code.h"

static int try(enum code_kind kind, const char *text, size_t len)
{
	uint8_t bytes[CODE_BYTES_MAX], again[CODE_BYTES_MAX];
	char canonical[CODE_TEXT_MAX];
	size_t group = 0, typed = code_check_typed(kind, text, len);

	if (code_parse(bytes, &group, kind, text, len)) {
		if (group > code_groups(kind) || (group && group != typed))
			abort();
		return 0;
	}
	if (typed)
		abort();
	code_format(canonical, kind, bytes);
	sample_must(code_parse(again, &group, kind, canonical, strlen(canonical)));
	if (memcmp(bytes, again, code_bytes(kind)))
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	for (int kind = CODE_RECOVERY; kind <= CODE_SHEET; kind++) {
		const uint8_t bytes[CODE_BYTES_MAX] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
		const char name[] = { (char)('1' + kind), '\0' };
		char seed[1 + CODE_TEXT_MAX] = { (char)kind };

		code_format(seed + 1, (enum code_kind)kind, bytes);
		if (!try((enum code_kind)kind, seed + 1, strlen(seed + 1)))
			abort();
		fuzz_seed(*argv, name, (uint8_t *)seed, 1 + strlen(seed + 1));
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len == 0)
		return 0;
	text = (char *)fuzz_copy(data + 1, len - 1);
	try((enum code_kind)(data[0] & 3), text, len - 1);
	free(text);
	return 0;
}
