/* Self-test report: what a laptop's hardware and firmware can do for Holdfast. preboot/selftest.c makes it
 * and writes \EFI\holdfast\selftest.report, holdfast-activate shows it, holdfast-volumed sends it once.
 * Whoever writes to the EFI system partition could have written it: it is bounded, and tells no secrets.
 * Tables: selftest_v1.inc, selftest_test_v1.inc; docs/self-test.md. */
#ifndef HOLDFAST_SELFTEST_H
#define HOLDFAST_SELFTEST_H

#include "format.h"

#define SELFTEST_TESTS_MAX 32
#define SELFTEST_BYTES_MAX (184 + SELFTEST_TESTS_MAX * 12)
#define SELFTEST_TEXT_MAX 96

/* X(name, number, key, words, format of the figures): key is for programs, words are for people. The format
 * is selftest_text's: "1" and "2" stand for the figures, anything else for itself. */
#define SELFTEST_LIST(X)                                                                            \
	X(SELFTEST_MEMORY, 1, "memory", "Memory", "1 MiB free at most in one piece, 2 MiB in all")  \
	X(SELFTEST_KDF, 2, "kdf", "Argon2id", "1 ms, processors: 2")                                \
	X(SELFTEST_VARIABLES, 3, "variables", "Firmware variables", "free: 1 KiB")                  \
	X(SELFTEST_RUNTIME_VARIABLES, 4, "run-time-variables", "Run-time variables", "")            \
	X(SELFTEST_DISK, 5, "disk", "EFI system partition", "1 ms, free: 2 MiB")                    \
	X(SELFTEST_TPM, 6, "tpm", "TPM 2.0", "")                                                    \
	X(SELFTEST_TPM_PCR7, 7, "tpm-pcr7", "TPM: PCR 7, SHA-256", "")                              \
	X(SELFTEST_TPM_PCR11, 8, "tpm-pcr11", "TPM: PCR 11 is zero", "")                            \
	X(SELFTEST_TPM_RANDOM, 9, "tpm-random", "TPM: random bytes", "")                            \
	X(SELFTEST_CLOCK, 10, "clock", "Clock", "")                                                 \
	X(SELFTEST_SECURE_BOOT, 11, "secure-boot", "Secure Boot", "")                               \
	X(SELFTEST_SCREEN, 12, "screen", "Screen", "1 x 2 pixels")                                  \
	X(SELFTEST_MODES, 13, "screen-modes", "Screen modes", "1")                                  \
	X(SELFTEST_EDID, 14, "edid", "Monitor's own size", "1 x 2 pixels")                          \
	X(SELFTEST_READABLE, 15, "readable", "Text is readable", "")                                \
	X(SELFTEST_KEYBOARD, 16, "keyboard", "Keyboard", "keys that came: 1 of 2")

enum selftest_kind {
#define X(name, number, key, words, figures) name = number,
	SELFTEST_LIST(X)
#undef X
};

enum selftest_result {
	SELFTEST_NOT_TESTED, /* nobody there, skipped, or nothing of the kind in this laptop */
	SELFTEST_OK,
	SELFTEST_FAILED,
	SELFTEST_RESULT_COUNT
};

/* X(name, number, text): why it is not "ok". The numbers are stored, so an enum err would not do. */
#define SELFTEST_CAUSES(X)                                              \
	X(SELFTEST_NO_CAUSE, 0, "")                                     \
	X(SELFTEST_ABSENT, 1, "there is none")                          \
	X(SELFTEST_SKIPPED, 2, "skipped")                               \
	X(SELFTEST_NOBODY, 3, "nobody was there")                       \
	X(SELFTEST_REFUSED, 4, "the firmware refuses it")               \
	X(SELFTEST_WRONG, 5, "the result is wrong")                     \
	X(SELFTEST_NO_ROOM, 6, "not enough room")                       \
	X(SELFTEST_TOO_LITTLE, 7, "less than is needed")                \
	X(SELFTEST_UNREADABLE, 8, "reading or writing failed")          \
	X(SELFTEST_SAID_NO, 9, "the person said no")
enum selftest_cause {
#define X(name, number, text) name = number,
	SELFTEST_CAUSES(X)
#undef X
	SELFTEST_CAUSE_COUNT
};

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct selftest_head {
#include "selftest_v1.inc"
};
struct selftest_test {
#include "selftest_test_v1.inc"
};
#undef FIELD

struct selftest {
	struct selftest_head head;
	struct selftest_test tests[SELFTEST_TESTS_MAX];
};

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_RANGE, ERR_CHECKSUM. */
MUST_CHECK enum err selftest_decode(struct selftest *ret, const uint8_t *bytes, size_t len);
/* Into ret[SELFTEST_BYTES_MAX]; sets magic, version, size and digest itself. Errors: ERR_RANGE, ERR_FORMAT. */
MUST_CHECK enum err selftest_encode(uint8_t *ret, size_t *ret_len, const struct selftest *s);

/* Add a test, or give it another result. One too many is dropped. */
void selftest_set(struct selftest *s, const struct selftest_test *t);

/* Key and words of a kind; NULL: not known. */
const char *selftest_key(uint16_t kind);
const char *selftest_words(uint16_t kind);

/* "ok, 1024 x 768 pixels" and the like, into ret[SELFTEST_TEXT_MAX]. */
void selftest_text(char ret[static SELFTEST_TEXT_MAX], const struct selftest_test *t);

/* Worst first: SELFTEST_FAILED if one failed, SELFTEST_NOT_TESTED if one was not tested, SELFTEST_OK. */
enum selftest_result selftest_total(const struct selftest *s);
/* The same in words, a static string: what it means for this laptop. */
const char *selftest_verdict(const struct selftest *s);

#endif
