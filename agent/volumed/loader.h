/* Loader: the copies of holdfast.efi on the EFI system partition, and how another one takes over: it is tried
 * once by the firmware itself (BootNext), and only a system that came up with it makes it the one that counts.
 * A power cut anywhere leaves a laptop that starts. docs/updates.md.
 *   \EFI\holdfast\holdfast.efi   current
 *   \EFI\holdfast\previous.efi   the one before it
 *   \EFI\holdfast\next.efi       an update that waits for its one try
 *   \EFI\BOOT\BOOTX64.EFI        copy of the current one, for firmware that has lost its entries */
#ifndef HOLDFAST_LOADER_H
#define HOLDFAST_LOADER_H

#include "agent/volumed/bootentry.h"
#include "agent/volumed/peimage.h"

#define LOADER_CURRENT "holdfast.efi"
#define LOADER_PREVIOUS "previous.efi"
#define LOADER_NEXT "next.efi"
#define LOADER_INSTALLED "/usr/lib/holdfast/holdfast.efi"

struct loader_home {
	const struct bootentry_place *place;
	const char *installed; /* path of the copy that the package brings */
};

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

/* Make it the next one to be tried. First BootNext, then the file: so a next.efi without BootNext was tried.
 * Errors: those of loader_check, bootentry_put, durable_write; ERR_EXISTS (it is the current one). */
MUST_CHECK enum err loader_stage(struct loader_copy *ret, const struct loader_home *h, const char *path);

/* It came up: current becomes previous, next becomes current. Begun again after a power cut, it goes on; next.efi goes
 * last. Errors: ERR_FORMAT (next.efi is no image), those of durable_write and of the entries. */
MUST_CHECK enum err loader_confirm(const struct loader_home *h);

/* It did not: next.efi and its entry go. Errors: ERR_IO. */
MUST_CHECK enum err loader_abandon(const struct loader_home *h);

enum loader_mended {
	LOADER_WHOLE,          /* nothing to do */
	LOADER_FROM_INSTALLED,
	LOADER_FROM_PREVIOUS,
	LOADER_FROM_REMOVABLE,
	LOADER_BEYOND_REPAIR,  /* it is not whole, and there is nothing to mend it from */
};

/* Is holdfast.efi whole? If not, mend it. good: digest that it had when it last started; NULL: not known.
 * Errors: those of durable_write. */
MUST_CHECK enum err loader_mend(enum loader_mended *ret, const struct loader_home *h, const char *good);

/* A copy as \EFI\BOOT\BOOTX64.EFI, unless that is somebody else's. Errors: those of durable_write. */
MUST_CHECK enum err loader_removable_write(const struct loader_home *h, const uint8_t *bytes, size_t len);

#endif
