/* The event queue: order, idempotence, crashes, full disks, damage, and receipts that are not right. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "agent/holdfastd/queue.h"
#include "common/escrow_host.h"

#define DEVICE "00112233445566778899aabbccddeeff"
#define ENROLMENT "ffeeddccbbaa99887766554433221100"

static char folder[] = "/tmp/queue-test-XXXXXX";
static char path[128];
static struct sign_sk server_sk;
static struct queue_party party;

/* Files of the test before, its folder, and a fresh server key. */
static int set_up(void **state)
{
	struct dirent *d;
	DIR *dir = opendir(folder);

	(void)state;
	while (dir && (d = readdir(dir))) {
		char name[512];

		snprintf(name, sizeof(name), "%s/%s", folder, d->d_name);
		unlink(name);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "%s/queue.db", folder);
	sign_sk_new(&server_sk);
	memset(&party, 0, sizeof(party));
	strcpy(party.device, DEVICE);
	strcpy(party.enrolment, ENROLMENT);
	sign_pk_of(&party.server, &server_sk);
	return 0;
}

static struct queue *open_queue(void)
{
	struct queue *q = NULL;
	char *report = NULL;

	assert_int_equal(queue_open(&q, &report, path), OK);
	assert_null(report);
	return q;
}

static const char *id_of(unsigned n)
{
	static char ids[4][QUEUE_ID_TEXT];
	static unsigned turn;
	char *id = ids[turn++ % 4];

	snprintf(id, QUEUE_ID_TEXT, "%032x", n);
	return id;
}

static unsigned number_of(const struct queue_item *item)
{
	return (unsigned)strtoul(item->id, NULL, 16);
}

static char *body_of(unsigned n, size_t len)
{
	char *body = malloc(len + 1);

	assert_non_null(body);
	memset(body, 'b', len);
	body[len] = '\0';
	body[0] = (char)('a' + n % 26);
	return body;
}

static char *receipt_for(unsigned n, const char *body)
{
	const char *ids[] = { id_of(n) }, *bodies[] = { body };
	char *receipt = NULL;

	assert_int_equal(receipt_sign(&receipt, DEVICE, ENROLMENT, 1, ids, bodies, 1, &server_sk), OK);
	return receipt;
}

static enum err settle(struct queue *q, unsigned n, const char *body)
{
	char *receipt = receipt_for(n, body);
	enum err e = queue_receipt(q, id_of(n), receipt, &party);

	free(receipt);
	return e ? e : queue_remove(q, id_of(n));
}

static void assert_counts(struct queue *q, unsigned escrow, unsigned events, unsigned refused)
{
	struct queue_counts n;

	assert_int_equal(queue_count(&n, q), OK);
	assert_int_equal(n.escrow, escrow);
	assert_int_equal(n.events, events);
	assert_int_equal(n.refused, refused);
}

static void test_escrow_first_then_in_order(void **state)
{
	static const unsigned want_escrow[] = { 7, 3 }, want_events[] = { 9, 1, 5 };
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(9), "nine"), OK);
	assert_int_equal(queue_put(q, QUEUE_ESCROW, id_of(7), "seven"), OK);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "one"), OK);
	assert_int_equal(queue_put(q, QUEUE_ESCROW, id_of(3), "three"), OK);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(5), "five"), OK);
	for (unsigned i = 0; i < 2; i++) {
		QUEUE_BATCH b = { 0 };

		assert_int_equal(queue_next(&b, q, QUEUE_BATCH_ITEMS), OK);
		assert_int_equal(b.count, 2);
		assert_int_equal(b.items[i].class, QUEUE_ESCROW);
		assert_int_equal(number_of(&b.items[i]), want_escrow[i]);
	}
	assert_int_equal(settle(q, 7, "seven"), OK);
	assert_int_equal(settle(q, 3, "three"), OK);
	QUEUE_BATCH b = { 0 };
	assert_int_equal(queue_next(&b, q, QUEUE_BATCH_ITEMS), OK);
	assert_int_equal(b.count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(number_of(&b.items[i]), want_events[i]);
	assert_counts(q, 0, 3, 0);
	queue_drop(&q);
}

