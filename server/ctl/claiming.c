#include "claiming.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_host.h"
#include "common/rest_host.h"
#include "ctl.h"
#include "file.h"

#define HTTP_CREATED 201
#define HTTP_CONFLICT 409

/* base64url HMAC: shows that we have read the claim off the server's own machine. */
static enum err make_proof(char **ret, const struct claim *claim, const char *bundle)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	uint8_t *secret = NULL;
	size_t len = 0;
	enum err e = b64_decode(&secret, &len, claim->secret, strlen(claim->secret));

	if (!e && len != crypto_auth_hmacsha256_KEYBYTES)
		e = ERR_FORMAT;
	if (!e)
		crypto_auth_hmacsha256(mac, (const uint8_t *)bundle, strlen(bundle), secret);
	if (secret)
		sodium_memzero(secret, len);
	free(secret);
	return e ? e : b64_encode(ret, mac, sizeof mac);
}

enum err claiming_keep(const char *dir, const struct claim *claim, const char *bundle)
{
	TEXT *proof = NULL;
	TEXT *text = NULL;
	JSON *body = NULL;
	enum err e = make_proof(&proof, claim, bundle);

	if (e)
		return e;
	body = json_pack("{s:s, s:s}", "bundle", bundle, "proof", proof);
	e = body ? json_print(&text, body) : ERR_MEMORY;
	return e ? e : file_write(dir, CLAIMING_FILE, text, strlen(text), 0);
}

/* Whose is the server, as it says itself? Its TLS key is the claim's. */
static int is_ours(struct rest *rest, const struct profile *p)
{
	TEXT *answer = NULL;
	JSON *o = NULL;
	const char *enterprise;
	int http = 0;

	return !rest_plain(&answer, &http, rest, "GET", "/v1/health", NULL) && answer &&
	       !json_parse(&o, answer, strlen(answer)) && !json_get_string(&enterprise, o, "enterprise") &&
	       !strcmp(enterprise, p->enterprise);
}

static int verdict(struct rest *rest, int http, const char *answer, const struct profile *p)
{
	char shown[300];

	if (http == HTTP_CREATED || (http == HTTP_CONFLICT && is_ours(rest, p)))
		return CTL_DONE;
	fprintf(stderr, "holdfast-ctl: the server refused the claim (%d): %s\n", http,
		ctl_plain(shown, sizeof shown, answer ? answer : ""));
	return http >= 400 && http < 500 && http != 408 && http != 429 ? CTL_REFUSED : CTL_FAILED;
}

static int post(const struct claim *claim, const struct profile *p, const char *body)
{
	struct rest_target target = { .url = claim->url, .pin = claim->pin, .server = claim->server };
	struct rest *rest = NULL;
	TEXT *answer = NULL;
	int http = 0, status;
	enum err e = rest_new(&rest, &target);

	if (!e)
		e = rest_plain(&answer, &http, rest, "POST", "/v1/claim", body);
	status = e ? ctl_fail(e, "server %s (%s)", claim->url, rest ? rest_problem(rest) : "")
		   : verdict(rest, http, answer, p);
	rest_drop(&rest);
	return status;
}

int claiming_send(const char *dir, const struct claim *claim, const struct profile *p)
{
	SECRET struct secret body = { 0 };
	enum err e = file_read(&body, dir, CLAIMING_FILE);
	int status = e ? ctl_fail(e, CLAIMING_FILE " in %s", dir) : post(claim, p, (const char *)body.bytes);

	if (!status)
		file_remove(dir, CLAIMING_FILE);
	return status;
}
