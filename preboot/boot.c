#include "boot.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "events.h"
#include "files.h"
#include "firmware.h"
#include "image.h"
#include "phrase.h"
#include "ui.h"
#include "vouch.h"

#define SLICE ((size_t)256 << 10)
#define CMDLINE_MAX 4096

struct part {
	uint8_t *bytes; /* pages of the firmware's, not of the heap: nothing secret, and large */
	size_t len, done;
	EFI_FILE_HANDLE file;
	crypto_generichash_state hash;
	struct digest digest;
	enum err e;
};

static const struct {
	const char *file, *noun;
	size_t max;
} kinds[BOOT_PARTS] = {
	[BOOT_KERNEL] = { "vmlinuz", "kernel", (size_t)128 << 20 },
	[BOOT_INITRD] = { "initrd.img", "initrd", (size_t)1 << 30 },
	[BOOT_CMDLINE] = { "cmdline", "command line", CMDLINE_MAX },
};

static struct part parts[BOOT_PARTS];
static struct manifest_target loading; /* name only, until boot_select has compared */
static unsigned next_part = BOOT_PARTS;

static EFI_HANDLE kernel_image;
static int overruled; /* firmware refused it */

static UINTN pages_of(size_t len)
{
	return (len + 4095) / 4096;
}

static void part_close(struct part *p)
{
	if (p->file)
		p->file->Close(p->file);
	p->file = NULL;
}

void boot_forget(void)
{
	for (int i = 0; i < BOOT_PARTS; i++) {
		part_close(&parts[i]);
		if (parts[i].bytes)
			BOOT->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)parts[i].bytes,
					pages_of(parts[i].len));
	}
	memset(parts, 0, sizeof(parts));
	memset(&loading, 0, sizeof(loading));
	next_part = BOOT_PARTS;
}

void boot_load(const struct manifest_target *t)
{
	boot_forget();
	loading = *t;
	next_part = 0;
}

static void part_path(char ret[FILES_PATH_MAX], const char *target, enum boot_part part)
{
	phrase_format(ret, FILES_PATH_MAX, FILES_HOME "boot\\%s\\%s", target, kinds[part].file);
}

static enum err part_open(struct part *p, const char *target, enum boot_part part)
{
	char path[FILES_PATH_MAX];
	EFI_PHYSICAL_ADDRESS at;
	uint64_t size;
	enum err e;

	part_path(path, target, part);
	e = files_open(&p->file, &size, path);
	if (e)
		return e;
	if (!size || size > kinds[part].max)
		return ERR_RANGE;
	if (EFI_ERROR(BOOT->AllocatePages(AllocateAnyPages, EfiLoaderData, pages_of(size), &at)))
		return ERR_MEMORY;
	p->bytes = (uint8_t *)(uintptr_t)at;
	p->len = size;
	crypto_generichash_init(&p->hash, NULL, 0, DIGEST_BYTES);
	return OK;
}

static enum err part_slice(struct part *p)
{
	UINTN n = p->len - p->done < SLICE ? p->len - p->done : SLICE;
	EFI_STATUS s = p->file->Read(p->file, &n, p->bytes + p->done);

	if (EFI_ERROR(s))
		return firmware_err(s);
	if (!n)
		return ERR_IO;
	crypto_generichash_update(&p->hash, p->bytes + p->done, n);
	p->done += n;
	return OK;
}

int boot_load_slice(void)
{
	struct part *p;

	if (next_part >= BOOT_PARTS)
		return 0;
	p = &parts[next_part];
	p->e = p->file ? part_slice(p) : part_open(p, (const char *)loading.name, next_part);
	if (!p->e && p->done < p->len)
		return 1;
	if (!p->e)
		crypto_generichash_final(&p->hash, p->digest.bytes, sizeof(p->digest.bytes));
	part_close(p);
	next_part++;
	return next_part < BOOT_PARTS;
}

/* Which part does not match; BOOT_PARTS when all do. */
static enum boot_part wrong_part(const struct manifest_target *t)
{
	const uint8_t *want[BOOT_PARTS] = { t->kernel, t->initrd, t->cmdline };

	for (int i = 0; i < BOOT_PARTS; i++)
		if (parts[i].e || memcmp(parts[i].digest.bytes, want[i], DIGEST_BYTES) != 0)
			return (enum boot_part)i;
	return BOOT_PARTS;
}

