/* Volume: which device carries a LUKS2 UUID? */
#include "volume_find.h"

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

static enum err path_take(char *ret, size_t size, const char *path, const char *uuid)
{
	if (!device_matches(path, uuid))
		return ERR_NOT_FOUND;
	if (strlen(path) >= size)
		return ERR_SPACE;
	strcpy(ret, path);
	return OK;
}

static enum err find_by_link(char *ret, size_t size, const char *uuid,
			     const struct find_roots *roots)
{
	char link[PATH_MAX], path[PATH_MAX];

	if (snprintf(link, sizeof(link), "%s/disk/by-uuid/%s", roots->dev, uuid) >=
		    (int)sizeof(link) ||
	    !realpath(link, path))
		return ERR_NOT_FOUND;
	return path_take(ret, size, path, uuid);
}

/* The first device named in a folder of sysfs that carries the UUID. */
static enum err find_in_folder(char *ret, size_t size, const char *folder, const char *uuid,
			       const struct find_roots *roots)
{
	DIR *dir = opendir(folder);
	enum err e = ERR_NOT_FOUND;
	char path[PATH_MAX];
	struct dirent *d;

	if (!dir)
		return ERR_NOT_FOUND;
	while (e == ERR_NOT_FOUND && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strncmp(d->d_name, "ram", 3))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", roots->dev, d->d_name) <
		    (int)sizeof(path))
			e = path_take(ret, size, path, uuid);
	}
	closedir(dir);
	return e;
}

/* Is this the dm-crypt device that was opened from the UUID? Its own is "CRYPT-LUKS2-", the 32
 * digits, "-NAME". */
static int mapping_matches(const char *sys_block, const char *mapping, const char *uuid)
{
	char path[PATH_MAX], want[64] = "CRYPT-LUKS2-", have[64] = { 0 };
	size_t n = strlen(want), i;
	FILE *f;

	for (i = 0; uuid[i]; i++)
		if (uuid[i] != '-')
			want[n++] = uuid[i];
	want[n++] = '-';
	if (snprintf(path, sizeof(path), "%s/%s/dm/uuid", sys_block, mapping) >= (int)sizeof(path))
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(have, sizeof(have), f))
		have[0] = '\0';
	fclose(f);
	return !strncmp(have, want, n);
}

/* A stick with a copy of the header has the same UUID, and may win the link; the disk that the
 * running system was opened from is the one that a kill must reach. */
static enum err find_by_mapping(char *ret, size_t size, const char *uuid,
				const struct find_roots *roots)
{
	DIR *dir = opendir(roots->sys_block);
	enum err e = ERR_NOT_FOUND;
	char slaves[PATH_MAX];
	struct dirent *d;

	if (!dir)
		return ERR_NOT_FOUND;
	while (e == ERR_NOT_FOUND && (d = readdir(dir)))
		if (mapping_matches(roots->sys_block, d->d_name, uuid) &&
		    snprintf(slaves, sizeof(slaves), "%s/%s/slaves", roots->sys_block, d->d_name) <
			    (int)sizeof(slaves))
			e = find_in_folder(ret, size, slaves, uuid, roots);
	closedir(dir);
	return e;
}

enum err volume_find_under(char *ret_device, size_t size, const uint8_t uuid[static 16],
			   const struct find_roots *roots)
{
	char text[UUID_TEXT_BYTES + 1];
	enum err e;

	uuid_format(text, uuid);
	e = find_by_mapping(ret_device, size, text, roots);
	if (e == ERR_NOT_FOUND)
		e = find_by_link(ret_device, size, text, roots);
	if (e == ERR_NOT_FOUND)
		e = find_in_folder(ret_device, size, roots->sys_block, text, roots);
	return e;
}

enum err volume_find(char *ret_device, size_t size, const uint8_t uuid[static 16])
{
	static const struct find_roots roots = { "/dev", "/sys/class/block" };

	return volume_find_under(ret_device, size, uuid, &roots);
}