static void test_same_id_is_one_item(void **state)
{
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "body"), OK);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "body"), OK);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "other"), ERR_EXISTS);
	assert_counts(q, 0, 1, 0);
	queue_drop(&q);
	q = open_queue();
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "body"), OK);
	assert_counts(q, 0, 1, 0);
	queue_drop(&q);
}

static void test_bad_input_is_refused(void **state)
{
	static const char *const ids[] = { "", "12", "0000000000000000000000000000000g",
					   "000000000000000000000000000000001",
					   "0000000000000000000000000000000A" };
	char *longest = body_of(0, QUEUE_BODY_MAX), *too_long = body_of(0, QUEUE_BODY_MAX + 1);
	struct queue *q = open_queue();

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		assert_int_equal(queue_put(q, QUEUE_EVENT, ids[i], "body"), ERR_RANGE);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), ""), ERR_RANGE);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), too_long), ERR_RANGE);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), longest), OK);
	assert_counts(q, 0, 1, 0);
	free(longest);
	free(too_long);
	queue_drop(&q);
}

static void test_batches_are_bounded(void **state)
{
	char *big = body_of(0, 200 << 10);
	struct queue *q = open_queue();

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(i), big), OK);
	for (unsigned i = 3; i < 103; i++)
		assert_int_equal(queue_put(q, QUEUE_ESCROW, id_of(i), "small"), OK);
	{
		QUEUE_BATCH b = { 0 };

		assert_int_equal(queue_next(&b, q, 1000), OK);
		assert_int_equal(b.count, QUEUE_BATCH_ITEMS);
	}
	for (unsigned i = 3; i < 103; i++)
		assert_int_equal(settle(q, i, "small"), OK);
	QUEUE_BATCH b = { 0 };
	assert_int_equal(queue_next(&b, q, QUEUE_BATCH_ITEMS), OK);
	assert_int_equal(b.count, 1); /* a second one would pass QUEUE_BATCH_BYTES */
	free(big);
	queue_drop(&q);
}

/* {why, what is done to the receipt, want}: whatever is wrong with a receipt, the item stays. */
static void test_wrong_receipts_remove_nothing(void **state)
{
	struct queue *q = open_queue();
	struct queue_party other = party;
	struct sign_sk forger;
	char *good = receipt_for(1, "body"), *forged = NULL, *digest = receipt_for(1, "another body");
	char *id = receipt_for(2, "body");
	const char *ids[] = { id_of(1) }, *bodies[] = { "body" };

	(void)state;
	sign_sk_new(&forger);
	assert_int_equal(receipt_sign(&forged, DEVICE, ENROLMENT, 1, ids, bodies, 1, &forger), OK);
	assert_int_equal(queue_put(q, QUEUE_ESCROW, id_of(1), "body"), OK);
	strcpy(other.device, ENROLMENT);
	const struct {
		const char *why, *receipt;
		const struct queue_party *party;
		enum err want;
	} rows[] = {
		{ "signed by somebody else", forged, &party, ERR_SIGNATURE },
		{ "for other bytes under this id", digest, &party, ERR_CHANGED },
		{ "for another id", id, &party, ERR_NOT_FOUND },
		{ "for another device", good, &other, ERR_MISDIRECTED },
		{ "no receipt at all", "receipt", &party, ERR_FORMAT },
		{ "empty", "", &party, ERR_FORMAT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum err e = queue_receipt(q, id_of(1), rows[i].receipt, rows[i].party);

		if (e != rows[i].want)
			fail_msg("receipt %s: got %s", rows[i].why, err_name(e));
		assert_int_equal(queue_remove(q, id_of(1)), ERR_STATE);
	}
	assert_counts(q, 1, 0, 0);
	assert_int_equal(queue_receipt(q, id_of(5), good, &party), ERR_NOT_FOUND);
	assert_int_equal(queue_remove(q, id_of(5)), ERR_NOT_FOUND);
	assert_int_equal(queue_receipt(q, id_of(1), good, &party), OK);
	assert_int_equal(queue_remove(q, id_of(1)), OK);
	free(good);
	free(forged);
	free(digest);
	free(id);
	queue_drop(&q);
}

/* The receipt itself is durable: after a restart volumed is told without asking the server again. */
static void test_receipt_survives_restart(void **state)
{
	struct queue *q = open_queue();
	char *receipt = receipt_for(1, "body");

	(void)state;
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "body"), OK);
	assert_int_equal(queue_receipt(q, id_of(1), receipt, &party), OK);
	queue_drop(&q);
	q = open_queue();
	{
		QUEUE_BATCH next = { 0 }, receipted = { 0 };

		assert_int_equal(queue_next(&next, q, 1), OK);
		assert_int_equal(next.count, 0);
		assert_int_equal(queue_receipted(&receipted, q), OK);
		assert_int_equal(receipted.count, 1);
		assert_string_equal(receipted.items[0].receipt, receipt);
	}
	assert_int_equal(queue_remove(q, id_of(1)), OK);
	free(receipt);
	queue_drop(&q);
}

