/* Event log: what the firmware and whatever it started have measured into the TPM's PCRs, event by event.
 * Linux passes it on as /sys/kernel/security/tpm0/binary_bios_measurements; the agent reads it to say *why*
 * PCR 7 is another one. Format: TCG PC Client Platform Firmware Profile, 1.05, chapter 10: a TCG_PCR_EVENT
 * with the "Spec ID Event03", then TCG_PCR_EVENT2s. Little-endian, hostile until checked.
 *
 * The log is a claim: believe it only as far as eventlog_pcr gives what the TPM says. Names inside of it are
 * a claim even then. */
#ifndef HOLDFAST_EVENTLOG_HOST_H
#define HOLDFAST_EVENTLOG_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "cursor.h"

#define EVENTLOG_BYTES_MAX ((size_t)1 << 20)
#define EVENTLOG_DIGEST_BYTES 32 /* SHA-256 */
#define EVENTLOG_PCRS 16         /* those that firmware starts from zeros */
#define EVENTLOG_BANKS_MAX 8
#define EVENTLOG_NAME_MAX 64     /* with the NUL at its end */
#define EVENTLOG_TEXT_MAX 512    /* the same */

/* Types of events that are told apart here. */
#define EVENTLOG_NO_ACTION 0x00000003
#define EVENTLOG_SEPARATOR 0x00000004
#define EVENTLOG_VARIABLE 0x80000001           /* a variable of Secure Boot's: SecureBoot, PK, KEK, db, dbx */
#define EVENTLOG_ACTION 0x80000007             /* a text */
#define EVENTLOG_VARIABLE_AUTHORITY 0x800000e0 /* the entry that vouched for something started */

struct eventlog_event {
	uint32_t pcr, type;
	uint8_t digest[EVENTLOG_DIGEST_BYTES]; /* what the PCR was extended by; zeros in EVENTLOG_NO_ACTION */
	const uint8_t *data;                   /* borrowed from the log */
	uint32_t len;
};

/* A log that is being read. */
struct eventlog {
	struct cursor rest;
	uint32_t bank_count;
	struct {
		uint16_t algorithm, bytes;
	} banks[EVENTLOG_BANKS_MAX];
};

/* The first event says which banks of PCRs the others have digests for.
 * Errors: ERR_FORMAT, ERR_RANGE (over EVENTLOG_BYTES_MAX), ERR_UNSUPPORTED (no SHA-256). */
MUST_CHECK enum err eventlog_begin(struct eventlog *ret, const uint8_t *bytes, size_t len);
/* The next one. Errors: ERR_NOT_FOUND (that was the last one), ERR_FORMAT. */
MUST_CHECK enum err eventlog_next(struct eventlog_event *ret, struct eventlog *l);

/* Replay: what the log says that a PCR below EVENTLOG_PCRS is. Errors: as both. */
MUST_CHECK enum err eventlog_pcr(uint8_t ret[static EVENTLOG_DIGEST_BYTES], const uint8_t *bytes,
				 size_t len, unsigned pcr);

/* What an event is about, in printable ASCII: a variable's name ("db"), "signer in db", an action's text,
 * "separator", else "event 0x…". */
void eventlog_name(char ret[static EVENTLOG_NAME_MAX], const struct eventlog_event *e);

/* How a PCR came to differ between two logs, for people: "db changed, dbx changed, signer in db added". ""
 * where it does not. What does not fit any more is "…". Errors: as eventlog_begin, of either log. */
MUST_CHECK enum err eventlog_changes(char ret[static EVENTLOG_TEXT_MAX], const uint8_t *before,
				     size_t before_len, const uint8_t *after, size_t after_len,
				     unsigned pcr);

#endif
