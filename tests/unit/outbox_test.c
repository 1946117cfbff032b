/* Outbox: order, durability over restarts, damaged files, bounds, and the memory-only mode of a kill. */
#include "core_test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/volumed/outbox.h"

static char folder[64];
static struct outbox box;

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/outbox-test-XXXXXX");
	return !mkdtemp(folder) || outbox_open(&box, folder);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	outbox_drop(&box);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void put(enum ipc_outbox_class class, char fill)
{
	char id[OUTBOX_ID_BYTES];

	memset(id, fill, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	expect("put", OK, outbox_put(&box, class, id, "a.signed.message"));
}

static void reopen(void)
{
	outbox_drop(&box);
	expect("open again", OK, outbox_open(&box, folder));
}

static void hand(char want)
{
	const struct outbox_entry *e = outbox_next(&box);

	assert_non_null(e);
	assert_int_equal(e->id[0], want);
	assert_string_equal(e->message, "a.signed.message");
	expect("handed", OK, outbox_handed(&box, e->number));
}

static void test_order(void **state)
{
	(void)state;
	put(IPC_OUTBOX_EVENT, 'a');
	put(IPC_OUTBOX_EVENT, 'b');
	put(IPC_OUTBOX_ESCROW, 'c');
	put(IPC_OUTBOX_EVENT, 'd');
	reopen();
	hand('c');
	hand('a');
	reopen();
	hand('c'); /* no receipt yet: offered again after a restart, while events are gone */
	hand('b');
	hand('d');
	assert_null(outbox_next(&box));
	assert_int_equal(box.count, 1);
	expect("receipt", OK, outbox_remove(&box, box.entries[0].id));
	reopen();
	assert_int_equal(box.count, 0);
}

static void test_bounds(void **state)
{
	char *large = calloc(1, OUTBOX_MESSAGE_MAX + 2);

	(void)state;
	put(IPC_OUTBOX_EVENT, 'a');
	expect("same id twice", ERR_EXISTS,
	       outbox_put(&box, IPC_OUTBOX_EVENT, box.entries[0].id, "x"));
	expect("id too short", ERR_RANGE, outbox_put(&box, IPC_OUTBOX_EVENT, "a", "x"));
	memset(large, 'x', OUTBOX_MESSAGE_MAX + 1);
	expect("message too long", ERR_RANGE,
	       outbox_put(&box, IPC_OUTBOX_EVENT, "0123456789abcdef0123456789abcdef", large));
	expect("no such number", ERR_NOT_FOUND, outbox_handed(&box, 99));
	expect("no such id", ERR_NOT_FOUND, outbox_remove(&box, "x"));
	free(large);
}

static void plant(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/outbox/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_damaged(void **state)
{
	(void)state;
	put(IPC_OUTBOX_EVENT, 'a');
	plant("0000000000000002", "");
	plant("0000000000000003", "2 0123456789abcdef0123456789abcdef\nx");
	plant("0000000000000004", "1 0123456789abcdef0123456789abcdefx");
	plant("0000000000000005", "1 0123456789abcdef0123456789abcdef\n");
	plant("0000000000000006.new", "1 0123456789abcdef0123456789abcdef\nx");
	plant("README", "not ours");
	reopen();
	assert_int_equal(box.count, 1);
	hand('a');
}

static void test_full(void **state)
{
	char id[OUTBOX_ID_BYTES];

	(void)state;
	for (unsigned i = 0; i < OUTBOX_EVENTS_MAX; i++) {
		snprintf(id, sizeof(id), "%032u", i);
		box.unsaved = 1; /* not about the disk */
		expect("put", OK, outbox_put(&box, IPC_OUTBOX_EVENT, id, "x"));
	}
	expect("one event too many", ERR_SPACE,
	       outbox_put(&box, IPC_OUTBOX_EVENT, "0123456789abcdef0123456789abcdef", "x"));
	expect("escrow still fits", OK,
	       outbox_put(&box, IPC_OUTBOX_ESCROW, "0123456789abcdef0123456789abcdef", "x"));
}

static void test_after_kill(void **state)
{
	(void)state;
	put(IPC_OUTBOX_EVENT, 'a');
	outbox_detach(&box);
	assert_null(outbox_next(&box));
	put(IPC_OUTBOX_EVENT, 'b');
	hand('b');
	reopen();
	hand('a'); /* its file is the state's to remove; the proof was never on the disk */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_kill, setup, teardown),
	};

	return RUN(tests);
}
