/* The TPM's wire: numbers of the specification, big-endian fields, the header of commands and answers,
 * and what the response codes mean for us. TPM 2.0 Library, Part 2 (structures), Part 1, 18 (framing). */
#ifndef HOLDFAST_TPM_WIRE_H
#define HOLDFAST_TPM_WIRE_H

#include "cursor.h"

enum tpm_tag { TPM_PLAIN = 0x8001, TPM_WITH_SESSIONS = 0x8002 };

enum tpm_code {
	TPM_CREATE_PRIMARY = 0x131,
	TPM_SHUTDOWN = 0x145,
	TPM_OBJECT_CHANGE_AUTH = 0x150,
	TPM_LOAD = 0x157,
	TPM_UNSEAL = 0x15e,
	TPM_FLUSH_CONTEXT = 0x165,
	TPM_POLICY_AUTH_VALUE = 0x16b,
	TPM_READ_PUBLIC = 0x173,
	TPM_START_AUTH_SESSION = 0x176,
	TPM_GET_CAPABILITY = 0x17a,
	TPM_PCR_READ = 0x17e,
	TPM_POLICY_PCR = 0x17f,
	TPM_PCR_EXTEND = 0x182,
};

enum tpm_handle {
	TPM_OWNER = 0x40000001,
	TPM_NO_HANDLE = 0x40000007,
	TPM_PASSWORD_SESSION = 0x40000009,
};
/* The most significant byte of a handle. */
enum tpm_handle_type {
	TPM_HMAC_SESSION_TYPE = 0x02,
	TPM_POLICY_SESSION_TYPE = 0x03,
	TPM_TRANSIENT_TYPE = 0x80,
	/* In lists of handles. */
	TPM_LOADED_SESSION_TYPE = 0x02,
	TPM_SAVED_SESSION_TYPE = 0x03,
};

enum tpm_algorithm {
	TPM_AES = 0x0006,
	TPM_SHA256 = 0x000b,
	TPM_NULL = 0x0010,
	TPM_ECC = 0x0023,
	TPM_CFB = 0x0043,
};

/* Response codes, without the number of parameter, handle or session in those of format one. */
enum tpm_rc {
	TPM_RC_FORMAT_ONE = 0x080,
	TPM_RC_HIERARCHY = 0x085,
	TPM_RC_HANDLE = 0x08b,
	TPM_RC_AUTH_FAIL = 0x08e,
	TPM_RC_POLICY_FAIL = 0x09d,
	TPM_RC_INTEGRITY = 0x09f,
	TPM_RC_BAD_AUTH = 0x0a2,
	TPM_RC_BINDING = 0x0a5,
	TPM_RC_PCR_CHANGED = 0x128,
	TPM_RC_OBJECT_MEMORY = 0x902,
	TPM_RC_SESSION_MEMORY = 0x903,
	TPM_RC_MEMORY = 0x904,
	TPM_RC_SESSION_HANDLES = 0x905,
	TPM_RC_OBJECT_HANDLES = 0x906,
	TPM_RC_YIELDED = 0x908,
	TPM_RC_TESTING = 0x90a,
	TPM_RC_NV_RATE = 0x920,
	TPM_RC_LOCKOUT = 0x921,
	TPM_RC_RETRY = 0x922,
	TPM_RC_NV_UNAVAILABLE = 0x923,
};
/* Without the number. */
uint32_t tpm_rc_base(uint32_t rc);
/* Is the same command worth sending again? */
int tpm_rc_again(uint32_t rc);
/* Is there no room left for one more object or session? */
int tpm_rc_full(uint32_t rc);
/* OK for 0; ERR_AUTH, ERR_LOCKED_OUT, ERR_CHANGED, ERR_MISDIRECTED, ERR_BUSY; else ERR_IO. */
enum err tpm_rc_err(uint32_t rc);

/* Big-endian fields; errors stick as in cursor.h. */
uint16_t tpm_read_u16(struct cursor *c);
uint32_t tpm_read_u32(struct cursor *c);
/* A TPM2B of at most max bytes: borrowed, *ret_len of them; NULL once the error is set. */
const uint8_t *tpm_read_2b(struct cursor *c, size_t *ret_len, size_t max);
void tpm_write_u16(struct writer *w, uint16_t v);
void tpm_write_u32(struct writer *w, uint32_t v);
void tpm_write_2b(struct writer *w, const void *bytes, size_t len);
/* TPML_PCR_SELECTION of the SHA-256 bank: the PCRs (0 to 23) whose bits are set. */
void tpm_write_pcrs(struct writer *w, uint32_t mask);

#define TPM_HEADER_BYTES 10
void tpm_write_header(struct writer *w, enum tpm_tag tag, uint32_t size, uint32_t code);
/* The header of an answer of len bytes; *c is left behind it. Tag and size must be those of an answer
 * to a command with `tag`. Errors: ERR_FORMAT. */
MUST_CHECK enum err tpm_read_header(uint32_t *ret_rc, struct cursor *c, enum tpm_tag tag, size_t len);

#endif