static void test_refused_item_blocks_nobody(void **state)
{
	struct queue *q = open_queue();

	(void)state;
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "bad"), OK);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(2), "good"), OK);
	assert_int_equal(queue_refuse(q, id_of(1)), OK);
	assert_counts(q, 0, 2, 1);
	{
		QUEUE_BATCH b = { 0 };

		assert_int_equal(queue_next(&b, q, 1), OK);
		assert_int_equal(number_of(&b.items[0]), 2);
	}
	assert_int_equal(queue_retry(q), OK);
	assert_counts(q, 0, 2, 0);
	assert_int_equal(queue_refuse(q, id_of(1)), OK);
	queue_drop(&q);
	q = open_queue();
	assert_counts(q, 0, 2, 0);
	queue_drop(&q);
}

static void test_one_process_at_a_time(void **state)
{
	struct queue *q = open_queue();
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(1), "body"), OK);
	child = fork();
	if (!child) {
		struct queue *second = NULL;
		char *report = NULL;

		_exit(queue_open(&second, &report, path) == ERR_BUSY ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	queue_drop(&q);
}

/* What the child reports, one record a confirmed step. */
struct step {
	unsigned number;
	int removed; /* 0: put, 1: about to be removed, 2: removed */
};

static void report_step(int fd, unsigned number, int removed)
{
	struct step s = { number, removed };

	if (write(fd, &s, sizeof(s)) != sizeof(s))
		_exit(2);
}

/* Put without end; remove every third. Ends by SIGKILL. */
static void crash_writer(int fd, unsigned number)
{
	struct queue *q = NULL;
	char *report = NULL;

	if (queue_open(&q, &report, path) || report)
		_exit(3);
	for (;; number++) {
		if (queue_put(q, QUEUE_EVENT, id_of(number), "body"))
			_exit(4);
		report_step(fd, number, 0);
		if (number % 3)
			continue;
		report_step(fd, number, 1);
		if (settle(q, number, "body"))
			_exit(5);
		report_step(fd, number, 2);
	}
}

#define CRASH_NUMBERS 200000

/* Start a writer, kill it after some microseconds, and learn what it was told. */
static unsigned crash_once(unsigned char *told, unsigned first, useconds_t after)
{
	unsigned last = first;
	struct step s;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		close(fds[0]);
		crash_writer(fds[1], first);
	}
	close(fds[1]);
	usleep(after);
	kill(child, SIGKILL);
	while (read(fds[0], &s, sizeof(s)) == sizeof(s)) {
		assert_true(s.number < CRASH_NUMBERS);
		told[s.number] = (unsigned char)(s.removed + 1);
		last = s.number + 1;
	}
	close(fds[0]);
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status))
		fail_msg("the writer ended by itself with %d", WEXITSTATUS(status));
	return last + 1; /* the one under way may be there as well */
}

