/* Load options of the firmware: what decodes encodes to the same bytes, and the file that it leads to, made into
 * an option of ours, leads to the same file. */
#include "core_fuzz.h"

#include "agent/volumed/loadoption.h"

static void file_try(const struct loadoption_file *f)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption_file again;
	struct loadoption o;
	size_t len;

	sample_must(loadoption_make(bytes, &len, "Holdfast", f, "x"));
	sample_must(loadoption_decode(&o, bytes, len));
	sample_must(loadoption_file(&again, &o));
	if (!loadoption_same(f, &again) || o.data_len != 4)
		abort();
}

static int try(const uint8_t *bytes, size_t len)
{
	static uint8_t again[LOADOPTION_BYTES_MAX];
	char text[LOADOPTION_TEXT_MAX];
	struct loadoption_file f;
	struct loadoption o;
	size_t again_len;

	if (loadoption_decode(&o, bytes, len))
		return 0;
	sample_must(loadoption_encode(again, &again_len, &o));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	loadoption_text(text, &o);
	if (!loadoption_file(&f, &o))
		file_try(&f);
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[LOADOPTION_BYTES_MAX];
	const struct loadoption_file f = { 1, 2048, 262144, { 1, 2, 3 }, "\\EFI\\holdfast\\holdfast.efi" };
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_must(loadoption_make(bytes, &len, "Holdfast", &f, NULL));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "entry", bytes, len);
	sample_must(loadoption_make(bytes, &len, "Holdfast self-test", &f, "selftest"));
	if (!try(bytes, len))
		abort();
	fuzz_seed(*argv, "data", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
