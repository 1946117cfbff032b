/* PE images that are offered as holdfast.efi: whatever they say, nothing outside of them is read, and a version
 * can be shown. */
#include "core_fuzz.h"

#include "agent/volumed/peimage.h"
#include "tests/unit/pe_sample.h"

static int try(const uint8_t *bytes, size_t len)
{
	struct peimage image;

	if (peimage_read(&image, bytes, len))
		return 0;
	if (!image.generation || !image.version[0] || strlen(image.version) >= sizeof(image.version))
		abort();
	for (const char *c = image.version; *c; c++)
		if (*c <= ' ' || *c > '~')
			abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[PE_BYTES_MAX];

	(void)argc;
	fuzz_begin();
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		size_t len = pe_make(bytes, "1.2.3", is_signed, NULL);

		if (!try(bytes, len))
			abort();
		fuzz_seed(*argv, is_signed ? "signed" : "plain", bytes, len);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
