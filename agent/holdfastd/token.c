#include "token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

#define PREFIX "holdfast-enrol:"
#define PIN_PREFIX "sha256//"
#define BLANKS " \t\r\n"
#define B64_URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define B64_STD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static const char not_whole[] =
	"this is not a whole enrolment token: copy it again, from \"holdfast-enrol:\" to the end of the line";

int enrol_url_is_valid(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof(scheme) - 1, *port;
	size_t len;

	if (strlen(url) >= TOKEN_URL_MAX || strncmp(url, scheme, sizeof(scheme) - 1))
		return 0;
	if (*host == '[') {
		len = strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (!len || host[len + 1] != ']')
			return 0;
		port = host + len + 2;
	} else {
		len = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
		port = host + len;
	}
	if (!len)
		return 0;
	if (!*port)
		return 1;
	len = strspn(port + 1, "0123456789");
	return *port == ':' && len >= 1 && len <= 5 && !port[len + 1];
}

int enrol_pin_is_valid(const char *pin)
{
	return strlen(pin) == TOKEN_PIN_TEXT - 1 && !strncmp(pin, PIN_PREFIX, strlen(PIN_PREFIX)) &&
	       strspn(pin + strlen(PIN_PREFIX), B64_STD) == 43 && pin[TOKEN_PIN_TEXT - 2] == '=';
}

static enum err read_root(char ret[KID_BYTES], const json_t *o)
{
	const char *text;

	if (json_get_string(&text, o, "root") || strlen(text) != KID_BYTES - 1 ||
	    strspn(text, B64_URL) != KID_BYTES - 1)
		return ERR_FORMAT;
	memcpy(ret, text, KID_BYTES);
	return OK;
}

static enum err check_secret(const json_t *o)
{
	uint8_t secret[KEY_BYTES], id[16];
	enum err e = json_get_b64(secret, sizeof(secret), o, "secret");

	secret_wipe(secret, sizeof(secret));
	return e ? e : json_get_hex(id, sizeof(id), o, "id");
}

static enum err read_members(struct enrol_token *ret, const char **ret_why, const json_t *o)
{
	struct enrol_token t = { 0 };
	uint8_t enterprise[16];
	const char *url, *pin;

	*ret_why = "the enrolment token names no usable server (https://host:port): ask for a new token";
	if (json_get_string(&url, o, "url") || !enrol_url_is_valid(url))
		return ERR_FORMAT;
	*ret_why = "the enrolment token lacks the pin of the server's TLS key: ask for a new token";
	if (json_get_string(&pin, o, "pin") || !enrol_pin_is_valid(pin))
		return ERR_FORMAT;
	*ret_why = "the enrolment token lacks the officer root, the enterprise or its secret: "
		   "ask for a new token";
	if (read_root(t.root, o) || check_secret(o) ||
	    json_get_hex(enterprise, sizeof(enterprise), o, "enterprise"))
		return ERR_FORMAT;
	hex_encode(t.enterprise, enterprise, sizeof(enterprise));
	memcpy(t.url, url, strlen(url) + 1);
	memcpy(t.pin, pin, TOKEN_PIN_TEXT);
	*ret = t;
	return OK;
}

/* The part behind the prefix, without blanks around. */
static enum err find_body(const char **ret, size_t *ret_len, const char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	if (strncmp(text, PREFIX, strlen(PREFIX)))
		return ERR_FORMAT;
	text += strlen(PREFIX);
	len = strspn(text, B64_URL);
	if (!len || len > TOKEN_TEXT_MAX || text[len + strspn(text + len, BLANKS)])
		return ERR_FORMAT;
	*ret = text;
	*ret_len = len;
	return OK;
}

enum err enrol_token_parse(struct enrol_token *ret, const char **ret_why, const char *text)
{
	const char *body, *why = not_whole;
	uint8_t *plain = NULL;
	size_t len = 0;
	JSON *o = NULL;
	enum err e = find_body(&body, &len, text);

	if (!e)
		e = b64_decode(&plain, &len, body, len);
	if (!e)
		e = json_parse(&o, (const char *)plain, len);
	if (plain)
		secret_wipe(plain, len);
	free(plain);
	if (!e && !json_is_object(o))
		e = ERR_FORMAT;
	if (!e)
		e = read_members(ret, &why, o);
	if (e)
		*ret_why = why;
	return e;
}
