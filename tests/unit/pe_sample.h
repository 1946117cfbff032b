/* The smallest file that passes for holdfast.efi: headers, .text, .sbat, perhaps a signature. */
#ifndef HOLDFAST_PE_SAMPLE_H
#define HOLDFAST_PE_SAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PE_BYTES_MAX 2048
#define PE_AT 64
#define PE_OPTIONAL (PE_AT + 24)
#define PE_SECTIONS (PE_OPTIONAL + 240)
#define PE_SBAT_AT 1024
#define PE_CERTIFICATE_AT 1536

static inline void pe_put(uint8_t *at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline void pe_section(uint8_t *at, const char *name, uint32_t begin, uint32_t size)
{
	memcpy(at, name, strlen(name));
	pe_put(at + 8, size, 4);
	pe_put(at + 12, begin, 4);
	pe_put(at + 16, size, 4);
	pe_put(at + 20, begin, 4);
}

/* sbat: NULL for a usual one with this version. Returns its length. */
static inline size_t pe_make(uint8_t ret[PE_BYTES_MAX], const char *version, int is_signed, const char *sbat)
{
	char text[256];
	size_t len = is_signed ? PE_CERTIFICATE_AT + 32 : PE_CERTIFICATE_AT;

	snprintf(text, sizeof(text), "sbat,1,SBAT Version,sbat,1,https://example.org\nholdfast,1,Holdfast,holdfast,%s,x\n",
		 version);
	if (!sbat)
		sbat = text;
	memset(ret, 0, PE_BYTES_MAX);
	memcpy(ret, "MZ", 2);
	pe_put(ret + 60, PE_AT, 4);
	memcpy(ret + PE_AT, "PE\0\0", 4);
	pe_put(ret + PE_AT + 4, 0x8664, 2);
	pe_put(ret + PE_AT + 6, 2, 2);
	pe_put(ret + PE_AT + 20, 240, 2);
	pe_put(ret + PE_OPTIONAL, 0x20b, 2);
	pe_put(ret + PE_OPTIONAL + 68, 10, 2);
	pe_put(ret + PE_OPTIONAL + 108, 16, 4);
	pe_section(ret + PE_SECTIONS, ".text", 512, 512);
	pe_section(ret + PE_SECTIONS + 40, ".sbat", PE_SBAT_AT, (uint32_t)strlen(sbat));
	memset(ret + 512, 0x90, 512);
	memcpy(ret + PE_SBAT_AT, sbat, strlen(sbat));
	if (is_signed) {
		pe_put(ret + PE_OPTIONAL + 112 + 32, PE_CERTIFICATE_AT, 4);
		pe_put(ret + PE_OPTIONAL + 112 + 36, 32, 4);
		pe_put(ret + PE_CERTIFICATE_AT, 32, 4);
		pe_put(ret + PE_CERTIFICATE_AT + 4, 0x200, 2);
		pe_put(ret + PE_CERTIFICATE_AT + 6, 2, 2);
	}
	return len;
}

#endif
