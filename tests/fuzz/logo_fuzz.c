/* Logo: what decodes encodes to the same bytes. */
#include "core_fuzz.h"

#include "common/logo.h"

static int try(const uint8_t *bytes, size_t len)
{
	static uint8_t again[LOGO_BYTES_MAX];
	struct logo l;
	size_t again_len;

	if (logo_decode(&l, bytes, len))
		return 0;
	sample_must(logo_encode(again, &again_len, &l));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	return 1;
}

static void seed(char **argv, const char *name, uint16_t width, uint16_t height, uint16_t colours)
{
	static uint8_t bytes[LOGO_BYTES_MAX];
	size_t len;

	sample_logo(bytes, &len, width, height, colours);
	if (!try(bytes, len))
		abort();
	fuzz_seed(argv, name, bytes, len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	seed(*argv, "logo", 5, 3, 4);
	seed(*argv, "pixel", 1, 1, 1);
	seed(*argv, "palette", 32, 8, LOGO_COLOURS_MAX);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
