#include "page.h"

#define PRESENT 0x01u
#define WRITABLE 0x02u
#define LARGE 0x80u
#define LARGE_SHIFT_MAX 30 /* 1 GiB */
/* Bits 12 to 46 of an entry: above them some machines keep an encryption bit. */
#define TABLE 0x00007ffffffff000ull

int page_writable(uint64_t cr3, unsigned levels, uint64_t at)
{
	uint64_t entry = cr3;

	for (unsigned shift = 12 + 9 * (levels - 1);; shift -= 9) {
		entry = ((const uint64_t *)(uintptr_t)(entry & TABLE))[at >> shift & 511];
		if (!(entry & PRESENT) || !(entry & WRITABLE))
			return 0;
		if (shift == 12 || (shift <= LARGE_SHIFT_MAX && (entry & LARGE)))
			return 1;
	}
}
