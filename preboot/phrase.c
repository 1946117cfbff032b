#include "phrase.h"

#include <string.h>

struct out {
	char *at;
	size_t left; /* without the NUL */
	size_t len;
};

static void out_char(struct out *o, char c)
{
	if (!o->left)
		return;
	*o->at++ = c;
	o->left--;
	o->len++;
}

static void out_text(struct out *o, const char *s)
{
	while (*s)
		out_char(o, *s++);
}

static void out_number(struct out *o, unsigned long long v)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		out_char(o, digits[--n]);
}

size_t phrase_vformat(char *ret, size_t size, const char *format, va_list args)
{
	struct out o = { .at = ret, .left = size - 1 };

	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			out_char(&o, *f);
		} else if (f[1] == 's') {
			out_text(&o, va_arg(args, const char *));
			f++;
		} else if (f[1] == 'c') {
			out_char(&o, (char)va_arg(args, int));
			f++;
		} else if (f[1] == 'u') {
			out_number(&o, va_arg(args, unsigned));
			f++;
		} else if (!strncmp(f + 1, "llu", 3)) {
			out_number(&o, va_arg(args, unsigned long long));
			f += 3;
		} else {
			out_char(&o, '%');
			f += f[1] == '%';
		}
	}
	*o.at = 0;
	return o.len;
}

size_t phrase_format(char *ret, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = phrase_vformat(ret, size, format, args);
	va_end(args);
	return n;
}
