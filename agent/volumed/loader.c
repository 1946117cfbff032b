#include "agent/volumed/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/efivar.h"
#include "common/json_host.h"

#define MODE 0700 /* as FAT is mounted; nothing else depends on it */
#define REMOVABLE "BOOTX64.EFI"

struct file {
	uint8_t *bytes;
	size_t len;
	struct loader_copy copy;
};

static void file_drop(struct file *f)
{
	free(f->bytes);
	*f = (struct file){ 0 };
}
#define FILE_OWNED __attribute__((cleanup(file_drop))) struct file

static void digest_of(char ret[static 65], const uint8_t *bytes, size_t len)
{
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, bytes, len);
	hex_encode(ret, digest, sizeof(digest));
}

static enum err file_read(struct file *ret, const char *folder, const char *name)
{
	struct file f = { 0 };
	enum err e = durable_read(&f.bytes, &f.len, folder, name, PEIMAGE_BYTES_MAX);

	if (e)
		return e;
	digest_of(f.copy.digest, f.bytes, f.len);
	f.copy.sound = !peimage_read(&f.copy.image, f.bytes, f.len);
	*ret = f;
	return OK;
}

static enum err path_read(struct file *ret, const char *path)
{
	char *real = realpath(path, NULL), *name;
	enum err e;

	if (!real)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
	name = strrchr(real, '/');
	*name = '\0';
	e = file_read(ret, *real ? real : "/", name + 1);
	free(real);
	return e;
}

enum err loader_look(struct loader_copy *ret, const struct loader_home *h, const char *file)
{
	FILE_OWNED f = { 0 };
	enum err e = file_read(&f, h->place->folder, file);

	if (!e)
		*ret = f.copy;
	return e;
}

/* Why an image cannot be started. */
static enum err file_check(const struct loader_home *h, const struct file *f)
{
	struct peimage image;
	enum err e = peimage_read(&image, f->bytes, f->len);

	if (!e && !image.is_signed && efivar_secure_boot(h->place->efivars))
		e = ERR_DENIED;
	return e;
}

enum err loader_check(struct loader_copy *ret, const struct loader_home *h, const char *path)
{
	FILE_OWNED f = { 0 };
	enum err e = path_read(&f, path);

	if (!e)
		e = file_check(h, &f);
	if (!e)
		*ret = f.copy;
	return e;
}

static int is_same(const struct file *a, const struct file *b)
{
	return !strcmp(a->copy.digest, b->copy.digest);
}

static enum err write_checked(const char *folder, const char *name, const struct file *f)
{
	FILE_OWNED back = { 0 };
	enum err e = durable_write(folder, name, f->bytes, f->len, MODE);

	if (!e)
		e = file_read(&back, folder, name);
	return !e && strcmp(back.copy.digest, f->copy.digest) ? ERR_CHANGED : e;
}

void loader_boot_id(char ret[static LOADER_BOOT_ID_BYTES])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fscanf(f, "%63s", ret) != 1)
		(void)snprintf(ret, LOADER_BOOT_ID_BYTES, "?");
	if (f)
		fclose(f);
}

enum err loader_lock(int *ret, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = -1;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	do
		failed = flock(fd, LOCK_EX);
	while (failed && errno == EINTR);
	if (failed) {
		close(fd);
		return ERR_IO;
	}
	*ret = fd;
	return OK;
}

void loader_unlock(int *lock)
{
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
}

/* ---- an update ---- */

struct staged {
	char digest[65], boot[LOADER_BOOT_ID_BYTES];
};

static enum err staged_write(const struct loader_home *h, const struct loader_copy *copy)
{
	char text[sizeof(struct staged) + 2];
	int len = snprintf(text, sizeof(text), "%s %s\n", copy->digest, h->boot);

	if (len < 0 || (size_t)len >= sizeof(text))
		return ERR_RANGE;
	return durable_write(h->place->folder, LOADER_STAGED, text, (size_t)len, MODE);
}

static enum err staged_read(struct staged *ret, const struct loader_home *h)
{
	struct staged s;
	uint8_t *bytes = NULL;
	size_t len;
	enum err e = durable_read(&bytes, &len, h->place->folder, LOADER_STAGED, 256);

	if (e)
		return e;
	e = sscanf((const char *)bytes, "%64s %63s", s.digest, s.boot) == 2 ? OK : ERR_FORMAT;
	free(bytes);
	if (!e)
		*ret = s;
	return e;
}

int loader_is_of_before(const struct loader_home *h, const struct loader_copy *next)
{
	struct staged s;

	return !staged_read(&s, h) && !strcmp(s.digest, next->digest) && strcmp(s.boot, h->boot) != 0;
}

