/* Commands and policies, and who may give them.
 * Keys: 1 officer root, 2 server, 3 officer Anna, 4 stranger, 5 officer Bert (lock only). */
#include "tests/unit/jose_fixture.h"

#include "common/command_host.h"

#define NOW 1700000000u

static struct command_trust trust(void)
{
	return (struct command_trust){ .root = signer_pk(1), .server = signer_pk(2),
				       .device = DEVICE, .enrolment = ENROLMENT,
				       .enterprise = ENTERPRISE, .command_seq = 10, .kill_seq = 3,
				       .now = NOW };
}

static struct command order(const char *name)
{
	struct command c = { .id = ID_1, .device = DEVICE, .enrolment = ENROLMENT,
			     .sequence = strcmp(name, "kill") ? 11 : 4, .issued = NOW - 5,
			     .expires = NOW + 3600 };

	strcpy(c.name, name);
	return c;
}

static char *signed_by(const struct command *c, uint8_t n)
{
	struct sign_sk sk = signer(n);
	char *jws = NULL;

	assert_ok(command_sign(&jws, c, &sk));
	return jws;
}

static json_t *certs_of(const char *jws)
{
	return json_pack("[s]", jws);
}

static enum err verify(struct command *ret, const char *jws, const struct command_trust *t)
{
	TEXT *anna = officer_cert(3, 1, "kill lock reset rotate-recovery policy");
	TEXT *bert = officer_cert(5, 1, "lock");
	JSON *certs = json_pack("[s, s]", bert, anna);

	return command_verify(ret, jws, certs, t);
}

static void right_commands_pass(void **state)
{
	static const struct {
		const char *name;
		uint8_t signer;
	} rows[] = { { "kill", 3 }, { "lock", 3 }, { "lock", 5 }, { "reset", 3 },
		     { "rotate-recovery", 3 }, { "sync", 3 }, { "sync", 5 }, { "sync", 2 } };
	struct command_trust t = trust();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command c = order(rows[i].name), got;
		TEXT *jws = signed_by(&c, rows[i].signer);

		assert_err(rows[i].name, verify(&got, jws, &t), OK);
		assert_string_equal(got.name, rows[i].name);
		assert_string_equal(got.id, ID_1);
		assert_int_equal(got.sequence, c.sequence);
		assert_int_equal(json_object_size(got.args), 0);
		command_drop(&got);
		command_drop(&got);
	}
}

static void arguments_arrive(void **state)
{
	struct command_trust t = trust();
	struct command c = order("lock"), got;
	TEXT *jws = NULL;

	(void)state;
	c.args = json_pack("{s:s}", "why", "lost");
	jws = signed_by(&c, 3);
	assert_ok(verify(&got, jws, &t));
	assert_true(json_equal(got.args, c.args));
	command_drop(&got);
	command_drop(&c);
}

