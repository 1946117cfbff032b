/* fragment.efi: leaves memory as firmware may that has taken and given back much. One range stays whole,
 * enough for a kernel; elsewhere a page is taken again and again and never given back, so that what is free
 * lies in small holes. The firmware runs it before any boot entry (UEFI 2.10, 3.1.7: SysPrep####). It says
 * what it has left, and returns; tests/preboot/faults.py reads that. */
#include <efi.h>

#include <stdint.h>

#define PAGE_BYTES 4096u
#define KIB 1024u
#define LOW_BYTES ((uint64_t)1 << 20) /* below it is what only old hardware wants */
#define WHOLE_BYTES ((uint64_t)128 << 20)
#define LINE_MAX 120
#define SLACK 16 /* descriptors: taking the map's memory splits ranges */

/* Of a firmware's memory map. */
struct map {
	uint8_t *bytes;
	UINTN size, step;
};

struct line {
	CHAR16 text[LINE_MAX];
	UINTN len;
};

static EFI_SYSTEM_TABLE *firmware;
#define BOOT (firmware->BootServices)

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_STATUS map_read(struct map *ret)
{
	struct map m = { 0 };
	UINTN key;
	UINT32 version;
	void *pool;
	EFI_STATUS s;

	BOOT->GetMemoryMap(&m.size, NULL, &key, &m.step, &version);
	m.size += SLACK * m.step;
	s = BOOT->AllocatePool(EfiLoaderData, m.size, &pool);
	if (EFI_ERROR(s))
		return s;
	m.bytes = pool;
	s = BOOT->GetMemoryMap(&m.size, pool, &key, &m.step, &version);
	if (EFI_ERROR(s))
		BOOT->FreePool(pool);
	else
		*ret = m;
	return s;
}

static const EFI_MEMORY_DESCRIPTOR *map_at(const struct map *m, UINTN at)
{
	return (const void *)(m->bytes + at);
}

static uint64_t free_bytes(const EFI_MEMORY_DESCRIPTOR *d)
{
	if (d->Type != EfiConventionalMemory || d->PhysicalStart < LOW_BYTES)
		return 0;
	return d->NumberOfPages * PAGE_BYTES;
}

static const EFI_MEMORY_DESCRIPTOR *map_largest(const struct map *m)
{
	const EFI_MEMORY_DESCRIPTOR *largest = map_at(m, 0);

	for (UINTN at = 0; at < m->size; at += m->step)
		if (free_bytes(map_at(m, at)) > free_bytes(largest))
			largest = map_at(m, at);
	return largest;
}

/* One page at its beginning, and one behind each hole. */
static void range_fragment(uint64_t at, uint64_t end)
{
	static const uint32_t holes_kib[] = { 256, 1024, 324, 512, 768 };

	for (UINTN i = 0; at < end; i++) {
		EFI_PHYSICAL_ADDRESS wall = at;

		BOOT->AllocatePages(AllocateAddress, EfiLoaderData, 1, &wall);
		at += PAGE_BYTES + holes_kib[i % (sizeof(holes_kib) / sizeof(holes_kib[0]))] * KIB;
	}
}

static void map_fragment(const struct map *m)
{
	const EFI_MEMORY_DESCRIPTOR *whole = map_largest(m);

	for (UINTN at = 0; at < m->size; at += m->step) {
		const EFI_MEMORY_DESCRIPTOR *d = map_at(m, at);
		uint64_t end = d->PhysicalStart + free_bytes(d);

		range_fragment(d->PhysicalStart + (d == whole ? WHOLE_BYTES : 0), end);
	}
}

static void add_text(struct line *l, const char *text)
{
	while (*text && l->len + 1 < LINE_MAX)
		l->text[l->len++] = (CHAR16)*text++;
	l->text[l->len] = 0;
}

static void add_number(struct line *l, uint64_t n)
{
	char digits[21], *first = digits + sizeof(digits) - 1;

	*first = 0;
	do
		*--first = (char)('0' + n % 10);
	while (n /= 10);
	add_text(l, first);
}

static void map_tell(const struct map *m)
{
	struct line l = { 0 };
	uint64_t ranges = 0, bytes = 0;

	for (UINTN at = 0; at < m->size; at += m->step) {
		ranges += free_bytes(map_at(m, at)) != 0;
		bytes += free_bytes(map_at(m, at));
	}
	add_text(&l, "\r\nFRAGMENTED ");
	add_number(&l, ranges);
	add_text(&l, " ranges, largest ");
	add_number(&l, free_bytes(map_largest(m)) / KIB);
	add_text(&l, " KiB, together ");
	add_number(&l, bytes / KIB);
	add_text(&l, " KiB\r\n");
	firmware->ConOut->OutputString(firmware->ConOut, l.text);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	static void (*const steps[])(const struct map *) = { map_fragment, map_tell };

	(void)image;
	firmware = table;
	for (UINTN i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct map m;
		EFI_STATUS s = map_read(&m);

		if (EFI_ERROR(s))
			return s;
		steps[i](&m);
		BOOT->FreePool(m.bytes);
	}
	return EFI_SUCCESS;
}