int loader_is_of_now(const struct loader_home *h)
{
	struct staged s;

	return !staged_read(&s, h) && !strcmp(s.boot, h->boot);
}

static enum err tried_once(const struct loader_home *h)
{
	uint16_t number;
	enum err e = bootentry_put(&number, h->place, BOOTENTRY_UPDATE, LOADER_NEXT, NULL);

	return e ? e : bootentry_next_set(h->place, number);
}

static enum err stage(const struct loader_home *h, const struct file *f)
{
	/* Else the firmware could try an earlier one that still waits. */
	enum err e = durable_remove(h->place->folder, LOADER_NEXT);

	if (!e)
		e = tried_once(h);
	if (!e)
		e = staged_write(h, &f->copy);
	if (!e)
		e = write_checked(h->place->folder, LOADER_NEXT, f);
	if (e && bootentry_next_drop(h->place, BOOTENTRY_UPDATE, LOADER_NEXT))
		return e; /* an entry without its file: the firmware passes over it */
	return e;
}

enum err loader_stage(struct loader_copy *ret, const struct loader_home *h, const char *path)
{
	struct loader_copy current;
	FILE_OWNED f = { 0 };
	enum err e = path_read(&f, path);

	if (!e)
		e = file_check(h, &f);
	if (!e && !loader_look(&current, h, LOADER_CURRENT) && !strcmp(current.digest, f.copy.digest))
		e = ERR_EXISTS;
	if (!e)
		e = stage(h, &f);
	if (!e)
		*ret = f.copy;
	return e;
}

/* \EFI\BOOT beside our folder. */
static enum err removable_folder(char ret[static DURABLE_PATH_MAX], const struct loader_home *h)
{
	enum err e = durable_path(ret, h->place->folder, "../BOOT");

	if (e)
		return e;
	return mkdir(ret, 0755) && errno != EEXIST ? ERR_IO : OK;
}

/* An image that is not Holdfast's is somebody else's; what is no image at all is a ruin of ours. */
static int is_foreign(const struct file *f)
{
	struct peimage image;
	enum err e = peimage_read(&image, f->bytes, f->len);

	return e == ERR_NOT_FOUND || e == ERR_UNSUPPORTED;
}

static enum err removable_write(int *ret_foreign, const struct loader_home *h, const struct file *f)
{
	char folder[DURABLE_PATH_MAX];
	FILE_OWNED there = { 0 };
	enum err e = removable_folder(folder, h);
	int foreign, have;

	if (e)
		return e;
	e = file_read(&there, folder, REMOVABLE);
	if (e && e != ERR_NOT_FOUND && e != ERR_SPACE)
		return e;
	have = !e;
	/* Larger than any of ours. */
	foreign = e == ERR_SPACE || (have && is_foreign(&there));
	e = foreign || (have && is_same(&there, f)) ? OK : write_checked(folder, REMOVABLE, f);
	if (!e)
		*ret_foreign = foreign;
	return e;
}

enum err loader_removable_write(int *ret_foreign, const struct loader_home *h, const char *path)
{
	FILE_OWNED f = { 0 };
	enum err e = path_read(&f, path);

	return e ? e : removable_write(ret_foreign, h, &f);
}

enum err loader_keep(const struct loader_home *h, const char *good)
{
	FILE_OWNED current = { 0 }, next = { 0 }, previous = { 0 };
	const char *folder = h->place->folder;

	if (file_read(&current, folder, LOADER_CURRENT) || !current.copy.sound ||
	    (good && strcmp(current.copy.digest, good) != 0) ||
	    (!file_read(&next, folder, LOADER_NEXT) && is_same(&current, &next)) ||
	    (!file_read(&previous, folder, LOADER_PREVIOUS) && is_same(&current, &previous)))
		return OK;
	return write_checked(folder, LOADER_PREVIOUS, &current);
}

static enum err exchange(const struct loader_home *h, const struct file *next)
{
	FILE_OWNED current = { 0 };
	const char *folder = h->place->folder;
	int same = !file_read(&current, folder, LOADER_CURRENT) && is_same(&current, next), foreign;
	enum err e = same ? OK : write_checked(folder, LOADER_CURRENT, next);

	return e ? e : removable_write(&foreign, h, next);
}

static enum err next_forget(const struct loader_home *h)
{
	enum err e = bootentry_next_drop(h->place, BOOTENTRY_UPDATE, LOADER_NEXT);

	if (!e)
		e = bootentry_remove(h->place, BOOTENTRY_UPDATE, LOADER_NEXT);
	if (!e)
		e = durable_remove(h->place->folder, LOADER_NEXT);
	return e ? e : durable_remove(h->place->folder, LOADER_STAGED);
}

