/* Crypttab: the first two words of each line. */
#include "crypttab.h"

#include <stdio.h>

enum err crypttab_read(struct crypttab *ret, const char *path)
{
	struct crypttab t = { 0 };
	struct crypttab_entry entry;
	char line[1024];
	FILE *f = fopen(path, "re");

	if (!f)
		return ERR_NOT_FOUND;
	while (t.count < CRYPTTAB_ENTRIES_MAX && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %255s", entry.name, entry.source) != 2 ||
		    entry.name[0] == '#')
			continue;
		t.at[t.count++] = entry;
	}
	fclose(f);
	if (!t.count)
		return ERR_NOT_FOUND;
	*ret = t;
	return OK;
}
