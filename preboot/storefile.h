/* Store file: the two copies of the credential store on the EFI system partition. */
#ifndef HOLDFAST_STOREFILE_H
#define HOLDFAST_STOREFILE_H

#include "common/store.h"

#define STOREFILE_COPIES 2

struct storefile {
	struct store copies[STOREFILE_COPIES];
	enum err problems[STOREFILE_COPIES]; /* OK; why the copy cannot be used; ERR_ROLLBACK: the older one */
	struct store *current;               /* the newer usable copy; NULL when there is none */
	uint64_t generations[STOREFILE_COPIES]; /* of the file as it was last read; 0: not known */
	int in_doubt[STOREFILE_COPIES];         /* a write of it began and was not seen to end well */
};

/* Read and decode both copies. Always leaves something to look at; current tells. */
void storefile_read(struct storefile *ret);

/* Something was taken away from the current store (store_drop_seal, store_lock): write both copies, the other one
 * first, each read back and decoded, so that none is left that still has it. While the other copy is good, before or
 * after its own write, the power may be cut at any time. Where it is no good and cannot be written (a full
 * partition), the current copy is written in place all the same, and what is left of the other destroyed: else a
 * lock or a used code would never reach the disk.
 * On failure the current copy may have been written: at the next start what was taken away may be gone.
 * Errors: as store_encode and files_write; ERR_ROLLBACK (the other copy could not be read before, and is newer). */
MUST_CHECK enum err storefile_write(struct storefile *f);

/* Something new is in the current store, and its generation was raised: write it to the other copy, and then, as
 * far as that is possible, to its own. OK: a start finds it. On failure its own copy is untouched; put back what the
 * store held before, and call storefile_put_back. Errors: as storefile_write. */
MUST_CHECK enum err storefile_write_new(struct storefile *f);

/* After a storefile_write_new that failed, with the current store as it was before: write it over what may have got
 * to the disk. OK: no copy has the new one. Errors: as files_write; a copy may hold either store, and a start
 * takes the new one if it is whole. */
MUST_CHECK enum err storefile_put_back(struct storefile *f);

/* The highest generation that is known to be on the disk, whole and read back: no variable may be raised
 * beyond it. 0: none is. */
uint64_t storefile_generation(const struct storefile *f);

/* Rewrite a copy that has a problem from the current store, after it has been verified; an older one too,
 * for the generation variable would refuse it when it is needed. It is read once more before: one of a newer
 * version, or that can be read now and is newer than the current store, is left alone.
 * Returns how many copies could not be rewritten. */
unsigned storefile_repair(struct storefile *f);

/* Overwrite and delete both copies. Errors: as files_destroy. */
MUST_CHECK enum err storefile_destroy(void);

void storefile_drop(struct storefile *f);

#endif
