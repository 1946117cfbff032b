/* Block: a partition of a disk, found by its GPT unique partition GUID. */
#ifndef HOLDFAST_BLOCK_H
#define HOLDFAST_BLOCK_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct block {
	EFI_BLOCK_IO *io;
	uint64_t bytes; /* of the partition */
};

/* The n-th partition (from 0) with this GUID, binary in text order: a copied disk may have it too.
 * Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err block_find(struct block *ret, const uint8_t partition[static 16], unsigned n);

/* Overwrite the first len bytes (cut to the partition, rounded up to its sectors) with noise, flush, and
 * read everything back. What can be overwritten is, even when some of it cannot.
 * Errors: ERR_IO, ERR_MEMORY, ERR_CHANGED (read back differs), ERR_RANGE. */
MUST_CHECK enum err block_erase(const struct block *b, uint64_t len);

#endif
