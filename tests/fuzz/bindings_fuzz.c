/* Bindings: what decodes encodes to the same bytes, whatever is in it; nothing but the samples opens; and any
 * list can be added to and taken from. */
#include "core_fuzz.h"

#include "common/bindings.h"

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const uint8_t anna[16] = "anna's record", bert[16] = "bert's record";
static uint8_t copies[3][80];

static int is_sample(const struct binding *b)
{
	for (size_t i = 0; i < 3; i++)
		if (!memcmp(b->copy, copies[i], sizeof(b->copy)))
			return 1;
	return 0;
}

static void use(struct bindings *b)
{
	uint8_t again[BINDINGS_BYTES_MAX];
	struct tpm_object object;
	struct tpm_parent parent;
	size_t len;

	bindings_parent(&parent, b);
	for (size_t i = 0; i < b->head.count; i++) {
		SEALED s = { 0 };
		struct binding copy = b->entries[i];

		if (!binding_open(&s, &b->entries[i], &uk) && !is_sample(&b->entries[i]))
			abort();
		binding_object(&object, &b->entries[i]);
		binding_set_object(&copy, &object);
		if (memcmp(&copy, &b->entries[i], sizeof(copy)))
			abort();
		sample_must(bindings_put(b, &copy));
	}
	while (b->head.count > 0)
		bindings_remove(b, b->entries[0].credential);
	sample_must(bindings_encode(again, &len, b));
}

static int try(const uint8_t *bytes, size_t len)
{
	__attribute__((cleanup(bindings_drop))) struct bindings b = { 0 };
	uint8_t again[BINDINGS_BYTES_MAX];
	size_t again_len;

	if (bindings_decode(&b, bytes, len))
		return 0;
	sample_must(bindings_encode(again, &again_len, &b));
	if (again_len != len || memcmp(bytes, again, len))
		abort();
	use(&b);
	return 1;
}

static void seed(char **argv, const char *name, const struct bindings *b)
{
	uint8_t bytes[BINDINGS_BYTES_MAX];
	size_t len;

	sample_must(bindings_encode(bytes, &len, b));
	if (!try(bytes, len))
		abort();
	fuzz_seed(argv, name, bytes, len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	__attribute__((cleanup(bindings_drop))) struct bindings b = { 0 };

	(void)argc;
	fuzz_begin();
	seed(*argv, "empty", &b);
	sample_bind(&b, anna, BINDING_SECRET, &uk);
	sample_bind(&b, anna, BINDING_SHARES, &uk);
	sample_bind(&b, bert, BINDING_SECRET, &uk);
	bindings_close_lockout(&b, uk.bytes, &uk);
	for (size_t i = 0; i < 3; i++)
		memcpy(copies[i], b.entries[i].copy, sizeof(copies[i]));
	seed(*argv, "three", &b);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
