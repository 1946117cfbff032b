/* Boot: the kernel, initrd and command line of a boot target, read and digested in slices while the
 * prompt waits, held against the manifest once that is verified, and started. */
#ifndef HOLDFAST_BOOT_H
#define HOLDFAST_BOOT_H

#include "common/manifest.h"

enum boot_part {
	BOOT_KERNEL,
	BOOT_INITRD,
	BOOT_CMDLINE,
	BOOT_PARTS,
};

/* Begin to load a target. name is checked by manifest_decode. Forgets what was loaded before. */
void boot_load(const struct manifest_target *t);

/* Load one slice; 0 when nothing is left to do. For ui_while_idle. */
int boot_load_slice(void);

/* Give all memory back. */
void boot_forget(void);

/* Find the first target of a verified manifest, of those from index first on, whose files are all there
 * and match; says which file of which target does not, and adds the event. On OK its files are loaded and
 * *ret is its index. *load_ms grows by the time spent on reading and digesting. Errors: ERR_CHANGED when
 * none is left. */
MUST_CHECK enum err boot_select(unsigned *ret, uint64_t *load_ms, const struct manifest *m, unsigned first);

/* The selected target's file. */
const uint8_t *boot_bytes(enum boot_part part, size_t *ret_len);

/* LoadImage from the verified buffer with the command line. The manifest vouches for it where firmware
 * does not (vouch.h). Errors: ERR_DENIED (Secure Boot), ERR_UNSUPPORTED, ERR_MEMORY, ERR_IO. */
MUST_CHECK enum err boot_prepare(const struct manifest_target *t);

/* Was the prepared kernel refused by the firmware, and started on the manifest's word (HANDOFF_VOUCHED)? */
int boot_vouched(void);

/* StartImage. Returns only if the kernel gives up. */
MUST_CHECK enum err boot_start(void);

#endif
