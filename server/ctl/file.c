#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES_MAX ((size_t)64 << 10)

static enum err file_path(char ret[PATH_MAX], const char *dir, const char *name, const char *suffix)
{
	int n = snprintf(ret, PATH_MAX, "%s%s%s%s", dir ? dir : "", dir ? "/" : "", name, suffix);

	return n > 0 && n < PATH_MAX ? OK : ERR_RANGE;
}

static enum err read_all(struct secret *ret, int fd)
{
	SECRET struct secret text = { 0 };
	struct stat st;
	size_t got = 0, most;
	ssize_t n = 1;
	enum err e;

	if (fstat(fd, &st))
		return ERR_IO;
	most = S_ISREG(st.st_mode) ? (size_t)st.st_size : PIPE_BYTES_MAX;
	if (!most || most > FILE_BYTES_MAX - 1)
		return ERR_RANGE;
	e = secret_new(&text, most + 1);
	while (!e && got < most && n) {
		n = read(fd, text.bytes + got, most - got);
		if (n < 0 && errno != EINTR)
			e = ERR_IO;
		got += n > 0 ? (size_t)n : 0;
	}
	if (e)
		return e;
	text.bytes[got] = '\0';
	return got ? secret_copy(ret, text.bytes, got + 1) : ERR_RANGE;
}

enum err file_read(struct secret *ret, const char *dir, const char *name)
{
	char path[PATH_MAX];
	enum err e = file_path(path, dir, name, "");
	int fd;

	if (e)
		return e;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	e = read_all(ret, fd);
	close(fd);
	return e;
}

static enum err write_all(int fd, const uint8_t *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n <= 0)
			return ERR_IO;
		done += (size_t)n;
	}
	return fsync(fd) ? ERR_IO : OK;
}

static void make_folders(const char *dir)
{
	char path[PATH_MAX];

	if (!dir || strlen(dir) >= sizeof path)
		return;
	strcpy(path, dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	mkdir(path, 0700);
}

static enum err sync_folder(const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int fd, bad;

	strcpy(folder, path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	bad = fsync(fd);
	close(fd);
	return bad ? ERR_IO : OK;
}

static enum err write_temporary(const char *temporary, const void *bytes, size_t len)
{
	enum err e;
	int fd;

	/* Always a new file: in a folder that others may write to, one that is there could be theirs. */
	if (unlink(temporary) && errno != ENOENT)
		return ERR_IO;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	e = write_all(fd, bytes, len);
	return close(fd) && !e ? ERR_IO : e;
}

enum err file_write(const char *dir, const char *name, const void *bytes, size_t len, int replace)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	enum err e = file_path(path, dir, name, "");

	if (!e)
		e = file_path(temporary, dir, name, ".new");
	if (e)
		return e;
	make_folders(dir);
	e = write_temporary(temporary, bytes, len);
	if (!e && renameat2(AT_FDCWD, temporary, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE))
		e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
	if (e)
		unlink(temporary);
	return e ? e : sync_folder(path);
}

int file_exists(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return !file_path(path, dir, name, "") && !access(path, F_OK);
}

void file_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (!file_path(path, dir, name, "") && unlink(path) && errno != ENOENT)
		fprintf(stderr, "holdfast-ctl: cannot remove %s: remove it by hand\n", path);
}
