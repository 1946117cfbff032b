/* Messages on the socket pair between frontend and vault: framing and typed fields. Each side
 * treats the other as hostile: a message is decoded against its type's shape (vaultmsg_v1.inc)
 * before anybody looks at a field, and unread bytes end the process that finds them. Frame: u16
 * type, u16 reserved 0, u32 length of the body, body; little-endian. */
#ifndef HOLDFAST_SERVER_VAULTMSG_H
#define HOLDFAST_SERVER_VAULTMSG_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/key.h"
#include "fault.h"

#define VAULTMSG_HEAD_BYTES 8
#define VAULTMSG_BODY_MAX ((size_t)2 << 20)
#define VAULTMSG_VALUES_MAX 8

enum vaultmsg_type {
#define REQUEST(name, number, request, answer) VAULT_##name = number,
#include "vaultmsg_v1.inc"
#undef REQUEST
	VAULT_OK = 0x100,    /* shape: the answer of the request */
	VAULT_ERROR = 0x101, /* "qqs": enum err, enum fault_code, message */
};

struct vaultmsg_value {
	char *text; /* s: NUL-terminated, owned by the message */
	size_t len;
	uint8_t key[KEY_BYTES];
	uint64_t number;
};

/* May hold session keys: declare with VAULTMSG, or drop, which wipes. */
struct vaultmsg {
	uint16_t type;
	unsigned count;
	enum err e; /* sticky, of vaultmsg_add_*; told by the sending call */
	struct vaultmsg_value value[VAULTMSG_VALUES_MAX];
};
void vaultmsg_drop(struct vaultmsg *m);
#define VAULTMSG __attribute__((cleanup(vaultmsg_drop))) struct vaultmsg

/* Begin a message (m zeroed, dropped or used before), then add its fields in the shape's order. */
void vaultmsg_start(struct vaultmsg *m, uint16_t type);
void vaultmsg_add_text(struct vaultmsg *m, const char *text);
void vaultmsg_add_key(struct vaultmsg *m, const uint8_t key[static KEY_BYTES]);
void vaultmsg_add_number(struct vaultmsg *m, uint64_t number);

/* Whole frame, malloc'ed; wipe it. `request` is the type that a VAULT_OK answers, else ignored.
 * Errors: ERR_INTERNAL (fields that are not the shape's), ERR_SPACE (too long), ERR_MEMORY. */
MUST_CHECK enum err vaultmsg_encode(uint8_t **ret, size_t *ret_len, const struct vaultmsg *m,
				    uint16_t request);
/* Errors: ERR_FORMAT (unknown type, short, trailing bytes, NUL in a text), ERR_MEMORY. */
MUST_CHECK enum err vaultmsg_decode(struct vaultmsg *ret, const uint8_t *frame, size_t len,
				    uint16_t request);

/* Blocking, on a stream socket. Errors: as above, ERR_NETWORK (the other side is gone). */
MUST_CHECK enum err vaultmsg_send(int fd, const struct vaultmsg *m, uint16_t request);
MUST_CHECK enum err vaultmsg_receive(struct vaultmsg *ret, int fd, uint16_t request);

/* Ask and wait. A VAULT_ERROR answer gives its error and its fault. After ERR_NETWORK, ERR_FORMAT
 * or ERR_SPACE with fault->code still NONE the link is of no more use. */
MUST_CHECK enum err vaultmsg_call(struct vaultmsg *ret, struct fault *fault, int fd,
				  const struct vaultmsg *request);

#endif
