/* Policy: the signed settings that this laptop enforces, as a whole or not at all. */
#ifndef HOLDFAST_ENFORCE_H
#define HOLDFAST_ENFORCE_H

#include "agent/volumed/volumed.h"

/* Verify and save (section "policy"); the caller settles. t: whom to trust, which at enrolment is not in v
 * yet. Errors: as policy_verify; ERR_RANGE (a setting, named in v->about); those of vstate_save. */
MUST_CHECK enum err enforce_take(struct volumed *v, const struct trust *t, const char *jws,
				 const json_t *certs);

/* The settings that hold now; presets when there is no policy. To be dropped. */
void enforce_settings(struct policy_settings *ret, const struct volumed *v);
uint64_t enforce_version(const struct volumed *v); /* 0: none */

/* How the policy stands: "none", "enforced", "waiting for …". */
struct escrow_progress {
	int recovery_proven;
	uint64_t recovery_since;  /* s; 0 when proven, or nothing has been sealed yet */
	uint32_t codes_proven, codes_wanted;
	uint64_t codes_since;
};
void enforce_progress(struct escrow_progress *ret, const struct volumed *v);
const char *enforce_state(const struct volumed *v);

/* Tell the server once for each version that it is enforced. */
void enforce_report(struct volumed *v);

#endif
