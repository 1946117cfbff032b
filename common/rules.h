/* Rules: what the organisation's policy says to pre-boot. A section of the store between manifest and
 * signature, covered by the store's signature; the agent writes it. Before unlock it is a hint, like
 * everything in the store: it can show a text or restrict, never open. Table: rules_v1.inc. */
#ifndef HOLDFAST_RULES_H
#define HOLDFAST_RULES_H

#include "format.h"
#include "logo.h"

enum rules_flag {
	RULES_SINGLE_USER = 0x0001,   /* ask for a password only, while there is one user */
	RULES_DURESS = 0x0002,        /* a duress password kills */
	RULES_BEEP = 0x0004,
	RULES_HIGH_CONTRAST = 0x0008,
	RULES_LARGE_TYPE = 0x0010,
};
#define RULES_FLAGS 0x001f

enum rules_action { RULES_DELAY, RULES_LOCK, RULES_KILL };

#define RULES_HEAD_BYTES 120
#define RULES_BANNER_MAX 1000
#define RULES_BYTES_MAX (RULES_HEAD_BYTES + RULES_BANNER_MAX + LOGO_BYTES_MAX)
#define RULES_ORGANISATION_MAX 63
#define RULES_LAYOUT_MAX 15
/* Fewer typing mistakes in a row than this must not cost anybody the data. */
#define RULES_KILL_LIMIT_MIN 5

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct rules_head {
#include "rules_v1.inc"
};
#undef FIELD

struct rules {
	struct rules_head head;
	uint8_t banner[RULES_BANNER_MAX + 1]; /* NUL-terminated; text_valid but for "\n" */
	uint8_t *logo;                        /* malloc'ed, head.logo_bytes of an encoded logo; or NULL */
};
void rules_drop(struct rules *r);
#define RULES __attribute__((cleanup(rules_drop))) struct rules

/* Nothing restricted, nothing shown, password_min 1. */
void rules_default(struct rules *ret);

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_RANGE (figures; kill below RULES_KILL_LIMIT_MIN), ERR_MEMORY. */
MUST_CHECK enum err rules_decode(struct rules *ret, const uint8_t *bytes, size_t len);

/* Into ret[RULES_BYTES_MAX]; sets magic, version, banner_bytes by itself. What could not be decoded
 * again is ERR_RANGE. */
MUST_CHECK enum err rules_encode(uint8_t *ret, size_t *ret_len, const struct rules *r);

/* A copy with a logo of its own. Errors: ERR_MEMORY. */
MUST_CHECK enum err rules_copy(struct rules *ret, const struct rules *r);

#endif
