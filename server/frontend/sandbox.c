/* What the frontend gives up. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int forbidden[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(mount),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
};

static int restrict_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int bad = !filter;

	for (size_t i = 0; !bad && i < sizeof(forbidden) / sizeof(*forbidden); i++)
		bad = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), forbidden[i], 0) != 0;
	if (!bad)
		bad = seccomp_load(filter) != 0;
	seccomp_release(filter);
	return bad;
}

/* All rights of Landlock's first version, so that it works on every kernel that has it. */
static int restrict_files(const char *dir)
{
	const uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	struct landlock_ruleset_attr ruleset = { .handled_access_fs = rights };
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = rights & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	int bad;

	if (fd < 0)
		return 1;
	beneath.parent_fd = open(dir, O_PATH | O_CLOEXEC);
	bad = beneath.parent_fd < 0 ||
	      syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ||
	      syscall(SYS_landlock_restrict_self, fd, 0);
	if (beneath.parent_fd >= 0)
		close(beneath.parent_fd);
	close(fd);
	return bad;
}

enum err front_sandbox(int *ret_files, const char *dir)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return ERR_UNSUPPORTED;
	*ret_files = !restrict_files(dir);
	return restrict_calls() ? ERR_UNSUPPORTED : OK;
}
