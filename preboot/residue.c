#include "residue.h"

#include "common/secret.h"
#include "firmware.h"
#include "page.h"
#include "scrub.h"

#define CR4_FIVE_LEVELS (1ull << 12)

/* Firmware protects pages that its memory map still calls data: page 0, guards of stack and heap, its
 * page tables. */
static int writable(const uint8_t *page)
{
	uint64_t cr3, cr4;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	return page_writable(cr3, cr4 & CR4_FIVE_LEVELS ? 5 : 4, (uintptr_t)page);
}

/* Each run of writable pages. */
static void scrub(void *context, uint8_t *range, uint64_t size)
{
	const struct secret *typed = context;
	uint64_t from = 0;

	for (uint64_t at = 0; at <= size; at += PAGE_BYTES) {
		if (at < size && writable(range + at))
			continue;
		if (at > from)
			scrub_range(range + from, at - from, typed->bytes, typed->len);
		from = at + PAGE_BYTES;
	}
}

/* The scrubber looks for bytes, and not for a run of zeros, such as function keys before the text. */
void residue_wipe(const struct line *typed)
{
	SECRET struct secret copy = { 0 };
	size_t skip = 0;

	while (skip < typed->raw_len && !typed->raw[skip])
		skip++;
	/* On the heap, which is not searched. */
	if (skip == typed->raw_len || secret_new(&copy, typed->raw_len - skip))
		return;
	for (size_t i = skip; i < typed->raw_len; i++)
		copy.bytes[i - skip] = typed->raw[i] < 0x80 ? (uint8_t)typed->raw[i] : 0xff;
	firmware_memory(EfiBootServicesData, scrub, &copy);
}
