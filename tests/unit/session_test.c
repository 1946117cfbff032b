/* Sessions: exchange, sealed requests and answers. Keys: 1 client, 2 server, 3 stranger, 4 user. */
#include "tests/unit/jose_fixture.h"

#include "common/session_host.h"

#define NOW 1700000000u
#define PATH "/v1/commands?after=3&wait=50"

struct pair {
	struct session client, server;
};

static char *opened(struct agree_sk *ret_esk, uint8_t server)
{
	struct sign_sk client = signer(1);
	struct sign_pk pk = signer_pk(server);
	char kid[KID_BYTES], *jws = NULL;

	kid_of_sign(kid, &pk);
	assert_ok(session_open(&jws, ret_esk, "device:" DEVICE, kid, NULL, NOW, &client));
	return jws;
}

static struct pair paired(void)
{
	struct sign_sk server = signer(2);
	struct sign_pk client_pk = signer_pk(1), server_pk = signer_pk(2);
	struct agree_sk esk;
	struct pair p = { 0 };
	TEXT *open = opened(&esk, 2), *accept = NULL;

	assert_ok(session_accept(&p.server, &accept, open, &client_pk, NOW, 600, &server));
	assert_ok(session_accepted(&p.client, open, accept, &esk, &server_pk));
	return p;
}

static void both_sides_agree(void **state)
{
	struct pair p = paired(), q = paired();

	(void)state;
	assert_memory_equal(&p.client, &p.server, sizeof p.client);
	assert_int_equal(strlen(p.client.id), SESSION_ID_TEXT - 1);
	assert_memory_not_equal(p.client.c2s, p.client.s2c, KEY_BYTES);
	assert_memory_not_equal(p.client.c2s, q.client.c2s, KEY_BYTES);
	assert_memory_not_equal(p.client.transcript, q.client.transcript, DIGEST_BYTES);
}

static void drop_wipes(void **state)
{
	static const struct session zeros;
	struct pair p = paired();

	(void)state;
	session_drop(&p.client);
	assert_memory_equal(&p.client, &zeros, sizeof zeros);
}

