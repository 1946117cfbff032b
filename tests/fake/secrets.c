/* Planted secrets, and the search for them in what pre-boot leaves behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_parts.h"
#include "inside.h"

#define PART 16 /* half of a key is as bad as a whole one */
#define BEYOND_FRAMES ((size_t)256) /* of the caller's frames that are still in use */

/* The program's own variables: pre-boot's modules among them. */
extern uint8_t __data_start[], _end[];

void fake_plant(struct fake *f, const char *name, const void *bytes, size_t len)
{
	struct fake_secret *s = &f->inside->secrets[f->inside->secret_count++];

	if (f->inside->secret_count > FAKE_SECRETS_MAX || len > sizeof(s->bytes) || len < 4)
		abort();
	snprintf(s->name, sizeof(s->name), "%s", name);
	memcpy(s->bytes, bytes, len);
	s->len = len;
}

static void leak(const char *when, const char *where, const char *what)
{
	size_t len = strlen(fake_now->leaks);

	snprintf(fake_now->leaks + len, FAKE_LEAK_MAX - len, "%s: %s holds %s\n", when, where,
		 what);
}

/* Not memmem: what lies between the variables is the sanitizer's, and is searched all the same. */
__attribute__((no_sanitize("address"))) static int holds(const uint8_t *bytes, size_t len,
							 const uint8_t *part, size_t part_len)
{
	for (size_t at = 0; part_len <= len && at <= len - part_len; at++) {
		size_t n = 0;

		while (n < part_len && *(const volatile uint8_t *)&bytes[at + n] == part[n])
			n++;
		if (n == part_len)
			return 1;
	}
	return 0;
}

static void search(const char *when, const char *where, const uint8_t *bytes, size_t len)
{
	for (unsigned i = 0; i < INSIDE->secret_count; i++) {
		const struct fake_secret *s = &INSIDE->secrets[i];
		size_t part = s->len < PART ? s->len : PART;

		if (holds(bytes, len, s->bytes, part) ||
		    holds(bytes, len, s->bytes + s->len - part, part))
			leak(when, where, s->name);
	}
}

void fake_search_block(const char *when, const void *bytes, size_t len)
{
	search(when, "a block of the heap", bytes, len);
}

/* The buffer holds one struct a key. */
static void search_ring(const char *when)
{
	size_t len, n = 0;
	const EFI_KEY_DATA *keys = (const void *)fake_ring(&len);
	uint8_t *text = fake_libc_malloc(len); /* not on the stack, which is searched as well */

	if (!text)
		abort();
	for (; (n + 1) * sizeof(*keys) <= len; n++)
		text[n] = (uint8_t)keys[n].Key.UnicodeChar;
	search(when, "the firmware's keyboard buffer", text, n);
	fake_libc_free(text);
}

void fake_search(const char *when)
{
	if (!INSIDE->secret_count)
		return;
	fake_memory_each(fake_search_block, when);
	search_ring(when);
	search(when, "a variable of the program", __data_start, (size_t)(_end - __data_start));
	if (fake_stack)
		search(when, "the stack", fake_stack, fake_stack_len);
}
