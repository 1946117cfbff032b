/* Options of holdfast-open. */
#ifndef HOLDFAST_OPEN_OPTIONS_H
#define HOLDFAST_OPEN_OPTIONS_H

#include "../../common/err.h"

#define CRYPTTAB_INITRAMFS "/cryptroot/crypttab"

struct options {
	const char *handoff, *run, *crypttab;
	const char *device, *name; /* where one volume is; with --recovery: the only one */
	unsigned wait_s;           /* for a device to appear */
	int recovery, check_only, keyring_only, no_keyring, help;
};

/* Into defaults, then what argv says. On ERR_RANGE a message is on standard error. */
MUST_CHECK enum err options_parse(struct options *ret, int argc, char **argv);

#endif
