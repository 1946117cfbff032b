#include "image.h"

#include <string.h>

#include "files.h"
#include "firmware.h"

#define SIZE_MAX_BYTES ((uint32_t)1 << 30)
#define HEADER_BYTES 0x108 /* up to and with the directory of relocations, from "PE" on */
#define SECTION_BYTES 40
#define MACHINE_X64 0x8664
#define PE32_PLUS 0x20b

struct memory_attributes {
	void *get, *set;
	EFI_STATUS (EFIAPI *clear)(struct memory_attributes *self, EFI_PHYSICAL_ADDRESS at, UINT64 len,
				   UINT64 attributes);
};

static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID attributes_guid = { 0xf4560cf6, 0x40ec, 0x4b4a,
					  { 0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89 } };

/* Of the file. */
struct pe {
	const uint8_t *bytes;
	size_t len;
	size_t sections; /* where their headers begin */
	uint32_t count, size, headers, entry, reloc, reloc_len;
};

static EFI_LOADED_IMAGE loaded;
static EFI_HANDLE handle;
static EFI_STATUS (EFIAPI *enter)(EFI_HANDLE, EFI_SYSTEM_TABLE *);

/* The kernel's way back: its stub ends what fails by Exit, which refuses a handle that is none of the
 * firmware's. */
static struct {
	void *frame[5]; /* __builtin_setjmp's */
	EFI_STATUS status;
	EFI_EXIT others;
} back;

static uint32_t load16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t load32(const uint8_t *p)
{
	return load16(p) | load16(p + 2) << 16;
}

static int is_within(uint64_t at, uint64_t len, uint64_t whole)
{
	return at <= whole && len <= whole - at;
}

static enum err read_headers(struct pe *ret, const uint8_t *bytes, size_t len)
{
	struct pe p = { .bytes = bytes, .len = len };
	const uint8_t *pe;
	uint32_t at;

	if (len < 64 || memcmp(bytes, "MZ", 2) != 0)
		return ERR_FORMAT;
	at = load32(bytes + 0x3c);
	if (!is_within(at, HEADER_BYTES, len))
		return ERR_FORMAT;
	pe = bytes + at;
	if (memcmp(pe, "PE\0\0", 4) != 0 || load16(pe + 4) != MACHINE_X64 || load16(pe + 24) != PE32_PLUS)
		return ERR_FORMAT;
	p.count = load16(pe + 6);
	p.sections = at + 24 + load16(pe + 20);
	p.entry = load32(pe + 40);
	p.size = load32(pe + 80);
	p.headers = load32(pe + 84);
	if (load32(pe + 132) > 5) {
		p.reloc = load32(pe + 176);
		p.reloc_len = load32(pe + 180);
	}
	if (p.size > SIZE_MAX_BYTES || p.headers > p.size || p.headers > len || p.entry >= p.size ||
	    !is_within(p.sections, (uint64_t)p.count * SECTION_BYTES, len) ||
	    !is_within(p.reloc, p.reloc_len, p.size))
		return ERR_FORMAT;
	*ret = p;
	return OK;
}

/* to: zeros. */
static enum err copy(uint8_t *to, const struct pe *p)
{
	memcpy(to, p->bytes, p->headers);
	for (uint32_t i = 0; i < p->count; i++) {
		const uint8_t *header = p->bytes + p->sections + i * SECTION_BYTES;
		uint32_t room = load32(header + 8), at = load32(header + 12);
		uint32_t len = load32(header + 16), from = load32(header + 20);

		if (len > room)
			len = room;
		if (!is_within(at, room, p->size) || !is_within(from, len, p->len))
			return ERR_FORMAT;
		memcpy(to + at, p->bytes + from, len);
	}
	return OK;
}

/* Kernels move themselves; their table says that there is nothing to do. */
static enum err check_relocations(const uint8_t *image, const struct pe *p)
{
	uint32_t at = 0;

