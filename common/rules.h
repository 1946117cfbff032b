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
/* Largest figures. */
#define RULES_FAILURES_MAX 1000
#define RULES_DAYS_MAX 3650
#define RULES_PASSWORD_MIN_MAX 64
#define RULES_CONTACT_MAX 253402300799u /* end of the year 9999: days of it fit into 32 bits */

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct rules_head {
#include "rules_v1.inc"
};
#undef FIELD

struct rules {
	struct rules_head head;
	uint8_t banner[RULES_BANNER_MAX + 1]; /* zero padded; text_lines_valid */
	uint8_t *logo;                        /* malloc'ed, head.logo_bytes of an encoded logo; or NULL */
};
void rules_drop(struct rules *r);
#define RULES __attribute__((cleanup(rules_drop))) struct rules

/* Nothing restricted, nothing shown, password_min 1. What ret had is not dropped. */
void rules_default(struct rules *ret);

/* Errors: ERR_FORMAT (unknown flag or action, texts, lengths, logo), ERR_VERSION, ERR_RANGE (figures;
 * kill below RULES_KILL_LIMIT_MIN; sizes of banner and logo), ERR_MEMORY. */
MUST_CHECK enum err rules_decode(struct rules *ret, const uint8_t *bytes, size_t len);

/* Into ret[RULES_BYTES_MAX]; sets magic, version, banner_bytes by itself; logo_bytes is the caller's.
 * Errors: ERR_RANGE (what could not be decoded again). */
MUST_CHECK enum err rules_encode(uint8_t *ret, size_t *ret_len, const struct rules *r);

/* A copy with a logo of its own. Errors: ERR_MEMORY. */
MUST_CHECK enum err rules_copy(struct rules *ret, const struct rules *r);

#endif