/* Everything confirmed is there once and in order; what was confirmed as removed is not. */
static void check_after_crash(const unsigned char *told, unsigned end)
{
	struct queue *q = open_queue();
	unsigned char *found = calloc(end + 1, 1);
	unsigned previous = 0;
	int any = 0;

	assert_non_null(found);
	for (;;) {
		QUEUE_BATCH b = { 0 };

		assert_int_equal(queue_next(&b, q, QUEUE_BATCH_ITEMS), OK);
		if (!b.count)
			break;
		for (size_t i = 0; i < b.count; i++) {
			unsigned n = number_of(&b.items[i]);

			assert_true(n <= end);
			assert_true(!any || n > previous);
			previous = n;
			any = 1;
			found[n] = 1;
			assert_int_equal(settle(q, n, "body"), OK);
		}
	}
	for (unsigned n = 0; n < end; n++) {
		if (told[n] == 1 && !found[n])
			fail_msg("item %u was confirmed, and is lost", n);
		if (told[n] == 3 && found[n])
			fail_msg("item %u was removed, and is back", n);
	}
	for (;;) {
		QUEUE_BATCH b = { 0 };

		assert_int_equal(queue_receipted(&b, q), OK);
		if (!b.count)
			break;
		for (size_t i = 0; i < b.count; i++)
			assert_int_equal(queue_remove(q, b.items[i].id), OK);
	}
	free(found);
	queue_drop(&q);
}

static void test_killed_writer_loses_nothing(void **state)
{
	unsigned char *told = calloc(CRASH_NUMBERS, 1);
	unsigned next = 1;

	(void)state;
	assert_non_null(told);
	for (unsigned i = 0; i < 25; i++) {
		memset(told, 0, CRASH_NUMBERS);
		next = crash_once(told, next, 1000 + randombytes_uniform(40000));
		check_after_crash(told, next);
	}
	free(told);
}

/* In a child cmocka's assertions would run the remaining tests a second time. */
#define CHECK(condition)                                                                    \
	do {                                                                                \
		if (!(condition)) {                                                         \
			fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);     \
			_exit(1);                                                           \
		}                                                                           \
	} while (0)

/* Put until the disk is full. Returns how many went in. */
static unsigned fill(struct queue *q, unsigned first)
{
	char *body = body_of(1, 3000);
	unsigned n = first;
	enum err e;

	while (!(e = queue_put(q, QUEUE_EVENT, id_of(n), body)))
		n++;
	CHECK(e == ERR_SPACE);
	free(body);
	return n - first;
}

static void empty(struct queue *q, unsigned first, unsigned count)
{
	char *body = body_of(1, 3000);

	for (unsigned done = first; done < first + count;) {
		QUEUE_BATCH b = { 0 };

		CHECK(queue_next(&b, q, QUEUE_BATCH_ITEMS) == OK);
		CHECK(b.count > 0);
		for (size_t i = 0; i < b.count; i++, done++) {
			CHECK(number_of(&b.items[i]) == done);
			CHECK(settle(q, done, body) == OK);
		}
	}
	free(body);
}

static void wait_for_child(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What a full disk has acknowledged is there when there is space again. */
static void test_file_limit_is_back_pressure(void **state)
{
	struct rlimit limit = { 600 << 10, 600 << 10 };
	struct queue *q;
	pid_t child = fork();
	char *report = NULL;

	(void)state;
	if (!child) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit))
			_exit(77);
		CHECK(queue_open(&q, &report, path) == OK);
		CHECK(fill(q, 0) > 50);
		CHECK(queue_put(q, QUEUE_EVENT, id_of(0), "other") == ERR_EXISTS);
		_exit(0);
	}
	wait_for_child(child);
	q = open_queue();
	empty(q, 0, 50);
	queue_drop(&q);
}

/* A full disk can still be emptied of events, and takes new ones afterwards. Somebody else's file takes
 * the last byte. */
