/* Settle: compare what is with what shall be, and take every step that can be taken. Called at the start, after
 * each change, and each minute while something is left to do. So an interruption anywhere needs no care
 * of its own: the next call goes on from what it finds. */
#ifndef HOLDFAST_SETTLE_H
#define HOLDFAST_SETTLE_H

#include "agent/volumed/volumed.h"

/* OK also when something waits for somebody else (a receipt). On an error v->unsettled says what could not be
 * done, and it is tried again. */
MUST_CHECK enum err settle_run(struct volumed *v);

/* The daily look: headers, keyslots, escrow; then settle_run. */
MUST_CHECK enum err settle_check(struct volumed *v);

/* A receipt of the server. Errors: ERR_SIGNATURE, ERR_MISDIRECTED, ERR_FORMAT, ERR_STATE. */
MUST_CHECK enum err settle_receipt(struct volumed *v, const char *receipt);

/* The server's signed time. Errors: as servertime_take. */
MUST_CHECK enum err settle_time(struct volumed *v, const char *jws);

#endif
