/* Hand-off: holdfast.efi makes it, the initramfs takes it apart (driver/open.c), the agent reads what
 * is left in /run/holdfast/handoff once keys are removed. Tables: handoff_v1.inc, handoff_event_v1.inc. */
#ifndef HOLDFAST_HANDOFF_H
#define HOLDFAST_HANDOFF_H

#include "format.h"
#include "key.h"
#include "manifest.h"

#define HANDOFF_NO_KEYS 0x0001
#define HANDOFF_EVENTS_MAX 64

/* What the firmware vouched for (handoff_head.trust). */
#define HANDOFF_SECURE_BOOT 0x0001 /* Secure Boot is on, not in set-up mode */
#define HANDOFF_TPM 0x0002         /* there is a TPM 2.0 that answers */
#define HANDOFF_CAPPED 0x0004      /* PCR 11 was extended: nothing can be unsealed any more */
#define HANDOFF_VOUCHED 0x0008     /* firmware refused the kernel, the manifest vouched for it */
#define HANDOFF_TRUST 0x000f

/* Which file of holdfast.efi was started. */
enum handoff_loader {
	HANDOFF_LOADER_UNKNOWN,  /* firmware does not say */
	HANDOFF_LOADER_CURRENT,  /* \EFI\holdfast\holdfast.efi */
	HANDOFF_LOADER_NEXT,     /* \EFI\holdfast\next.efi: an update, tried once */
	HANDOFF_LOADER_PREVIOUS, /* \EFI\holdfast\previous.efi */
	HANDOFF_LOADER_REMOVABLE,/* \EFI\BOOT\BOOTX64.EFI: firmware has lost the boot entries */
	HANDOFF_LOADER_COUNT
};
#define HANDOFF_BYTES_MAX (280 + HANDOFF_EVENTS_MAX * 8 + MANIFEST_BYTES_MAX)

/* X(name, number, text): the text is the event's kind at the server. */
#define PREBOOT_EVENT_LIST(X)                                          \
	X(PREBOOT_UNLOCKED, 1, "preboot-unlocked")                     \
	X(PREBOOT_WRONG_PASSWORD, 2, "preboot-wrong-password")         \
	X(PREBOOT_WRONG_CODE, 3, "preboot-wrong-code")                 \
	X(PREBOOT_CODE_USED, 4, "preboot-code-used")                   \
	X(PREBOOT_COPY_DAMAGED, 5, "preboot-store-copy-damaged")       \
	X(PREBOOT_GENERATION_MISSING, 6, "preboot-generation-missing") \
	X(PREBOOT_ROLLBACK_SEEN, 7, "preboot-rollback-seen")           \
	X(PREBOOT_TARGET_REFUSED, 8, "preboot-target-refused")         \
	X(PREBOOT_LOCKED, 9, "preboot-locked")                         \
	X(PREBOOT_PASSWORD_CHANGED, 10, "preboot-password-changed")    \
	X(PREBOOT_TAMPERED, 11, "preboot-tampered")                    \
	X(PREBOOT_CLOCK_DOUBTED, 12, "preboot-clock-doubted")          \
	X(PREBOOT_CONTACT_OVERDUE, 13, "preboot-contact-overdue")      \
	X(PREBOOT_COUNT_NOT_KEPT, 14, "preboot-count-not-kept")        \
	X(PREBOOT_TPM_CHANGED, 15, "preboot-tpm-changed")              \
	X(PREBOOT_TPM_LOCKED_OUT, 16, "preboot-tpm-locked-out")        \
	X(PREBOOT_TPM_GONE, 17, "preboot-tpm-gone")                    \
	X(PREBOOT_TPM_FAILED, 18, "preboot-tpm-failed")                \
	X(PREBOOT_NOT_CAPPED, 19, "preboot-not-capped")                \
	X(PREBOOT_MEMORY_SHORT, 20, "preboot-memory-short")            \
	X(PREBOOT_LOADER_FALLBACK, 21, "preboot-loader-fallback")      \
	X(PREBOOT_WRONG_SELF_HELP, 22, "preboot-wrong-self-help")       \
	X(PREBOOT_PROCESSORS_HUNG, 23, "preboot-processors-hung")

enum preboot_event {
#define X(name, number, text) name = number,
	PREBOOT_EVENT_LIST(X)
#undef X
};
/* NULL for a number that is not in the list. */
const char *preboot_event_text(uint16_t kind);

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct handoff_head {
#include "handoff_v1.inc"
};
struct handoff_event {
#include "handoff_event_v1.inc"
};
#undef FIELD

/* Holds the unlock key: declare with HANDOFF, or drop. */
struct handoff {
	struct handoff_head head;
	struct handoff_event events[HANDOFF_EVENTS_MAX];
	struct manifest manifest;
};
void handoff_drop(struct handoff *h);
#define HANDOFF __attribute__((cleanup(handoff_drop))) struct handoff

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_RANGE. */
MUST_CHECK enum err handoff_decode(struct handoff *ret, const uint8_t *bytes, size_t len);
/* Into ret[HANDOFF_BYTES_MAX]; sets counts and total_bytes itself from head.event_count and manifest.
 * Errors: ERR_RANGE. */
MUST_CHECK enum err handoff_encode(uint8_t *ret, size_t *ret_len, const struct handoff *h);

/* Zero the keys and set HANDOFF_NO_KEYS. */
void handoff_strip(struct handoff *h);

#endif
