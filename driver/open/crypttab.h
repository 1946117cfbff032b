/* Crypttab: which volumes the distribution expects open, and under which names. */
#ifndef HOLDFAST_OPEN_CRYPTTAB_H
#define HOLDFAST_OPEN_CRYPTTAB_H

#include <stddef.h>

#include "../../common/err.h"

#define CRYPTTAB_ENTRIES_MAX 16

struct crypttab_entry {
	char name[128];
	char source[256];
};

struct crypttab {
	size_t count;
	struct crypttab_entry at[CRYPTTAB_ENTRIES_MAX];
};

/* Lines beyond the bounds are left out: the distribution's own script sees to them.
 * Errors: ERR_NOT_FOUND (no file, or no entry in it). */
MUST_CHECK enum err crypttab_read(struct crypttab *ret, const char *path);

#endif
