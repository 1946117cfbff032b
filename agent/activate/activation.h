/* Activation: the steps of holdfast-activate. Each prints what went wrong; until activation_volumes
 * nothing has been changed. */
#ifndef HOLDFAST_ACTIVATION_H
#define HOLDFAST_ACTIVATION_H

#include "agent/activate/plan.h"
#include "agent/volumed/espstore.h"

struct activation {
	const struct plan *plan;
	struct espstore esp;
	struct store store;
	struct unlock_key uk;
	struct secret existing, password, recovery;
};
void activation_drop(struct activation *a);

/* Look before anything is changed: ESP, files, volumes, passphrase, user, password. */
MUST_CHECK enum err activation_preflight(struct activation *a);
/* New keys, store with first user and recovery record; in memory only. */
MUST_CHECK enum err activation_keys(struct activation *a);
/* Kernel, initrd, command line, holdfast.efi. */
MUST_CHECK enum err activation_boot_files(struct activation *a);
/* Keyslots; then the recovery key is printed. */
MUST_CHECK enum err activation_volumes(struct activation *a);
/* Both store copies; and other keyslots, if asked to, only now. */
MUST_CHECK enum err activation_store(struct activation *a);

/* --boot-files: the target current becomes previous, and the new files current. */
MUST_CHECK enum err activation_exchange(const struct plan *plan);

#endif
