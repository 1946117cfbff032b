#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err file_path(char ret[PATH_MAX], const char *dir, const char *name, const char *suffix)
{
	int n = snprintf(ret, PATH_MAX, "%s%s%s%s", dir ? dir : "", dir ? "/" : "", name, suffix);

	return n > 0 && n < PATH_MAX ? OK : ERR_RANGE;
}

static enum err read_all(struct secret *ret, int fd)
{
	SECRET struct secret text = { 0 };
	struct stat st;
	size_t got = 0;
	enum err e;

	if (fstat(fd, &st))
		return ERR_IO;
	if (st.st_size <= 0 || (size_t)st.st_size > FILE_BYTES_MAX - 1)
		return ERR_RANGE;
	e = secret_new(&text, (size_t)st.st_size + 1);
	if (e)
		return e;
	while (got < text.len - 1) {
		ssize_t n = read(fd, text.bytes + got, text.len - 1 - got);

		if (n <= 0)
			return ERR_IO;
		got += (size_t)n;
	}
	*ret = text;
	text = (struct secret){ 0 };
	return OK;
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

enum err file_write(const char *dir, const char *name, const void *bytes, size_t len, int replace)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	enum err e = file_path(path, dir, name, "");
	int fd;

	if (!e)
		e = file_path(temporary, dir, name, ".new");
	if (e)
		return e;
	make_folders(dir);
	if (!replace && !access(path, F_OK))
		return ERR_EXISTS;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	e = write_all(fd, bytes, len);
	if (close(fd) && !e)
		e = ERR_IO;
	if (!e && rename(temporary, path))
		e = ERR_IO;
	if (e)
		unlink(temporary);
	return e;
}
