/* Compact serialisation, RFC 7515 section 7.1 and RFC 7516 section 7.1: base64url parts joined by full
 * stops. Internal to jws_host.c and jwe_host.c. */
#ifndef HOLDFAST_COMPACT_HOST_H
#define HOLDFAST_COMPACT_HOST_H

#include "json_host.h"

#define COMPACT_JWS_PARTS 3
#define COMPACT_JWE_PARTS 5

struct compact_part {
	const char *at; /* borrowed */
	size_t len;
};

/* Exactly count parts, together at most max bytes. Errors: ERR_FORMAT. */
MUST_CHECK enum err compact_split(struct compact_part *ret, size_t count, const char *text, size_t max);

/* A part that is base64url of JSON. Errors: ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err compact_json(json_t **ret, const struct compact_part *part);

/* A part that is base64url of exactly len bytes. Errors: ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err compact_bytes(uint8_t *ret, size_t len, const struct compact_part *part);

/* Join encoded parts with full stops; *ret is malloc'ed. Errors: ERR_MEMORY. */
MUST_CHECK enum err compact_join(char **ret, const char *const *parts, size_t count);

#endif
