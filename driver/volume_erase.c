/* Volume erase: the end of every key of a volume.
 *
 * The random data is a stream from one seed, so that what is read back can be compared without
 * being kept. It goes out from the start of the device upwards in pieces of 1 MiB: the first of
 * them takes both headers and the first keyslots at once, and a keyslot that lost any part of its
 * area opens never again (that is what LUKS's anti-forensic splitting is for). */
#include "volume_erase.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/secret.h"

#define PIECE_BYTES ((size_t)1 << 20)
#define ALIGN_BYTES 4096
#define ERASE_BYTES_MAX ((uint64_t)64 << 20)

struct erase {
	int fd;
	int direct; /* past the cache */
	int block;  /* a block device, not an image */
	uint64_t bytes;
	uint8_t seed[randombytes_SEEDBYTES];
	uint8_t *want, *got; /* a piece each, aligned for O_DIRECT */
	const struct erase_io *io;
};

static void erase_end(struct erase *x)
{
	secret_wipe(x->seed, sizeof(x->seed));
	if (x->fd >= 0)
		close(x->fd);
	free(x->want);
	free(x->got);
}

static enum err erase_size(struct erase *x)
{
	uint64_t size = 0;
	struct stat st;

	if (fstat(x->fd, &st))
		return ERR_IO;
	x->block = S_ISBLK(st.st_mode);
	if (S_ISREG(st.st_mode))
		size = (uint64_t)st.st_size;
	else if (!x->block || ioctl(x->fd, BLKGETSIZE64, &size))
		return ERR_IO;
	/* A device that has shrunk is erased as far as there is any. */
	if (x->bytes > size)
		x->bytes = size;
	if (x->bytes % ALIGN_BYTES)
		x->direct = 0;
	return x->bytes ? OK : ERR_IO;
}

/* O_DIRECT is refused at open by tmpfs, at the first write by others. */
static void erase_cached(struct erase *x)
{
	int flags = fcntl(x->fd, F_GETFL);

	x->direct = 0;
	if (flags >= 0)
		(void)fcntl(x->fd, F_SETFL, flags & ~O_DIRECT);
}

static enum err erase_begin(struct erase *x, const char *device)
{
	enum err e;

	x->direct = 1;
	x->fd = open(device, O_RDWR | O_CLOEXEC | O_DIRECT);
	if (x->fd < 0 && errno == EINVAL) {
		x->direct = 0;
		x->fd = open(device, O_RDWR | O_CLOEXEC);
	}
	if (x->fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	if (posix_memalign((void **)&x->want, ALIGN_BYTES, PIECE_BYTES) ||
	    posix_memalign((void **)&x->got, ALIGN_BYTES, PIECE_BYTES))
		return ERR_MEMORY;
	e = erase_size(x);
	if (!e && !x->direct)
		erase_cached(x);
	randombytes_buf(x->seed, sizeof(x->seed));
	return e;
}

static size_t piece_at(struct erase *x, uint64_t at)
{
	uint64_t left = x->bytes - at, number = at / PIECE_BYTES;
	size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
	uint8_t seed[sizeof(x->seed)];
	size_t i;

	memcpy(seed, x->seed, sizeof(seed));
	for (i = 0; i < sizeof(number); i++)
		seed[i] ^= (uint8_t)(number >> (8 * i));
	randombytes_buf_deterministic(x->want, len, seed);
	secret_wipe(seed, sizeof(seed));
	return len;
}

static enum err write_all(struct erase *x, const uint8_t *bytes, size_t len, uint64_t at)
{
	ssize_t n;

	while (len) {
		n = x->io->write_at(x->fd, bytes, len, (off_t)at);
		if (n < 0 && errno == EINVAL && x->direct) {
			erase_cached(x);
			continue;
		}
		if (n <= 0)
			return ERR_IO;
		bytes += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return OK;
}

/* One bad sector must not save its neighbours: then block by block, as much as the disk takes. */
static enum err write_piece(struct erase *x, size_t len, uint64_t at)
{
	enum err e = write_all(x, x->want, len, at);
	size_t i, n;

	for (i = 0; e && i < len; i += n) {
		n = len - i < ALIGN_BYTES ? len - i : ALIGN_BYTES;
		(void)write_all(x, x->want + i, n, at + i);
	}
	return e;
}

static enum err overwrite(struct erase *x)
{
	enum err e = OK;
	uint64_t at;
	size_t len;

	for (at = 0; at < x->bytes; at += len) {
		len = piece_at(x, at);
		if (write_piece(x, len, at))
			e = ERR_IO;
	}
	if (fsync(x->fd))
		return ERR_IO;
	return e;
}

/* What other readers' caches hold goes too, or an old header would live on in memory. */
static void drop_caches(struct erase *x)
{
	if (x->block)
		(void)ioctl(x->fd, BLKFLSBUF, 0);
	(void)posix_fadvise(x->fd, 0, (off_t)x->bytes, POSIX_FADV_DONTNEED);
}

static enum err read_all(struct erase *x, size_t len, uint64_t at)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = x->io->read_at(x->fd, x->got + have, len - have, (off_t)(at + have));
		if (n <= 0)
			return ERR_IO;
		have += (size_t)n;
	}
	return OK;
}

static enum err compare(struct erase *x)
{
	uint64_t at;
	size_t len;

	for (at = 0; at < x->bytes; at += len) {
		len = piece_at(x, at);
		if (read_all(x, len, at))
			return ERR_IO;
		if (memcmp(x->got, x->want, len))
			return ERR_CHANGED;
	}
	return OK;
}

/* A favour that the device may refuse: the overwriting is what counts. It may also reach what could
 * not be overwritten. */
static void discard(struct erase *x)
{
	uint64_t range[2] = { 0, x->bytes };

	if (x->block)
		(void)ioctl(x->fd, BLKDISCARD, range);
}

enum err volume_erase_with(const char *device, uint64_t bytes, const struct erase_io *io)
{
	struct erase x = { .fd = -1, .bytes = bytes, .io = io };
	enum err e = bytes && bytes <= ERASE_BYTES_MAX ? erase_begin(&x, device) : ERR_RANGE;

	if (!e) {
		e = overwrite(&x);
		drop_caches(&x);
		e = e ? e : compare(&x);
		discard(&x);
	}
	erase_end(&x);
	return e;
}

enum err volume_erase(const char *device, uint64_t bytes)
{
	static const struct erase_io io = { pread, pwrite };

	return volume_erase_with(device, bytes, &io);
}
