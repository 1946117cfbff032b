#include "agent/volumed/efivar.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "common/cursor.h"

#define ATTRIBUTES 0x7u /* non-volatile, boot services, run time */

/* efivarfs marks variables immutable against accidents; other file systems do not know the flag. */
static void immutable_clear(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), flags;

	if (fd < 0)
		return;
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && (flags & FS_IMMUTABLE_FL)) {
		flags &= ~FS_IMMUTABLE_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

/* One write: efivarfs sets the variable with each write call. */
static enum err write_once(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t n = write(fd, bytes, len);

	(void)fsync(fd);
	return n == (ssize_t)len ? OK : ERR_IO;
}

enum err efivar_write(const char *efivars, const char *file, const uint8_t *bytes, size_t len)
{
	uint8_t content[4 + EFIVAR_BYTES_MAX];
	struct writer w = writer_over(content, sizeof(content));
	char path[DURABLE_PATH_MAX];
	enum err e;
	int fd;

	if (!*efivars || access(efivars, X_OK))
		return ERR_NOT_FOUND;
	if (len > EFIVAR_BYTES_MAX || durable_path(path, efivars, file))
		return ERR_RANGE;
	writer_u32(&w, ATTRIBUTES);
	writer_bytes(&w, bytes, len);
	immutable_clear(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == ENOENT || errno == EROFS || errno == EACCES ? ERR_NOT_FOUND : ERR_IO;
	e = write_once(fd, content, 4 + len);
	close(fd);
	return e;
}

enum err efivar_read(uint8_t *ret, size_t *ret_len, size_t max, const char *efivars, const char *file)
{
	uint8_t content[4 + EFIVAR_BYTES_MAX + 1];
	char path[DURABLE_PATH_MAX];
	ssize_t n;
	int fd;

	if (!*efivars || max > EFIVAR_BYTES_MAX || durable_path(path, efivars, file))
		return ERR_NOT_FOUND;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	n = read(fd, content, 4 + max + 1);
	close(fd);
	if (n < 0)
		return ERR_IO;
	if (n <= 4 || (size_t)n > 4 + max)
		return ERR_FORMAT;
	*ret_len = (size_t)n - 4;
	memcpy(ret, content + 4, *ret_len);
	return OK;
}

static int flag_is_set(const char *efivars, const char *file)
{
	uint8_t value;
	size_t len;

	return !efivar_read(&value, &len, 1, efivars, file) && value == 1;
}

int efivar_secure_boot(const char *efivars)
{
	return flag_is_set(efivars, "SecureBoot-" EFIVAR_GLOBAL) &&
	       !flag_is_set(efivars, "SetupMode-" EFIVAR_GLOBAL);
}

enum err efivar_remove(const char *efivars, const char *file)
{
	char path[DURABLE_PATH_MAX];

	if (!*efivars || durable_path(path, efivars, file))
		return OK;
	immutable_clear(path);
	return unlink(path) && errno != ENOENT ? ERR_IO : OK;
}
