/* Managed volumes: from an entry of the manifest to the opened header. */
#ifndef HOLDFAST_MANAGED_H
#define HOLDFAST_MANAGED_H

#include "agent/volumed/unlocked.h"
#include "driver/volume.h"

/* Path of the device: --device UUID=PATH, else found by UUID. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err managed_path(char *ret, size_t size, const struct volumed *v,
				 const struct manifest_volume *m);
MUST_CHECK enum err managed_load(struct volume **ret, struct volumed *v,
				 const struct manifest_volume *m);

/* UUID in its usual text form. */
void managed_uuid(char ret[static 37], const uint8_t uuid[static 16]);

/* Look at every volume: header as vouched for, does the key open it, keyslots of others. Fills v->volumes;
 * what got worse since the last look becomes an event. */
void managed_check(struct volumed *v, const struct unlocked *u);

#endif
