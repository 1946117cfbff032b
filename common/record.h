/* Record: a credential as bytes of the store. Encoder, bounds and signature, for store*.c and
 * credential.c; the struct itself and what it is for are in credential.h.
 * Table: store_record_v1.inc. */
#ifndef HOLDFAST_RECORD_H
#define HOLDFAST_RECORD_H

#include "credential.h"

#define RECORD_BYTES 625
#define RECORD_LISTED_BYTES 544 /* what the store's signature covers: all but has_seal and seal */
#define RECORD_SIGNED_BYTES 448 /* what the record's own signature covers */

/* Errors: ERR_FORMAT (unknown kind or flag, texts, padding, seal), ERR_RANGE (cost). */
MUST_CHECK enum err record_check(const struct record *r);
MUST_CHECK enum err record_cost_check(uint8_t kind, uint32_t memory_kib, uint32_t passes,
				      uint8_t lanes);

void record_encode(uint8_t ret[static RECORD_BYTES], const struct record *r);
/* Errors: as record_check. */
MUST_CHECK enum err record_decode(struct record *ret, const uint8_t bytes[static RECORD_BYTES]);

void record_sign(struct record *r, const uint8_t device[static DEVICE_ID_BYTES],
		 const struct store_sk *sk);
/* Errors: ERR_SIGNATURE. */
MUST_CHECK enum err record_verify(const struct record *r,
				  const uint8_t device[static DEVICE_ID_BYTES],
				  const struct store_vk *vk);

/* The seal, if there is one, against seal_digest. Errors: ERR_SIGNATURE. */
MUST_CHECK enum err record_seal_check(const struct record *r);
void record_seal_digest(struct digest *ret, const struct record *r);

#endif