	while (p->reloc_len - at >= 8) {
		const uint8_t *block = image + p->reloc + at;
		uint32_t len = load32(block + 4);

		if (!len)
			return OK;
		if (len < 8 || len % 2 || len > p->reloc_len - at)
			return ERR_FORMAT;
		for (uint32_t i = 8; i < len; i += 2)
			if (load16(block + i) >> 12)
				return ERR_UNSUPPORTED;
		at += len;
	}
	return OK;
}

/* Strict firmware gives no memory that may be executed. The kernel protects itself afterwards. */
static void allow_execution(EFI_PHYSICAL_ADDRESS at, uint64_t len)
{
	EFI_GUID guid = attributes_guid;
	void *found = NULL;
	struct memory_attributes *a;

	if (EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, &found)))
		return;
	a = found;
	a->clear(a, at, len, EFI_MEMORY_XP);
}

static enum err announce(uint8_t *image, const struct pe *p, EFI_DEVICE_PATH *path)
{
	EFI_HANDLE fresh = NULL;
	EFI_STATUS s;

	loaded = (EFI_LOADED_IMAGE){ .Revision = EFI_IMAGE_INFORMATION_REVISION,
				     .ParentHandle = firmware_image,
				     .SystemTable = firmware,
				     .DeviceHandle = files_device(),
				     .FilePath = path,
				     .ImageBase = image,
				     .ImageSize = p->size,
				     .ImageCodeType = EfiLoaderCode,
				     .ImageDataType = EfiLoaderData };
	s = BOOT->InstallMultipleProtocolInterfaces(&fresh, &image_guid, &loaded, NULL);
	if (EFI_ERROR(s))
		return firmware_err(s);
	handle = fresh;
	return OK;
}

enum err image_load(EFI_HANDLE *ret, EFI_DEVICE_PATH *path, const uint8_t *bytes, size_t len)
{
	EFI_PHYSICAL_ADDRESS at;
	uint8_t *image;
	UINTN pages;
	struct pe p;
	enum err e = read_headers(&p, bytes, len);

	if (e)
		return e;
	pages = ((UINTN)p.size + 4095) / 4096;
	if (EFI_ERROR(BOOT->AllocatePages(AllocateAnyPages, EfiLoaderCode, pages, &at)))
		return ERR_MEMORY;
	image = (uint8_t *)(uintptr_t)at;
	memset(image, 0, pages * 4096);
	e = copy(image, &p);
	if (!e)
		e = check_relocations(image, &p);
	if (!e)
		e = announce(image, &p, path);
	if (e) {
		BOOT->FreePages(at, pages);
		return e;
	}
	allow_execution(at, pages * 4096);
	/* An address becomes a function. */
	memcpy(&enter, &(uint8_t *){ image + p.entry }, sizeof(enter));
	*ret = handle;
	return OK;
}

int image_is_ours(EFI_HANDLE image)
{
	return image && image == handle;
}

/* Registers that only the firmware's calling convention keeps (xmm6 to 15, rsi, rdi) are kept by efi_main; the
 * others, by whoever has __builtin_setjmp in it. */
static EFI_STATUS EFIAPI leave(EFI_HANDLE image, EFI_STATUS status, UINTN len, CHAR16 *data)
{
	if (image != handle)
		return back.others(image, status, len, data);
	firmware_free(data);
	back.status = status;
	__builtin_longjmp(back.frame, 1);
}

static void exit_put(EFI_EXIT function)
{
	EFI_TABLE_HEADER *h = &BOOT->Hdr;
	UINT32 crc = 0;

	BOOT->Exit = function;
	h->CRC32 = 0;
	if (!EFI_ERROR(BOOT->CalculateCrc32(h, h->HeaderSize, &crc)))
		h->CRC32 = crc;
}

static __attribute__((noinline)) EFI_STATUS run(void)
{
	if (!__builtin_setjmp(back.frame))
		back.status = enter(handle, firmware);
	return back.status;
}

EFI_STATUS image_start(void)
{
	EFI_STATUS s;

	back.others = BOOT->Exit;
	exit_put(leave);
	s = run();
	exit_put(back.others);
	return s;
}
