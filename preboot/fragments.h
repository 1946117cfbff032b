/* Fragments: much memory for a KDF where no single free range may have it. It is taken in runs of pages,
 * large ones first, and seen as equal pieces. */
#ifndef HOLDFAST_FRAGMENTS_H
#define HOLDFAST_FRAGMENTS_H

#include "common/workplace.h"

/* workplace_open and workplace_close under UEFI. Errors: ERR_MEMORY. */
MUST_CHECK enum err fragments_gather(struct workplace *ret, uint64_t bytes);
void fragments_return(struct workplace *w);

#endif
