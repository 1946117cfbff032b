/* What the built-in keyboard layouts type, for xkb_test.py.
 *   layout_tool list   one layout a line: its name
 *   layout_tool type   for each line "LAYOUT US.MODIFIERS US.MODIFIERS ...", numbers in hexadecimal: the code points */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/layout.h"

static int list(void)
{
	struct layout l;

	for (unsigned i = 0; !layouts_get(&l, layouts_builtin(), i); i++)
		printf("%s\n", l.name);
	return 0;
}

static void type_line(char *line)
{
	struct layout_dead dead = { 0 };
	struct layout l;
	char *rest = line, *word = strsep(&rest, " ");

	if (layouts_find(&l, NULL, layouts_builtin(), word))
		exit(2);
	while ((word = strsep(&rest, " ")) != NULL) {
		struct layout_stroke stroke = { 0 };
		uint16_t typed[2];
		unsigned n;

		stroke.us = (uint16_t)strtoul(word, &word, 16);
		stroke.modifiers = (uint8_t)strtoul(word + 1, NULL, 16);
		n = layout_type(typed, &dead, layouts_builtin(), &l, &stroke);
		for (unsigned i = 0; i < n; i++)
			printf("%x ", typed[i]);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	char line[256];

	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc != 2 || strcmp(argv[1], "type"))
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		type_line(line);
	}
	return 0;
}
