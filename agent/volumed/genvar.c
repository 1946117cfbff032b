#include "agent/volumed/genvar.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "common/cursor.h"
#include "common/store.h"

#define VARIABLE "HoldfastGeneration-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"
#define ATTRIBUTES 0x7u /* non-volatile, boot services, run time */
#define VARIABLE_BYTES 12

enum err genvar_read(uint64_t *ret, const char *efivars)
{
	uint8_t *bytes = NULL;
	struct cursor c;
	uint64_t value;
	size_t len = 0;
	enum err e;

	if (!*efivars)
		return ERR_NOT_FOUND;
	e = durable_read(&bytes, &len, efivars, VARIABLE, VARIABLE_BYTES);
	if (e)
		return e;
	c = cursor_over(bytes, len);
	(void)cursor_u32(&c);
	value = cursor_u64(&c);
	e = cursor_end(&c);
	free(bytes);
	/* pre-boot takes it for missing, too: no store could ever reach it */
	if (!e && value > STORE_GENERATION_MAX)
		e = ERR_RANGE;
	if (!e)
		*ret = value;
	return e;
}

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

enum err genvar_write(const char *efivars, uint64_t generation)
{
	uint8_t bytes[VARIABLE_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	char path[DURABLE_PATH_MAX];
	ssize_t n;
	int fd;

	if (!*efivars || access(efivars, X_OK))
		return ERR_NOT_FOUND;
	if (durable_path(path, efivars, VARIABLE))
		return ERR_RANGE;
	writer_u32(&w, ATTRIBUTES);
	writer_u64(&w, generation);
	immutable_clear(path);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == ENOENT || errno == EROFS || errno == EACCES ? ERR_NOT_FOUND : ERR_IO;
	/* One write: efivarfs sets the variable with each write call. */
	n = write(fd, bytes, sizeof(bytes));
	(void)fsync(fd);
	close(fd);
	return n == (ssize_t)sizeof(bytes) ? OK : ERR_IO;
}

enum err genvar_remove(const char *efivars)
{
	char path[DURABLE_PATH_MAX];

	if (!*efivars || durable_path(path, efivars, VARIABLE))
		return OK;
	immutable_clear(path);
	return unlink(path) && errno != ENOENT ? ERR_IO : OK;
}
