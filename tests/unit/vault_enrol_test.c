/* Vault: enrolment tokens, and what a frontend that was taken over may not have from it. */
#include "vault_fixture.h"

#include <sys/socket.h>

static struct org org;
static char officer[SESSION_ID_TEXT];

static int setup(void **state)
{
	(void)state;
	org_make(&org);
	sign_in(officer, &org, "officer:ada", 3, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	org_drop(&org);
	return 0;
}

static enum err enrol(const char *token, const uint8_t secret[KEY_BYTES], const char *device,
		      const char *nonce)
{
	VAULTMSG answer = { 0 };
	TEXT *request = enrol_request(token, secret, device, nonce);

	return ask(&org, &answer, VAULT_ENROL, request, NULL, NULL, NULL);
}

static void a_token_is_used_up(void **state)
{
	uint8_t secret[KEY_BYTES], wrong[KEY_BYTES] = { 0 };
	char token[ID_TEXT];

	(void)state;
	token_new(token, secret, &org, officer, 2);
	assert_err("another secret", enrol(token, wrong, DEVICE, "1"), ERR_AUTH);
	assert_err("another token's id", enrol(ID_1, secret, DEVICE, "1"), ERR_AUTH);
	assert_ok(enrol(token, secret, DEVICE, "1"));
	assert_ok(enrol(token, secret, DEVICE, "1")); /* the same request: no use is taken */
	assert_ok(enrol(token, secret, DEVICE, "2"));
	assert_err("no uses left", enrol(token, secret, DEVICE, "3"), ERR_EXPIRED);
	assert_ok(enrol(token, secret, DEVICE, "2"));
}

static void a_token_expires(void **state)
{
	uint8_t secret[KEY_BYTES];
	char token[ID_TEXT];

	(void)state;
	token_new(token, secret, &org, officer, 2);
	assert_ok(db_run(org.vault.db, "UPDATE tokens SET expires = 5", ""));
	assert_err("expired", enrol(token, secret, DEVICE, "1"), ERR_EXPIRED);
}

/* The secret follows from the server key: what is stored cannot enrol anybody. */
static void the_database_has_no_token_secret(void **state)
{
	uint8_t secret[KEY_BYTES], derived[KEY_BYTES];
	char token[ID_TEXT];
	struct vault other = { .key = signer(9) };

	(void)state;
	token_new(token, secret, &org, officer, 1);
	vault_derive(derived, &org.vault, "enrolment token", token);
	assert_memory_equal(derived, secret, KEY_BYTES);
	vault_derive(derived, &other, "enrolment token", token);
	assert_memory_not_equal(derived, secret, KEY_BYTES);
}

static void the_claim_secret_is_told_once(void **state)
{
	VAULTMSG answer = { 0 };
	const uint8_t zero[KEY_BYTES] = { 0 };

	(void)state;
	assert_ok(ask(&org, &answer, VAULT_HELLO, NULL, NULL, NULL, NULL));
	assert_memory_equal(answer.value[2].key, zero, KEY_BYTES); /* claimed: there is none */
	assert_err("asked again", ask(&org, &answer, VAULT_HELLO, NULL, NULL, NULL, NULL),
		   ERR_DENIED);
}

/* Without a session that the vault has confirmed itself, nothing that concerns an officer or a
 * device. */
static void no_session_no_service(void **state)
{
	static const uint16_t types[] = { VAULT_ME, VAULT_TRUST, VAULT_OFFICERS };
	VAULTMSG answer = { 0 };
	char device[SESSION_ID_TEXT];
	uint8_t secret[KEY_BYTES];
	char token[ID_TEXT];
	TEXT *cert = cert_of("session", DEVICE, "", 5, 4, NULL, "");

	(void)state;
	token_new(token, secret, &org, officer, 1);
	assert_ok(enrol(token, secret, DEVICE, "1"));
	sign_in(device, &org, "device:" DEVICE, 5, cert);
	for (size_t i = 0; i < COUNT(types); i++) {
		assert_err("no session", ask(&org, &answer, types[i], "", NULL, NULL, NULL),
			   ERR_STATE);
		assert_err("a device's session",
			   ask(&org, &answer, types[i], device, NULL, NULL, NULL), ERR_DENIED);
		assert_ok(ask(&org, &answer, types[i], officer, NULL, NULL, NULL));
	}
	assert_err("escrow without a session",
		   ask(&org, &answer, VAULT_ESCROW_PUT, "", "[]", NULL, NULL), ERR_STATE);
	assert_err("escrow by an officer",
		   ask(&org, &answer, VAULT_ESCROW_PUT, officer, "[]", NULL, NULL), ERR_DENIED);
	assert_err("a release by a device",
		   ask(&org, &answer, VAULT_ESCROW_RELEASE, device, DEVICE, ID_1, "reason"),
		   ERR_DENIED);
	assert_err("a device looked at by a device",
		   ask(&org, &answer, VAULT_DEVICE, device, DEVICE, NULL, NULL), ERR_DENIED);
	assert_err("a sync by a device",
		   ask(&org, &answer, VAULT_COMMAND_SYNC, device, DEVICE, NULL, NULL), ERR_DENIED);
}

/* The officer root signs in with the recovery sheet, to appoint: what laptops have sent is not its
 * business, not even when the frontend asks for it. */
static void the_root_appoints_and_no_more(void **state)
{
	static const uint16_t device_types[] = { VAULT_DEVICE, VAULT_ESCROW_LIST,
						 VAULT_COMMAND_SYNC };
	VAULTMSG answer = { 0 };
	char root[SESSION_ID_TEXT];

	(void)state;
	sign_in(root, &org, "officer:ROOT", 1, NULL);
	assert_ok(ask(&org, &answer, VAULT_TRUST, root, NULL, NULL, NULL));
	assert_ok(ask(&org, &answer, VAULT_OFFICERS, root, NULL, NULL, NULL));
	assert_err("its own keys", ask(&org, &answer, VAULT_ME, root, NULL, NULL, NULL),
		   ERR_DENIED);
	for (size_t i = 0; i < COUNT(device_types); i++)
		assert_err("a laptop",
			   ask(&org, &answer, device_types[i], root, DEVICE, NULL, NULL),
			   ERR_DENIED);
	assert_err("a command", ask(&org, &answer, VAULT_COMMAND_CHECK, root, DEVICE, "x", NULL),
		   ERR_DENIED);
	assert_err("a policy", ask(&org, &answer, VAULT_POLICY_PUT, root, "x", NULL, NULL),
		   ERR_DENIED);
	assert_err("a release",
		   ask(&org, &answer, VAULT_ESCROW_RELEASE, root, DEVICE, ID_1, "reason"),
		   ERR_DENIED);
}

/* An officer's key replaced in the database is no officer: the root's signature decides. */
static void a_changed_database_makes_no_officer(void **state)
{
	VAULTMSG answer = { 0 };
	TEXT *forged = cert_of("officer", "ada", ENTERPRISE, 2, 9, NULL, "tokens");

	(void)state;
	assert_ok(db_run(org.vault.db, "UPDATE officers SET cert = ?", "t", forged));
	assert_err("a certificate by another root",
		   ask(&org, &answer, VAULT_ME, officer, NULL, NULL, NULL), ERR_SIGNATURE);
}

static void checkpoints_only_grow(void **state)
{
	static const struct {
		const char *why;
		uint64_t n;
		uint8_t hash;
		enum err want;
	} rows[] = {
		{ "the first", 5, 1, OK },
		{ "the same", 5, 1, OK },
		{ "the same number with another hash", 5, 2, ERR_CHANGED },
		{ "a shorter log", 4, 1, ERR_ROLLBACK },
		{ "a longer one", 9, 3, OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		VAULTMSG m = { 0 }, answer = { 0 };
		uint8_t hash[KEY_BYTES];

		memset(hash, rows[i].hash, sizeof(hash));
		vaultmsg_start(&m, VAULT_CHECKPOINT);
		vaultmsg_add_number(&m, rows[i].n);
		vaultmsg_add_key(&m, hash);
		vault_answer(&org.vault, &m, &answer);
		assert_err(rows[i].why,
			   answer.type == VAULT_OK ? OK : (enum err)answer.value[0].number,
			   rows[i].want);
	}
}

/* A laptop that sends more than fits a message once ended the vault, and with it the server, each time
 * that an officer looked at it. */
static void an_answer_that_is_too_large_ends_nothing(void **state)
{
	VAULTMSG ask_m = { 0 }, answer = { 0 };
	uint8_t *big = calloc(1, VAULTMSG_BODY_MAX + 1);
	int pair[2];

	(void)state;
	assert_non_null(big);
	memset(big, 'x', VAULTMSG_BODY_MAX);
	assert_ok(db_run(org.vault.db, "UPDATE policies SET settings = ?", "t", (const char *)big));
	free(big);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	/* STATE is answered by an error, HELLO by its answer: the vault is still there. */
	vaultmsg_start(&ask_m, VAULT_STATE);
	assert_ok(vaultmsg_send(pair[0], &ask_m, 0));
	vaultmsg_start(&ask_m, VAULT_HELLO);
	assert_ok(vaultmsg_send(pair[0], &ask_m, 0));
	assert_ok(vault_serve(&org.vault, pair[1]));
	assert_ok(vaultmsg_receive(&answer, pair[0], VAULT_STATE));
	assert_int_equal(answer.type, VAULT_ERROR);
	assert_int_equal(answer.value[0].number, ERR_SPACE);
	vaultmsg_drop(&answer);
	assert_ok(vaultmsg_receive(&answer, pair[0], VAULT_HELLO));
	assert_int_equal(answer.type, VAULT_OK);
	close(pair[0]);
	close(pair[1]);
}

static void the_state_is_there_after_a_restart(void **state)
{
	struct vault again;

	(void)state;
	vault_close(&org.vault);
	assert_ok(vault_open(&again, org.dir));
	assert_true(again.claimed);
	assert_string_equal(again.enterprise, ENTERPRISE);
	assert_memory_equal(again.pk.bytes, org.vault.pk.bytes, KEY_BYTES);
	org.vault = again;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_token_is_used_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_expires, setup, teardown),
		cmocka_unit_test_setup_teardown(the_database_has_no_token_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(the_claim_secret_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(no_session_no_service, setup, teardown),
		cmocka_unit_test_setup_teardown(the_root_appoints_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_database_makes_no_officer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(checkpoints_only_grow, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_is_too_large_ends_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_state_is_there_after_a_restart, setup,
						teardown),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
