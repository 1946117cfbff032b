/* The C library's heap, or the sanitizer's that stands for it, also where a test has replaced
 * malloc (heap.h). */
#include "heap_parts.h"

void *__interceptor_malloc(size_t len) __attribute__((weak));
void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *p, size_t len) __attribute__((weak));
void __interceptor_free(void *p) __attribute__((weak));
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t len);
void __libc_free(void *p);

void *fake_libc_malloc(size_t len)
{
	return __interceptor_malloc ? __interceptor_malloc(len) : __libc_malloc(len);
}

void *fake_libc_calloc(size_t n, size_t size)
{
	return __interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size);
}

void *fake_libc_realloc(void *p, size_t len)
{
	return __interceptor_realloc ? __interceptor_realloc(p, len) : __libc_realloc(p, len);
}

void fake_libc_free(void *p)
{
	if (__interceptor_free)
		__interceptor_free(p);
	else
		__libc_free(p);
}
