/* Log lines. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *name = "main";

void log_name(const char *process)
{
	name = process;
}

void log_line(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One write a line: the processes share the descriptor. */
	fprintf(stderr, "holdfast-server: %s: %s\n", name, line);
}
