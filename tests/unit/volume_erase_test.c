/* Volume erase: nothing opens afterwards, a disk that lies is noticed, and only the area asked for
 * is touched. */
#include "volume_image.h"

#include <errno.h>

#include "driver/volume_erase.h"

#define ERASE_BYTES ((uint64_t)16 << 20)

static off_t lie_at;

/* A disk that acknowledged a write and kept one old byte. */
static ssize_t read_lying(int fd, void *ret, size_t len, off_t at)
{
	ssize_t n = pread(fd, ret, len, at);

	if (n > 0 && at <= lie_at && lie_at < at + n)
		((uint8_t *)ret)[lie_at - at] ^= 1;
	return n;
}

static ssize_t read_failing(int fd, void *ret, size_t len, off_t at)
{
	(void)fd;
	(void)ret;
	(void)len;
	(void)at;
	errno = EIO;
	return -1;
}

static ssize_t read_in_pieces(int fd, void *ret, size_t len, off_t at)
{
	return pread(fd, ret, len < 4096 ? len : 4096, at);
}

static enum err erase_reading(ssize_t (*read_at)(int fd, void *ret, size_t len, off_t at))
{
	return volume_erase_with(image_path, ERASE_BYTES, &(struct erase_io){ read_at, pwrite });
}

static void nothing_opens_after_erase(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	/* Even the header that is still in memory opens nothing: the keyslots' areas are gone. */
	assert_int_equal(volume_test_unlock(v, &uk_one), ERR_AUTH);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), ERR_AUTH);
	volume_drop(&v);
	assert_int_equal(volume_load(&v, image_path), ERR_FORMAT);
}

/* What a copy of the whole area does: it opens, with the key of its time. No erasing can prevent
 * that, which is why the server offers the escrow of a killed device for deletion
 * (docs/volumes.md). */
static void complete_copy_of_the_area_still_opens(void **state)
{
	VOLUME *v = image_formatted();
	char copy[128];
	struct crypt_device *cd;

	(void)state;
	volume_drop(&v);
	snprintf(copy, sizeof(copy), "%s/copy", image_dir);
	assert_int_equal(crypt_init(&cd, image_path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_header_backup(cd, CRYPT_LUKS2, copy), 0);
	crypt_free(cd);
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	assert_int_equal(volume_load(&v, copy), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
	unlink(copy);
}

/* The two binary headers alone, saved before and put back after, are worth nothing. */
static void headers_put_back_open_nothing(void **state)
{
	static uint8_t headers[32768];
	VOLUME *v = image_formatted();
	int fd = open(image_path, O_RDWR | O_CLOEXEC);

	(void)state;
	volume_drop(&v);
	assert_int_equal(pread(fd, headers, sizeof(headers), 0), sizeof(headers));
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	assert_int_equal(pwrite(fd, headers, sizeof(headers), 0), sizeof(headers));
	close(fd);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(volume_test_unlock(v, &uk_one), ERR_AUTH);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), ERR_AUTH);
}

static void erase_needs_no_header(void **state)
{
	(void)state;
	image_empty(IMAGE_BYTES);
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
}

static void only_the_area_is_touched(void **state)
{
	uint8_t around[2] = { 0 };
	int fd;

	(void)state;
	image_empty(IMAGE_BYTES);
	fd = open(image_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\xaa", 1, (off_t)ERASE_BYTES), 1);
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	assert_int_equal(pread(fd, around, 1, (off_t)ERASE_BYTES), 1);
	assert_int_equal(around[0], 0xaa);
	close(fd);
}

static void shrunken_device_is_erased_as_far_as_it_goes(void **state)
{
	struct {
		off_t bytes;
	} rows[] = { { 1 << 20 }, { 4096 * 3 }, { 5000 }, { 1 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		image_empty(rows[i].bytes);
		assert_int_equal(volume_erase(image_path, ERASE_BYTES), OK);
	}
	image_empty(0);
	assert_int_equal(volume_erase(image_path, ERASE_BYTES), ERR_IO);
}

static void lying_disk_is_noticed(void **state)
{
	static const off_t places[] = { 0, 4095, 32768, 1 << 20, (16 << 20) - 1 };
	size_t i;

	(void)state;
	image_empty(IMAGE_BYTES);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		lie_at = places[i];
		assert_int_equal(erase_reading(read_lying), ERR_CHANGED);
	}
	lie_at = 16 << 20;
	assert_int_equal(erase_reading(read_lying), OK);
	assert_int_equal(erase_reading(read_failing), ERR_IO);
	assert_int_equal(erase_reading(read_in_pieces), OK);
}

static off_t worn_at;

/* A disk with one sector that cannot be written any more. */
static ssize_t write_worn(int fd, const void *bytes, size_t len, off_t at)
{
	if (at <= worn_at && worn_at < at + (off_t)len) {
		errno = EIO;
		return -1;
	}
	return pwrite(fd, bytes, len, at);
}

static size_t zero_bytes(void)
{
	static uint8_t all[ERASE_BYTES];
	size_t i, n = 0;
	int fd = open(image_path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, all, sizeof(all), 0), sizeof(all));
	close(fd);
	/* Of random bytes one in 256 is a zero too, but hardly four in a row. */
	for (i = 0; i + 4 <= sizeof(all); i += 4)
		n += !memcmp(all + i, "\0\0\0", 4) ? 4 : 0;
	return n;
}

/* Bug: the first sector that could not be written ended a kill; on a disk with a bad block in the first
 * megabyte every keyslot behind it went on opening. */
static void worn_sector_saves_no_other(void **state)
{
	static const off_t places[] = { 0, 5000, 1 << 20, (16 << 20) - 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		image_empty(IMAGE_BYTES);
		worn_at = places[i];
		assert_int_equal(volume_erase_with(image_path, ERASE_BYTES,
						   &(struct erase_io){ pread, write_worn }),
				 ERR_IO);
		assert_in_range(zero_bytes(), 4096, 4096 + 64);
	}
}

static void bounds_are_kept(void **state)
{
	(void)state;
	image_empty(IMAGE_BYTES);
	assert_int_equal(volume_erase(image_path, 0), ERR_RANGE);
	assert_int_equal(volume_erase(image_path, ((uint64_t)64 << 20) + 1), ERR_RANGE);
	assert_int_equal(volume_erase("/nowhere/at-all", ERASE_BYTES), ERR_NOT_FOUND);
	assert_int_equal(volume_erase(image_dir, ERASE_BYTES), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_opens_after_erase),
		cmocka_unit_test(complete_copy_of_the_area_still_opens),
		cmocka_unit_test(headers_put_back_open_nothing),
		cmocka_unit_test(erase_needs_no_header),
		cmocka_unit_test(only_the_area_is_touched),
		cmocka_unit_test(shrunken_device_is_erased_as_far_as_it_goes),
		cmocka_unit_test(lying_disk_is_noticed),
		cmocka_unit_test(worn_sector_saves_no_other),
		cmocka_unit_test(bounds_are_kept),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
