/* Loader: the copies of holdfast.efi on the EFI system partition, and how another one takes over: it is tried
 * once by the firmware itself (BootNext), and only a system that came up with it makes it the one that counts.
 * A power cut anywhere leaves a laptop that starts. docs/updates.md.
 *   \EFI\holdfast\holdfast.efi   current
 *   \EFI\holdfast\previous.efi   the one before it
 *   \EFI\holdfast\next.efi       an update that waits for its one try
 *   \EFI\holdfast\next.boot      its digest, and the start of the kernel in which it was put there
 *   \EFI\BOOT\BOOTX64.EFI        copy of the current one, for firmware that has lost its entries */
#ifndef HOLDFAST_LOADER_H
#define HOLDFAST_LOADER_H

#include "agent/volumed/bootentry.h"
#include "agent/volumed/peimage.h"
#include "common/handoff.h"

#define LOADER_CURRENT "holdfast.efi"
#define LOADER_PREVIOUS "previous.efi"
#define LOADER_NEXT "next.efi"
#define LOADER_STAGED "next.boot"
#define LOADER_INSTALLED "/usr/lib/holdfast/holdfast.efi"

struct loader_home {
	const struct bootentry_place *place;
	const char *installed; /* path of the copy that the package brings */
	const char *boot;      /* id of this start of the kernel, loader_boot_id */
};

#define LOADER_BOOT_ID_BYTES 64
void loader_boot_id(char ret[static LOADER_BOOT_ID_BYTES]);

/* Held by whoever changes copies or entries: holdfast-activate must not stage between two looks of the agent.
 * Waits for the other one. folder: …/EFI/holdfast. Errors: ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err loader_lock(int *ret, const char *folder);
void loader_unlock(int *lock);
#define LOADER_LOCK __attribute__((cleanup(loader_unlock))) int

/* A copy as it is on the disk. */
struct loader_copy {
	char digest[65];       /* SHA-256, hex: as sha256sum says */
	int sound;             /* an image of Holdfast's */
	struct peimage image;  /* if it is */
};

/* file: in the folder. Errors: ERR_NOT_FOUND, ERR_IO, ERR_SPACE (too large), ERR_MEMORY. */
MUST_CHECK enum err loader_look(struct loader_copy *ret, const struct loader_home *h, const char *file);

/* Could this be started here? path: anywhere. Errors: those of peimage_read; ERR_DENIED (not signed, and
 * Secure Boot is on); ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err loader_check(struct loader_copy *ret, const struct loader_home *h, const char *path);

/* Make it the next one to be tried. First BootNext, then digest and start, then the file: so a next.efi without
 * BootNext was tried.
 * Errors: those of loader_check, bootentry_put, durable_write; ERR_EXISTS (it is the current one). */
MUST_CHECK enum err loader_stage(struct loader_copy *ret, const struct loader_home *h, const char *path);

/* Was this next.efi put there in an earlier start / in this one? Only the former can have been tried. */
int loader_is_of_before(const struct loader_home *h, const struct loader_copy *next);
int loader_is_of_now(const struct loader_home *h);

/* The current copy becomes previous.efi, too. Not if it is no image, or another than the one that is known to have
 * started (good; NULL: not known). Errors: those of durable_write. */
MUST_CHECK enum err loader_keep(const struct loader_home *h, const char *good);

/* It came up, loader_keep has been done, and the entry of previous.efi is there: next becomes current. Begun again
 * after a power cut, it goes on; next.efi goes last. Errors: ERR_FORMAT (next.efi is no image), those of
 * durable_write and of the entries. */
MUST_CHECK enum err loader_confirm(const struct loader_home *h);

/* It did not: next.efi and its entry go. Errors: ERR_IO. */
MUST_CHECK enum err loader_abandon(const struct loader_home *h);

enum loader_mended {
	LOADER_WHOLE,          /* nothing to do */
	LOADER_FROM_GOOD,      /* a copy of the very one that last started */
	LOADER_FROM_PREVIOUS,
	LOADER_FROM_REMOVABLE,
	LOADER_STAGED_INSTALLED, /* nothing was changed: the package's copy is tried at the next start */
	LOADER_WAITS,          /* nothing was changed: an update waits for its try already */
	LOADER_BEYOND_REPAIR,  /* it is not whole, and there is nothing to mend it from */
};

/* What is known of the copies. */
struct loader_known {
	const char *good;         /* digest of holdfast.efi when it last started; NULL: not known */
	const char *failed;       /* digests of updates that did not come up, in one text; NULL: none */
	enum handoff_loader by;   /* what started this time */
};

/* Is holdfast.efi whole? If not, mend it: from a copy of the good one, else from what started this time, else from
 * previous.efi, else from BOOTX64.EFI. The package's copy has never started here: it is tried once, by the way of
 * loader_stage. Without a good digest only what cannot be started is not whole. Errors: those of durable_write and
 * loader_stage. */
MUST_CHECK enum err loader_mend(enum loader_mended *ret, const struct loader_home *h, const struct loader_known *known);

/* A file as \EFI\BOOT\BOOTX64.EFI. *ret_foreign: 1 if that is another program's, and was left alone.
 * Errors: ERR_NOT_FOUND, those of durable_write. */
MUST_CHECK enum err loader_removable_write(int *ret_foreign, const struct loader_home *h, const char *path);

#endif
