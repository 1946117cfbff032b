/* The real preboot/residue.c, but for its look at the processor's page tables, which only firmware
 * may take: here every page can be written. */
#include "preboot/residue.h"

#include "common/secret.h"
#include "preboot/firmware.h"
#include "preboot/page.h"
#include "preboot/scrub.h"

/* Of `__asm__ volatile("mov %%cr3, %0" : ...)`. */
#define __asm__
#define volatile(...) cr3 = cr4 = 0
#define page_writable(cr3, levels, at) ((void)(cr3), (void)(levels), (void)(at), 1)

#include "preboot/residue.c"
