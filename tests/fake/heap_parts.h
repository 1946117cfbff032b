/* What heap.h is made of. */
#ifndef HOLDFAST_FAKE_HEAP_PARTS_H
#define HOLDFAST_FAKE_HEAP_PARTS_H

#include <stddef.h>

/* Pre-boot's own heap (preboot/libc_efi.c), over the firmware's memory. */
void *fake_heap_malloc(size_t len);
void *fake_heap_calloc(size_t n, size_t size);
void *fake_heap_realloc(void *p, size_t len);
void fake_heap_free(void *p);
void fake_heap_wipe(void);

/* Is pre-boot running, rather than the test? Is that block of its heap? */
int fake_heap_is_on(void);
int fake_heap_holds(const void *p);

/* The C library's, or the sanitizer's. */
void *fake_libc_malloc(size_t len);
void *fake_libc_calloc(size_t n, size_t size);
void *fake_libc_realloc(void *p, size_t len);
void fake_libc_free(void *p);

#endif
