/* Phrase: text formatting for the console. Knows %s %c %u %llu and %%, nothing else. */
#ifndef HOLDFAST_PHRASE_H
#define HOLDFAST_PHRASE_H

#include <stdarg.h>
#include <stddef.h>

/* Cut to size - 1 characters; always NUL-terminated. Returns the length written. */
size_t phrase_format(char *ret, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t phrase_vformat(char *ret, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
