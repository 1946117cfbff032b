/* Store file: the two copies of the credential store on the EFI system partition. */
#ifndef HOLDFAST_STOREFILE_H
#define HOLDFAST_STOREFILE_H

#include "common/store.h"

#define STOREFILE_COPIES 2

struct storefile {
	struct store copies[STOREFILE_COPIES];
	enum err problems[STOREFILE_COPIES]; /* OK; why the copy cannot be used; ERR_ROLLBACK: the older one */
	struct store *current;               /* the newer usable copy; NULL when there is none */
};

/* Read and decode both copies. Always leaves something to look at; current tells. */
void storefile_read(struct storefile *ret);

/* Write the current store to both copies, the other one first, each read back and compared. After
 * store_drop_seal: an old copy would still hold the seal. Errors: as files_write; the copy that was
 * good until then is untouched unless the other one has been written. */
MUST_CHECK enum err storefile_write(struct storefile *f);

/* After a storefile_write that failed: has the current store reached a copy all the same? */
int storefile_written(const struct storefile *f);

/* Rewrite a copy that has a problem from the current store, after it has been verified; an older one too,
 * for the generation variable would refuse it when it is needed. One of a newer version is left alone.
 * Returns how many copies could not be rewritten. */
unsigned storefile_repair(struct storefile *f);

/* Overwrite and delete both copies. Errors: as files_destroy. */
MUST_CHECK enum err storefile_destroy(void);

void storefile_drop(struct storefile *f);

#endif
