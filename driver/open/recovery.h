/* Recovery: open crypttab's volumes with the recovery key, when there is no usable hand-off. */
#ifndef HOLDFAST_OPEN_RECOVERY_H
#define HOLDFAST_OPEN_RECOVERY_H

#include "options.h"

/* Asks until every volume whose disk is there is open. Errors: ERR_NOT_FOUND (no volumes to open,
 * or disks missing), ERR_IO (end of input), ERR_CHANGED (a
 * header that does not promise encryption: refused). */
MUST_CHECK enum err recovery_run(const struct options *o);

#endif
