/* What holdfast-activate was asked to do. */
#ifndef HOLDFAST_PLAN_H
#define HOLDFAST_PLAN_H

#include "common/manifest.h"
#include "common/secret.h"

struct plan_volume {
	char name[32];
	char device[400];
	uint8_t partition[16]; /* zeros: none */
};

struct plan {
	size_t volume_count;
	struct plan_volume volumes[MANIFEST_VOLUMES_MAX];
	const char *key_file; /* NULL with format */
	int format, remove_others, boot_files_only;
	int self_test, show; /* --self-test, and --show with it */
	const char *loader;  /* --loader; NULL */
	const char *esp, *efivars;
	const char *kernel, *initrd, *cmdline, *efi;
	const char *name, *user;
	const char *handoff; /* with boot_files_only: keys from here instead of the keyring */
	int password_fd;
	uint32_t kdf_memory_kib, kdf_passes;
};

/* From the command line; messages go to standard error. 0: go on; 1: help was shown; -1: wrong. */
int plan_read(struct plan *ret, int argc, char **argv);

#endif
