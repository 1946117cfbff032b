/* Service: agent.sock, where people's programs ask. STATUS is answered at once, SYNC and ENROL when the
 * uplink has done them. Used by the main thread alone; nothing here waits for a peer. */
#ifndef HOLDFAST_SERVICE_H
#define HOLDFAST_SERVICE_H

#include <poll.h>

#include "agent/ipc.h"
#include "site.h"

#define SERVICE_CLIENTS 32
#define SERVICE_CLIENTS_UID 8 /* of one user other than root */

struct service_client {
	int fd;           /* -1: free */
	struct ipc_peer peer;
	uint16_t waits;   /* IPC_SYNC, IPC_ENROL, or 0 */
	uint64_t ticket;
};

struct service {
	struct site *site;
	int listen_fd;
	struct service_client clients[SERVICE_CLIENTS];
};

MUST_CHECK enum err service_open(struct service *ret, struct site *s, const char *path);
void service_close(struct service *s);

/* p: SERVICE_CLIENTS + 1 places, the listener first. Free places get fd -1. */
void service_poll_set(const struct service *s, struct pollfd *p);
/* After poll, with the same p. */
void service_poll_done(struct service *s, const struct pollfd *p);
/* Answer who waits for a job that is done. */
void service_answer_jobs(struct service *s);

#endif
