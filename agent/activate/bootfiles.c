#include "agent/activate/bootfiles.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/volumed/durable.h"
#include "common/text.h"

enum err bootfiles_folder(char *ret, size_t size, const char *folder, const char *name)
{
	int n = snprintf(ret, size, "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= size)
		return ERR_RANGE;
	for (char *c = ret + strlen(folder) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(ret, 0755) && errno != EEXIST)
			return ERR_IO;
		*c = '/';
	}
	return mkdir(ret, 0755) && errno != EEXIST ? ERR_IO : OK;
}

static enum err bytes_install(uint8_t ret_digest[static DIGEST_BYTES], const void *bytes, size_t len,
			      const char *folder, const char *name)
{
	enum err e = durable_write(folder, name, bytes, len, 0644);

	if (!e)
		crypto_generichash(ret_digest, DIGEST_BYTES, bytes, len, NULL, 0);
	return e;
}

static enum err file_load(uint8_t **ret, size_t *ret_len, const char *path)
{
	char *real = realpath(path, NULL), *name;
	enum err e;

	/* Distributions keep /vmlinuz and the like as links: the person who asks may use them. */
	if (!real)
		return ERR_NOT_FOUND;
	name = strrchr(real, '/');
	*name = '\0';
	e = durable_read(ret, ret_len, *real ? real : "/", name + 1, BOOTFILES_BYTES_MAX);
	free(real);
	return e;
}

static enum err file_install(uint8_t ret_digest[static DIGEST_BYTES], const char *from,
			     const char *folder, const char *name)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = file_load(&bytes, &len, from);

	if (!e)
		e = bytes_install(ret_digest, bytes, len, folder, name);
	free(bytes);
	return e;
}

enum err bootfiles_copy_file(const char *from, const char *folder, const char *name)
{
	uint8_t digest[DIGEST_BYTES];

	return file_install(digest, from, folder, name);
}

static enum err target_folder(char *ret, size_t size, struct manifest_target *t, const char *folder,
			      const char *name)
{
	char relative[64];

	memset(t, 0, sizeof(*t));
	if (!text_set(t->name, sizeof(t->name), name))
		return ERR_RANGE;
	(void)snprintf(relative, sizeof(relative), "boot/%s", name);
	return bootfiles_folder(ret, size, folder, relative);
}

enum err bootfiles_install(struct manifest_target *ret, const char **ret_what, const char *folder,
			   const char *name, const char *kernel, const char *initrd,
			   const char *cmdline)
{
	struct manifest_target t;
	char path[DURABLE_PATH_MAX];
	enum err e = target_folder(path, sizeof(path), &t, folder, name);

	*ret_what = folder;
	if (e)
		return e;
	*ret_what = kernel;
	e = file_install(t.kernel, kernel, path, "vmlinuz");
	if (e)
		return e;
	*ret_what = initrd;
	e = file_install(t.initrd, initrd, path, "initrd.img");
	if (e)
		return e;
	*ret_what = "cmdline";
	e = bytes_install(t.cmdline, cmdline, strlen(cmdline), path, "cmdline");
	if (!e)
		*ret = t;
	return e;
}

static int file_matches(const uint8_t digest[static DIGEST_BYTES], const char *folder,
			const char *name)
{
	uint8_t *bytes = NULL, there[DIGEST_BYTES];
	size_t len = 0;

	if (durable_read(&bytes, &len, folder, name, BOOTFILES_BYTES_MAX))
		return 0;
	crypto_generichash(there, sizeof(there), bytes, len, NULL, 0);
	free(bytes);
	return !memcmp(there, digest, DIGEST_BYTES);
}

int bootfiles_match(const struct manifest_target *t, const char *folder)
{
	char path[DURABLE_PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/boot/%.15s", folder, (const char *)t->name) >=
	    (int)sizeof(path))
		return 0;
	return file_matches(t->kernel, path, "vmlinuz") &&
	       file_matches(t->initrd, path, "initrd.img") &&
	       file_matches(t->cmdline, path, "cmdline");
}

enum err bootfiles_copy(struct manifest_target *ret, const char **ret_what, const char *folder,
			const char *from, const char *to)
{
	char path[DURABLE_PATH_MAX], files[3][DURABLE_PATH_MAX];
	static const char *const names[] = { "vmlinuz", "initrd.img", "cmdline" };
	struct manifest_target t;
	uint8_t *digests[] = { t.kernel, t.initrd, t.cmdline };
	enum err e = target_folder(path, sizeof(path), &t, folder, to);

	*ret_what = folder;
	for (size_t i = 0; !e && i < 3; i++) {
		*ret_what = names[i];
		if (snprintf(files[i], sizeof(files[i]), "%s/boot/%s/%s", folder, from, names[i]) >=
		    (int)sizeof(files[i]))
			return ERR_RANGE;
		e = file_install(digests[i], files[i], path, names[i]);
	}
	if (!e)
		*ret = t;
	return e;
}
