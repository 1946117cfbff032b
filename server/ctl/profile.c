#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_host.h"
#include "common/secret.h"
#include "file.h"

#define CLAIM_PREFIX "holdfast-claim:"

static enum err get_text(char *ret, size_t size, const json_t *o, const char *name)
{
	const char *text;
	enum err e = json_get_string(&text, o, name);

	if (e)
		return e;
	if (strlen(text) >= size)
		return ERR_FORMAT;
	strcpy(ret, text);
	return OK;
}

static enum err get_sign(struct sign_pk *ret, const json_t *o, const char *name)
{
	json_t *jwk;
	enum err e = json_get_object(&jwk, o, name);

	return e ? e : jwk_to_sign(ret, jwk);
}

enum err profile_read(struct profile *ret, const char *dir)
{
	SECRET struct secret text = { 0 };
	JSON *o = NULL;
	struct profile p = { 0 };
	enum err e = file_read(&text, dir, PROFILE_FILE);

	if (!e)
		e = json_parse(&o, (const char *)text.bytes, text.len - 1);
	if (!e)
		e = get_text(p.url, sizeof p.url, o, "url");
	if (!e)
		e = get_text(p.pin, sizeof p.pin, o, "pin");
	if (!e)
		e = get_text(p.enterprise, sizeof p.enterprise, o, "enterprise");
	if (!e)
		e = get_sign(&p.server, o, "server");
	if (!e)
		e = get_sign(&p.root, o, "root");
	if (!e)
		*ret = p;
	return e;
}

enum err profile_write(const struct profile *p, const char *dir)
{
	JSON *o = json_pack("{s:s, s:s, s:s, s:o, s:o}", "url", p->url, "pin", p->pin, "enterprise",
			    p->enterprise, "server", jwk_of_sign(&p->server), "root",
			    jwk_of_sign(&p->root));
	TEXT *text = NULL;
	enum err e = o ? json_print(&text, o) : ERR_MEMORY;

	return e ? e : file_write(dir, PROFILE_FILE, text, strlen(text), 1);
}

enum err claim_parse(struct claim *ret, const char *text)
{
	size_t prefix = strlen(CLAIM_PREFIX), len = 0;
	struct claim c = { 0 };
	JSON *o = NULL;
	uint8_t *json = NULL;
	enum err e;

	text += strspn(text, " \t\r\n");
	if (strncmp(text, CLAIM_PREFIX, prefix))
		return ERR_FORMAT;
	e = b64_decode(&json, &len, text + prefix, strcspn(text + prefix, " \t\r\n"));
	if (!e)
		e = json_parse(&o, (const char *)json, len);
	free(json);
	if (!e)
		e = get_text(c.url, sizeof c.url, o, "url");
	if (!e)
		e = get_text(c.pin, sizeof c.pin, o, "pin");
	if (!e)
		e = get_text(c.secret, sizeof c.secret, o, "secret");
	if (!e)
		e = get_sign(&c.server, o, "server");
	if (!e)
		*ret = c;
	return e;
}
