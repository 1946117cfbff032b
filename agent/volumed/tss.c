#include "agent/volumed/tss.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include "common/secret.h"

#define DEVICE_PREFIX "device:"

enum err tss_err(TSS2_RC rc)
{
	/* Format-one codes carry which handle, parameter or session they are about. */
	TSS2_RC code = rc & TPM2_RC_FMT1 ? rc & (TPM2_RC_FMT1 | 0x3f) : rc;

	/* A layer of the stack itself: the TPM did not say it. */
	if (rc >> 16)
		return ERR_IO;
	switch (code) {
	case TPM2_RC_SUCCESS: return OK;
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH: return ERR_AUTH;
	case TPM2_RC_LOCKOUT: return ERR_LOCKED_OUT;
	case TPM2_RC_NV_SPACE: return ERR_SPACE;
	case TPM2_RC_HANDLE: return ERR_NOT_FOUND;
	case TPM2_RC_RETRY:
	case TPM2_RC_YIELDED:
	case TPM2_RC_NV_RATE: return ERR_BUSY;
	default: return ERR_IO;
	}
}

/* A function as POSIX's dlsym gives it: as an object's address. */
static void *symbol(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	return handle ? dlsym(handle, name) : NULL;
}

static enum err calls_find(struct tss *t)
{
	int all = 1;

#define X(name)                                                   \
	*(void **)&t->name = symbol("libtss2-esys.so.0", #name); \
	all = all && t->name;
	TSS_ESYS_LIST(X)
#undef X
	*(void **)&t->marshal_public = symbol("libtss2-mu.so.0", "Tss2_MU_TPMT_PUBLIC_Marshal");
	return all && t->marshal_public ? OK : ERR_NOT_FOUND;
}

static enum err transport_open(TSS2_TCTI_CONTEXT **ret, const char *tcti)
{
	__typeof__(Tss2_TctiLdr_Initialize) *initialize = NULL;

	*(void **)&initialize = symbol("libtss2-tctildr.so.0", "Tss2_TctiLdr_Initialize");
	return initialize && !initialize(tcti, ret) ? OK : ERR_NOT_FOUND;
}

/* Nothing is given back here: the process ends. */
static enum err work(const char *tcti, enum err (*job)(struct tss *t, void *io), void *io)
{
	TSS2_TCTI_CONTEXT *transport = NULL;
	struct tss t = { 0 };
	enum err e;

	/* What goes wrong is said by the daemon, once. */
	if (setenv("TSS2_LOG", "all+NONE", 1))
		return ERR_MEMORY;
	e = calls_find(&t);
	if (!e)
		e = transport_open(&transport, tcti);
	if (!e && t.Esys_Initialize(&t.esys, transport, NULL))
		e = ERR_NOT_FOUND;
	if (!e)
		e = job(&t, io);
	if (t.esys)
		t.Esys_Finalize(&t.esys);
	return e;
}

static void child(const char *tcti, enum err (*job)(struct tss *t, void *io), void *io)
{
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	_exit((int)work(tcti, job, io));
}

/* The pipe's other end closes when the child has ended. */
static enum err child_wait(pid_t pid, int ended)
{
	struct pollfd fd = { .fd = ended };
	int status, n;

	do
		n = poll(&fd, 1, TSS_WAIT_S * 1000);
	while (n < 0 && errno == EINTR);
	if (n < 1)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERR_IO;
	if (n < 1)
		return ERR_BUSY;
	return WIFEXITED(status) ? (enum err)WEXITSTATUS(status) : ERR_IO;
}

static enum err run(const char *tcti, enum err (*job)(struct tss *t, void *io), void *shared)
{
	int ended[2];
	enum err e;
	pid_t pid;

	if (pipe2(ended, O_CLOEXEC))
		return ERR_MEMORY;
	pid = fork();
	if (!pid)
		child(tcti, job, shared);
	close(ended[1]);
	e = pid < 0 ? ERR_MEMORY : child_wait(pid, ended[0]);
	close(ended[0]);
	return e;
}

/* Without a device there is no need to ask anybody. */
static int is_absent(const char *tcti)
{
	size_t prefix = strlen(DEVICE_PREFIX);

	return !tcti || !strcmp(tcti, "none") ||
	       (!strncmp(tcti, DEVICE_PREFIX, prefix) && access(tcti + prefix, R_OK | W_OK));
}

enum err tss_run(const char *tcti, enum err (*job)(struct tss *t, void *io), void *io, size_t bytes)
{
	void *shared;
	enum err e;

	if (is_absent(tcti))
		return ERR_NOT_FOUND;
	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return ERR_MEMORY;
	(void)mlock(shared, bytes);
	memcpy(shared, io, bytes);
	e = run(tcti, job, shared);
	if (!e)
		memcpy(io, shared, bytes);
	secret_wipe(shared, bytes);
	(void)munmap(shared, bytes);
	return e;
}
