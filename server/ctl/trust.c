/* What the server offers as trusted, checked up to the officer root, which this side knows by itself. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cert_host.h"
#include "link.h"

void trust_drop(struct trust *t)
{
	text_drop(&t->server_cert);
	text_drop(&t->escrow_help_cert);
	text_drop(&t->escrow_recovery_cert);
	json_drop(&t->recovery_sheet);
}

static enum err take_cert(char **ret, struct cert *ret_cert, const struct link *l, const json_t *answer,
			  const char *member, const char *role)
{
	const char *jws;
	enum err e = json_get_string(&jws, answer, member);

	if (!e)
		e = cert_verify(ret_cert, jws, role, &l->profile.root, (uint64_t)time(NULL));
	if (!e && strcmp(ret_cert->enterprise, l->profile.enterprise))
		e = ERR_MISDIRECTED;
	if (!e && !(*ret = strdup(jws)))
		e = ERR_MEMORY;
	return e;
}

int link_trust(struct trust *ret, struct link *l)
{
	JSON *answer = NULL;
	TRUST t = { 0 };
	struct cert server, help, recovery;
	enum err e;
	int status = link_call(&answer, l, "GET", "/v1/trust", NULL, LINK_TIMEOUT_MS);

	if (status)
		return status;
	e = take_cert(&t.server_cert, &server, l, answer, "server", "server");
	if (!e && memcmp(server.sign.bytes, l->profile.server.bytes, KEY_BYTES))
		e = ERR_CHANGED;
	if (!e)
		e = take_cert(&t.escrow_help_cert, &help, l, answer, "escrow_help", "escrow-help");
	if (!e)
		e = take_cert(&t.escrow_recovery_cert, &recovery, l, answer, "escrow_recovery",
			      "escrow-recovery");
	if (e)
		return ctl_fail(e, "the keys that the server offers, against the officer root");
	t.help = help.agree;
	t.recovery = recovery.agree;
	t.recovery_sheet = json_incref(json_object_get(answer, "recovery_sheet"));
	*ret = t;
	t = (struct trust){ 0 };
	return CTL_DONE;
}

enum err escrow_key_wrap(char **ret, const struct agree_sk *key, const struct agree_pk *holder)
{
	return jwe_seal(ret, holder, key->bytes, KEY_BYTES);
}

enum err escrow_key_unwrap(struct agree_sk *ret, const char *jwe, const struct agree_sk *holder)
{
	SECRET struct secret key = { 0 };
	enum err e = jwe_unseal(&key, jwe, holder);

	if (!e && key.len != KEY_BYTES)
		e = ERR_FORMAT;
	if (!e)
		memcpy(ret->bytes, key.bytes, KEY_BYTES);
	return e;
}

enum err link_escrow_key(struct agree_sk *ret, struct link *l, const char *purpose)
{
	TRUST trust = { 0 };
	AGREE_SK key = { 0 };
	struct agree_pk pk;
	json_t *wrapped;
	const char *jwe;
	enum err e = json_get_object(&wrapped, l->me, "wrapped_escrow_keys");

	if (!e && json_get_string(&jwe, wrapped, purpose))
		e = ERR_NOT_FOUND;
	if (!e)
		e = escrow_key_unwrap(&key, jwe, &l->keys.agree);
	if (!e && link_trust(&trust, l))
		e = ERR_CHANGED;
	if (e)
		return e;
	agree_pk_of(&pk, &key);
	if (memcmp(&pk, strcmp(purpose, "help") ? &trust.recovery : &trust.help, sizeof pk))
		return ERR_CHANGED;
	*ret = key;
	return OK;
}
