/* Requests that the vault answers: one function each, named by server/vaultmsg_v1.inc. ask has the
 * shape of its type; answer has been started as VAULT_OK. */
#ifndef HOLDFAST_VAULT_OPS_H
#define HOLDFAST_VAULT_OPS_H

#include "vault.h"

#define REQUEST(name, number, request, answer)                                                     \
	MUST_CHECK enum err vault_op_##name(struct vault *v, const struct vaultmsg *ask,           \
					    struct vaultmsg *reply, struct fault *f);
#include "server/vaultmsg_v1.inc"
#undef REQUEST

#endif
