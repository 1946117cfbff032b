/* The heap of preboot/libc_efi.c itself, under other names, for heap.h; and the C library's, which
 * the fake uses in any case. */
#undef _FORTIFY_SOURCE
#define malloc fake_heap_malloc
#define calloc fake_heap_calloc
#define free fake_heap_free
#define realloc fake_heap_realloc
#define heap_wipe fake_heap_wipe_blocks
#define memset fake_heap_memset
#define memcpy fake_heap_memcpy
#define memmove fake_heap_memmove
#define memcmp fake_heap_memcmp
#define memchr fake_heap_memchr
#define strlen fake_heap_strlen
#define strnlen fake_heap_strnlen
#define strchr fake_heap_strchr
#define strncmp fake_heap_strncmp
#define strcmp fake_heap_strcmp
#define abort fake_heap_abort
#define sodium_misuse fake_heap_sodium_misuse
#define __assert_fail fake_heap_assert_fail
#define __errno_location fake_heap_errno_location

#include "preboot/libc_efi.c"

#include "heap_parts.h"
#include "inside.h"

void fake_heap_wipe(void)
{
	fake_now->heap_wipes++;
	fake_heap_wipe_blocks();
}
