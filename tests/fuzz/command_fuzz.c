/* Commands and policies as volumed gets them from the network: message, certificates and settings are mutated, then
 * signed. Nothing but what the trust names may pass, and what passes can be made again. */
#include "jose_fuzz.h"

#include "common/command_host.h"

#define NOW 1700000000u

enum { MODE_COMMAND, MODE_SERVER, MODE_CERT, MODE_POLICY, MODE_SETTINGS, MODE_TEXT, MODES };

static struct command_trust trust;
static json_t *certs;

static int fine(struct command *c, enum err e)
{
	if (!e && (strcmp(c->device, DEVICE) || strcmp(c->enrolment, ENROLMENT) ||
		   c->sequence <= trust.command_seq))
		abort();
	command_drop(c);
	return !e;
}

static int try_command(const char *payload, uint8_t by)
{
	TEXT *jws = jws_of("holdfast-command", payload, by), *again = NULL;
	struct sign_sk sk = signer(by);
	struct command c;
	enum err e = command_verify(&c, jws, certs, &trust);

	if (!e) {
		if (by == 2 && strcmp(c.name, "sync"))
			abort();
		sample_must(command_sign(&again, &c, &sk));
	}
	return fine(&c, e);
}

/* The officer's certificate is mutated, then signed by the root. */
static int try_cert(const char *payload)
{
	TEXT *cert = jws_of("holdfast-cert", payload, 1), *jws = NULL;
	JSON *array = json_pack("[s]", cert);
	struct command order = { .id = ID, .device = DEVICE, .enrolment = ENROLMENT, .name = "kill",
				 .sequence = 9, .issued = NOW }, c;
	struct sign_sk officer = signer(3);

	sample_must(command_sign(&jws, &order, &officer));
	return fine(&c, command_verify(&c, jws, array, &trust));
}

static int try_policy(const char *payload)
{
	TEXT *jws = jws_of("holdfast-policy", payload, 3);
	struct policy p = { 0 };

	if (policy_verify(&p, jws, certs, &trust, 3))
		return 0;
	if (p.version < 3 || strcmp(p.enterprise, ENTERPRISE))
		abort();
	policy_drop(&p);
	return 1;
}

/* What was read, written down again. */
static void settings_again(const struct policy_settings *s)
{
	POLICY_SETTINGS again = { 0 };
	char why[SETTING_WHY_BYTES];
	JSON *j = json_object();
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++)
		if (table[i].kind != SETTING_LOGO)
			json_object_set_new(j, table[i].name, setting_json(&table[i], s));
	if (policy_read(&again, why, j))
		abort();
	if (memcmp(&again, s, offsetof(struct policy_settings, banner) + sizeof(s->banner)))
		abort();
}

static int try_settings(const char *text)
{
	char why[SETTING_WHY_BYTES] = "";
	POLICY_SETTINGS s = { 0 };
	JSON *j = NULL;

	if (json_parse(&j, text, strlen(text)))
		return 0;
	if (policy_read(&s, why, j)) {
		if (!*why)
			abort();
		return 0;
	}
	if (s.one_time_codes < 2 || s.one_time_codes > 16 || s.sync_interval_s < 30)
		abort();
	settings_again(&s);
	return 1;
}

/* As it comes over the socket: message and certificates, nothing repaired. */
static int try_text(char *text)
{
	const char *array = text_part(text);
	JSON *j = NULL;
	struct command c;

	if (json_parse(&j, array, strlen(array)))
		return 0;
	return fine(&c, command_verify(&c, text, j, &trust));
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_COMMAND:
		return try_command(text, 3);
	case MODE_SERVER:
		return try_command(text, 2);
	case MODE_CERT:
		return try_cert(text);
	case MODE_POLICY:
		return try_policy(text);
	case MODE_SETTINGS:
		return try_settings(text);
	default:
		return try_text(text);
	}
}

static char *officer_payload(void)
{
	struct sign_pk pk = signer_pk(3);
	JSON *o = json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:[s,s]}", "role", "officer", "subject", "anna",
			    "enterprise", ENTERPRISE, "jwk", jwk_of_sign(&pk), "not_before", 1,
			    "not_after", 0, "permissions", "kill", "policy");
	char *text = NULL;

	sample_must(json_print(&text, o));
	return text;
}

static void seeds(char **argv, const char *cert_payload)
{
#define ORDER(name) \
	"{\"id\":\"" ID "\",\"command\":\"" name "\",\"device\":\"" DEVICE "\"," \
	"\"enrolment\":\"" ENROLMENT "\",\"sequence\":9,\"issued\":1700000000,\"expires\":0,\"args\":{}}"
	TEXT *jws = jws_of("holdfast-command", ORDER("kill"), 3), *array = NULL, *both = NULL;

	sample_must(json_print(&array, certs));
	if (asprintf(&both, "%s\n%s", jws, array) < 0)
		abort();
	jose_seed(argv, "command", MODE_COMMAND, ORDER("kill"), try);
	jose_seed(argv, "server", MODE_SERVER, ORDER("sync"), try);
	jose_seed(argv, "cert", MODE_CERT, cert_payload, try);
	jose_seed(argv, "policy", MODE_POLICY,
		  "{\"enterprise\":\"" ENTERPRISE "\",\"version\":4,\"issued\":1700000000,"
		  "\"settings\":{\"one_time_codes\":4}}", try);
	jose_seed(argv, "settings", MODE_SETTINGS,
		  "{\"one_time_codes\":4,\"kdf_memory_kib\":65536,\"kdf_passes\":4,\"sync_interval_s\":60}",
		  try);
	jose_seed(argv, "pre-boot", MODE_SETTINGS,
		  "{\"organisation\":\"Example & Söhne\",\"banner\":\"If found:\\n+49 30 1234\","
		  "\"keyboard_layout\":\"us\",\"failure_limit\":10,\"failure_action\":\"kill\","
		  "\"contact_warn_days\":20,\"contact_lock_days\":30,\"duress\":true,"
		  "\"logo\":\"SEZMT0dPMDEBAAEAAQAAAAECA_8A\"}", try);
	jose_seed(argv, "text", MODE_TEXT, both, try);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	TEXT *payload = NULL, *cert = NULL;

	(void)argc;
	fuzz_begin();
	trust = (struct command_trust){ .root = signer_pk(1), .server = signer_pk(2), .device = DEVICE,
					.enrolment = ENROLMENT, .enterprise = ENTERPRISE,
					.command_seq = 5, .kill_seq = 5, .now = NOW };
	payload = officer_payload();
	cert = jws_of("holdfast-cert", payload, 1);
	certs = json_pack("[s]", cert);
	seeds(*argv, payload);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
