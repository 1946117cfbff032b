/* Orders: the commands of officers, carried out only when everything about them holds. */
#ifndef HOLDFAST_ORDER_H
#define HOLDFAST_ORDER_H

#include "agent/volumed/volumed.h"

/* Verify, carry out, and tell: every refusal is an event command-refused with the reason, every execution
 * command-done. OK also when it was refused, as the event says it all; errors are those of the outbox. */
MUST_CHECK enum err order_run(struct volumed *v, const char *jws, const char *certs);

#endif
