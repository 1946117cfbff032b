/* Device: polled every tenth of a second, because udev may still be at work. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../volume.h"
#include "../volume_uuid.h"

#define POLL_MS 100
#define QUIET_POLLS 20

struct wanted {
	const uint8_t *uuid; /* NULL: path */
	const char *path;
};

static enum err device_look(char *ret, size_t size, const struct wanted *w)
{
	if (w->uuid)
		return volume_find(ret, size, w->uuid);
	if (access(w->path, F_OK))
		return ERR_NOT_FOUND;
	return snprintf(ret, size, "%s", w->path) < (int)size ? OK : ERR_SPACE;
}

static enum err device_wait(char *ret, size_t size, const struct wanted *w, const char *name,
			    unsigned wait_s)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	unsigned n, polls = wait_s * (1000 / POLL_MS);
	enum err e;

	for (n = 0;; n++) {
		e = device_look(ret, size, w);
		if (e != ERR_NOT_FOUND || n >= polls)
			return e;
		if (n == QUIET_POLLS)
			fprintf(stderr,
				"holdfast: waiting for the disk of volume %s (up to %u s)\n", name,
				wait_s);
		nanosleep(&pause, NULL);
	}
}

enum err device_wait_uuid(char *ret, size_t size, const uint8_t uuid[static 16], const char *name,
			  unsigned wait_s)
{
	return device_wait(ret, size, &(struct wanted){ .uuid = uuid }, name, wait_s);
}

enum err device_wait_source(char *ret, size_t size, const char *source, const char *name,
			    unsigned wait_s)
{
	static const char *const links[][2] = {
		{ "PARTUUID=", "/dev/disk/by-partuuid/" },
		{ "LABEL=", "/dev/disk/by-label/" },
		{ "PARTLABEL=", "/dev/disk/by-partlabel/" },
	};
	char path[320];
	uint8_t uuid[16];
	size_t i;

	if (!strncmp(source, "UUID=", 5) && !uuid_parse(uuid, source + 5))
		return device_wait_uuid(ret, size, uuid, name, wait_s);
	snprintf(path, sizeof(path), "%s", source);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (!strncmp(source, links[i][0], strlen(links[i][0])))
			snprintf(path, sizeof(path), "%s%s", links[i][1],
				 source + strlen(links[i][0]));
	return device_wait(ret, size, &(struct wanted){ .path = path }, name, wait_s);
}
