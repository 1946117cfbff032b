/* Heap: pre-boot's own (preboot/libc_efi.c), and its secrets (preboot/secret_efi.c), for a test of
 * one file. Whoever includes it replaces the C library's malloc in the whole program: in a run
 * memory comes from the fake firmware, is counted, fails on demand, and is searched for planted
 * secrets; outside of runs it is the C library's. */
#ifndef HOLDFAST_FAKE_HEAP_H
#define HOLDFAST_FAKE_HEAP_H

#include <stdlib.h>

#include "heap_parts.h"
#include "preboot/heap.h"
#include "preboot/secret_efi.c"

void *malloc(size_t len)
{
	return fake_heap_is_on() ? fake_heap_malloc(len) : fake_libc_malloc(len);
}

void *calloc(size_t n, size_t size)
{
	return fake_heap_is_on() ? fake_heap_calloc(n, size) : fake_libc_calloc(n, size);
}

void *realloc(void *p, size_t len)
{
	return fake_heap_is_on() && (!p || fake_heap_holds(p)) ? fake_heap_realloc(p, len)
								: fake_libc_realloc(p, len);
}

void free(void *p)
{
	if (p && fake_heap_is_on() && fake_heap_holds(p))
		fake_heap_free(p);
	else
		fake_libc_free(p);
}

void heap_wipe(void)
{
	fake_heap_wipe();
}

#endif
