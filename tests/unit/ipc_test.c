/* Local sockets: every message of the table there and back, and everything that must drop a connection. */
#include "core_test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/ipc.h"

struct row {
	uint16_t type;
	const char *shape, *answer;
};

static const struct row rows[] = {
#define REQUEST(name, number, who, request, answer) { number, request, answer },
#include "agent/ipc_v1.inc"
#undef REQUEST
	{ IPC_ERROR, "ds", "" },
	{ IPC_NOTIFY, "", "" },
};

static void fill(struct ipc_message *m, const char *shape)
{
	static const uint8_t key[KEY_BYTES] = "a key of thirty-two bytes......";

	for (; *shape; shape++) {
		if (*shape == 's')
			ipc_add_text(m, "text of a field");
		else if (*shape == 'k')
			ipc_add_key(m, key);
		else
			ipc_add_number(m, *shape == 'd' ? 0x89abcdef : UINT64_C(0x89abcdef01234567));
	}
}

static void round_trip(uint16_t type, uint16_t request, const char *shape)
{
	IPC_MESSAGE m = { 0 }, back = { 0 };
	uint8_t *bytes = NULL, *again = NULL;
	size_t len = 0, again_len = 0;

	ipc_start(&m, type);
	fill(&m, shape);
	expect(ipc_name(type), OK, ipc_encode(&bytes, &len, &m, request));
	expect(ipc_name(type), OK, ipc_decode(&back, bytes, len, request));
	assert_int_equal(back.count, strlen(shape));
	expect(ipc_name(type), OK, ipc_encode(&again, &again_len, &back, request));
	assert_int_equal(len, again_len);
	assert_memory_equal(bytes, again, len);
	for (size_t short_len = 0; short_len < len; short_len++)
		expect("a packet that is cut short", ERR_FORMAT,
		       ipc_decode(&back, bytes, short_len, request));
	bytes = realloc(bytes, len + 1);
	bytes[len] = 0;
	expect("a byte too many", ERR_FORMAT, ipc_decode(&back, bytes, len + 1, request));
	free(bytes);
	free(again);
}

static void test_every_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		round_trip(rows[i].type, 0, rows[i].shape);
		if (rows[i].type < IPC_OK)
			round_trip(IPC_OK, rows[i].type, rows[i].answer);
	}
}

static void test_hostile(void **state)
{
	static const struct damage damage[] = {
		{ "unknown type", 0, "\x63", 1, ERR_FORMAT },
		{ "reserved is not 0", 2, "\1", 1, ERR_FORMAT },
		{ "length larger than the packet", 4, "\xff\xff\xff\xff", 4, ERR_FORMAT },
		{ "length of nothing", 4, "\0\0\0\0", 4, ERR_FORMAT },
		{ "text longer than the packet", 8, "\xff\xff\xff\x7f", 4, ERR_FORMAT },
		{ "text shorter than the packet", 8, "\1\0\0\0", 4, ERR_FORMAT },
		{ "NUL inside a text", 13, "\0", 1, ERR_FORMAT },
		{ "an answer that was not asked for", 0, "\0\1", 2, ERR_FORMAT },
	};
	IPC_MESSAGE m = { 0 }, back = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(damage); i++) {
		uint8_t *bytes = NULL;
		size_t len = 0;

		ipc_start(&m, IPC_USER_REMOVE);
		ipc_add_text(&m, "bob");
		expect(damage[i].why, OK, ipc_encode(&bytes, &len, &m, 0));
		damage_apply(bytes, &damage[i]);
		expect(damage[i].why, damage[i].want, ipc_decode(&back, bytes, len, 0));
		free(bytes);
	}
}

static void test_wrong_fields(void **state)
{
	IPC_MESSAGE m = { 0 };
	char *large = calloc(1, IPC_BYTES_MAX + 1);
	uint8_t *bytes;
	size_t len;

	(void)state;
	ipc_start(&m, IPC_USER_ADD);
	ipc_add_text(&m, "only the name");
	expect("a field is missing", ERR_INTERNAL, ipc_encode(&bytes, &len, &m, 0));
	for (int i = 0; i < IPC_VALUES_MAX; i++)
		ipc_add_text(&m, "more");
	expect("more fields than there can be", ERR_INTERNAL, ipc_encode(&bytes, &len, &m, 0));
	memset(large, 'x', IPC_BYTES_MAX);
	ipc_start(&m, IPC_USER_REMOVE);
	ipc_add_text(&m, large);
	expect("larger than a packet", ERR_SPACE, ipc_encode(&bytes, &len, &m, 0));
	ipc_start(&m, 0x99);
	expect("no such type", ERR_INTERNAL, ipc_encode(&bytes, &len, &m, 0));
	free(large);
}

