#include "block.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"
#include "firmware.h"
#include "guid.h"
#include "noise.h"

#define CHUNK ((size_t)1 << 20)
#define PIECE ((size_t)4096)
#define CHUNKS_MAX 64 /* TOMBSTONE_AREA_MAX */

static const EFI_GUID block_guid = { 0x964E5B21, 0x6459, 0x11D2,
				     { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

/* The hard drive node of a device path, UEFI 2.10, 10.3.5.1: by offset, because the struct of the
 * headers is not packed. */
#define DRIVE_NODE_BYTES 42
#define DRIVE_SIGNATURE 24
#define DRIVE_SIGNATURE_TYPE 41

/* Is the last node of the device path this partition? */
static int is_partition(EFI_HANDLE handle, const uint8_t partition[static 16])
{
	EFI_DEVICE_PATH *node = firmware_protocol(handle, &path_guid), *last = NULL;
	const uint8_t *drive;
	uint8_t guid[16];

	for (; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
		if (DevicePathNodeLength(node) < (int)sizeof(*node))
			return 0;
		last = node;
	}
	if (!last || DevicePathType(last) != MEDIA_DEVICE_PATH ||
	    DevicePathSubType(last) != MEDIA_HARDDRIVE_DP ||
	    DevicePathNodeLength(last) != DRIVE_NODE_BYTES)
		return 0;
	drive = (const uint8_t *)last;
	if (drive[DRIVE_SIGNATURE_TYPE] != SIGNATURE_TYPE_GUID)
		return 0;
	guid_text_order(guid, drive + DRIVE_SIGNATURE);
	return memcmp(guid, partition, sizeof(guid)) == 0;
}

enum err block_find(struct block *ret, const uint8_t partition[static 16], unsigned n)
{
	EFI_HANDLE *handles;
	UINTN count = firmware_handles(&handles, &block_guid);
	enum err e = ERR_NOT_FOUND;

	for (UINTN i = 0; i < count && e; i++) {
		EFI_BLOCK_IO *io = firmware_protocol(handles[i], &block_guid);

		if (!io || !io->Media->MediaPresent || !io->Media->BlockSize ||
		    io->Media->BlockSize > CHUNK || CHUNK % io->Media->BlockSize ||
		    !is_partition(handles[i], partition) || n--)
			continue;
		*ret = (struct block){ io, (io->Media->LastBlock + 1) * io->Media->BlockSize };
		e = OK;
	}
	firmware_free(handles);
	return e;
}

static EFI_STATUS transfer(const struct block *b, int write, uint64_t at, size_t len,
			   uint8_t *bytes)
{
	EFI_LBA lba = at / b->io->Media->BlockSize;

	if (write)
		return b->io->WriteBlocks(b->io, b->io->Media->MediaId, lba, len, bytes);
	return b->io->ReadBlocks(b->io, b->io->Media->MediaId, lba, len, bytes);
}

/* At once, or in pieces where that fails: one bad sector must not save what lies around it. */
static enum err write_chunk(const struct block *b, uint64_t at, size_t len, uint8_t *chunk)
{
	size_t sector = b->io->Media->BlockSize, piece = sector > PIECE ? sector : PIECE;
	enum err e = OK;

	if (!EFI_ERROR(transfer(b, 1, at, len, chunk)))
		return OK;
	for (size_t done = 0; done < len; done += piece) {
		size_t n = len - done < piece ? len - done : piece;

		if (EFI_ERROR(transfer(b, 1, at + done, n, chunk + done)))
			e = ERR_IO;
	}
	return e;
}

static enum err overwrite_chunk(const struct block *b, uint64_t at, size_t len, uint8_t *chunk,
				struct digest *d)
{
	noise_fill(chunk, len);
	crypto_generichash(d->bytes, sizeof(d->bytes), chunk, len, NULL, 0);
	return write_chunk(b, at, len, chunk);
}

static enum err compare_chunk(const struct block *b, uint64_t at, size_t len, uint8_t *chunk,
			      struct digest *want)
{
	struct digest d;

	if (EFI_ERROR(transfer(b, 0, at, len, chunk)))
		return ERR_IO;
	crypto_generichash(d.bytes, sizeof(d.bytes), chunk, len, NULL, 0);
	return memcmp(&d, want, sizeof(d)) ? ERR_CHANGED : OK;
}

typedef enum err visit_chunk(const struct block *, uint64_t, size_t, uint8_t *, struct digest *);

/* Over the whole area whatever fails on the way; the first error counts. */
static enum err pass(const struct block *b, uint64_t len, uint8_t *chunk,
		     struct digest digests[CHUNKS_MAX], visit_chunk *visit)
{
	enum err first = OK;

	for (uint64_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;
		enum err e = visit(b, at, n, chunk, &digests[at / CHUNK]);

		first = first ? first : e;
	}
	return first;
}

/* Some firmware and controllers ask for buffers aligned to IoAlign; pages always are. */
static uint8_t *chunk_new(void)
{
	EFI_PHYSICAL_ADDRESS at;

	if (EFI_ERROR(BOOT->AllocatePages(AllocateAnyPages, EfiLoaderData, CHUNK / 4096, &at)))
		return NULL;
	return (uint8_t *)(uintptr_t)at;
}

enum err block_erase(const struct block *b, uint64_t len)
{
	uint32_t sector = b->io->Media->BlockSize;
	struct digest digests[CHUNKS_MAX];
	uint8_t *chunk;
	enum err e;

	if (len > b->bytes)
		len = b->bytes;
	len = (len + sector - 1) / sector * sector;
	if (!len || len > CHUNK * CHUNKS_MAX)
		return ERR_RANGE;
	chunk = chunk_new();
	if (!chunk)
		return ERR_MEMORY;
	e = pass(b, len, chunk, digests, overwrite_chunk);
	if (EFI_ERROR(b->io->FlushBlocks(b->io)))
		e = ERR_IO;
	if (!e)
		e = pass(b, len, chunk, digests, compare_chunk);
	BOOT->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)chunk, CHUNK / 4096);
	return e;
}
