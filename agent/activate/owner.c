#include "agent/activate/owner.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "common/cursor.h"

#define VARIABLE "HoldfastOwner-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"
#define ATTRIBUTES 0x7u /* non-volatile, boot services, run time */
#define VARIABLE_BYTES (4 + KEY_BYTES)

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

enum err owner_write(const char *efivars, const uint8_t store_vk[static KEY_BYTES])
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
	writer_bytes(&w, store_vk, KEY_BYTES);
	immutable_clear(path);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_IO;
	/* One write: efivarfs sets the variable with each write call. */
	n = write(fd, bytes, sizeof(bytes));
	close(fd);
	return n == (ssize_t)sizeof(bytes) ? OK : ERR_IO;
}
