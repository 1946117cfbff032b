/* Local sockets between holdfastd, holdfast-volumed and the command line: framing and typed messages.
 * docs/agent.md, "Local sockets"; the table of messages is ipc_v1.inc. Either end may be hostile: a
 * packet is decoded against its type's shape before anybody looks at a field.
 *
 * Client:                                        Server, for each readable peer:
 *     IPC_MESSAGE ask, answer = { 0 };               IPC_MESSAGE ask = { 0 }, answer = { 0 };
 *     ipc_start(&ask, IPC_ENROL_BEGIN);              e = ipc_receive(&ask, fd, 0);
 *     ipc_add_text(&ask, token);                     if (!ipc_permitted(ask.type, &peer, agent_uid)) …
 *     ipc_add_key(&ask, session_pk);                 ipc_start(&answer, IPC_OK);
 *     e = ipc_call(&answer, &note, fd, &ask, ms);    ipc_add_text(&answer, jws);
 *     answer.value[0].text …                         e = ipc_answer(fd, ask.type, &answer);
 */
#ifndef HOLDFAST_IPC_H
#define HOLDFAST_IPC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/key.h"

#define IPC_BYTES_MAX ((size_t)256 << 10) /* header and body */
#define IPC_VALUES_MAX 20
#define IPC_VOLUMED_SOCKET "/run/holdfast/volumed.sock"
#define IPC_AGENT_SOCKET "/run/holdfast/agent.sock"

enum ipc_who { IPC_ANYBODY, IPC_AGENT_ONLY, IPC_ROOT_ONLY };

enum ipc_type {
#define REQUEST(name, number, who, request, answer) IPC_##name = number,
#include "ipc_v1.inc"
#undef REQUEST
	IPC_OK = 0x100,     /* shape: the answer of the request */
	IPC_ERROR = 0x101,  /* "ds": enum err, what it was about (a sentence for people) */
	IPC_NOTIFY = 0x102, /* "": volumed's outbox has something new */
};

/* Classes of OUTBOX_NEXT. */
enum ipc_outbox_class { IPC_OUTBOX_ESCROW = 0, IPC_OUTBOX_EVENT = 1 };

/* One field: text and len for s, key for k, number for d and q. */
struct ipc_value {
	char *text; /* NUL-terminated, owned by the message */
	size_t len;
	uint8_t key[KEY_BYTES];
	uint64_t number;
};

/* May hold a password: declare with IPC_MESSAGE, or drop, which wipes. */
struct ipc_message {
	uint16_t type;
	unsigned count;
	enum err e; /* sticky, of ipc_add_*; told by the sending call */
	struct ipc_value value[IPC_VALUES_MAX];
};
void ipc_drop(struct ipc_message *m);
#define IPC_MESSAGE __attribute__((cleanup(ipc_drop))) struct ipc_message

/* Name of a request for reports, such as "ENROL_BEGIN"; "?" for another number. */
const char *ipc_name(uint16_t type);

/* Begin a message (m zeroed, dropped or used before), and add its fields in the shape's order. */
void ipc_start(struct ipc_message *m, uint16_t type);
void ipc_add_text(struct ipc_message *m, const char *text);
void ipc_add_key(struct ipc_message *m, const uint8_t key[static KEY_BYTES]);
void ipc_add_number(struct ipc_message *m, uint64_t number);
/* An IPC_ERROR; about may be NULL: the error's own text. */
void ipc_start_error(struct ipc_message *m, enum err e, const char *about);

/* Bytes of a packet, malloc'ed. `request` is the type that an IPC_OK answers, else ignored.
 * Errors: ERR_INTERNAL (fields that are not the shape's), ERR_SPACE (too long), ERR_MEMORY. */
MUST_CHECK enum err ipc_encode(uint8_t **ret, size_t *ret_len, const struct ipc_message *m,
			       uint16_t request);
/* Errors: ERR_FORMAT (unknown type, short, trailing bytes, NUL in a text), ERR_MEMORY. */
MUST_CHECK enum err ipc_decode(struct ipc_message *ret, const uint8_t *bytes, size_t len,
			       uint16_t request);

/* Sockets; all descriptors are close-on-exec and blocking. ipc_listen replaces what is at path.
 * Errors: ERR_RANGE (path too long), ERR_IO, ERR_NETWORK (nobody listens), ERR_DENIED. */
MUST_CHECK enum err ipc_listen(int *ret_fd, const char *path, mode_t mode);
MUST_CHECK enum err ipc_connect(int *ret_fd, const char *path);

struct ipc_peer {
	uid_t uid;
	pid_t pid;
};
MUST_CHECK enum err ipc_accept(int *ret_fd, struct ipc_peer *ret_peer, int listen_fd);
/* May this peer ask for it? Root may ask for everything. 0 also for a type that is no request. */
int ipc_permitted(uint16_t type, const struct ipc_peer *peer, uid_t agent_uid);

/* Send one packet: a request or NOTIFY / the answer to a request. A peer that does not read is given
 * up after 5 s. Errors: as ipc_encode, ERR_NETWORK (the peer is gone, or does not read). */
MUST_CHECK enum err ipc_send(int fd, const struct ipc_message *m);
MUST_CHECK enum err ipc_answer(int fd, uint16_t request, const struct ipc_message *m);

/* Next packet that is no answer: a request or NOTIFY. timeout_ms -1 waits for ever.
 * Errors: ERR_NETWORK (closed), ERR_BUSY (time is up), ERR_FORMAT (drop the connection). */
MUST_CHECK enum err ipc_receive(struct ipc_message *ret, int fd, int timeout_ms);

/* Ask and wait for the answer. NOTIFY packets that come meanwhile set *ret_notified (may be NULL).
 * An IPC_ERROR answer gives its error, with ret->type IPC_ERROR and the text in value[1].
 * Errors: those of the answer, ERR_NETWORK, ERR_BUSY (time is up), ERR_FORMAT; then the connection
 * must be closed, as an answer may still come. They are told apart by ret->type being 0. */
MUST_CHECK enum err ipc_call(struct ipc_message *ret, int *ret_notified, int fd,
			     const struct ipc_message *request, int timeout_ms);

#endif
