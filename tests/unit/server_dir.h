/* A folder of its own for a test of the server, in memory where there is a place for it, so that
 * synchronous=FULL costs nothing. */
#ifndef HOLDFAST_TEST_SERVER_DIR_H
#define HOLDFAST_TEST_SERVER_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void server_dir_make(char ret[64])
{
	strcpy(ret, access("/dev/shm", W_OK) ? "/tmp/holdfast-test-XXXXXX"
					     : "/dev/shm/holdfast-test-XXXXXX");
	if (!mkdtemp(ret))
		abort();
}

static inline void server_dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	char path[400];

	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (*entry->d_name != '.')
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

#endif
