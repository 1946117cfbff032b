/* Daemon: the main thread. It keeps the queue fed from volumed's outbox, serves agent.sock, and notices
 * when the network changes; sending and waiting for commands are two threads beside it. */
#ifndef HOLDFAST_DAEMON_H
#define HOLDFAST_DAEMON_H

#include "site.h"

/* Run until SIGTERM or SIGINT. agent_path: where to listen. Errors: of opening sockets and queue;
 * ERR_CHECKSUM when the queue's file is found damaged while running: start again to mend it. */
MUST_CHECK enum err daemon_run(struct site *s, const char *agent_path);

#endif
