/* Keyboard layouts: a table that decodes encodes to the same bytes, and whatever it says, only printable characters are
 * typed, and layout_check ends. */
#include "core_fuzz.h"

#include "common/layout_format.h"

#define BYTES_MAX 4096

static struct layouts_entry entries[LAYOUTS_MAX];
static struct layouts_row rows[LAYOUT_ROWS_MAX];
static struct layouts_caps caps[LAYOUT_CAPS_MAX];
static struct layouts_sequence sequences[LAYOUT_SEQUENCES_MAX];

static void encode_again(const struct layouts *l, const uint8_t *bytes, size_t len)
{
	struct layouts_parts p = { { .layout_count = l->count, .row_count = l->row_count, .caps_count = l->caps_count,
				     .sequence_count = l->sequence_count, .dead_count = l->dead_count },
				   entries, rows, caps, sequences };
	uint8_t *again = malloc(len);
	size_t again_len;

	for (unsigned i = 0; i < l->count; i++)
		layouts_entry_at(&entries[i], l, i);
	for (unsigned i = 0; i < l->row_count; i++)
		layouts_row_at(&rows[i], l, i);
	for (unsigned i = 0; i < l->caps_count; i++)
		layouts_caps_at(&caps[i], l, i);
	for (unsigned i = 0; i < l->sequence_count; i++)
		layouts_sequence_at(&sequences[i], l, i);
	sample_must(layouts_encode(again, &again_len, len, &p));
	if (again_len != len || memcmp(again, bytes, len))
		abort();
	free(again);
}

/* Strokes from the input's own bytes, over each layout. */
static void type_with(const struct layouts *all, const uint8_t *bytes, size_t len)
{
	struct layout l;

	for (unsigned i = 0; !layouts_get(&l, all, i); i++) {
		struct layout_dead dead = { 0 };
		unsigned place = 0;
		int typable;

		for (size_t at = 0; at + 1 < len && at < 512; at += 2) {
			struct layout_stroke stroke = { bytes[at] % 0x80, bytes[at + 1] % 8 };
			uint16_t typed[2] = { 0 };
			unsigned n = layout_type(typed, &dead, all, &l, &stroke);

			if (n > 2 || dead.dead > all->dead_count)
				abort();
			for (unsigned c = 0; c < n; c++)
				if (!layout_is_character(typed[c]))
					abort();
		}
		typable = layout_check(&place, all, &l, (const char *)bytes, len < 64 ? len : 64) == LAYOUT_TYPES;
		if (typable == (place != 0))
			abort();
	}
}

static int try(const uint8_t *bytes, size_t len)
{
	struct layouts all;

	if (layouts_decode(&all, bytes, len))
		return 0;
	encode_again(&all, bytes, len);
	type_with(&all, bytes, len);
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct layouts_row some[3] = { { 'a', 'A', LAYOUT_DEAD + 1, 0, 0xb1 }, { LAYOUT_DEAD + 1, 'b', 0xe4, 'c', 0xe4 } };
	struct layouts_caps exceptions[2] = { { 0, 1, 'x' }, { 1, 3, LAYOUT_DEAD + 1 } };
	struct layouts_sequence all[3] = { { 1, 'a', 0xe1 }, { 1, LAYOUT_DEAD + 1, LAYOUT_DEAD + 2 }, { 2, 'a', 0xe2 } };
	struct layouts_entry two[2] = { { .name = "us", .title = "One", .flags = LAYOUT_LATIN, .keys = { 1, 0, 2 } },
					{ .name = "x(y)", .title = "Two" } };
	struct layouts_parts p = { { .layout_count = 2, .row_count = 3, .caps_count = 2, .sequence_count = 3,
				     .dead_count = 2 },
				   two, some, exceptions, all };
	uint8_t bytes[BYTES_MAX];
	size_t len;

	(void)argc;
	fuzz_begin();
	sample_must(layouts_encode(bytes, &len, sizeof(bytes), &p));
	if (!try(bytes, len) || !try(layouts_bytes, layouts_bytes_len))
		abort();
	fuzz_seed(*argv, "layouts", bytes, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len);
	free(bytes);
	return 0;
}