enum err loader_confirm(const struct loader_home *h)
{
	FILE_OWNED next = { 0 };
	enum err e = file_read(&next, h->place->folder, LOADER_NEXT);

	if (!e && !next.copy.sound)
		e = ERR_FORMAT;
	if (!e)
		e = exchange(h, &next);
	return e ? e : next_forget(h);
}

enum err loader_abandon(const struct loader_home *h)
{
	return next_forget(h);
}

/* ---- a copy that is not whole ---- */

static enum err copy_read(struct file *ret, const struct loader_home *h, enum loader_mended from)
{
	char folder[DURABLE_PATH_MAX];

	if (from == LOADER_STAGED_INSTALLED)
		return path_read(ret, h->installed);
	if (from == LOADER_FROM_PREVIOUS)
		return file_read(ret, h->place->folder, LOADER_PREVIOUS);
	return removable_folder(folder, h) ? ERR_IO : file_read(ret, folder, REMOVABLE);
}

/* Which copy started, as far as it is none of what is looked at here: */
static enum loader_mended started(const struct loader_known *known)
{
	return known->by == HANDOFF_LOADER_PREVIOUS    ? LOADER_FROM_PREVIOUS
	       : known->by == HANDOFF_LOADER_REMOVABLE ? LOADER_FROM_REMOVABLE
						       : LOADER_WHOLE;
}

static int is_started(const struct loader_home *h, const struct file *current, const struct loader_known *known)
{
	FILE_OWNED f = { 0 };

	return started(known) != LOADER_WHOLE && !copy_read(&f, h, started(known)) && is_same(&f, current);
}

static int is_whole(const struct loader_home *h, const struct file *current, const struct loader_known *known)
{
	if (file_check(h, current))
		return 0;
	return !known->good || !strcmp(current->copy.digest, known->good) || is_started(h, current, known);
}

/* Not what is there now: it is not whole. */
static int is_use(const struct loader_home *h, const struct file *f, const struct file *current,
		  const struct loader_known *known)
{
	return !file_check(h, f) && !is_same(f, current) && !(known->failed && strstr(known->failed, f->copy.digest));
}

/* good: only a copy of that one. */
static int source_take(struct file *ret, const struct loader_home *h, enum loader_mended from,
		       const struct file *current, const struct loader_known *known, const char *good)
{
	FILE_OWNED f = { 0 };

	if (copy_read(&f, h, from) || !is_use(h, &f, current, known) || (good && strcmp(f.copy.digest, good) != 0))
		return 0;
	*ret = f;
	f = (struct file){ 0 };
	return 1;
}

static enum loader_mended source_find(struct file *ret, const struct loader_home *h, const struct file *current,
				      const struct loader_known *known)
{
	const enum loader_mended order[] = { started(known), LOADER_FROM_PREVIOUS, LOADER_FROM_REMOVABLE,
					     LOADER_STAGED_INSTALLED };
	const size_t count = sizeof(order) / sizeof(order[0]);

	for (size_t i = 1; known->good && i < count; i++)
		if (source_take(ret, h, order[i], current, known, known->good))
			return LOADER_FROM_GOOD;
	for (size_t i = 0; i < count; i++)
		if (order[i] != LOADER_WHOLE && source_take(ret, h, order[i], current, known, NULL))
			return order[i];
	return LOADER_BEYOND_REPAIR;
}

/* The package's copy in the place of something that the firmware passes over could hang, where today it goes on. */
static enum err installed_try(enum loader_mended *ret, const struct loader_home *h, const struct file *installed)
{
	struct loader_copy waiting;
	enum err e = OK;

	if (!loader_look(&waiting, h, LOADER_NEXT)) {
		*ret = LOADER_WAITS;
		return OK;
	}
	e = stage(h, installed);
	if (!e)
		*ret = LOADER_STAGED_INSTALLED;
	return e;
}

enum err loader_mend(enum loader_mended *ret, const struct loader_home *h, const struct loader_known *known)
{
	FILE_OWNED current = { 0 }, source = { 0 };
	enum loader_mended from;
	enum err e = file_read(&current, h->place->folder, LOADER_CURRENT);

	if (!e && is_whole(h, &current, known)) {
		*ret = LOADER_WHOLE;
		return OK;
	}
	from = source_find(&source, h, &current, known);
	if (from == LOADER_STAGED_INSTALLED)
		return installed_try(ret, h, &source);
	e = from == LOADER_BEYOND_REPAIR ? OK : write_checked(h->place->folder, LOADER_CURRENT, &source);
	if (!e)
		*ret = from;
	return e;
}
