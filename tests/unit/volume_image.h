/* Image files for the tests of the volume layer: a fresh folder, an image, keys. One test program
 * each. */
#ifndef HOLDFAST_VOLUME_IMAGE_H
#define HOLDFAST_VOLUME_IMAGE_H

#include <fcntl.h>
#include <libcryptsetup.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver/volume.h"

#ifndef IMAGE_PARENT
#define IMAGE_PARENT "/tmp"
#endif
#define IMAGE_BYTES ((off_t)18 << 20)
#define RECOVERY_ONE "BCDEF-GHJKL-NPRST-XBCDE-FGHJK-LNPRS-TXBCD-EFGHJ"
#define RECOVERY_TWO "XBCDE-FGHJK-LNPRS-TXBCD-EFGHJ-BCDEF-GHJKL-NPRST"

static char image_dir[64], image_path[96];
static const struct unlock_key uk_one = { "the first unlock key of 32 byte" };
static const struct unlock_key uk_two = { "the second unlock key, 32 bytes" };
static const uint8_t escrow_one[ESCROW_ID_BYTES] = "escrow record 1";
static const uint8_t escrow_two[ESCROW_ID_BYTES] = "escrow record 2";

/* libcryptsetup measures this processor for an eighth of a second to choose the iterations of the
 * volume key's digest, which every opening then repeats. A clock that leaps makes it choose the
 * minimum. */
int getrusage(__rusage_who_t who, struct rusage *ret)
{
	static __time_t leap;
	int r = (int)syscall(SYS_getrusage, who, ret);

	leap += 1000;
	ret->ru_utime.tv_sec += leap;
	return r;
}

static inline void image_empty(off_t bytes)
{
	int fd = open(image_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static inline int image_setup(void **state)
{
	(void)state;
	strcpy(image_dir, IMAGE_PARENT "/volume-test-XXXXXX");
	if (!mkdtemp(image_dir))
		return -1;
	snprintf(image_path, sizeof(image_path), "%s/disk.img", image_dir);
	return 0;
}

static inline int image_teardown(void **state)
{
	(void)state;
	unlink(image_path);
	return rmdir(image_dir);
}

static inline struct secret secret_text(const char *text)
{
	struct secret s = { 0 };

	assert_int_equal(secret_copy(&s, text, strlen(text)), OK);
	return s;
}

/* An image with both keyslots: uk_one, and RECOVERY_ONE under escrow_one. */
static inline struct volume *image_formatted(void)
{
	SECRET struct secret recovery = secret_text(RECOVERY_ONE);
	struct volume *v = NULL;

	image_empty(IMAGE_BYTES);
	assert_int_equal(volume_format(image_path, &uk_one, &recovery, escrow_one), OK);
	assert_int_equal(volume_load(&v, image_path), OK);
	return v;
}

static inline enum err opens_recovery(struct volume *v, const char *text)
{
	SECRET struct secret recovery = secret_text(text);

	return volume_test_recovery(v, &recovery);
}

/* A keyslot of somebody else's, at the lowest free number. */
static inline void image_add_foreign(const char *opener, size_t opener_len, const char *passphrase)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1200,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_device *cd;

	assert_int_equal(crypt_init(&cd, image_path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &pbkdf), 0);
	assert_true(crypt_keyslot_add_by_passphrase(cd, CRYPT_ANY_SLOT, opener, opener_len,
						    passphrase, strlen(passphrase)) >= 0);
	crypt_free(cd);
}

#endif
