/* Boot care: looks after what the firmware starts. At each start of the daemon an update of holdfast.efi is
 * confirmed or given up, a ruined copy mended, lost boot entries repaired; a self-test report is sent once.
 * None of it needs keys, and none of it keeps anything else from being settled. docs/updates.md. */
#ifndef HOLDFAST_BOOTCARE_H
#define HOLDFAST_BOOTCARE_H

#include "agent/volumed/loader.h"
#include "agent/volumed/volumed.h"

/* From settle_run and settle_check, before any key is needed: does what is to be done in this start, until it has been done. What fails is logged and
 * tried again. */
void bootcare_settle(struct volumed *v);

/* The same for a given place: update, current copy, entries, each whatever happened to the one before. Errors: the
 * first of those of loader.h, bootentry.h, vstate_save. */
MUST_CHECK enum err bootcare_run(struct volumed *v, const struct loader_home *h);

/* For STATUS: "started_by" (which copy; "another loader": pre-boot was started through shim or the like), "update"
 * ("none", "waiting for a restart"), "entries" ("looked after", "left alone": another loader's). New reference. */
json_t *bootcare_status(const struct volumed *v);

#endif
