/* Messages of the socket pair: what is encoded decodes, everything else is refused. */
#include "jose_fixture.h"

#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/vaultmsg.h"

static void sample(struct vaultmsg *m)
{
	vaultmsg_start(m, VAULT_TOKEN_NEW); /* "sqq" */
	vaultmsg_add_text(m, "session");
	vaultmsg_add_number(m, 60);
	vaultmsg_add_number(m, UINT64_MAX);
}

static void what_is_sent_is_received(void **state)
{
	VAULTMSG m = { 0 }, got = { 0 };
	int pair[2];

	(void)state;
	sample(&m);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_ok(vaultmsg_send(pair[0], &m, 0));
	assert_ok(vaultmsg_receive(&got, pair[1], 0));
	assert_int_equal(got.type, VAULT_TOKEN_NEW);
	assert_string_equal(got.value[0].text, "session");
	assert_true(got.value[1].number == 60 && got.value[2].number == UINT64_MAX);
	close(pair[0]);
	assert_err("the other side is gone", vaultmsg_receive(&got, pair[1], 0), ERR_NETWORK);
	close(pair[1]);
}

static void fields_that_are_not_the_shapes(void **state)
{
	VAULTMSG m = { 0 };
	uint8_t *frame = NULL;
	size_t len;

	(void)state;
	sample(&m);
	vaultmsg_add_number(&m, 1);
	assert_err("one field too many", vaultmsg_encode(&frame, &len, &m, 0), ERR_INTERNAL);
	vaultmsg_start(&m, VAULT_TOKEN_NEW);
	vaultmsg_add_number(&m, 1);
	vaultmsg_add_number(&m, 1);
	vaultmsg_add_number(&m, 1);
	assert_err("a number for a text", vaultmsg_encode(&frame, &len, &m, 0), ERR_INTERNAL);
	vaultmsg_start(&m, 999);
	assert_err("an unknown type", vaultmsg_encode(&frame, &len, &m, 0), ERR_INTERNAL);
	assert_null(frame);
}

static void damaged_frames_are_refused(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t value;
	} rows[] = {
		{ "unknown type", 0, 200 },
		{ "reserved is not 0", 2, 1 },
		{ "length one less", 4, 26 },
		{ "length one more", 4, 28 },
		{ "length enormous", 7, 255 },
		{ "text longer than the body", 8, 255 },
		{ "text shorter: bytes left over", 8, 6 },
		{ "NUL in a text", 14, 0 },
	};
	VAULTMSG m = { 0 }, got = { 0 };
	uint8_t *frame = NULL, copy[64];
	size_t len;

	(void)state;
	sample(&m);
	assert_ok(vaultmsg_encode(&frame, &len, &m, 0));
	assert_int_equal(len, 8 + 4 + 7 + 16);
	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(copy, frame, len);
		copy[rows[i].at] = rows[i].value;
		assert_err(rows[i].why, vaultmsg_decode(&got, copy, len, 0), ERR_FORMAT);
		assert_int_equal(got.type, 0);
	}
	for (size_t n = 0; n <= len + 1; n++) {
		memcpy(copy, frame, len);
		assert_err("every length", vaultmsg_decode(&got, copy, n, 0),
			   n == len ? OK : ERR_FORMAT);
	}
	free(frame);
}

static void an_error_keeps_its_fault(void **state)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct fault fault = { 0 };
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	vaultmsg_start(&answer, VAULT_ERROR);
	vaultmsg_add_number(&answer, ERR_DENIED);
	vaultmsg_add_number(&answer, FAULT_NOT_ALLOWED);
	vaultmsg_add_text(&answer, "why");
	assert_ok(vaultmsg_send(pair[1], &answer, VAULT_ME));
	vaultmsg_start(&ask, VAULT_ME);
	vaultmsg_add_text(&ask, "");
	assert_err("the answer's error", vaultmsg_call(&answer, &fault, pair[0], &ask), ERR_DENIED);
	assert_int_equal(fault.code, FAULT_NOT_ALLOWED);
	assert_string_equal(fault.message, "why");
	close(pair[0]);
	close(pair[1]);
}

static void secrets_are_wiped(void **state)
{
	struct vaultmsg m = { 0 };
	const struct vaultmsg zero = { 0 };
	uint8_t key[KEY_BYTES];

	(void)state;
	memset(key, 7, sizeof(key));
	vaultmsg_start(&m, VAULT_CHECKPOINT);
	vaultmsg_add_number(&m, 1);
	vaultmsg_add_key(&m, key);
	vaultmsg_drop(&m);
	assert_memory_equal(&m, &zero, sizeof(m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_is_received),
		cmocka_unit_test(fields_that_are_not_the_shapes),
		cmocka_unit_test(damaged_frames_are_refused),
		cmocka_unit_test(an_error_keeps_its_fault),
		cmocka_unit_test(secrets_are_wiped),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