/* Each way to be refused; only the named thing differs from a command that passes. */
static void wrong_commands_refused(void **state)
{
	static const struct {
		const char *why, *name, *device, *enrolment;
		uint8_t signer;
		int64_t sequence; /* 0: the next one */
		int64_t expires;  /* -1: in an hour */
		enum err want;
	} rows[] = {
		{ "a stranger's kill", "kill", DEVICE, ENROLMENT, 4, 0, -1, ERR_SIGNATURE },
		{ "the root's own kill", "kill", DEVICE, ENROLMENT, 1, 0, -1, ERR_SIGNATURE },
		{ "the server's kill", "kill", DEVICE, ENROLMENT, 2, 0, -1, ERR_DENIED },
		{ "the server's lock", "lock", DEVICE, ENROLMENT, 2, 0, -1, ERR_DENIED },
		{ "the server's reset", "reset", DEVICE, ENROLMENT, 2, 0, -1, ERR_DENIED },
		{ "the server's rotation", "rotate-recovery", DEVICE, ENROLMENT, 2, 0, -1, ERR_DENIED },
		{ "kill without its permission", "kill", DEVICE, ENROLMENT, 5, 0, -1, ERR_DENIED },
		{ "reset without its permission", "reset", DEVICE, ENROLMENT, 5, 0, -1, ERR_DENIED },
		{ "another device", "lock", ANOTHER, ENROLMENT, 3, 0, -1, ERR_MISDIRECTED },
		{ "kill for another device", "kill", ANOTHER, ENROLMENT, 3, 0, -1, ERR_MISDIRECTED },
		{ "another enrolment", "lock", DEVICE, ANOTHER, 3, 0, -1, ERR_MISDIRECTED },
		{ "expired", "lock", DEVICE, ENROLMENT, 3, 0, NOW - 1, ERR_EXPIRED },
		{ "expires now", "lock", DEVICE, ENROLMENT, 3, 0, NOW, ERR_EXPIRED },
		{ "expires in a second", "lock", DEVICE, ENROLMENT, 3, 0, NOW + 1, OK },
		{ "never expires", "lock", DEVICE, ENROLMENT, 3, 0, 0, OK },
		{ "a kill does not expire", "kill", DEVICE, ENROLMENT, 3, 0, 1, OK },
		{ "the last sequence again", "lock", DEVICE, ENROLMENT, 3, 10, -1, ERR_REPLAY },
		{ "an older one", "lock", DEVICE, ENROLMENT, 3, 1, -1, ERR_REPLAY },
		{ "a gap", "lock", DEVICE, ENROLMENT, 3, 500, -1, OK },
		{ "a kill's own sequence, seen", "kill", DEVICE, ENROLMENT, 3, 3, -1, ERR_REPLAY },
		{ "a kill's own sequence, next", "kill", DEVICE, ENROLMENT, 3, 4, -1, OK },
		{ "permission is checked before device", "kill", ANOTHER, ANOTHER, 5, 1, 1, ERR_DENIED },
		{ "device before expiry", "lock", ANOTHER, ENROLMENT, 3, 1, 1, ERR_MISDIRECTED },
		{ "expiry before sequence", "lock", DEVICE, ENROLMENT, 3, 1, 1, ERR_EXPIRED },
	};
	struct command_trust t = trust();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command c = order(rows[i].name), got;
		TEXT *jws = NULL;

		strcpy(c.device, rows[i].device);
		strcpy(c.enrolment, rows[i].enrolment);
		if (rows[i].sequence)
			c.sequence = (uint64_t)rows[i].sequence;
		if (rows[i].expires >= 0)
			c.expires = (uint64_t)rows[i].expires;
		jws = signed_by(&c, rows[i].signer);
		assert_err(rows[i].why, verify(&got, jws, &t), rows[i].want);
		assert_string_equal(got.name, rows[i].name);
		assert_string_equal(got.id, ID_1);
		assert_int_equal(got.sequence, c.sequence);
		command_drop(&got);
	}
}

static void chains_refused(void **state)
{
	TEXT *other_root = officer_cert(3, 4, "kill"), *self = officer_cert(3, 3, "kill");
	TEXT *none = officer_cert(3, 1, ""), *good = officer_cert(3, 1, "kill");
	TEXT *longer = officer_cert(3, 1, "kills"), *bert = officer_cert(5, 1, "kill");
	const struct {
		const char *why, *cert;
		enum err want;
	} rows[] = {
		{ "a certificate by the root", good, OK },
		{ "a certificate by another root", other_root, ERR_SIGNATURE },
		{ "a certificate by the officer himself", self, ERR_SIGNATURE },
		{ "another officer's certificate", bert, ERR_SIGNATURE },
		{ "no permissions", none, ERR_DENIED },
		{ "a longer word", longer, ERR_DENIED },
		{ "no certificate at all", "x", ERR_SIGNATURE },
		{ "an empty text", "", ERR_SIGNATURE },
	};
	struct command_trust t = trust();
	struct command c = order("kill"), got;
	TEXT *jws = signed_by(&c, 3);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *certs = certs_of(rows[i].cert);

		assert_err(rows[i].why, command_verify(&got, jws, certs, &t), rows[i].want);
		command_drop(&got);
	}
	assert_err("no array", command_verify(&got, jws, NULL, &t), ERR_SIGNATURE);
	command_drop(&got);
}

