/* The TPM software stack (tpm2-tss: ESAPI), for one piece of work at a time in a short-lived child: the stack
 * and what it drags in (OpenSSL) would cost the daemon more memory than all its own, an answer that confuses it
 * ends the child only, and a TPM that hangs holds up nobody for longer than the job's own seconds, once: after that it is
 * not asked for TSS_PAUSE_S. The libraries are opened when they are wanted: without them a laptop is one without
 * TPM. */
#ifndef HOLDFAST_TSS_H
#define HOLDFAST_TSS_H

#include <stddef.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "common/err.h"

#define TSS_PAUSE_S 600

#define TSS_ESYS_LIST(X)                                                                               \
	X(Esys_Initialize) X(Esys_Finalize) X(Esys_GetCapability) X(Esys_PCR_Read) X(Esys_TR_FromTPMPublic) \
	X(Esys_ReadPublic) X(Esys_CreatePrimary) X(Esys_EvictControl) X(Esys_StartAuthSession)             \
	X(Esys_TRSess_SetAttributes) X(Esys_Create) X(Esys_Load) X(Esys_FlushContext)                     \
	X(Esys_DictionaryAttackParameters) X(Esys_DictionaryAttackLockReset) X(Esys_HierarchyChangeAuth)  \
	X(Esys_TR_SetAuth) X(Esys_Clear)

struct tss {
	ESYS_CONTEXT *esys;
#define X(name) __typeof__(name) *name;
	TSS_ESYS_LIST(X)
#undef X
	__typeof__(Tss2_MU_TPMT_PUBLIC_Marshal) *marshal_public;
};

/* Do job(t, io) in a child, on the TPM that tcti names ("device:/dev/tpmrm0", "swtpm:port=2321"; "none": there
 * is none). io: `bytes` bytes that the job may change. Errors: those of the job; ERR_NOT_FOUND (no TPM, no
 * libraries), ERR_IO (the child ended otherwise), ERR_BUSY (not within `seconds`; or a child of before still hangs, or
 * the pause is not over; or tss_watch's function wanted it), ERR_MEMORY; with these io is as it was. */
MUST_CHECK enum err tss_run(const char *tcti, enum err (*job)(struct tss *t, void *io), void *io,
			    size_t bytes, unsigned seconds);

/* Asked ten times a second while a child is waited for; not 0: something is there that does not wait for a TPM (a
 * kill), and the work is given up. NULL: nobody is asked. */
void tss_watch(int (*wanted)(void *context), void *context);

/* End the pause: what comes now is worth another try. */
void tss_resume(void);

/* What an answer's code comes to: ERR_AUTH, ERR_LOCKED_OUT, ERR_SPACE, ERR_NOT_FOUND (no such handle), ERR_BUSY,
 * else ERR_IO; OK for 0. */
MUST_CHECK enum err tss_err(TSS2_RC rc);

#endif
