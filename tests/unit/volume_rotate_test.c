/* Volume: rotation of unlock and recovery keys, with the power cut at every single write.
 *
 * A child rotates; its n-th write to the image is its last, done half or not at all. Then the
 * parent loads what is on the "disk" and holds it against what must be true at that point. */
#define IMAGE_PARENT "/dev/shm" /* flushed some thousand times: not on a disk */
#include "volume_image.h"

#include <sys/stat.h>
#include <sys/wait.h>

#define COPY_BYTES ((size_t)2 << 20) /* headers and the first keyslots: all that rotation touches  \
				      */
#define DIED 77

/* After the n-th write is the same as before the next. */
enum cut { CUT_BEFORE, CUT_HALF, CUTS };

static long writes_left = -1; /* -1: power stays on */
static enum cut cut;
static uint8_t before[COPY_BYTES];

/* These stand in front of libc's for libcryptsetup too. */
static ssize_t write_or_die(long call, int fd, const void *bytes, size_t len, off_t at)
{
	struct stat st;

	if (writes_left < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != IMAGE_BYTES)
		return syscall(call, fd, bytes, len, at);
	if (writes_left-- > 0)
		return syscall(call, fd, bytes, len, at);
	if (cut == CUT_HALF)
		(void)!syscall(call, fd, bytes, len / 2, at);
	_exit(DIED);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	return write_or_die(SYS_write, fd, bytes, len, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return write_or_die(SYS_pwrite64, fd, bytes, len, at);
}

static void image_remember(void)
{
	int fd = open(image_path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, before, COPY_BYTES, 0), COPY_BYTES);
	close(fd);
}

static void image_restore(void)
{
	int fd = open(image_path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, before, COPY_BYTES, 0), COPY_BYTES);
	close(fd);
}

typedef enum err operation(struct volume *v);

/* Returns 1 when the operation ended before its n-th write. */
static int cut_at(operation *run, long n, enum cut how)
{
	struct volume *v = NULL;
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (volume_load(&v, image_path))
			_exit(1);
		writes_left = n;
		cut = how;
		_exit(run(v) ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != DIED)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 0;
}

/* Cut at every write, and let `check` judge each; afterwards the operation is repeated and must
 * succeed. */
static void cut_everywhere(operation *run, void (*check)(struct volume *v), operation *after)
{
	struct volume *v;
	unsigned foreign;
	enum cut how;
	int ended;
	long n;

	image_remember();
	for (how = CUT_BEFORE; how < CUTS; how++) {
		for (n = 0, ended = 0; !ended; n++) {
			image_restore();
			ended = cut_at(run, n, how);
			v = NULL;
			assert_int_equal(volume_load(&v, image_path), OK);
			check(v);
			assert_int_equal(run(v), OK);
			assert_int_equal(after(v), OK);
			assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
			assert_int_equal(foreign, 0);
			volume_drop(&v);
		}
		/* A cut that never comes would prove nothing. */
		assert_true(n > 4);
	}
}

static enum err unlock_add(struct volume *v)
{
	return volume_unlock_add(v, &uk_one, &uk_two);
}

static enum err unlock_keep(struct volume *v)
{
	return volume_unlock_keep(v, &uk_two);
}

static void old_unlock_opens(struct volume *v)
{
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
}

static void new_unlock_opens(struct volume *v)
{
	assert_int_equal(volume_test_unlock(v, &uk_two), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_ONE), OK);
}

static enum err only_new_unlock(struct volume *v)
{
	enum err e = volume_test_unlock(v, &uk_two);

	return e ? e : volume_test_unlock(v, &uk_one) == ERR_AUTH ? OK : ERR_STATE;
}

static void power_cut_while_unlock_key_is_added(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	cut_everywhere(unlock_add, old_unlock_opens, unlock_keep);
}

static void power_cut_while_old_unlock_key_goes(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(unlock_add(v), OK);
	cut_everywhere(unlock_keep, new_unlock_opens, only_new_unlock);
}

static enum err recovery_add(struct volume *v)
{
	SECRET struct secret second = secret_text(RECOVERY_TWO);

	return volume_recovery_add(v, &uk_one, &second, escrow_two);
}

static enum err recovery_keep(struct volume *v)
{
	return volume_recovery_keep(v, escrow_two);
}

static void new_recovery_opens(struct volume *v)
{
	assert_int_equal(volume_test_unlock(v, &uk_one), OK);
	assert_int_equal(opens_recovery(v, RECOVERY_TWO), OK);
}

static enum err only_new_recovery(struct volume *v)
{
	enum err e = opens_recovery(v, RECOVERY_TWO);

	return e ? e : opens_recovery(v, RECOVERY_ONE) == ERR_AUTH ? OK : ERR_STATE;
}

static void power_cut_while_recovery_key_changes(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	cut_everywhere(recovery_add, old_unlock_opens, recovery_keep);
	image_restore();
	volume_drop(&v);
	assert_int_equal(volume_load(&v, image_path), OK);
	assert_int_equal(recovery_add(v), OK);
	cut_everywhere(recovery_keep, new_recovery_opens, only_new_recovery);
}

static void twice_is_no_error(void **state)
{
	VOLUME *v = image_formatted();
	unsigned foreign;

	(void)state;
	assert_int_equal(unlock_add(v), OK);
	assert_int_equal(unlock_add(v), OK);
	assert_int_equal(recovery_add(v), OK);
	assert_int_equal(recovery_add(v), OK);
	assert_int_equal(volume_foreign_keyslots(&foreign, v), OK);
	assert_int_equal(foreign, 0);
	assert_int_equal(unlock_keep(v), OK);
	assert_int_equal(unlock_keep(v), OK);
	assert_int_equal(recovery_keep(v), OK);
	assert_int_equal(recovery_keep(v), OK);
	assert_int_equal(only_new_unlock(v), OK);
	assert_int_equal(only_new_recovery(v), OK);
}

static void a_wrong_key_destroys_nothing(void **state)
{
	VOLUME *v = image_formatted();

	(void)state;
	assert_int_equal(volume_unlock_keep(v, &uk_two), ERR_AUTH);
	assert_int_equal(volume_unlock_add(v, &uk_two, &uk_one), ERR_AUTH);
	old_unlock_opens(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_is_no_error),
		cmocka_unit_test(a_wrong_key_destroys_nothing),
		cmocka_unit_test(power_cut_while_unlock_key_is_added),
		cmocka_unit_test(power_cut_while_old_unlock_key_goes),
		cmocka_unit_test(power_cut_while_recovery_key_changes),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
