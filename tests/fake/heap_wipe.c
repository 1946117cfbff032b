/* Stands for the heap of preboot/libc_efi.c where a test has the C library's; see heap.h. */
#include "preboot/heap.h"

#include "inside.h"

void heap_wipe(void)
{
	if (fake_now)
		fake_now->heap_wipes++;
}