static void full_disk_story(void)
{
	struct queue *q = NULL;
	char *report = NULL, hog[160];
	char block[4096] = "";
	unsigned count;
	int fd;

	CHECK(queue_open(&q, &report, path) == OK);
	count = fill(q, 0);
	CHECK(count > 100);
	snprintf(hog, sizeof(hog), "%s/hog", folder);
	fd = open(hog, O_CREAT | O_WRONLY, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	empty(q, 0, count);
	CHECK(fill(q, count) > count / 4);
	queue_drop(&q);
	_exit(0);
}

static void test_full_disk_is_back_pressure(void **state)
{
	pid_t child = fork();

	(void)state;
	if (!child) {
		if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("queue-test", folder, "tmpfs", 0, "size=4m"))
			_exit(77);
		full_disk_story();
	}
	wait_for_child(child);
}

static void overwrite(off_t at, const char *text)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
	close(fd);
}

static unsigned damaged_files(void)
{
	struct dirent *d;
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while ((d = readdir(dir)))
		n += strstr(d->d_name, "queue.db.damaged-") == d->d_name;
	closedir(dir);
	return n;
}

static void put_many(unsigned count)
{
	struct queue *q = open_queue();
	char *body = body_of(1, 1000);

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(i), body), OK);
	queue_drop(&q);
	free(body);
}

static void open_damaged(unsigned at_least)
{
	struct queue *q = NULL;
	struct queue_counts n;
	char *report = NULL;

	assert_int_equal(queue_open(&q, &report, path), OK);
	assert_non_null(report);
	assert_non_null(strstr(report, ".damaged-"));
	assert_int_equal(damaged_files(), 1);
	assert_int_equal(queue_count(&n, q), OK);
	if (n.events < at_least)
		fail_msg("%u events could be read, %llu were taken over", at_least,
			 (unsigned long long)n.events);
	assert_int_equal(queue_put(q, QUEUE_EVENT, id_of(5000), "new"), OK);
	free(report);
	queue_drop(&q);
	q = open_queue();
	queue_drop(&q);
}

static void test_garbage_is_set_aside(void **state)
{
	(void)state;
	put_many(1);
	overwrite(0, "this is no database, but somebody's idea of a joke");
	open_damaged(0);
}

/* One bad page in the middle: the rows before and behind it are taken over. */
static void test_damaged_page_costs_only_its_rows(void **state)
{
	struct stat st;
	char junk[4097];

	(void)state;
	put_many(200);
	assert_int_equal(stat(path, &st), 0);
	memset(junk, 0x5a, 4096);
	junk[4096] = '\0';
	overwrite(st.st_size / 4096 / 2 * 4096, junk);
	open_damaged(150);
}

static void test_newer_version_is_left_alone(void **state)
{
	struct queue *q = NULL;
	char *report = NULL;

	(void)state;
	put_many(1);
	overwrite(60, "\x7f"); /* first byte of user_version in the file's header */
	assert_int_equal(queue_open(&q, &report, path), ERR_VERSION);
	assert_int_equal(damaged_files(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_escrow_first_then_in_order, set_up),
		cmocka_unit_test_setup(test_same_id_is_one_item, set_up),
		cmocka_unit_test_setup(test_bad_input_is_refused, set_up),
		cmocka_unit_test_setup(test_batches_are_bounded, set_up),
		cmocka_unit_test_setup(test_wrong_receipts_remove_nothing, set_up),
		cmocka_unit_test_setup(test_receipt_survives_restart, set_up),
		cmocka_unit_test_setup(test_refused_item_blocks_nobody, set_up),
		cmocka_unit_test_setup(test_one_process_at_a_time, set_up),
		cmocka_unit_test_setup(test_killed_writer_loses_nothing, set_up),
		cmocka_unit_test_setup(test_file_limit_is_back_pressure, set_up),
		cmocka_unit_test_setup(test_full_disk_is_back_pressure, set_up),
		cmocka_unit_test_setup(test_garbage_is_set_aside, set_up),
		cmocka_unit_test_setup(test_damaged_page_costs_only_its_rows, set_up),
		cmocka_unit_test_setup(test_newer_version_is_left_alone, set_up),
	};
	int failures;

	if (sodium_init() < 0 || !mkdtemp(folder))
		return 1;
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	set_up(NULL);
	rmdir(folder);
	return failures;
}
