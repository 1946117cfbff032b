/* Last step of holdfast.efi: what objcopy cannot write into a PE file, and what firmware and shim are
 * particular about.
 *   efi_finish FILE.efi
 * Sets NX_COMPAT (no page is both written and executed, which is checked here), and the checksum.
 * Source: PE/COFF, "Optional Header" and "Section Table"; shim, "NX". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (8u << 20)
#define PAGE 4096u
#define NX_COMPAT 0x0100u
#define SECTION_HEADER 40u
#define SECTION_EXECUTE 0x20000000u
#define SECTION_WRITE 0x80000000u

static const char *path;
static uint8_t bytes[BYTES_MAX];
static size_t len;

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "efi_finish: %s: %s\n", path, why);
	exit(1);
}

static uint32_t load(size_t at, size_t n)
{
	uint32_t value = 0;

	if (at > len || n > len - at)
		give_up("shorter than its headers say");
	for (size_t i = 0; i < n; i++)
		value |= (uint32_t)bytes[at + i] << (8 * i);
	return value;
}

static void store(size_t at, size_t n, uint32_t value)
{
	load(at, n);
	for (size_t i = 0; i < n; i++)
		bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static void check_sections(size_t pe)
{
	size_t count = load(pe + 6, 2), first = pe + 24 + load(pe + 20, 2);
	int sbat = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = first + i * SECTION_HEADER;
		uint32_t flags = load(at + 36, 4);

		if ((flags & SECTION_WRITE) && (flags & SECTION_EXECUTE))
			give_up("a section is both written and executed");
		if (load(at + 12, 4) % PAGE || !load(at + 8, 4))
			give_up("a section is empty, or does not begin with a page");
		sbat |= !memcmp(bytes + at, ".sbat\0\0", 8);
	}
	if (!sbat)
		give_up("it has no .sbat section");
}

/* Sum of 16-bit words with the carry added back, and the length. */
static uint32_t checksum(void)
{
	uint32_t sum = 0;

	for (size_t at = 0; at < len; at += 2) {
		sum += load(at, at + 1 < len ? 2 : 1);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum + (uint32_t)len;
}

static void finish(void)
{
	size_t pe = load(0x3c, 4);

	if (load(pe, 4) != 0x4550 || load(pe + 24, 2) != 0x20b)
		give_up("no 64-bit PE file");
	if (load(pe + 24 + 32, 4) != PAGE)
		give_up("its sections are not aligned to pages");
	check_sections(pe);
	store(pe + 24 + 70, 2, load(pe + 24 + 70, 2) | NX_COMPAT);
	store(pe + 24 + 64, 4, 0);
	store(pe + 24 + 64, 4, checksum());
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc != 2) {
		fputs("usage: efi_finish FILE.efi\n", stderr);
		return 2;
	}
	path = argv[1];
	f = fopen(path, "r+b");
	if (!f)
		give_up("cannot be opened");
	len = fread(bytes, 1, sizeof(bytes), f);
	if (len == sizeof(bytes))
		give_up("too large");
	finish();
	rewind(f);
	if (fwrite(bytes, 1, len, f) != len || fclose(f))
		give_up("cannot be written");
	return 0;
}
