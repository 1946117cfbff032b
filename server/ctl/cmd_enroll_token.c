/* holdfast-ctl enroll-token: the text that enrols laptops. It carries the officer root's fingerprint and the pin of
 * the server's TLS key, so that a laptop trusts nobody by accident. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "link.h"

static int read_options(uint64_t *ret_uses, uint64_t *ret_expires_in, int argc, char **argv)
{
	static const struct option options[] = {
		{ "uses", required_argument, NULL, 'u' },
		{ "expires-in", required_argument, NULL, 'e' },
		{ 0 },
	};
	char *end = "";

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		uint64_t *value = c == 'u' ? ret_uses : ret_expires_in;

		if (c == '?')
			return ctl_usage("enroll-token", "an option is wrong");
		*value = strtoull(optarg, &end, 10);
		if (!*optarg || *end)
			return ctl_usage("enroll-token", "'%s' is no number", optarg);
	}
	return optind == argc ? CTL_DONE : ctl_usage("enroll-token", "'%s' is not understood", argv[optind]);
}

static enum err token_text(char **ret, const struct link *l, const json_t *answer)
{
	const char *id, *secret, *url;
	char root[KID_BYTES];
	TEXT *json = NULL;
	JSON *o = NULL;
	enum err e = json_get_string(&id, answer, "id");

	if (!e)
		e = json_get_string(&secret, answer, "secret");
	if (!e)
		e = json_get_string(&url, answer, "url");
	if (e)
		return e;
	kid_of_sign(root, &l->profile.root);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "url", url, "root", root, "id", id, "secret", secret,
		      "pin", l->profile.pin, "enterprise", l->profile.enterprise);
	if (!o)
		return ERR_MEMORY;
	e = json_print(&json, o);
	return e ? e : b64_encode(ret, json, strlen(json));
}

int cmd_enroll_token(const struct ctl *ctl, int argc, char **argv)
{
	uint64_t uses = 1, expires_in = 24 * 3600;
	LINK l = { 0 };
	JSON *body = NULL;
	JSON *answer = NULL;
	TEXT *token = NULL;
	enum err e;
	int status = read_options(&uses, &expires_in, argc, argv);

	if (!status)
		status = link_open(&l, ctl);
	if (status)
		return status;
	body = json_pack("{s:I, s:I}", "uses", (json_int_t)uses, "expires_in", (json_int_t)expires_in);
	status = link_call(&answer, &l, "POST", "/v1/enrolment-tokens", body, LINK_TIMEOUT_MS);
	if (status)
		return status;
	e = token_text(&token, &l, answer);
	if (e)
		return ctl_fail(e, "the server's token");
	printf(ctl->json ? "{\"token\": \"holdfast-enrol:%s\"}\n" : "holdfast-enrol:%s\n", token);
	return CTL_DONE;
}
