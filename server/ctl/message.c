#include <stdarg.h>
#include <stdio.h>

#include "ctl.h"

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
