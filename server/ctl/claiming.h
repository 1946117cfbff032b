/* Claiming: handing the set-up of an enterprise in at its server, over a network that may lose the answer. The
 * request is kept in DIR/claim-pending.json until the server has it: with it `init` can be given again. */
#ifndef HOLDFAST_CTL_CLAIMING_H
#define HOLDFAST_CTL_CLAIMING_H

#include "profile.h"

#define CLAIMING_FILE "claim-pending.json"

/* Keep the request for this bundle. Errors: ERR_FORMAT (the claim's secret), ERR_EXISTS, ERR_IO. */
MUST_CHECK enum err claiming_keep(const char *dir, const struct claim *claim, const char *bundle);

/* Hand in what is kept; afterwards it is kept no more. p: of this set-up. Says what went wrong; returns an exit
 * status: CTL_REFUSED when the server is not and will not be ours; CTL_FAILED: try again. */
int claiming_send(const char *dir, const struct claim *claim, const struct profile *p);

#endif