static void accept_refuses(void **state)
{
	static const struct {
		const char *why;
		uint8_t client, named, server;
		uint64_t now;
		enum err want;
	} rows[] = {
		{ "as it should be", 1, 2, 2, NOW, OK },
		{ "signed by another", 3, 2, 2, NOW, ERR_SIGNATURE },
		{ "for another server", 1, 3, 2, NOW, ERR_MISDIRECTED },
		{ "a day ahead", 1, 2, 2, NOW - 86400, OK },
		{ "more than a day ahead", 1, 2, 2, NOW - 86401, ERR_EXPIRED },
		{ "more than a day behind", 1, 2, 2, NOW + 86401, ERR_EXPIRED },
		{ "ten years off, but nobody asks", 1, 2, 2, 0, OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sign_sk server = signer(rows[i].server);
		struct sign_pk client = signer_pk(rows[i].client);
		struct session s = { 0 };
		struct agree_sk esk;
		TEXT *open = opened(&esk, rows[i].named), *accept = NULL;

		assert_err(rows[i].why,
			   session_accept(&s, &accept, open, &client, rows[i].now, 600, &server),
			   rows[i].want);
		assert_int_equal(accept != NULL, rows[i].want == OK);
		assert_int_equal(s.id[0] != 0, rows[i].want == OK);
	}
}

/* The client's epk is all zeros: the shared secret would be known to everybody. */
static void small_order_refused(void **state)
{
	struct sign_sk client = signer(1), server = signer(2);
	struct sign_pk client_pk = signer_pk(1);
	struct agree_sk esk;
	struct session s;
	TEXT *open = opened(&esk, 2), *forged = NULL, *accept = NULL;
	JSON *payload = NULL;
	struct agree_pk zero = { { 0 } };

	(void)state;
	assert_ok(jws_peek(&payload, NULL, "holdfast-session-open", open));
	json_object_set_new(payload, "epk", jwk_of_agree(&zero));
	assert_ok(jws_sign(&forged, "holdfast-session-open", payload, &client));
	assert_err("zeros", session_accept(&s, &accept, forged, &client_pk, NOW, 600, &server),
		   ERR_FORMAT);
}

static void accepted_refuses(void **state)
{
	struct sign_sk server = signer(2), stranger = signer(3);
	struct sign_pk client_pk = signer_pk(1), server_pk = signer_pk(2), stranger_pk = signer_pk(3);
	struct agree_sk esk, other_esk;
	struct session s = { 0 }, there;
	TEXT *open = opened(&esk, 2), *other = opened(&other_esk, 2), *accept = NULL;
	TEXT *to_stranger = opened(&other_esk, 3), *theirs = NULL;

	(void)state;
	assert_ok(session_accept(&there, &accept, open, &client_pk, NOW, 600, &server));
	assert_err("answer to another open", session_accepted(&s, other, accept, &esk, &server_pk),
		   ERR_CHANGED);
	assert_err("another server's key", session_accepted(&s, open, accept, &esk, &stranger_pk),
		   ERR_SIGNATURE);
	assert_err("the open itself", session_accepted(&s, open, open, &esk, &client_pk), ERR_FORMAT);
	assert_ok(session_accept(&there, &theirs, to_stranger, &client_pk, NOW, 600, &stranger));
	assert_err("a stranger in between", session_accepted(&s, open, theirs, &esk, &server_pk),
		   ERR_SIGNATURE);
	assert_int_equal(s.id[0], 0);
}

static void proofs_are_bound_to_the_session(void **state)
{
	struct pair p = paired(), q = paired();
	struct sign_sk client = signer(1);
	struct sign_pk client_pk = signer_pk(1), user_pk = signer_pk(4), stranger = signer_pk(3);
	struct user_key user;
	TEXT *confirm = NULL, *proof = NULL;
	JSON *read = NULL, *none = NULL;
	const char *text;

	(void)state;
	memset(user.seed, 4, sizeof user.seed);
	assert_ok(session_confirm(&confirm, &p.client, &client));
	assert_ok(session_user_proof(&proof, p.client.transcript, "anna", ID_1, "password", DEVICE,
				     &user));
	assert_ok(session_confirm_verify(&p.server, confirm, &client_pk));
	assert_ok(session_user_proof_verify(&read, &p.server, proof, &user_pk));
	assert_ok(json_get_string(&text, read, "user"));
	assert_string_equal(text, "anna");
	assert_err("another session", session_confirm_verify(&q.server, confirm, &client_pk),
		   ERR_CHANGED);
	assert_err("another session", session_user_proof_verify(&none, &q.server, proof, &user_pk),
		   ERR_CHANGED);
	assert_err("another key", session_confirm_verify(&p.server, confirm, &stranger),
		   ERR_SIGNATURE);
	assert_err("another key", session_user_proof_verify(&none, &p.server, proof, &stranger),
		   ERR_SIGNATURE);
	assert_err("a proof is no confirmation", session_confirm_verify(&p.server, proof, &user_pk),
		   ERR_MISDIRECTED);
}

static char *request(struct pair *p, uint64_t *ret_ctr)
{
	JSON *body = json_pack("{s:i}", "n", 1);
	char *jwe = NULL;

	assert_ok(session_seal(&jwe, ret_ctr, &p->client, "GET", PATH, "token", body));
	return jwe;
}

static enum err received(struct pair *p, const char *jwe)
{
	JSON *body = NULL;
	TEXT *token = NULL;
	uint64_t ctr;

	return session_request_open(&body, &token, &ctr, &p->server, jwe, "GET", PATH);
}

static void there_and_back(void **state)
{
	struct pair p = paired();
	JSON *body = NULL, *answer = json_pack("{s:s}", "status", "ok"), *got = NULL, *no = NULL;
	TEXT *jwe = NULL, *token = NULL, *reply = NULL;
	uint64_t ctr, seen, n;

	(void)state;
	jwe = request(&p, &ctr);
	assert_int_equal(ctr, 1);
	assert_ok(session_request_open(&body, &token, &seen, &p.server, jwe, "GET", PATH));
	assert_int_equal(seen, 1);
	assert_string_equal(token, "token");
	assert_ok(json_get_u64(&n, body, "n"));
	assert_ok(session_answer_seal(&reply, &p.server, seen, 200, answer, 0));
	assert_ok(session_unseal(&got, &p.client, reply, ctr, 200));
	assert_true(json_equal(got, answer));
	assert_err("another status", session_unseal(&no, &p.client, reply, ctr, 403), ERR_AUTH);
	assert_err("no status", session_unseal(&no, &p.client, reply, ctr, -1), ERR_AUTH);
	assert_err("another request's", session_unseal(&no, &p.client, reply, 2, 200), ERR_AUTH);
	assert_null(no);
}

static void errors_and_empty_bodies(void **state)
{
	struct pair p = paired();
	JSON *body = NULL, *error = json_pack("{s:s}", "code", "not-found"), *got = NULL, *nil = NULL;
	TEXT *jwe = NULL, *token = NULL, *reply = NULL, *empty = NULL;
	uint64_t ctr, seen;

	(void)state;
	assert_ok(session_seal(&jwe, &ctr, &p.client, "POST", "/v1/session/confirm", NULL, NULL));
	assert_ok(session_request_open(&body, &token, &seen, &p.server, jwe, "POST",
				       "/v1/session/confirm"));
	assert_null(token);
	assert_true(json_is_null(body));
	assert_ok(session_answer_seal(&reply, &p.server, 1, 404, error, 1));
	assert_ok(session_unseal(&got, &p.client, reply, 1, 404));
	assert_true(json_equal(got, error));
	assert_ok(session_answer_seal(&empty, &p.server, 2, 204, NULL, 0));
	assert_ok(session_unseal(&nil, &p.client, empty, 2, 204));
	assert_true(json_is_null(nil));
}

static void requests_refused(void **state)
{
	static const struct {
		const char *why, *method, *path;
		enum err want;
	} rows[] = {
		{ "another method", "DELETE", PATH, ERR_MISDIRECTED },
		{ "another path", "GET", "/v1/policy", ERR_MISDIRECTED },
		{ "another query", "GET", "/v1/commands?after=0&wait=50", ERR_MISDIRECTED },
		{ "no query", "GET", "/v1/commands", ERR_MISDIRECTED },
		{ "the right one, whose counter the others did not use up", "GET", PATH, OK },
		{ "again", "GET", PATH, ERR_REPLAY },
	};
	struct pair p = paired(), q = paired();
	uint64_t ctr;
	TEXT *jwe = request(&p, &ctr), *reply = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *body = NULL;
		TEXT *token = NULL;

		assert_err(rows[i].why,
			   session_request_open(&body, &token, &ctr, &p.server, jwe, rows[i].method,
						rows[i].path), rows[i].want);
	}
	assert_err("another session's", received(&q, jwe), ERR_AUTH);
	assert_ok(session_answer_seal(&reply, &p.server, 5, 200, NULL, 0));
	assert_err("an answer sent back as a request", received(&p, reply), ERR_FORMAT);
	assert_err("nothing", received(&p, ""), ERR_FORMAT);
}

