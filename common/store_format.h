/* What store.c, store_format.c and store_sign.c share and nobody else needs. */
#ifndef HOLDFAST_STORE_FORMAT_H
#define HOLDFAST_STORE_FORMAT_H

#include "store.h"

#define STORE_HEAD_BYTES 264

/* The bytes that the store's signature covers; *ret is malloc'ed. Errors: ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err store_message(uint8_t **ret, size_t *ret_len, const struct store *s);

/* Wrap the signing key under an unlock key, and name that one in uk_id. */
void store_wrap_key(struct store_head *h, const struct store_sk *sk, const struct unlock_key *uk);

#endif
