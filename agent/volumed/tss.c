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
#include <time.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include "common/secret.h"

#define DEVICE_PREFIX "device:"
#define SLICE_MS 100
#define REAP_MS 1000

static struct {
	pid_t stuck;           /* killed, and does not end: the driver holds it */
	uint64_t paused_until; /* ms */
	int (*wanted)(void *context);
	void *context;
} waiting;

void tss_watch(int (*wanted)(void *context), void *context)
{
	waiting.wanted = wanted;
	waiting.context = context;
}

void tss_resume(void)
{
	waiting.paused_until = 0;
}

static uint64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

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

/* Never for ever: a child that the driver holds does not even end when it is killed. */
static enum err child_reap(pid_t pid, int ended)
{
	int status;

	for (int i = 0; i < REAP_MS; i++) {
		pid_t gone = waitpid(pid, &status, WNOHANG);

		if (gone == pid && ended)
			return WIFEXITED(status) ? (enum err)WEXITSTATUS(status) : ERR_IO;
		if (gone == pid)
			return ERR_BUSY;
		if (gone < 0 && errno != EINTR)
			return ERR_IO;
		(void)poll(NULL, 0, 1);
	}
	waiting.stuck = pid;
	return ERR_BUSY;
}

/* The pipe's other end closes when the child has ended. */
static enum err child_wait(pid_t pid, int pipe_end, unsigned seconds)
{
	struct pollfd fd = { .fd = pipe_end };
	uint64_t end = now_ms() + (uint64_t)seconds * 1000;
	int ended = 0, given_up = 0;

	while (!ended && !given_up) {
		ended = poll(&fd, 1, SLICE_MS) > 0;
		given_up = !ended && (now_ms() >= end || (waiting.wanted && waiting.wanted(waiting.context)));
	}
	if (!ended)
		(void)kill(pid, SIGKILL);
	if (!ended && now_ms() >= end)
		waiting.paused_until = now_ms() + TSS_PAUSE_S * 1000;
	return child_reap(pid, ended);
}

static enum err run(const char *tcti, enum err (*job)(struct tss *t, void *io), void *shared, unsigned seconds)
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
	e = pid < 0 ? ERR_MEMORY : child_wait(pid, ended[0], seconds);
	close(ended[0]);
	return e;
}

static int is_held_up(void)
{
	if (waiting.stuck && waitpid(waiting.stuck, NULL, WNOHANG))
		waiting.stuck = 0;
	return waiting.stuck || now_ms() < waiting.paused_until;
}

/* Without a device there is no need to ask anybody. */
static int is_absent(const char *tcti)
{
	size_t prefix = strlen(DEVICE_PREFIX);

	return !tcti || !strcmp(tcti, "none") ||
	       (!strncmp(tcti, DEVICE_PREFIX, prefix) && access(tcti + prefix, R_OK | W_OK));
}

enum err tss_run(const char *tcti, enum err (*job)(struct tss *t, void *io), void *io, size_t bytes,
		 unsigned seconds)
{
	void *shared;
	enum err e;

	if (is_absent(tcti))
		return ERR_NOT_FOUND;
	if (is_held_up())
		return ERR_BUSY;
	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return ERR_MEMORY;
	(void)mlock(shared, bytes);
	memcpy(shared, io, bytes);
	e = run(tcti, job, shared, seconds);
	if (!e)
		memcpy(io, shared, bytes);
	secret_wipe(shared, bytes);
	(void)munmap(shared, bytes);
	return e;
}
