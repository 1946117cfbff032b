/* The loop: one thread, volumed.sock, a timer. */
#ifndef HOLDFAST_VOLUMED_SERVER_H
#define HOLDFAST_VOLUMED_SERVER_H

#include "agent/volumed/volumed.h"

/* Listen, settle, and serve until SIGTERM or SIGINT. Errors: those of ipc_listen. */
MUST_CHECK enum err volumed_serve(struct volumed *v);

#endif
