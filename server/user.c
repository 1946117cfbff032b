/* Accounts of the two processes. */
#include "user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static int find_number(struct user *ret, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > 0xfffffffeul)
		return 1;
	ret->uid = (uid_t)n;
	ret->gid = (gid_t)n;
	return 0;
}

int user_find(struct user *ret, const char *wanted, const char *preset)
{
	const char *name = wanted ? wanted : preset;
	const struct passwd *p;

	*ret = (struct user){ .name = name };
	if (geteuid() != 0)
		return 0;
	p = getpwnam(name);
	if (p) {
		ret->uid = p->pw_uid;
		ret->gid = p->pw_gid;
		ret->change = 1;
		return 0;
	}
	if (!wanted) {
		log_line(
			"no account %s: this process runs as root. Make the account, or name one with --user and "
			"--vault-user",
			preset);
		return 0;
	}
	ret->change = 1;
	if (!find_number(ret, wanted))
		return 0;
	log_line("no account %s: name one that exists, or a number", wanted);
	return 1;
}

int user_own(const char *path, const struct user *u)
{
	return u->change ? lchown(path, u->uid, u->gid) : 0;
}

/* Only what is a file of this folder alone: its owner could have linked another's here, to be given it
 * by root. */
static int own_file(int dir, const char *name, const struct user *u)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), bad = 0;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1)
		bad = fchownat(fd, "", u->uid, u->gid, AT_EMPTY_PATH);
	close(fd);
	return bad;
}

int user_own_files(const char *dir, const struct user *u)
{
	const struct dirent *entry;
	DIR *d;
	int bad = 0;

	if (!u->change)
		return 0;
	d = opendir(dir);
	if (!d)
		return -1;
	while (!bad && (entry = readdir(d)))
		bad = own_file(dirfd(d), entry->d_name, u);
	closedir(d);
	return bad;
}

int user_become(const struct user *u)
{
	if (!u->change)
		return 0;
	return setgroups(0, NULL) || setresgid(u->gid, u->gid, u->gid) ||
			       setresuid(u->uid, u->uid, u->uid)
		       ? -1
		       : 0;
}
