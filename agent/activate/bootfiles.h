/* Boot files: \EFI\holdfast\boot\NAME\{vmlinuz,initrd.img,cmdline}, and their entry of the manifest. */
#ifndef HOLDFAST_BOOTFILES_H
#define HOLDFAST_BOOTFILES_H

#include "common/manifest.h"

#define BOOTFILES_CURRENT "current"
#define BOOTFILES_PREVIOUS "previous"
#define BOOTFILES_BYTES_MAX ((size_t)512 << 20)

/* Copy into target `name` under folder (…/EFI/holdfast), durable, and fill the manifest's entry.
 * *ret_what: the file concerned. Errors: ERR_NOT_FOUND, ERR_SPACE, ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err bootfiles_install(struct manifest_target *ret, const char **ret_what,
				      const char *folder, const char *name, const char *kernel,
				      const char *initrd, const char *cmdline);

/* 1 when the target's files under folder are the ones that the entry vouches for. */
int bootfiles_match(const struct manifest_target *t, const char *folder);

/* Copy target `from` to target `to`. Errors: as bootfiles_install. */
MUST_CHECK enum err bootfiles_copy(struct manifest_target *ret, const char **ret_what,
				   const char *folder, const char *from, const char *to);

/* One file, durable. */
MUST_CHECK enum err bootfiles_copy_file(const char *from, const char *folder, const char *name);

/* mkdir of folder/name and what is missing above name. Errors: ERR_IO. */
MUST_CHECK enum err bootfiles_folder(char *ret, size_t size, const char *folder, const char *name);

#endif