static void refuse(const struct manifest_target *t, unsigned index, enum boot_part part)
{
	enum err e = parts[part].e;

	events_add(PREBOOT_TARGET_REFUSED, (uint16_t)index);
	if (!e)
		ui_tell(MESSAGE_TARGET_CHANGED, kinds[part].noun, (const char *)t->name);
	else if (e == ERR_NOT_FOUND)
		ui_tell(MESSAGE_TARGET_MISSING, kinds[part].noun, (const char *)t->name);
	else
		ui_tell(MESSAGE_TARGET_UNREADABLE, kinds[part].noun, (const char *)t->name, err_text(e));
}

enum err boot_select(unsigned *ret, uint64_t *load_ms, const struct manifest *m, unsigned first)
{
	uint64_t start = clock_ms();

	for (unsigned i = first; i < m->target_count; i++) {
		const struct manifest_target *t = &m->targets[i];
		enum boot_part wrong;

		if (memcmp(loading.name, t->name, sizeof(t->name)) != 0)
			boot_load(t);
		while (boot_load_slice())
			;
		wrong = wrong_part(t);
		if (wrong == BOOT_PARTS) {
			*ret = i;
			*load_ms += clock_ms() - start;
			return OK;
		}
		refuse(t, i, wrong);
	}
	return ERR_CHANGED;
}

const uint8_t *boot_bytes(enum boot_part part, size_t *ret_len)
{
	*ret_len = parts[part].len;
	return parts[part].bytes;
}

static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID image_guid = { 0x5B1B31A1, 0x9562, 0x11D2,
				     { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

static void put_node(uint8_t *to, uint8_t type, uint8_t sub_type, size_t len)
{
	to[0] = type;
	to[1] = sub_type;
	to[2] = (uint8_t)len;
	to[3] = (uint8_t)(len >> 8);
}

/* Device path of the kernel's file: what firmware logs and measures it under. malloc'ed. */
static EFI_DEVICE_PATH *kernel_path(const struct manifest_target *t)
{
	EFI_DEVICE_PATH *base = firmware_protocol(files_device(), &path_guid), *node = base;
	char file[FILES_PATH_MAX];
	size_t base_len, node_len;
	uint8_t *path;

	if (!base)
		return NULL;
	while (!IsDevicePathEnd(node))
		node = NextDevicePathNode(node);
	part_path(file, (const char *)t->name, BOOT_KERNEL);
	base_len = (size_t)((uint8_t *)node - (uint8_t *)base);
	node_len = 4 + 2 * (strlen(file) + 1);
	path = calloc(1, base_len + node_len + 4);
	if (!path)
		return NULL;
	memcpy(path, base, base_len);
	put_node(path + base_len, MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, node_len);
	for (size_t i = 0; file[i]; i++)
		path[base_len + 4 + 2 * i] = (uint8_t)file[i];
	put_node(path + base_len + node_len, END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4);
	return (EFI_DEVICE_PATH *)path;
}

/* The command line as the kernel's EFI stub wants it: UCS-2, without the file's line end. It lives
 * until the kernel has it. */
static void set_options(EFI_LOADED_IMAGE *image)
{
	static CHAR16 options[CMDLINE_MAX + 1];
	size_t len;
	const uint8_t *text = boot_bytes(BOOT_CMDLINE, &len);

	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len; i++)
		options[i] = text[i];
	options[len] = 0;
	image->LoadOptions = options;
	image->LoadOptionsSize = (UINT32)(2 * (len + 1));
}

/* path stays with an image of ours. */
static enum err load_kernel(EFI_HANDLE *ret, EFI_DEVICE_PATH *path)
{
	size_t len;
	const uint8_t *bytes = boot_bytes(BOOT_KERNEL, &len);
	enum err e = vouch_load(ret, &overruled, path, bytes, len);

	/* Somebody refuses who cannot be overruled. */
	if (e == ERR_DENIED && path && !image_load(ret, path, bytes, len)) {
		overruled = 1;
		return OK;
	}
	free(path);
	return e;
}

enum err boot_prepare(const struct manifest_target *t)
{
	EFI_LOADED_IMAGE *image;
	EFI_HANDLE handle;
	enum err e = load_kernel(&handle, kernel_path(t));

	if (e)
		return e;
	image = firmware_protocol(handle, &image_guid);
	if (!image) {
		BOOT->UnloadImage(handle);
		return ERR_UNSUPPORTED;
	}
	set_options(image);
	kernel_image = handle;
	return OK;
}

int boot_vouched(void)
{
	return kernel_image && overruled;
}

enum err boot_start(void)
{
	EFI_STATUS s = image_is_ours(kernel_image) ? image_start() : BOOT->StartImage(kernel_image, NULL, NULL);

	return EFI_ERROR(s) ? firmware_err(s) : ERR_STATE;
}