static void every_change_is_noticed(void **state)
{
	struct pair p = paired();
	uint64_t ctr;
	TEXT *jwe = request(&p, &ctr);
	size_t len = strlen(jwe);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		TEXT *changed = strdup(jwe), *cut = strndup(jwe, i);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		if (!received(&p, changed))
			fail_msg("changed at %zu: accepted", i);
		if (!received(&p, cut))
			fail_msg("cut at %zu: accepted", i);
	}
	assert_ok(received(&p, jwe));
}

/* Requests overtake each other on the way; each is taken once, and only within the window. */
static void window_takes_each_once(void **state)
{
	enum { TOTAL = 70 };
	struct pair p = paired();
	char *jwe[TOTAL + 1];
	uint64_t ctr;

	(void)state;
	for (int i = 1; i <= TOTAL; i++)
		jwe[i] = request(&p, &ctr);
	assert_err("the third first", received(&p, jwe[3]), OK);
	assert_err("the first later", received(&p, jwe[1]), OK);
	assert_err("the first again", received(&p, jwe[1]), ERR_REPLAY);
	assert_err("the third again", received(&p, jwe[3]), ERR_REPLAY);
	assert_err("far ahead", received(&p, jwe[66]), OK);
	assert_err("63 behind, seen", received(&p, jwe[3]), ERR_REPLAY);
	assert_err("64 behind, not seen, but nobody knows any more", received(&p, jwe[2]), ERR_REPLAY);
	assert_err("62 behind, not seen", received(&p, jwe[4]), OK);
	assert_err("62 behind, again", received(&p, jwe[4]), ERR_REPLAY);
	assert_err("the highest again", received(&p, jwe[66]), ERR_REPLAY);
	for (int i = 5; i <= TOTAL; i++)
		assert_err("each once", received(&p, jwe[i]), i == 66 ? ERR_REPLAY : OK);
	for (int i = 1; i <= TOTAL; i++) {
		assert_err("all again", received(&p, jwe[i]), ERR_REPLAY);
		free(jwe[i]);
	}
}

static void whole_window_jump(void **state)
{
	struct pair p = paired();
	uint64_t ctr;
	TEXT *first = request(&p, &ctr), *later = NULL, *last = NULL;

	(void)state;
	assert_ok(received(&p, first));
	p.client.counter = 1000;
	later = request(&p, &ctr);
	assert_ok(received(&p, later));
	assert_err("long ago", received(&p, first), ERR_REPLAY);
	p.client.counter = ((uint64_t)1 << 53) - 1;
	last = request(&p, &ctr);
	assert_ok(received(&p, last));
	free(last);
	last = NULL;
	assert_err("no counters left", session_seal(&last, &ctr, &p.client, "GET", PATH, NULL, NULL),
		   ERR_STATE);
}

static void too_long(void **state)
{
	struct pair p = paired();
	char *big = malloc(JWE_BYTES_MAX);
	JSON *body = NULL;
	TEXT *jwe = NULL;
	uint64_t ctr;

	(void)state;
	assert_non_null(big);
	memset(big, 'a', JWE_BYTES_MAX - 1);
	big[JWE_BYTES_MAX - 1] = '\0';
	body = json_pack("{s:s}", "x", big);
	assert_err("a body of 1 MiB", session_seal(&jwe, &ctr, &p.client, "POST", PATH, NULL, body),
		   ERR_RANGE);
	big[760000] = '\0';
	json_decref(body);
	body = json_pack("{s:s}", "x", big);
	assert_ok(session_seal(&jwe, &ctr, &p.client, "GET", PATH, NULL, body));
	assert_err("the longest that passes", received(&p, jwe), OK);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(drop_wipes),
		cmocka_unit_test(accept_refuses),
		cmocka_unit_test(small_order_refused),
		cmocka_unit_test(accepted_refuses),
		cmocka_unit_test(proofs_are_bound_to_the_session),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(errors_and_empty_bodies),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(every_change_is_noticed),
		cmocka_unit_test(window_takes_each_once),
		cmocka_unit_test(whole_window_jump),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
