/* Chain of certificates. */
#include "chain_host.h"

#include <string.h>

/* Is this certificate, of whatever role, an officer's by our root, and for the key kid? */
static enum err officer_check(struct cert *ret, const char *jws, const char *kid,
			      const struct sign_pk *root)
{
	struct cert c;
	char have[KID_BYTES];
	enum err e;

	e = cert_verify(&c, jws, "officer", root, 0);
	if (e)
		return e;
	kid_of_sign(have, &c.sign);
	if (strcmp(have, kid) != 0)
		return ERR_NOT_FOUND;
	*ret = c;
	return OK;
}

static enum err officer_find(struct cert *ret, const json_t *certs, const char *kid,
			     const struct sign_pk *root)
{
	if (json_array_size(certs) > CHAIN_CERTS_MAX)
		return ERR_FORMAT;
	for (size_t i = 0; i < json_array_size(certs); i++) {
		const char *jws = json_string_value(json_array_get(certs, i));

		if (!jws)
			return ERR_FORMAT;
		if (!officer_check(ret, jws, kid, root))
			return OK;
	}
	return ERR_SIGNATURE;
}

static enum err signature_check(const char *typ, const char *jws, const struct sign_pk *pk)
{
	JSON *payload = NULL;

	return jws_verify(&payload, typ, jws, pk);
}

enum err chain_verify(struct chain_signer *ret, const char *typ, const char *jws,
		      const json_t *certs, const struct command_trust *trust, uint64_t now)
{
	struct chain_signer signer = { 0 };
	char kid[KID_BYTES], server[KID_BYTES];
	JSON *payload = NULL;
	enum err e;

	e = jws_peek(&payload, kid, typ, jws);
	if (e)
		return e;
	kid_of_sign(server, &trust->server);
	signer.is_server = !strcmp(kid, server);
	if (!signer.is_server)
		e = officer_find(&signer.officer, certs, kid, &trust->root);
	if (!e)
		e = signature_check(typ, jws, signer.is_server ? &trust->server :
								 &signer.officer.sign);
	if (e)
		return e;
	if (!signer.is_server && strcmp(signer.officer.enterprise, trust->enterprise) != 0)
		return ERR_MISDIRECTED;
	if (!signer.is_server && !cert_valid_at(&signer.officer, now))
		return ERR_EXPIRED;
	*ret = signer;
	return OK;
}
