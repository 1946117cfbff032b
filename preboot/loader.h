/* Loader: what of holdfast.efi was started, and how. For the hand-off, and for the self-test. */
#ifndef HOLDFAST_PREBOOT_LOADER_H
#define HOLDFAST_PREBOOT_LOADER_H

#include "common/handoff.h"

/* Which file the firmware has started: by the path in EFI_LOADED_IMAGE_PROTOCOL, compared as FAT does.
 * HANDOFF_LOADER_UNKNOWN also when shim stands between. */
enum handoff_loader loader_kind(void);

/* Was the program given this text (ASCII) by its boot entry (UEFI 2.10, 3.1.3: OptionalData)? */
int loader_was_told(const char *text);

#endif
