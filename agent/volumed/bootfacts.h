/* What pre-boot said about this start: who authenticated and how, and its events. Read from the hand-off
 * that the initramfs left without keys, or, for tests, from one with keys, which is stripped. */
#ifndef HOLDFAST_BOOTFACTS_H
#define HOLDFAST_BOOTFACTS_H

#include "agent/volumed/bootkeys.h"
#include "common/credential.h"
#include "common/handoff.h"
#include "common/tpm.h"

struct bootfacts {
	int known; /* there was a hand-off */
	uint8_t kind, target;
	uint8_t loader; /* enum handoff_loader */
	uint8_t processors;
	uint16_t trust; /* HANDOFF_SECURE_BOOT and the like */
	uint8_t pcr7[TPM_PCR_BYTES]; /* before unlock; zeros without TPM */
	uint32_t tpm_ms;
	uint16_t number;
	char user[65], credential[33];
	uint64_t generation;
	uint32_t memory_mib, kdf_ms, overhead_ms, prompt_ms;
	uint8_t device[DEVICE_ID_BYTES];
	size_t event_count;
	struct handoff_event events[HANDOFF_EVENTS_MAX];
	char digest[65]; /* of the stripped hand-off: has it been worked through? */
};

/* Keys that are in the file move to `keys` (in memory), and the file is overwritten with the stripped
 * one. No file is no error (ret->known 0). Errors: ERR_FORMAT, ERR_VERSION, ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err bootfacts_load(struct bootfacts *ret, struct bootkeys *keys, const char *folder,
				   const char *name);

/* The same with keys that stay in memory, and the file named by its path (--handoff). */
MUST_CHECK enum err bootfacts_load_file(struct bootfacts *ret, struct bootkeys *keys, const char *path);

/* "password", "one-time-code", "recovery-key", "tpm-pin", "tpm-password", "self-help"; NULL for another kind. */
const char *bootfacts_method(uint8_t kind);

#endif
