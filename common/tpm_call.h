/* One command of the TPM's: framed, authorized, sent (again, where the TPM asks for it), and its answer
 * checked. Used by tpm.c:
 *
 *     TPM_CALL struct tpm_call c;
 *     tpm_call_start(&c, TPM_UNSEAL);
 *     tpm_call_handle(&c, object, name);
 *     tpm_call_session(&c, &session, auth, TPM_CONTINUE | TPM_ENCRYPT);
 *     e = tpm_call_send(&c, t);                 then c.answer is at the parameters
 */
#ifndef HOLDFAST_TPM_CALL_H
#define HOLDFAST_TPM_CALL_H

#include "tpm_session.h"
#include "tpm_wire.h"

#define TPM_CALL_HANDLES 2
#define TPM_CALL_PARAMETERS 512

struct tpm_call {
	enum tpm_code code;
	uint32_t handles[TPM_CALL_HANDLES];
	const uint8_t *names[TPM_CALL_HANDLES]; /* TPM_NAME_BYTES each; only for cpHash */
	unsigned handle_count;
	int is_authorized;
	struct tpm_session *session; /* NULL: the empty password */
	const uint8_t *auth;
	uint8_t attributes;
	int gives_handle;            /* the answer has one */
	struct writer parameters;    /* to be filled before sending */

	uint32_t rc;                 /* of the answer, 0 without one */
	uint32_t handle;
	struct cursor answer;        /* its parameters, decrypted */

	uint8_t parameter_bytes[TPM_CALL_PARAMETERS], message[TPM_MESSAGE_MAX];
};
void tpm_call_wipe(struct tpm_call *c);
#define TPM_CALL __attribute__((cleanup(tpm_call_wipe)))

void tpm_call_start(struct tpm_call *c, enum tpm_code code);
/* name: NULL where no session authorizes. */
void tpm_call_handle(struct tpm_call *c, uint32_t handle, const uint8_t *name);
/* The first handle is authorized by the empty password / by a session, with auth or NULL. The session's
 * nonces roll when the answer has come. */
void tpm_call_password(struct tpm_call *c);
void tpm_call_session(struct tpm_call *c, struct tpm_session *s, const uint8_t *auth, uint8_t attributes);
/* Errors: those of submit; ERR_FORMAT; ERR_SIGNATURE; what tpm_rc_err says of the answer's code. */
MUST_CHECK enum err tpm_call_send(struct tpm_call *c, const struct tpm *t);

#endif
