/* The credential store on the EFI system partition: two copies, written in place and alternately,
 * and the generation variable that shows when an older one was put back. docs/formats.md.
 * Pre-boot reads (and drops seals in) the same files; only this module of the agent writes them. */
#ifndef HOLDFAST_ESPSTORE_H
#define HOLDFAST_ESPSTORE_H

#include "common/store.h"

#define ESPSTORE_COPIES 2

struct espstore {
	char folder[512];  /* …/EFI/holdfast */
	char efivars[512]; /* efivarfs, or "" */
};

/* What was found beside the store itself. */
struct espstore_found {
	int newer;                          /* index of the copy that counts */
	enum err copy[ESPSTORE_COPIES];     /* what is wrong with each; OK */
	int same_key;                       /* both are sealed from the same unlock key */
	int generation_known;               /* the variable is there */
	uint64_t generation;                /* its value */
};

/* esp: the root of the ESP (/boot/efi), or the folder EFI/holdfast itself. Errors: ERR_RANGE. */
MUST_CHECK enum err espstore_at(struct espstore *ret, const char *esp, const char *efivars);

/* Read both copies and pick the one that counts. Nothing is verified but bounds and checksum.
 * Errors: ERR_NOT_FOUND (no copy decodes; ret_found->copy says why), ERR_MEMORY. */
MUST_CHECK enum err espstore_load(struct store *ret, struct espstore_found *ret_found,
				  const struct espstore *esp);

/* Write over the copy that does not count, flush, raise the generation variable; with both set
 * (something was revoked) then the other copy as well. A missing variable file system is no error.
 * Errors: ERR_IO, ERR_SPACE, ERR_RANGE. */
MUST_CHECK enum err espstore_write(const struct espstore *esp, const struct store *s, int both);

/* Overwrite and unlink both copies. */
MUST_CHECK enum err espstore_destroy(const struct espstore *esp);

#endif
