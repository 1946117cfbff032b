#include <stdarg.h>
#include <stdio.h>

#include "ctl.h"

const char *ctl_plain(char *ret, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text && len + 1 < size; text++)
		ret[len++] = *text >= ' ' && *text <= '~' ? *text : '?';
	ret[len] = '\0';
	return ret;
}

int ctl_fail(enum err e, const char *what, ...)
{
	va_list ap;

	fputs("holdfast-ctl: ", stderr);
	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", err_text(e));
	return CTL_FAILED;
}

int ctl_usage(const char *command, const char *what, ...)
{
	va_list ap;

	fputs("holdfast-ctl: ", stderr);
	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fprintf(stderr, "; see holdfast-ctl %s%s--help\n", command, *command ? " " : "");
	return CTL_USAGE;
}