static void cert_arrays_refused(void **state)
{
	TEXT *good = officer_cert(3, 1, "kill");
	JSON *many = json_array(), *numbers = json_pack("[i]", 1);
	struct command_trust t = trust();
	struct command c = order("kill"), got;
	TEXT *jws = signed_by(&c, 3);

	(void)state;
	for (int i = 0; i < 17; i++)
		json_array_append_new(many, json_string(good));
	assert_err("seventeen certificates", command_verify(&got, jws, many, &t), ERR_FORMAT);
	command_drop(&got);
	assert_err("a number", command_verify(&got, jws, numbers, &t), ERR_FORMAT);
	command_drop(&got);
}

/* A certificate by the root, but not for an officer, signs no commands. */
static void other_roles_refused(void **state)
{
	static const char *const roles[] = { "server", "officer-sign-in", "session", "user" };
	struct sign_sk root = signer(1);
	struct command_trust t = trust();
	struct command c = order("sync"), got;
	TEXT *jws = signed_by(&c, 4);

	(void)state;
	for (size_t i = 0; i < COUNT(roles); i++) {
		struct cert cert = { .subject = "x", .enterprise = ENTERPRISE, .sign = signer_pk(4) };
		TEXT *text = NULL;
		JSON *certs = NULL;

		strcpy(cert.role, roles[i]);
		assert_ok(cert_sign(&text, &cert, &root));
		certs = certs_of(text);
		assert_err(roles[i], command_verify(&got, jws, certs, &t), ERR_SIGNATURE);
		command_drop(&got);
	}
}

static void enterprise_and_time_of_the_officer(void **state)
{
	static const struct {
		const char *why, *name;
		uint64_t now, issued;
		enum err want;
	} rows[] = {
		{ "in time", "lock", NOW, NOW, OK },
		{ "the officer's certificate has ended", "lock", 2000000000, NOW, ERR_EXPIRED },
		{ "a clock turned back must not dodge a kill", "kill", 1, NOW, OK },
		{ "a clock turned forward must not dodge a kill", "kill", 4000000000, NOW, OK },
		{ "a kill issued after the certificate's end", "kill", NOW, 2000000000, ERR_EXPIRED },
	};
	struct command_trust t = trust();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct command c = order(rows[i].name), got;
		TEXT *jws = NULL;

		c.issued = rows[i].issued;
		c.expires = 0;
		t.now = rows[i].now;
		jws = signed_by(&c, 3);
		assert_err(rows[i].why, verify(&got, jws, &t), rows[i].want);
		command_drop(&got);
	}
	t = trust();
	strcpy(t.enterprise, ANOTHER);
	{
		struct command c = order("lock"), got;
		TEXT *jws = signed_by(&c, 3);

		assert_err("officer of another enterprise", verify(&got, jws, &t), ERR_MISDIRECTED);
		command_drop(&got);
	}
}

static void messages_refused(void **state)
{
#define REST "\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\",\"issued\":1," \
	     "\"expires\":0,\"args\":{}}"
	static const struct {
		const char *why, *payload;
		enum err want;
	} rows[] = {
		{ "good", "{\"id\":\"" ID_1 "\",\"command\":\"sync\",\"sequence\":11," REST, OK },
		{ "no id", "{\"command\":\"sync\",\"sequence\":11," REST, ERR_FORMAT },
		{ "short id", "{\"id\":\"11\",\"command\":\"sync\",\"sequence\":11," REST, ERR_FORMAT },
		{ "no command", "{\"id\":\"" ID_1 "\",\"sequence\":11," REST, ERR_FORMAT },
		{ "unknown command",
		  "{\"id\":\"" ID_1 "\",\"command\":\"format\",\"sequence\":11," REST, ERR_DENIED },
		{ "over-long command", "{\"id\":\"" ID_1
		  "\",\"command\":\"kill-kill-kill-kill-kill\",\"sequence\":11," REST, ERR_FORMAT },
		{ "negative sequence",
		  "{\"id\":\"" ID_1 "\",\"command\":\"sync\",\"sequence\":-1," REST, ERR_FORMAT },
		{ "sequence as text",
		  "{\"id\":\"" ID_1 "\",\"command\":\"sync\",\"sequence\":\"11\"," REST, ERR_FORMAT },
		{ "nothing but a name", "{\"command\":\"sync\"}", ERR_FORMAT },
	};
	struct sign_sk server = signer(2);
	struct command_trust t = trust();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *payload = NULL;
		TEXT *jws = NULL;
		struct command got;

		assert_ok(json_parse(&payload, rows[i].payload, strlen(rows[i].payload)));
		assert_ok(jws_sign(&jws, "holdfast-command", payload, &server));
		assert_err(rows[i].why, verify(&got, jws, &t), rows[i].want);
		command_drop(&got);
	}
}

