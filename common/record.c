/* Record: encoder, decoder, bounds, signature. */
#include "record.h"

#include <sodium.h>
#include <string.h>

#include "argon2.h"
#include "text.h"

#define FORMAT_TABLE "store_record_v1.inc"
#define FORMAT_NOUN record
#define FORMAT_PREFIX TABLE
#include "format_codec.h"

_Static_assert(TABLE_BYTES == RECORD_BYTES && (int)TABLE_AT_has_seal == RECORD_LISTED_BYTES &&
		       (int)TABLE_AT_signature == RECORD_SIGNED_BYTES,
	       "record.h says other places than the table");
_Static_assert(sizeof(((struct record *)0)->wrap) == WRAP_BYTES &&
		       sizeof(((struct record *)0)->duress_wrap) == WRAP_BYTES &&
		       sizeof(((struct record *)0)->seal) == SEAL_BYTES &&
		       sizeof(((struct record *)0)->user) == USER_NAME_MAX + 1,
	       "credential.h says other widths than the table");

_Static_assert(KDF_LANES_MAX <= ARGON2_LANES_MAX &&
		       KDF_MEMORY_KIB_MIN >= 2 * ARGON2_SLICES * KDF_LANES_MAX,
	       "a cost that the bounds allow and Argon2id does not");

static const char signed_as[] = "holdfast record v1";

int credential_is_login(uint8_t kind)
{
	return kind == CREDENTIAL_PASSWORD || kind == CREDENTIAL_TPM_PIN ||
	       kind == CREDENTIAL_TPM_PASSWORD;
}

int credential_is_bound(uint8_t kind)
{
	return kind == CREDENTIAL_TPM_PIN || kind == CREDENTIAL_TPM_PASSWORD ||
	       kind == CREDENTIAL_SELF_HELP;
}

enum err record_cost_check(uint8_t kind, uint32_t memory_kib, uint32_t passes, uint8_t lanes)
{
	uint32_t least = credential_is_login(kind) || credential_is_bound(kind)
				 ? KDF_PASSWORD_MEMORY_KIB_MIN
				 : KDF_MEMORY_KIB_MIN;

	if (memory_kib < least || memory_kib > KDF_MEMORY_KIB_MAX)
		return ERR_RANGE;
	if (lanes < 1 || lanes > KDF_LANES_MAX)
		return ERR_RANGE;
	return passes < KDF_PASSES_MIN || passes > KDF_PASSES_MAX ? ERR_RANGE : OK;
}

/* What a user logs in or helps himself with has a user and no number, a code a number and no user, the
 * recovery key neither. */
static int owner_valid(const struct record *r)
{
	if (!text_valid(r->user, sizeof(r->user)))
		return 0;
	switch (r->kind) {
	case CREDENTIAL_PASSWORD:
	case CREDENTIAL_TPM_PIN:
	case CREDENTIAL_TPM_PASSWORD:
	case CREDENTIAL_SELF_HELP:
		return r->user[0] && r->number == 0;
	case CREDENTIAL_ONE_TIME_CODE:
		return !r->user[0];
	case CREDENTIAL_RECOVERY_KEY:
		return !r->user[0] && r->number == 0;
	}
	return 0;
}

enum err record_check(const struct record *r)
{
	if (!owner_valid(r) || r->flags & ~RECORD_MUST_CHANGE)
		return ERR_FORMAT;
	if (r->reserved || r->has_seal > 1)
		return ERR_FORMAT;
	if (!r->has_seal && !sodium_is_zero(r->seal, sizeof(r->seal)))
		return ERR_FORMAT;
	return record_cost_check(r->kind, r->kdf_memory_kib, r->kdf_passes, r->kdf_lanes);
}

void record_encode(uint8_t ret[static RECORD_BYTES], const struct record *r)
{
	struct writer w = writer_over(ret, RECORD_BYTES);

	record_write(&w, r);
}

enum err record_decode(struct record *ret, const uint8_t bytes[static RECORD_BYTES])
{
	struct cursor c = cursor_over(bytes, RECORD_BYTES);
	struct record r;
	enum err e;

	record_read(&c, &r);
	e = record_check(&r);
	if (!e)
		*ret = r;
	return e;
}

#define MESSAGE_PREFIX (sizeof(signed_as) - 1 + DEVICE_ID_BYTES)
#define MESSAGE_BYTES (MESSAGE_PREFIX + RECORD_SIGNED_BYTES)

/* What is signed is the first MESSAGE_BYTES of ret. */
static void record_message(uint8_t ret[static MESSAGE_PREFIX + RECORD_BYTES],
			   const struct record *r, const uint8_t device[static DEVICE_ID_BYTES])
{
	memcpy(ret, signed_as, sizeof(signed_as) - 1);
	memcpy(ret + sizeof(signed_as) - 1, device, DEVICE_ID_BYTES);
	record_encode(ret + MESSAGE_PREFIX, r);
}

void record_sign(struct record *r, const uint8_t device[static DEVICE_ID_BYTES],
		 const struct store_sk *sk)
{
	uint8_t message[MESSAGE_PREFIX + RECORD_BYTES];

	record_message(message, r, device);
	store_sk_sign(r->signature, sk, message, MESSAGE_BYTES);
}

enum err record_verify(const struct record *r, const uint8_t device[static DEVICE_ID_BYTES],
		       const struct store_vk *vk)
{
	uint8_t message[MESSAGE_PREFIX + RECORD_BYTES];

	record_message(message, r, device);
	return store_vk_check(vk, r->signature, message, MESSAGE_BYTES);
}

enum err record_seal_check(const struct record *r)
{
	struct digest d;

	if (!r->has_seal)
		return OK;
	record_seal_digest(&d, r);
	return sodium_memcmp(d.bytes, r->seal_digest, sizeof(d.bytes)) ? ERR_SIGNATURE : OK;
}

void record_seal_digest(struct digest *ret, const struct record *r)
{
	crypto_generichash(ret->bytes, sizeof(ret->bytes), r->seal, sizeof(r->seal), NULL, 0);
}
