/* Volume: which device carries a LUKS2 UUID? */
#include "volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "volume_uuid.h"

/* LUKS2 binary header, on-disk format 1.1.1: magic 6, version u16 big-endian, ..., uuid[40] at 168.
 */
#define LUKS2_UUID_AT 168
#define LUKS2_HEAD_BYTES 4096
static const char magic_first[6] = { 'L', 'U', 'K', 'S', (char)0xba, (char)0xbe };
static const char magic_second[6] = { 'S', 'K', 'U', 'L', (char)0xba, (char)0xbe };

static int head_matches(int fd, off_t at, const char magic[static 6], const char *uuid)
{
	char head[LUKS2_HEAD_BYTES];

	if (pread(fd, head, sizeof(head), at) != (ssize_t)sizeof(head))
		return 0;
	return !memcmp(head, magic, 6) && head[6] == 0 && head[7] == 2 &&
	       !strncasecmp(head + LUKS2_UUID_AT, uuid, UUID_TEXT_BYTES);
}

/* The second copy lies behind the first, whose size is a power of two from 16 KiB to 4 MiB. */
static int device_matches(const char *device, const char *uuid)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int found;
	off_t at;

	if (fd < 0)
		return 0;
	found = head_matches(fd, 0, magic_first, uuid);
	for (at = 0x4000; !found && at <= 0x400000; at *= 2)
		found = head_matches(fd, at, magic_second, uuid);
	close(fd);
	return found;
}

static enum err find_by_link(char *ret, size_t size, const char *uuid)
{
	char link[PATH_MAX], path[PATH_MAX];

	snprintf(link, sizeof(link), "/dev/disk/by-uuid/%s", uuid);
	if (!realpath(link, path) || !device_matches(path, uuid))
		return ERR_NOT_FOUND;
	if (strlen(path) >= size)
		return ERR_SPACE;
	strcpy(ret, path);
	return OK;
}

static enum err find_by_scan(char *ret, size_t size, const char *uuid)
{
	DIR *dir = opendir("/sys/class/block");
	enum err e = ERR_NOT_FOUND;
	char path[PATH_MAX];
	struct dirent *d;

	if (!dir)
		return ERR_NOT_FOUND;
	while (e == ERR_NOT_FOUND && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strncmp(d->d_name, "ram", 3))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", d->d_name);
		if (!device_matches(path, uuid))
			continue;
		e = strlen(path) < size ? OK : ERR_SPACE;
		if (!e)
			strcpy(ret, path);
	}
	closedir(dir);
	return e;
}

enum err volume_find(char *ret_device, size_t size, const uint8_t uuid[static 16])
{
	char text[UUID_TEXT_BYTES + 1];
	enum err e;

	uuid_format(text, uuid);
	e = find_by_link(ret_device, size, text);
	return e == ERR_NOT_FOUND ? find_by_scan(ret_device, size, text) : e;
}