static void test_who(void **state)
{
	const struct ipc_peer root = { 0, 1 }, agent = { 77, 1 }, other = { 1000, 1 };

	(void)state;
	assert_true(ipc_permitted(IPC_STATUS, &other, 77));
	assert_false(ipc_permitted(IPC_COMMAND, &other, 77));
	assert_true(ipc_permitted(IPC_COMMAND, &agent, 77));
	assert_false(ipc_permitted(IPC_USER_ADD, &agent, 77));
	assert_false(ipc_permitted(IPC_ENROL_ALLOW, &agent, 77));
	assert_true(ipc_permitted(IPC_USER_ADD, &root, 77));
	assert_false(ipc_permitted(IPC_OK, &root, 77));
	assert_false(ipc_permitted(0x99, &root, 77));
	assert_false("no user of this name" && ipc_permitted(IPC_COMMAND, &other, (uid_t)-1));
}

static void pair_make(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void test_call(void **state)
{
	IPC_MESSAGE ask = { 0 }, got = { 0 }, note = { 0 }, answer = { 0 }, back = { 0 };
	int fds[2], notified = 0;

	(void)state;
	pair_make(fds);
	ipc_start(&note, IPC_NOTIFY);
	expect("news before the answer", OK, ipc_send(fds[1], &note));
	ipc_start(&answer, IPC_OK);
	ipc_add_text(&answer, "{}");
	expect("answer", OK, ipc_answer(fds[1], IPC_STATUS, &answer));
	ipc_start(&ask, IPC_STATUS);
	expect("call", OK, ipc_call(&back, &notified, fds[0], &ask, 1000));
	assert_int_equal(notified, 1);
	assert_string_equal(back.value[0].text, "{}");
	expect("the request arrived", OK, ipc_receive(&got, fds[1], 1000));
	assert_int_equal(got.type, IPC_STATUS);
	expect("nothing more", ERR_BUSY, ipc_receive(&got, fds[1], 0));
	close(fds[0]);
	expect("closed", ERR_NETWORK, ipc_receive(&got, fds[1], 1000));
	close(fds[1]);
}

static void test_call_fails(void **state)
{
	static const uint64_t numbers[] = { ERR_DENIED, OK, ERR_INTERNAL + 1, UINT32_MAX };
	static const enum err want[] = { ERR_DENIED, ERR_FORMAT, ERR_FORMAT, ERR_FORMAT };
	IPC_MESSAGE ask = { 0 }, answer = { 0 }, back = { 0 };
	int fds[2];

	(void)state;
	pair_make(fds);
	ipc_start(&ask, IPC_USER_REMOVE);
	ipc_add_text(&ask, "bob");
	for (size_t i = 0; i < COUNT(numbers); i++) {
		ipc_start(&answer, IPC_ERROR);
		ipc_add_number(&answer, numbers[i]);
		ipc_add_text(&answer, "why");
		expect("answer", OK, ipc_answer(fds[1], IPC_USER_REMOVE, &answer));
		expect("error number", want[i], ipc_call(&back, NULL, fds[0], &ask, 1000));
		assert_int_equal(back.type, IPC_ERROR);
		assert_string_equal(back.value[1].text, "why");
	}
	expect("no answer in time", ERR_BUSY, ipc_call(&back, NULL, fds[0], &ask, 10));
	assert_int_equal(back.type, 0);
	close(fds[1]);
	expect("gone", ERR_NETWORK, ipc_call(&back, NULL, fds[0], &ask, 10));
	close(fds[0]);
}

static void test_largest_packet(void **state)
{
	size_t len = IPC_BYTES_MAX - 8 - 4;
	IPC_MESSAGE ask = { 0 }, got = { 0 };
	char *text = malloc(len + 1);
	int fds[2], bytes = (int)IPC_BYTES_MAX;

	(void)state;
	pair_make(fds);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	memset(text, 'x', len);
	text[len] = '\0';
	ipc_start(&ask, IPC_RECEIPT);
	ipc_add_text(&ask, text);
	expect("the largest packet", OK, ipc_send(fds[0], &ask));
	expect("arrives", OK, ipc_receive(&got, fds[1], 1000));
	assert_int_equal(got.value[0].len, len);
	free(text);
	close(fds[0]);
	close(fds[1]);
}

static void test_sockets(void **state)
{
	char path[64], long_path[200];
	struct ipc_peer peer;
	int listener, client, server;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/holdfast-ipc-%d.sock", (int)getpid());
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	expect("path too long", ERR_RANGE, ipc_connect(&client, long_path));
	expect("nobody there", ERR_NETWORK, ipc_connect(&client, path));
	expect("listen", OK, ipc_listen(&listener, path, 0600));
	expect("connect", OK, ipc_connect(&client, path));
	expect("accept", OK, ipc_accept(&server, &peer, listener));
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.pid, getpid());
	close(server);
	close(client);
	close(listener);
	expect("nobody there any more", ERR_NETWORK, ipc_connect(&client, path));
	expect("a left-over socket is replaced", OK, ipc_listen(&listener, path, 0600));
	close(listener);
	unlink(path);
	expect("no such folder", ERR_NOT_FOUND, ipc_listen(&listener, "/nonexistent/x", 0600));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_message), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_wrong_fields), cmocka_unit_test(test_who),
		cmocka_unit_test(test_call), cmocka_unit_test(test_call_fails),
		cmocka_unit_test(test_largest_packet), cmocka_unit_test(test_sockets),
	};

	return RUN(tests);
}
