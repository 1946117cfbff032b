/* Requests: what each message of volumed.sock does. */
#ifndef HOLDFAST_REQUESTS_H
#define HOLDFAST_REQUESTS_H

#include "agent/volumed/volumed.h"

/* Work through one request; ret becomes the answer. */
void requests_serve(struct ipc_message *ret, struct volumed *v, const struct ipc_peer *peer,
		    const struct ipc_message *ask);

#endif
