/* The few functions of a C library that the common core and libsodium call. */
#include <efi.h>

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "heap.h"
#include "terminal.h"
#include "ui.h"

/* A block: this header, then len bytes. Large ones are pages, which keeps pools unfragmented. */
struct block {
	struct block *next, **link;
	size_t len;
	UINTN pages;
	uint64_t align[4];
};
_Static_assert(sizeof(struct block) == 64, "payload keeps the alignment of pages");

#define PAGES_FROM ((size_t)64 << 10)
#define HEAP_MAX ((size_t)4 << 30)

static struct block *blocks;

void *malloc(size_t len)
{
	struct block *b = NULL;
	size_t total = len + sizeof(*b);
	EFI_PHYSICAL_ADDRESS at = 0;
	UINTN pages = 0;
	EFI_STATUS s;
	void *pool = NULL;

	if (len > HEAP_MAX)
		return NULL;
	if (total >= PAGES_FROM) {
		pages = (total + 4095) / 4096;
		s = BOOT->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &at);
		pool = (void *)(uintptr_t)at;
	} else {
		s = BOOT->AllocatePool(EfiLoaderData, total, &pool);
	}
	if (EFI_ERROR(s))
		return NULL;
	b = pool;
	*b = (struct block){ .next = blocks, .link = &blocks, .len = len, .pages = pages };
	if (blocks)
		blocks->link = &b->next;
	blocks = b;
	return b + 1;
}

void *calloc(size_t n, size_t size)
{
	void *p;

	if (size && n > HEAP_MAX / size)
		return NULL;
	p = malloc(n * size);
	if (p)
		memset(p, 0, n * size);
	return p;
}

void free(void *p)
{
	struct block *b = p;

	if (!p)
		return;
	b--;
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	sodium_memzero(p, b->len);
	if (b->pages)
		BOOT->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)b, b->pages);
	else
		BOOT->FreePool(b);
}

void *realloc(void *p, size_t len)
{
	void *fresh = malloc(len);

	if (!fresh || !p)
		return fresh;
	memcpy(fresh, p, ((struct block *)p)[-1].len < len ? ((struct block *)p)[-1].len : len);
	free(p);
	return fresh;
}

void heap_wipe(void)
{
	for (struct block *b = blocks; b; b = b->next)
		sodium_memzero(b + 1, b->len);
	sodium_stackzero(32768);
}

/* String instructions: fast on real processors (ERMS), and no loop that the compiler could turn into
 * a call of the function itself. */
void *memset(void *s, int c, size_t n)
{
	uint64_t pattern = 0x0101010101010101u * (uint8_t)c;
	void *to = s;
	size_t words = n / 8, rest = n % 8;

	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
	return s;
}

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
	void *to = d;
	const void *from = s;
	size_t words = n / 8, rest = n % 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
	return d;
}

void *memmove(void *d, const void *s, size_t n)
{
	volatile uint8_t *to = d;
	const volatile uint8_t *from = s;

	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(d, s, n);
	while (n--)
		to[n] = from[n];
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *at = s;

	for (size_t i = 0; i < n; i++)
		if (at[i] == (uint8_t)c)
			return (void *)(uintptr_t)(at + i);
	return NULL;
}

size_t strlen(const char *s)
{
	const volatile char *at = s;
	size_t n = 0;

	while (at[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i])
			return (uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1;
		if (!a[i])
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int *__errno_location(void)
{
	static int number;

	return &number;
}

/* A broken promise inside the program: nothing sensible can follow. */
noreturn void abort(void)
{
	ui_tell(MESSAGE_INTERNAL);
	BOOT->Stall(5000000);
	firmware_restart();
}

void __assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	terminal_say("\n%s:%u: %s: %s\n", file, line, function, what);
	abort();
}

noreturn void sodium_misuse(void)
{
	abort();
}
