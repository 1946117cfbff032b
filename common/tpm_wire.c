#include "tpm_wire.h"

uint32_t tpm_rc_base(uint32_t rc)
{
	/* Format one: bits 6 and 8 to 11 tell which parameter, handle or session. */
	return rc & TPM_RC_FORMAT_ONE ? rc & 0x0bf : rc;
}

int tpm_rc_again(uint32_t rc)
{
	return rc == TPM_RC_RETRY || rc == TPM_RC_YIELDED || rc == TPM_RC_TESTING || rc == TPM_RC_NV_RATE ||
	       rc == TPM_RC_NV_UNAVAILABLE;
}

int tpm_rc_full(uint32_t rc)
{
	return rc == TPM_RC_OBJECT_MEMORY || rc == TPM_RC_SESSION_MEMORY || rc == TPM_RC_MEMORY ||
	       rc == TPM_RC_SESSION_HANDLES || rc == TPM_RC_OBJECT_HANDLES;
}

enum err tpm_rc_err(uint32_t rc)
{
	if (tpm_rc_again(rc) || tpm_rc_full(rc))
		return ERR_BUSY;
	switch (tpm_rc_base(rc)) {
	case 0:
		return OK;
	case TPM_RC_AUTH_FAIL:
	case TPM_RC_BAD_AUTH:
		return ERR_AUTH;
	case TPM_RC_LOCKOUT:
		return ERR_LOCKED_OUT;
	case TPM_RC_POLICY_FAIL:
	case TPM_RC_PCR_CHANGED:
		return ERR_CHANGED;
	case TPM_RC_HANDLE:
	case TPM_RC_INTEGRITY:
	case TPM_RC_BINDING:
		return ERR_MISDIRECTED;
	default:
		return ERR_IO;
	}
}

uint16_t tpm_read_u16(struct cursor *c)
{
	uint16_t high = cursor_u8(c);

	return (uint16_t)(high << 8 | cursor_u8(c));
}

uint32_t tpm_read_u32(struct cursor *c)
{
	uint32_t high = tpm_read_u16(c);

	return high << 16 | tpm_read_u16(c);
}

const uint8_t *tpm_read_2b(struct cursor *c, size_t *ret_len, size_t max)
{
	size_t len = tpm_read_u16(c);
	const uint8_t *at;

	if (len > max)
		c->e = ERR_FORMAT;
	at = cursor_take(c, len);
	*ret_len = at ? len : 0;
	return at;
}

void tpm_write_u16(struct writer *w, uint16_t v)
{
	writer_u8(w, (uint8_t)(v >> 8));
	writer_u8(w, (uint8_t)v);
}

void tpm_write_u32(struct writer *w, uint32_t v)
{
	tpm_write_u16(w, (uint16_t)(v >> 16));
	tpm_write_u16(w, (uint16_t)v);
}

void tpm_write_2b(struct writer *w, const void *bytes, size_t len)
{
	if (len > UINT16_MAX)
		w->e = ERR_SPACE;
	tpm_write_u16(w, (uint16_t)len);
	writer_bytes(w, bytes, len);
}

void tpm_write_pcrs(struct writer *w, uint32_t mask)
{
	tpm_write_u32(w, 1);
	tpm_write_u16(w, TPM_SHA256);
	writer_u8(w, 3);
	for (int i = 0; i < 3; i++)
		writer_u8(w, (uint8_t)(mask >> (8 * i)));
}

void tpm_write_header(struct writer *w, enum tpm_tag tag, uint32_t size, uint32_t code)
{
	tpm_write_u16(w, (uint16_t)tag);
	tpm_write_u32(w, size);
	tpm_write_u32(w, code);
}

enum err tpm_read_header(uint32_t *ret_rc, struct cursor *c, enum tpm_tag tag, size_t len)
{
	uint16_t got = tpm_read_u16(c);
	uint32_t size = tpm_read_u32(c), rc = tpm_read_u32(c);

	/* A refusal has no sessions, and is nothing but the header. */
	if (c->e || size != len || got != (rc ? TPM_PLAIN : tag) || (rc && c->left))
		return ERR_FORMAT;
	*ret_rc = rc;
	return OK;
}
