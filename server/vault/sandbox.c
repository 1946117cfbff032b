/* What the vault gives up once its files are open: network, starting programs, other processes. */
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "vault.h"

static const int forbidden[] = {
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(bpf),
	SCMP_SYS(mount),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
};

enum err vault_sandbox(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int bad = !filter;

	for (size_t i = 0; !bad && i < sizeof(forbidden) / sizeof(*forbidden); i++)
		bad = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), forbidden[i], 0) != 0;
	if (!bad)
		bad = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		      prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || seccomp_load(filter);
	seccomp_release(filter);
	return bad ? ERR_UNSUPPORTED : OK;
}
