/* Hand-off file: reading, writing and removing it. */
#include "handoff_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/secret.h"

static enum err file_trusted(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return ERR_IO;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return ERR_DENIED;
	return OK;
}

/* One byte more than allowed tells a file that is too long. */
static enum err read_whole(struct secret *ret, int fd)
{
	SECRET struct secret bytes = { 0 };
	enum err e = secret_new(&bytes, HANDOFF_BYTES_MAX + 1);
	size_t have = 0;
	ssize_t n = 1;

	if (e)
		return e;
	while (n > 0 && have < bytes.len) {
		n = read(fd, bytes.bytes + have, bytes.len - have);
		if (n < 0)
			return ERR_IO;
		have += (size_t)n;
	}
	if (have > HANDOFF_BYTES_MAX)
		return ERR_RANGE;
	return have ? secret_copy(ret, bytes.bytes, have) : ERR_FORMAT;
}

enum err handoff_file_read(struct handoff *ret, const char *path)
{
	SECRET struct secret bytes = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum err e;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND :
		       errno == EACCES || errno == ELOOP   ? ERR_DENIED :
							     ERR_IO;
	e = file_trusted(fd);
	e = e ? e : read_whole(&bytes, fd);
	close(fd);
	return e ? e : handoff_decode(ret, bytes.bytes, bytes.len);
}

static enum err write_whole(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	enum err e = OK;

	if (fd < 0)
		return ERR_IO;
	if (write(fd, bytes, len) != (ssize_t)len || fsync(fd))
		e = ERR_IO;
	if (close(fd))
		e = ERR_IO;
	return e;
}

static enum err dir_make(const char *dir)
{
	if (!mkdir(dir, 0755))
		return chmod(dir, 0755) ? ERR_IO : OK;
	return errno == EEXIST ? OK : ERR_IO;
}

enum err handoff_file_write(const char *dir, const struct handoff *h)
{
	SECRET struct secret bytes = { 0 };
	char path[PATH_MAX], fresh[PATH_MAX + 8];
	size_t len;
	enum err e = secret_new(&bytes, HANDOFF_BYTES_MAX);

	if (!e && snprintf(path, sizeof(path), "%s/handoff", dir) >= (int)sizeof(path))
		e = ERR_RANGE;
	e = e ? e : handoff_encode(bytes.bytes, &len, h);
	e = e ? e : dir_make(dir);
	if (e)
		return e;
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	e = write_whole(fresh, bytes.bytes, len);
	if (!e && rename(fresh, path))
		e = ERR_IO;
	if (e)
		unlink(fresh);
	return e;
}

static enum err overwrite(int fd)
{
	static const uint8_t zeros[4096];
	struct stat st;
	off_t at;
	size_t len;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ERR_IO;
	for (at = 0; at < st.st_size; at += (off_t)len) {
		len = st.st_size - at < (off_t)sizeof(zeros) ? (size_t)(st.st_size - at) :
							       sizeof(zeros);
		if (pwrite(fd, zeros, len, at) != (ssize_t)len)
			return ERR_IO;
	}
	return fsync(fd) ? ERR_IO : OK;
}

enum err handoff_file_destroy(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum err e;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? OK : ERR_IO;
	e = overwrite(fd);
	close(fd);
	return unlink(path) ? ERR_IO : e;
}
