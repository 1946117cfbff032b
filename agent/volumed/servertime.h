/* Server time: when this laptop was last in touch with its server, by the server's own signature: message
 * holdfast-time, and the answer at enrolment (docs/protocol.md, "Time"). holdfastd brings it, and can keep
 * it back, but not make it. The store's rules carry it to pre-boot (ruleset.h). */
#ifndef HOLDFAST_SERVERTIME_H
#define HOLDFAST_SERVERTIME_H

#include "agent/volumed/volumed.h"

/* Remember a later time; an earlier one changes nothing. The caller settles.
 * Errors: ERR_STATE (not enrolled), ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED, ERR_RANGE. */
MUST_CHECK enum err servertime_take(struct volumed *v, const char *jws);

/* The latest that is known since this start, or from enrolment; s, 0: none. The store may know a later one. */
uint64_t servertime_known(const struct volumed *v);

/* Today by the laptop's clock, unless it is before the server's time or years ahead of it: days since
 * 1970-01-01 UTC. */
uint16_t servertime_today(const struct volumed *v);

#endif
