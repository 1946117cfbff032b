/* Ruleset: the store's rules (common/rules.h) as policy, the laptop's keyboard and the server's time want
 * them. Written as one change of the store, and only when they differ. */
#ifndef HOLDFAST_RULESET_H
#define HOLDFAST_RULESET_H

#include "agent/volumed/unlocked.h"
#include "common/settings_host.h"

/* Rules from settings. own_layout: the laptop's keyboard layout, where policy names none; last_contact: s.
 * Errors: ERR_MEMORY. */
MUST_CHECK enum err ruleset_make(struct rules *ret, const struct policy_settings *s,
				 const char *own_layout, uint64_t last_contact);

/* Before there is a policy: the presets and the laptop's own layout (etc: as keyboard_conf.h).
 * Errors: ERR_MEMORY. */
MUST_CHECK enum err ruleset_preset(struct rules *ret, const char *etc);

/* Errors: those of unlocked_save. */
MUST_CHECK enum err ruleset_settle(struct volumed *v, struct unlocked *u);

/* Does this store say what policy wants? */
int ruleset_holds(const struct volumed *v, const struct store *s);

/* Would ruleset_settle write? The time of the last contact may lag behind by some hours: each write wears
 * the ESP. */
int ruleset_is_due(const struct volumed *v);

/* Has the laptop's keyboard layout changed since ruleset_settle? Quick: for every minute. */
int ruleset_keyboard_changed(const struct volumed *v);

#endif
