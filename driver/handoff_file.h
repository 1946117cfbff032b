/* Hand-off file: /holdfast/handoff in the initramfs (with keys), /run/holdfast/handoff afterwards
 * (without). */
#ifndef HOLDFAST_HANDOFF_FILE_H
#define HOLDFAST_HANDOFF_FILE_H

#include "../common/handoff.h"

#define HANDOFF_INITRAMFS "/holdfast/handoff"
#define HANDOFF_RUN_DIR "/run/holdfast"
#define HANDOFF_RUN HANDOFF_RUN_DIR "/handoff"

/* Read and decode. The file must be a regular one, not a link, of the caller's own user and closed
 * to all others. Errors: ERR_NOT_FOUND, ERR_DENIED (owner, mode, kind of file), ERR_RANGE (too
 * long), ERR_IO, and those of handoff_decode. */
MUST_CHECK enum err handoff_file_read(struct handoff *ret, const char *path);

/* Write into dir (made 0755 when absent) as handoff, 0400, under another name first. Errors:
 * ERR_IO, ERR_RANGE. */
MUST_CHECK enum err handoff_file_write(const char *dir, const struct handoff *h);

/* Overwrite with zeros and remove. Absent is no error. Errors: ERR_IO. */
MUST_CHECK enum err handoff_file_destroy(const char *path);

#endif
