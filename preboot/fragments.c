#include "fragments.h"

#include <stdlib.h>

#include "common/secret.h"
#include "firmware.h"
#include "page.h"

#define RUN_BYTES_MAX ((uint64_t)1 << 30)

/* Consecutive pages. */
struct run {
	EFI_PHYSICAL_ADDRESS at;
	uint64_t bytes;
};

/* The table of pieces is followed by the runs, of which there are at most as many. */
struct fragments {
	struct run *runs;
	size_t count;
	uint8_t *pieces[];
};

static UINTN pages(uint64_t bytes)
{
	return bytes / PAGE_BYTES;
}

static void drop(struct fragments *f)
{
	for (size_t i = 0; i < f->count; i++) {
		secret_wipe((void *)(uintptr_t)f->runs[i].at, f->runs[i].bytes);
		BOOT->FreePages(f->runs[i].at, pages(f->runs[i].bytes));
	}
	free(f);
}

static struct fragments *fragments_new(size_t pieces)
{
	struct fragments *f = calloc(1, sizeof(*f) + pieces * (sizeof(f->pieces[0]) + sizeof(*f->runs)));

	if (f)
		f->runs = (struct run *)(f->pieces + pieces);
	return f;
}

static int take(struct fragments *f, uint64_t bytes)
{
	struct run *r = &f->runs[f->count];

	r->at = 0;
	r->bytes = bytes;
	if (EFI_ERROR(BOOT->AllocatePages(AllocateAnyPages, EfiLoaderData, pages(bytes), &r->at)))
		return 0;
	f->count++;
	return 1;
}

/* Large runs first, and never more than is missing: what is left of a range is not lost to it. */
static int take_all(struct fragments *f, uint64_t missing)
{
	for (uint64_t size = RUN_BYTES_MAX; missing && size >= WORKPLACE_PIECE_BYTES; size /= 2) {
		if (size / 2 >= missing)
			continue;
		while (missing && take(f, size < missing ? size : missing))
			missing -= size < missing ? size : missing;
	}
	return !missing;
}

static void pieces_number(struct fragments *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		for (uint64_t at = 0; at < f->runs[i].bytes; at += WORKPLACE_PIECE_BYTES)
			f->pieces[n++] = (uint8_t *)(uintptr_t)(f->runs[i].at + at);
}

enum err fragments_gather(struct workplace *ret, uint64_t bytes)
{
	size_t count = (size_t)((bytes + WORKPLACE_PIECE_BYTES - 1) / WORKPLACE_PIECE_BYTES);
	struct fragments *f;

	if (!bytes || bytes > RUN_BYTES_MAX)
		return ERR_MEMORY;
	f = fragments_new(count);
	if (!f)
		return ERR_MEMORY;
	if (!take_all(f, (uint64_t)count * WORKPLACE_PIECE_BYTES)) {
		drop(f);
		return ERR_MEMORY;
	}
	pieces_number(f);
	*ret = (struct workplace){ .pieces = f->pieces, .count = count, .memory = f };
	return OK;
}

void fragments_return(struct workplace *w)
{
	if (w->memory)
		drop(w->memory);
	*w = (struct workplace){ 0 };
}
