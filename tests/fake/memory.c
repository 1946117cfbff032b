/* Memory: blocks of the C library's, one for each allocation, so that the sanitizers see their
 * bounds. */
#include <stdlib.h>
#include <string.h>

#include "heap_parts.h"
#include "inside.h"

#define PAGE 4096u
#define MAP_RANGES_MAX 4096
#define RING_BYTES PAGE

struct block {
	struct block *next;
	void *at;
	size_t len;
	EFI_MEMORY_TYPE type;
	UINTN pages; /* 0: from the pool */
};

static struct block *blocks;
static size_t taken;
static uint8_t *ring;
static int on;
static size_t ring_at;

static int is_there(size_t bytes)
{
	return !fake_now->fail_larger || bytes <= fake_now->fail_larger;
}

int fake_kdf_fits(size_t bytes)
{
	if (!fake_now)
		return 1;
	fake_now->kdfs++;
	fake_now->kdf_bytes = bytes;
	if (fake_now->fail_kdfs) {
		fake_now->fail_kdfs--;
		return 0;
	}
	return is_there(bytes);
}

static EFI_STATUS take(void **ret, EFI_MEMORY_TYPE type, size_t len, UINTN pages)
{
	struct block *b = fake_libc_malloc(sizeof(*b));
	void *at = NULL;

	if (!is_there(len)) {
		fake_libc_free(b);
		return EFI_OUT_OF_RESOURCES;
	}
	if (!b || posix_memalign(&at, pages ? PAGE : 16, len ? len : 1))
		abort();
	memset(at, 0xaf, len); /* EDK2's own pattern for fresh memory */
	*b = (struct block){ blocks, at, len, type, pages };
	blocks = b;
	taken += len;
	if (taken > fake_now->peak_bytes)
		fake_now->peak_bytes = taken;
	*ret = at;
	return EFI_SUCCESS;
}

static EFI_STATUS give_back(void *at, UINTN pages)
{
	for (struct block **link = &blocks; *link; link = &(*link)->next) {
		struct block *b = *link;

		if (b->at != at)
			continue;
		if (b->pages != pages)
			abort(); /* pages that are fewer, more, or the pool's */
		fake_search_block("memory given back", b->at, b->len);
		*link = b->next;
		taken -= b->len;
		fake_libc_free(b->at);
		fake_libc_free(b);
		return EFI_SUCCESS;
	}
	abort(); /* never allocated, or given back twice */
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN len, void **ret)
{
	EFI_STATUS s = fake_fault(FAKE_ALLOCATE_POOL);

	return s ? s : take(ret, type, len, 0);
}

static EFI_STATUS EFIAPI free_pool(void *at)
{
	return give_back(at, 0);
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages,
					EFI_PHYSICAL_ADDRESS *ret)
{
	EFI_STATUS s = fake_fault(FAKE_ALLOCATE_PAGES);
	void *at;

	if (how == AllocateAddress || pages > ((UINTN)1 << 40))
		return EFI_NOT_FOUND;
	if (!s)
		s = take(&at, type, pages * PAGE, pages);
	if (!s)
		*ret = (EFI_PHYSICAL_ADDRESS)(uintptr_t)at;
	return s;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS at, UINTN pages)
{
	return give_back((void *)(uintptr_t)at, pages);
}

static void range(EFI_MEMORY_DESCRIPTOR *ret, UINT32 type, uint64_t at, uint64_t pages)
{
	memset(ret, 0, sizeof(*ret));
	ret->Type = type;
	ret->PhysicalStart = at;
	ret->NumberOfPages = pages;
}

static size_t map_fill(EFI_MEMORY_DESCRIPTOR map[MAP_RANGES_MAX])
{
	size_t n = 0;

	range(&map[n++], EfiConventionalMemory, 0x1000, 100);
	range(&map[n++], EfiBootServicesData, (uintptr_t)ring, RING_BYTES / PAGE);
	range(&map[n++], EfiConventionalMemory, 0x100000000, (uint64_t)fake_now->free_mib * 256);
	for (struct block *b = blocks; b && n < MAP_RANGES_MAX; b = b->next)
		if (b->pages)
			range(&map[n++], (UINT32)b->type, (uintptr_t)b->at, b->pages);
	return n;
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
					UINTN *step, UINT32 *version)
{
	static EFI_MEMORY_DESCRIPTOR ranges[MAP_RANGES_MAX];
	EFI_STATUS s = fake_fault(FAKE_GET_MEMORY_MAP);
	size_t n, room = *size / (sizeof(ranges[0]) + 8);
	uint8_t *to = (uint8_t *)map;

	if (s)
		return s;
	n = map_fill(ranges);
	*step = sizeof(ranges[0]) + 8; /* firmware's descriptors are larger than the header's */
	*version = 1;
	*key = 1;
	*size = n * *step;
	if (!map || room < n)
		return EFI_BUFFER_TOO_SMALL;
	for (size_t i = 0; i < n; i++)
		memcpy(to + i * *step, &ranges[i], sizeof(ranges[i]));
	return EFI_SUCCESS;
}

void fake_memory_each(void (*visit)(const char *when, const void *bytes, size_t len),
		      const char *when)
{
	for (struct block *b = blocks; b; b = b->next)
		/* EfiBootServicesCode: the kernel's copy of the initrd, see kernel.c. */
		if (b->type != EfiBootServicesCode)
			visit(when, b->at, b->len);
}

int fake_heap_is_on(void)
{
	return on;
}

void fake_heap_on(int is_on)
{
	on = is_on;
}

int fake_heap_holds(const void *p)
{
	for (struct block *b = blocks; b; b = b->next)
		if ((const uint8_t *)p >= (uint8_t *)b->at &&
		    (const uint8_t *)p < (uint8_t *)b->at + b->len)
			return 1;
	return 0;
}

uint8_t *fake_ring(size_t *ret_len)
{
	*ret_len = RING_BYTES;
	return ring;
}

void fake_ring_add(const void *bytes, size_t len)
{
	if (ring_at + len > RING_BYTES)
		ring_at = 0;
	memcpy(ring + ring_at, bytes, len);
	ring_at += len;
}

void fake_memory_start(void)
{
	void *at;

	while (blocks) { /* of an earlier fake_here */
		struct block *b = blocks;

		blocks = b->next;
		fake_libc_free(b->at);
		fake_libc_free(b);
	}
	taken = ring_at = 0;
	fake_libc_free(ring);
	if (posix_memalign(&at, PAGE, RING_BYTES))
		abort();
	ring = memset(at, 0, RING_BYTES);
	fake_boot.AllocatePool = allocate_pool;
	fake_boot.FreePool = free_pool;
	fake_boot.AllocatePages = allocate_pages;
	fake_boot.FreePages = free_pages;
	fake_boot.GetMemoryMap = get_memory_map;
}
