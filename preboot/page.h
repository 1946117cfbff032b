/* Page: what the processor's page tables allow at an address (Intel SDM volume 3, 4.5). */
#ifndef HOLDFAST_PAGE_H
#define HOLDFAST_PAGE_H

#include <stdint.h>

#define PAGE_BYTES 4096u

/* May the page at this address be read and written? cr3: the register; tables are mapped where they
 * are. levels: 4 or 5. */
int page_writable(uint64_t cr3, unsigned levels, uint64_t at);

#endif
