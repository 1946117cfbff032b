/* Power cuts under the queue. A layer between SQLite and the disk remembers which writes have been synced; a
 * cut keeps the synced state and a random part of the rest, the last of it torn, as disks do. What
 * queue_put had confirmed must be there. A missing fsync would pass the test with killed processes, not
 * this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>

#include "agent/holdfastd/queue.h"

#define FILES_MAX 4
#define WRITES_MAX 4096

struct pending_write {
	size_t at, len;
	uint8_t *bytes;
};

/* A file as it would be found after a cut: what was synced, and what was written since. */
struct disk_file {
	char name[256];
	uint8_t *synced;
	size_t synced_len;
	struct pending_write writes[WRITES_MAX];
	size_t count;
};

static struct disk_file disk[FILES_MAX];
static unsigned writes_left; /* until the power goes */
static sqlite3_vfs *real_vfs;

struct cut_file {
	sqlite3_file base;
	struct disk_file *disk;
	sqlite3_file *real;
};

static void die(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_exit(9);
}

/* What the file holds now is on the disk. */
static void note_synced(struct disk_file *d)
{
	FILE *f = fopen(d->name, "rb");

	for (size_t i = 0; i < d->count; i++)
		free(d->writes[i].bytes);
	d->count = 0;
	if (!f || fseek(f, 0, SEEK_END))
		die("file of the queue cannot be read");
	d->synced_len = (size_t)ftell(f);
	d->synced = realloc(d->synced, d->synced_len + 1);
	rewind(f);
	if (!d->synced || fread(d->synced, 1, d->synced_len, f) != d->synced_len)
		die("file of the queue cannot be read");
	fclose(f);
}

static struct disk_file *disk_of(const char *name)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (!disk[i].name[0])
			snprintf(disk[i].name, sizeof(disk[i].name), "%s", name);
		if (!strcmp(disk[i].name, name))
			return &disk[i];
	}
	die("more files than expected");
	return NULL;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct cut_file *)f)->real;
}

static int cut_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int cut_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), to, len, at);
}

static void cut_power(const struct disk_file *d);

static int cut_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
	struct disk_file *d = ((struct cut_file *)f)->disk;
	struct pending_write *w = &d->writes[d->count];

	if (d->count == WRITES_MAX)
		die("too many writes without a sync");
	*w = (struct pending_write){ (size_t)at, (size_t)len, malloc((size_t)len) };
	if (!w->bytes)
		die("memory");
	memcpy(w->bytes, from, (size_t)len);
	d->count++;
	if (!writes_left--) {
		for (size_t i = 0; i < FILES_MAX && disk[i].name[0]; i++)
			cut_power(&disk[i]);
		_exit(0);
	}
	return real_of(f)->pMethods->xWrite(real_of(f), from, len, at);
}

static int cut_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int cut_sync(sqlite3_file *f, int flags)
{
	int rc = real_of(f)->pMethods->xSync(real_of(f), flags);

	if (rc == SQLITE_OK)
		note_synced(((struct cut_file *)f)->disk);
	return rc;
}

static int cut_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}

static int cut_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int cut_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int cut_reserved(sqlite3_file *f, int *ret)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int cut_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int cut_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

/* A disk that promises nothing: no atomic writes, no order. */
static int cut_abilities(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = cut_close,
	.xRead = cut_read,
	.xWrite = cut_write,
	.xTruncate = cut_truncate,
	.xSync = cut_sync,
	.xFileSize = cut_size,
	.xLock = cut_lock,
	.xUnlock = cut_unlock,
	.xCheckReservedLock = cut_reserved,
	.xFileControl = cut_control,
	.xSectorSize = cut_sector,
	.xDeviceCharacteristics = cut_abilities,
};

static int cut_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct cut_file *c = (struct cut_file *)f;
	int rc;

	(void)vfs;
	c->real = (sqlite3_file *)(c + 1);
	rc = real_vfs->xOpen(real_vfs, name, c->real, flags, ret_flags);
	c->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	if (rc == SQLITE_OK) {
		c->disk = disk_of(name);
		note_synced(c->disk);
	}
	return rc;
}

