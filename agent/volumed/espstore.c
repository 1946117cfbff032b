#include "agent/volumed/espstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/genvar.h"
#include "agent/volumed/ownervar.h"

static const char *const copy_names[ESPSTORE_COPIES] = { "store.0", "store.1" };

enum err espstore_at(struct espstore *ret, const char *esp, const char *efivars)
{
	struct stat st;
	int n = snprintf(ret->folder, sizeof(ret->folder), "%s/EFI/holdfast", esp);

	if (n < 0 || n >= (int)sizeof(ret->folder))
		return ERR_RANGE;
	if (stat(ret->folder, &st) || !S_ISDIR(st.st_mode))
		n = snprintf(ret->folder, sizeof(ret->folder), "%s", esp);
	if (n < 0 || n >= (int)sizeof(ret->folder))
		return ERR_RANGE;
	n = snprintf(ret->efivars, sizeof(ret->efivars), "%s", efivars ? efivars : "");
	return n < 0 || n >= (int)sizeof(ret->efivars) ? ERR_RANGE : OK;
}

static enum err copy_read(struct store *ret, const struct espstore *esp, int copy)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, esp->folder, copy_names[copy],
				  STORE_BYTES_MAX + STORE_FILE_STEP);

	if (!e)
		e = store_decode(ret, bytes, len);
	free(bytes);
	return e;
}

static void store_move(struct store *to, struct store *from)
{
	store_drop(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

enum err espstore_load(struct store *ret, struct espstore_found *ret_found,
		       const struct espstore *esp)
{
	struct store *copies = calloc(ESPSTORE_COPIES, sizeof(*copies));
	struct espstore_found f = { .newer = -1 };
	const struct store *newer;

	if (!copies)
		return ERR_MEMORY;
	for (int i = 0; i < ESPSTORE_COPIES; i++)
		f.copy[i] = copy_read(&copies[i], esp, i);
	newer = store_newer(f.copy[0] ? NULL : &copies[0], f.copy[1] ? NULL : &copies[1]);
	if (newer)
		f.newer = newer == &copies[1];
	f.same_key = !f.copy[0] && !f.copy[1] &&
		     !memcmp(copies[0].head.uk_id, copies[1].head.uk_id, sizeof(copies[0].head.uk_id));
	f.generation_known = !genvar_read(&f.generation, esp->efivars);
	if (newer)
		store_move(ret, &copies[f.newer]);
	*ret_found = f;
	for (int i = 0; i < ESPSTORE_COPIES; i++)
		store_drop(&copies[i]);
	free(copies);
	return f.newer < 0 ? ERR_NOT_FOUND : OK;
}

/* In place, and never shorter than the file is: so nothing but data blocks changes. */
static enum err copy_write_fd(int fd, const uint8_t *bytes, size_t len)
{
	static const uint8_t zeros[4096];
	struct stat st;
	size_t at = 0;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ERR_IO;
	for (; at < len; at += (size_t)n) {
		n = pwrite(fd, bytes + at, len - at, (off_t)at);
		if (n <= 0)
			return errno == ENOSPC ? ERR_SPACE : ERR_IO;
	}
	for (; at < (size_t)st.st_size; at += (size_t)n) {
		size_t left = (size_t)st.st_size - at;

		n = pwrite(fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), (off_t)at);
		if (n <= 0)
			return ERR_IO;
	}
	/* syncfs as well: on FAT the directory entry and the table are not the file's own data. */
	return fsync(fd) || syncfs(fd) ? ERR_IO : OK;
}

static enum err copy_write(const struct espstore *esp, int copy, const uint8_t *bytes, size_t len)
{
	char path[DURABLE_PATH_MAX];
	enum err e = durable_path(path, esp->folder, copy_names[copy]);
	int fd;

	if (e)
		return e;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ENOSPC ? ERR_SPACE : ERR_IO;
	e = copy_write_fd(fd, bytes, len);
	close(fd);
	return e;
}

static int copy_that_counts(const struct espstore *esp)
{
	struct espstore_found found;
	STORE s = { 0 };

	return espstore_load(&s, &found, esp) ? -1 : found.newer;
}

enum err espstore_write(const struct espstore *esp, const struct store *s, int both)
{
	int first = copy_that_counts(esp) == 0 ? 1 : 0;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = store_encode(&bytes, &len, s);

	if (!e)
		e = copy_write(esp, first, bytes, len);
	/* Between the copies: from here on the other one, if it is older, is refused as rolled back. Firmware
	 * that keeps no variable must not keep a revoked key alive in the second copy: STATUS tells of it. */
	if (!e)
		(void)!genvar_write(esp->efivars, s->head.generation);
	if (!e && both)
		e = copy_write(esp, !first, bytes, len);
	free(bytes);
	return e;
}

enum err espstore_destroy(const struct espstore *esp)
{
	enum err e = OK, one;

	for (int i = 0; i < ESPSTORE_COPIES; i++) {
		one = durable_shred(esp->folder, copy_names[i]);
		e = e ? e : one;
	}
	one = genvar_remove(esp->efivars);
	e = e ? e : one;
	one = ownervar_remove(esp->efivars);
	return e ? e : one;
}
