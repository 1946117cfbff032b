/* Logo: the organisation's picture on the pre-boot screen. holdfast-ctl makes it from a PNG, policy
 * carries it, the rules (rules.h) hold it. Deliberately the simplest format there is: it is read
 * before anything is verified (threat 10). Table: logo_v1.inc. */
#ifndef HOLDFAST_LOGO_H
#define HOLDFAST_LOGO_H

#include "format.h"

#define LOGO_WIDTH_MAX 320
#define LOGO_HEIGHT_MAX 96
#define LOGO_COLOURS_MAX 256
#define LOGO_HEAD_BYTES 16
#define LOGO_BYTES_MAX (LOGO_HEAD_BYTES + LOGO_COLOURS_MAX * 4 + LOGO_WIDTH_MAX * LOGO_HEIGHT_MAX)

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct logo_head {
#include "logo_v1.inc"
};
#undef FIELD

/* Points into the bytes that it was decoded from. */
struct logo {
	struct logo_head head;
	const uint8_t *palette; /* head.colours x { red, green, blue, opacity } */
	const uint8_t *pixels;  /* head.width x head.height indices, all below head.colours */
};

/* Errors: ERR_FORMAT (magic, reserved, length), ERR_RANGE (sizes, an index). */
MUST_CHECK enum err logo_decode(struct logo *ret, const uint8_t *bytes, size_t len);

/* Into ret[LOGO_BYTES_MAX]; sets the magic by itself. Errors: ERR_RANGE. */
MUST_CHECK enum err logo_encode(uint8_t *ret, size_t *ret_len, const struct logo *l);

#endif
