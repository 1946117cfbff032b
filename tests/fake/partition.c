/* Partitions: block devices with a write cache and bad sectors. */
#include <stdlib.h>
#include <string.h>

#include "heap_parts.h"
#include "inside.h"
#include "preboot/guid.h"

static const EFI_GUID block_guid = { 0x964E5B21, 0x6459, 0x11D2,
				     { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };
static const EFI_GUID path_guid = { 0x09576E91, 0x6D3F, 0x11D2,
				    { 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B } };

struct device {
	EFI_BLOCK_IO io;
	EFI_BLOCK_IO_MEDIA media;
	struct fake_partition *partition;
	void *path;
};
static struct device devices[FAKE_PARTITIONS_MAX];

unsigned fake_partition(struct fake *f, const uint8_t guid[16], size_t bytes, uint32_t sector_bytes)
{
	/* A controller, the partition, the end. */
	uint8_t path[52] = {
		HARDWARE_DEVICE_PATH, HW_PCI_DP, 6, 0, 0, 1,
		MEDIA_DEVICE_PATH, MEDIA_HARDDRIVE_DP, 42, 0,
		[46] = MBR_TYPE_EFI_PARTITION_TABLE_HEADER, SIGNATURE_TYPE_GUID,
		END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0,
	};

	for (unsigned n = 0; n < FAKE_PARTITIONS_MAX; n++) {
		struct fake_partition *p = &f->inside->partitions[n];

		if (p->used || bytes > FAKE_PARTITION_MAX || bytes % sector_bytes)
			continue;
		p->used = 1;
		p->sector = sector_bytes;
		p->medium.size = p->medium.lasting_size = bytes;
		path[10] = (uint8_t)(n + 1);
		guid_text_order(path + 6 + 24, guid); /* its own inverse */
		fake_partition_path(f, n, path, sizeof(path));
		return n;
	}
	abort();
}

uint8_t *fake_partition_bytes(const struct fake *f, unsigned n)
{
	return f->inside->partitions[n].medium.bytes;
}

void fake_partition_put(struct fake *f, unsigned n, const void *bytes, size_t len)
{
	struct fake_medium *m = &f->inside->partitions[n].medium;

	fake_medium_write(m, 0, bytes, len);
	fake_medium_flush(m);
}

void fake_partition_bad(struct fake *f, unsigned n, uint64_t first_byte, uint64_t bytes)
{
	f->inside->partitions[n].bad_from = first_byte;
	f->inside->partitions[n].bad_to = first_byte + bytes;
}

void fake_partition_pull(struct fake *f, unsigned n, int pulled)
{
	f->inside->partitions[n].pulled = pulled;
}

void fake_partition_path(struct fake *f, unsigned n, const void *path, size_t len)
{
	struct fake_partition *p = &f->inside->partitions[n];

	if (len > sizeof(p->path))
		abort();
	memcpy(p->path, path, len);
	p->path_len = len;
}

static EFI_STATUS check(const struct device *d, UINT32 id, EFI_LBA lba, UINTN len,
			const void *buffer)
{
	uint64_t at = lba * d->media.BlockSize;

	if (id != d->media.MediaId)
		return EFI_MEDIA_CHANGED;
	if (len % d->media.BlockSize)
		return EFI_BAD_BUFFER_SIZE;
	if (lba > d->media.LastBlock || len > d->partition->medium.size - at)
		return EFI_INVALID_PARAMETER;
	if (d->media.IoAlign > 1 && (uintptr_t)buffer % d->media.IoAlign)
		return EFI_INVALID_PARAMETER;
	if (d->partition->bad_from < d->partition->bad_to && at < d->partition->bad_to &&
	    at + len > d->partition->bad_from)
		return EFI_DEVICE_ERROR;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO *self, UINT32 id, EFI_LBA lba, UINTN len,
				     void *ret)
{
	struct device *d = (struct device *)self;
	EFI_STATUS s = fake_fault(FAKE_BLOCK_READ);

	if (!s)
		s = check(d, id, lba, len, ret);
	if (!s)
		memcpy(ret, d->partition->medium.bytes + lba * d->media.BlockSize, len);
	return s;
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO *self, UINT32 id, EFI_LBA lba, UINTN len,
				      void *bytes)
{
	struct device *d = (struct device *)self;
	EFI_STATUS s = fake_fault(FAKE_BLOCK_WRITE);
	size_t at = lba * d->media.BlockSize;

	if (!s)
		s = check(d, id, lba, len, bytes);
	if (s)
		return s;
	if (fake_cut_due()) {
		fake_medium_write(&d->partition->medium, at, bytes,
				  fake_roll(fake_now, (uint32_t)len + 1));
		fake_leave(FAKE_CUT);
	}
	if (!fake_now->forgetful)
		fake_medium_write(&d->partition->medium, at, bytes, len);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI flush_blocks(EFI_BLOCK_IO *self)
{
	struct device *d = (struct device *)self;
	EFI_STATUS s = fake_fault(FAKE_BLOCK_FLUSH);

	if (s)
		return s;
	if (fake_cut_due())
		fake_leave(FAKE_CUT);
	fake_medium_flush(&d->partition->medium);
	return EFI_SUCCESS;
}

static void plug_in(struct device *d, struct fake_partition *p, UINT32 id)
{
	EFI_HANDLE handle = fake_handle_new();

	fake_libc_free(d->path);
	/* Exactly so long: the sanitizer sees who reads on. */
	d->path = fake_libc_malloc(p->path_len);
	if (!d->path)
		abort();
	memcpy(d->path, p->path, p->path_len);
	d->partition = p;
	d->media = (EFI_BLOCK_IO_MEDIA){ .MediaId = id, .MediaPresent = 1, .LogicalPartition = 1,
					 .WriteCaching = 1, .BlockSize = p->sector, .IoAlign = 512,
					 .LastBlock = p->medium.size / p->sector - 1 };
	d->io = (EFI_BLOCK_IO){ .Revision = EFI_BLOCK_IO_PROTOCOL_REVISION, .Media = &d->media,
				.ReadBlocks = read_blocks, .WriteBlocks = write_blocks,
				.FlushBlocks = flush_blocks };
	fake_protocol_add(handle, &block_guid, &d->io);
	fake_protocol_add(handle, &path_guid, d->path);
}

void fake_partitions_start(void)
{
	for (unsigned n = 0; n < FAKE_PARTITIONS_MAX; n++) {
		struct fake_partition *p = &INSIDE->partitions[n];

		if (p->used && !p->pulled)
			plug_in(&devices[n], p, n + 1);
	}
}
