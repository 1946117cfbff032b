/* Layout: the table that build/layouts.c made. */
#include "layout.h"

#include "layout_format.h"

const struct layouts *layouts_builtin(void)
{
	static struct layouts l;

	if (!l.count && layouts_decode(&l, layouts_bytes, layouts_bytes_len))
		l = (struct layouts){ 0 };
	return &l;
}