static void another_typ_is_no_command(void **state)
{
	struct sign_sk anna = signer(3);
	struct command_trust t = trust();
	struct command got;
	JSON *payload = json_pack("{s:s}", "command", "kill");
	TEXT *jws = NULL;

	(void)state;
	assert_ok(jws_sign(&jws, "holdfast-policy", payload, &anna));
	assert_err("a policy", verify(&got, jws, &t), ERR_MISDIRECTED);
	assert_err("no message", verify(&got, "kill", &t), ERR_FORMAT);
	assert_string_equal(got.name, "");
}

static void sign_refuses(void **state)
{
	struct sign_sk anna = signer(3);
	struct command c = order("kill");
	TEXT *jws = NULL;

	(void)state;
	strcpy(c.name, "format");
	assert_err("unknown command", command_sign(&jws, &c, &anna), ERR_RANGE);
	c = order("kill");
	c.device[0] = 'X';
	assert_err("device no hex", command_sign(&jws, &c, &anna), ERR_RANGE);
	c = order("kill");
	c.sequence = UINT64_MAX;
	assert_err("sequence beyond JSON", command_sign(&jws, &c, &anna), ERR_RANGE);
	assert_null(jws);
}

static void policies(void **state)
{
	static const struct {
		const char *why, *permissions, *enterprise;
		uint8_t signer;
		uint64_t version, present;
		enum err want;
	} rows[] = {
		{ "newer", "policy", ENTERPRISE, 3, 8, 7, OK },
		{ "the same again", "policy", ENTERPRISE, 3, 7, 7, OK },
		{ "older", "policy", ENTERPRISE, 3, 6, 7, ERR_ROLLBACK },
		{ "without its permission", "kill lock", ENTERPRISE, 3, 8, 7, ERR_DENIED },
		{ "the server's", "policy", ENTERPRISE, 2, 8, 7, ERR_DENIED },
		{ "a stranger's", "policy", ENTERPRISE, 4, 8, 7, ERR_SIGNATURE },
		{ "another enterprise's", "policy", ANOTHER, 3, 8, 7, ERR_MISDIRECTED },
	};
	struct command_trust t = trust();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy p = { .version = rows[i].version, .issued = NOW }, got = { 0 };
		struct sign_sk sk = signer(rows[i].signer);
		TEXT *cert = officer_cert(3, 1, rows[i].permissions), *jws = NULL;
		JSON *certs = certs_of(cert);

		strcpy(p.enterprise, rows[i].enterprise);
		p.settings = json_pack("{s:i}", "one_time_codes", 6);
		assert_ok(policy_sign(&jws, &p, &sk));
		assert_err(rows[i].why, policy_verify(&got, jws, certs, &t, rows[i].present),
			   rows[i].want);
		assert_int_equal(got.settings != NULL, rows[i].want == OK);
		assert_int_equal(got.version, rows[i].want ? 0 : rows[i].version);
		policy_drop(&p);
		policy_drop(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_commands_pass),
		cmocka_unit_test(arguments_arrive),
		cmocka_unit_test(wrong_commands_refused),
		cmocka_unit_test(chains_refused),
		cmocka_unit_test(cert_arrays_refused),
		cmocka_unit_test(other_roles_refused),
		cmocka_unit_test(enterprise_and_time_of_the_officer),
		cmocka_unit_test(messages_refused),
		cmocka_unit_test(another_typ_is_no_command),
		cmocka_unit_test(sign_refuses),
		cmocka_unit_test(policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