static void use_cut_disk(void)
{
	static sqlite3_vfs vfs;

	sqlite3_initialize();
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "power cut";
	vfs.szOsFile = (int)sizeof(struct cut_file) + real_vfs->szOsFile;
	vfs.xOpen = cut_open;
	vfs.pNext = NULL;
	if (sqlite3_vfs_register(&vfs, 1))
		die("the layer cannot be put in");
}

/* The file after the cut: synced content, and each later write with a chance of one half, some torn. */
static void cut_power(const struct disk_file *d)
{
	/* What was deleted stays so: SQLite syncs the folder. */
	FILE *f = access(d->name, F_OK) ? NULL : fopen(d->name, "wb");

	if (!f)
		return;
	if (fwrite(d->synced, 1, d->synced_len, f) != d->synced_len)
		die("file of the queue cannot be written");
	for (size_t i = 0; i < d->count; i++) {
		const struct pending_write *w = &d->writes[i];
		size_t len = randombytes_uniform(4) ? w->len : randombytes_uniform((uint32_t)w->len + 1);

		if (randombytes_uniform(2) || fseek(f, (long)w->at, SEEK_SET))
			continue;
		if (fwrite(w->bytes, 1, len, f) != len)
			die("file of the queue cannot be written");
	}
	fclose(f);
}

static char folder[] = "/tmp/powercut-test-XXXXXX";
static char path[128];

/* Puts until the power goes, at some write in the middle of a call. */
static void put_until_cut(unsigned first, int fd)
{
	struct queue *q = NULL;
	char *report = NULL, id[QUEUE_ID_TEXT], body[2000];

	writes_left = randombytes_uniform(150);
	use_cut_disk();
	if (queue_open(&q, &report, path) || report)
		die("the queue does not open");
	memset(body, 'b', sizeof(body));
	for (unsigned i = first;; i++) {
		body[100 + randombytes_uniform(1800)] = '\0';
		snprintf(id, sizeof(id), "%032x", i);
		if (queue_put(q, QUEUE_EVENT, id, body))
			die("put failed");
		if (write(fd, &i, sizeof(i)) != sizeof(i))
			die("pipe");
		memset(body, 'b', sizeof(body));
	}
}

/* The last one that was confirmed; first - 1 when none was. */
static unsigned confirmed_before_cut(unsigned first)
{
	unsigned number, last = first - 1;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child)
		put_until_cut(first, fds[1]);
	close(fds[1]);
	while (read(fds[0], &number, sizeof(number)) == sizeof(number))
		last = number;
	close(fds[0]);
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return last;
}

/* Returns how many there are: those confirmed, and perhaps the one under way. */
static unsigned assert_all_there(unsigned last)
{
	struct queue *q = NULL;
	struct queue_counts n;
	QUEUE_BATCH b = { 0 };
	char *report = NULL;

	assert_int_equal(queue_open(&q, &report, path), OK);
	if (report)
		fail_msg("after a power cut: %s", report);
	assert_int_equal(queue_count(&n, q), OK);
	if (n.events != last && n.events != last + 1)
		fail_msg("%u events were confirmed, %llu are there", last, (unsigned long long)n.events);
	assert_int_equal(queue_next(&b, q, QUEUE_BATCH_ITEMS), OK);
	for (size_t i = 0; i < b.count; i++)
		assert_int_equal(strtoul(b.items[i].id, NULL, 16), i + 1);
	queue_drop(&q);
	return (unsigned)n.events;
}

static void test_confirmed_events_survive_power_cuts(void **state)
{
	unsigned there = 0;

	(void)state;
	for (unsigned round = 0; round < 60; round++)
		there = assert_all_there(confirmed_before_cut(there + 1));
	assert_true(there > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed_events_survive_power_cuts),
	};
	char command[160];
	int failures;

	if (sodium_init() < 0 || !mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/queue.db", folder);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : failures;
}
