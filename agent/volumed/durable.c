#include "agent/volumed/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fd_drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
#define FD __attribute__((cleanup(fd_drop))) int

static enum err err_of_errno(void)
{
	switch (errno) {
	case ENOENT: return ERR_NOT_FOUND;
	case ENOSPC:
	case EDQUOT: return ERR_SPACE;
	case EACCES:
	case EPERM: return ERR_DENIED;
	default: return ERR_IO;
	}
}

enum err durable_path(char ret[static DURABLE_PATH_MAX], const char *folder, const char *name)
{
	int n = snprintf(ret, DURABLE_PATH_MAX, "%s/%s", folder, name);

	return n < 0 || n >= DURABLE_PATH_MAX ? ERR_RANGE : OK;
}

static enum err read_all(uint8_t *ret, size_t *ret_len, int fd, size_t max)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, ret + len, max + 1 - len);
		if (n < 0 && errno != EINTR)
			return ERR_IO;
		len += n > 0 ? (size_t)n : 0;
	} while (n && len <= max);
	if (len > max)
		return ERR_SPACE;
	ret[len] = 0;
	*ret_len = len;
	return OK;
}

enum err durable_read(uint8_t **ret, size_t *ret_len, const char *folder, const char *name,
		      size_t max)
{
	char path[DURABLE_PATH_MAX];
	enum err e = durable_path(path, folder, name);
	uint8_t *bytes;
	struct stat st;
	FD fd = -1;

	if (e)
		return e;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_of_errno();
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ERR_FORMAT;
	/* In /run/holdfast others than root may make files. */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return ERR_DENIED;
	if ((uint64_t)st.st_size > max)
		return ERR_SPACE;
	max = (size_t)st.st_size;
	bytes = malloc(max + 2);
	if (!bytes)
		return ERR_MEMORY;
	e = read_all(bytes, ret_len, fd, max);
	if (e)
		free(bytes);
	else
		*ret = bytes;
	return e;
}

static enum err write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_of_errno();
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? ERR_IO : OK;
}

static enum err folder_sync(const char *folder)
{
	FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? ERR_IO : OK;
}

enum err durable_write(const char *folder, const char *name, const void *bytes, size_t len,
		       mode_t mode)
{
	char path[DURABLE_PATH_MAX], fresh_name[DURABLE_PATH_MAX], fresh[DURABLE_PATH_MAX];
	enum err e = durable_path(path, folder, name);
	FD fd = -1;

	if (e || snprintf(fresh_name, sizeof(fresh_name), "%s.new", name) >= DURABLE_PATH_MAX)
		return ERR_RANGE;
	e = durable_path(fresh, folder, fresh_name);
	if (e)
		return e;
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_of_errno();
	e = write_all(fd, bytes, len);
	if (!e && rename(fresh, path))
		e = err_of_errno();
	if (e)
		(void)unlink(fresh);
	return e ? e : folder_sync(folder);
}

enum err durable_remove(const char *folder, const char *name)
{
	char path[DURABLE_PATH_MAX];
	enum err e = durable_path(path, folder, name);

	if (e)
		return e;
	if (unlink(path))
		return errno == ENOENT ? OK : err_of_errno();
	return folder_sync(folder);
}

enum err durable_shred(const char *folder, const char *name)
{
	char path[DURABLE_PATH_MAX];
	uint8_t noise[4096];
	enum err e = durable_path(path, folder, name);
	struct stat st;
	FD fd = -1;

	if (e)
		return e;
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? OK : durable_remove(folder, name);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(noise)) {
			size_t left = (size_t)(st.st_size - at);

			randombytes_buf(noise, sizeof(noise));
			if (pwrite(fd, noise, left < sizeof(noise) ? left : sizeof(noise), at) < 0)
				break;
		}
	(void)fsync(fd);
	return durable_remove(folder, name);
}
