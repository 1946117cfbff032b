#include "agent/volumed/loader.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static enum err write_checked(const char *folder, const char *name, const struct file *f)
{
	FILE_OWNED back = { 0 };
	enum err e = durable_write(folder, name, f->bytes, f->len, MODE);

	if (!e)
		e = file_read(&back, folder, name);
	return !e && strcmp(back.copy.digest, f->copy.digest) ? ERR_CHANGED : e;
}

/* ---- an update ---- */

static enum err tried_once(const struct loader_home *h)
{
	uint16_t number;
	enum err e = bootentry_put(&number, h->place, BOOTENTRY_UPDATE, LOADER_NEXT, NULL);

	return e ? e : bootentry_next_set(h->place, number);
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
	/* Else the firmware could try an earlier one that still waits. */
	if (!e)
		e = durable_remove(h->place->folder, LOADER_NEXT);
	if (!e)
		e = tried_once(h);
	if (!e)
		e = write_checked(h->place->folder, LOADER_NEXT, &f);
	if (!e)
		*ret = f.copy;
	else if (e != ERR_EXISTS && bootentry_next_drop(h->place, BOOTENTRY_UPDATE, LOADER_NEXT))
		return e; /* an entry without its file: the firmware passes over it */
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

enum err loader_removable_write(const struct loader_home *h, const uint8_t *bytes, size_t len)
{
	struct file f = { .bytes = (uint8_t *)(uintptr_t)bytes, .len = len };
	char folder[DURABLE_PATH_MAX];
	FILE_OWNED there = { 0 };
	enum err e = removable_folder(folder, h);

	if (e)
		return e;
	digest_of(f.copy.digest, bytes, len);
	if (!file_read(&there, folder, REMOVABLE) &&
	    (is_foreign(&there) || !strcmp(there.copy.digest, f.copy.digest)))
		return OK;
	return write_checked(folder, REMOVABLE, &f);
}

/* previous.efi is written first: from then on there are two that start, whatever happens to the third. */
static enum err rotate(const struct loader_home *h, const struct file *next)
{
	FILE_OWNED current = { 0 };
	const char *folder = h->place->folder;
	int have = !file_read(&current, folder, LOADER_CURRENT);
	int same = have && !strcmp(current.copy.digest, next->copy.digest);
	enum err e = OK;

	if (have && !same && current.copy.sound)
		e = write_checked(folder, LOADER_PREVIOUS, &current);
	if (!e && !same)
		e = write_checked(folder, LOADER_CURRENT, next);
	return e ? e : loader_removable_write(h, next->bytes, next->len);
}

static enum err next_forget(const struct loader_home *h)
{
	enum err e = bootentry_next_drop(h->place, BOOTENTRY_UPDATE, LOADER_NEXT);

	if (!e)
		e = bootentry_remove(h->place, BOOTENTRY_UPDATE, LOADER_NEXT);
	return e ? e : durable_remove(h->place->folder, LOADER_NEXT);
}

enum err loader_confirm(const struct loader_home *h)
{
	FILE_OWNED next = { 0 };
	enum err e = file_read(&next, h->place->folder, LOADER_NEXT);

	if (!e && !next.copy.sound)
		e = ERR_FORMAT;
	if (!e)
		e = rotate(h, &next);
	return e ? e : next_forget(h);
}

enum err loader_abandon(const struct loader_home *h)
{
	return next_forget(h);
}

/* ---- a copy that is not whole ---- */

/* Without a digest to compare with, the package's copy tells. */
static int is_whole(const struct loader_home *h, const struct file *current, const char *good)
{
	FILE_OWNED installed = { 0 };

	if (!current->copy.sound)
		return 0;
	if (good)
		return !strcmp(current->copy.digest, good);
	return path_read(&installed, h->installed) || file_check(h, &installed) ||
	       !strcmp(current->copy.digest, installed.copy.digest);
}

/* Not what is there now: it did not start. */
static int is_use(const struct loader_home *h, const struct file *f, const struct file *current)
{
	return !file_check(h, f) && strcmp(f->copy.digest, current->copy.digest) != 0;
}

static enum loader_mended source_find(struct file *ret, const struct loader_home *h, const struct file *current)
{
	char folder[DURABLE_PATH_MAX];

	if (!path_read(ret, h->installed)) {
		if (is_use(h, ret, current))
			return LOADER_FROM_INSTALLED;
		file_drop(ret);
	}
	if (!file_read(ret, h->place->folder, LOADER_PREVIOUS)) {
		if (is_use(h, ret, current))
			return LOADER_FROM_PREVIOUS;
		file_drop(ret);
	}
	if (!removable_folder(folder, h) && !file_read(ret, folder, REMOVABLE) && is_use(h, ret, current))
		return LOADER_FROM_REMOVABLE;
	return LOADER_BEYOND_REPAIR;
}

enum err loader_mend(enum loader_mended *ret, const struct loader_home *h, const char *good)
{
	FILE_OWNED current = { 0 }, source = { 0 };
	enum loader_mended from;
	enum err e = file_read(&current, h->place->folder, LOADER_CURRENT);

	if (!e && is_whole(h, &current, good)) {
		*ret = LOADER_WHOLE;
		return OK;
	}
	from = source_find(&source, h, &current);
	e = from == LOADER_BEYOND_REPAIR ? OK : write_checked(h->place->folder, LOADER_CURRENT, &source);
	if (!e)
		*ret = from;
	return e;
}
