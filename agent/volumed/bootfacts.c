#include "agent/volumed/bootfacts.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/durable.h"
#include "common/json_host.h"
#include "common/secret.h"

const char *bootfacts_method(uint8_t kind)
{
	switch (kind) {
	case CREDENTIAL_PASSWORD: return "password";
	case CREDENTIAL_ONE_TIME_CODE: return "one-time-code";
	case CREDENTIAL_RECOVERY_KEY: return "recovery-key";
	case CREDENTIAL_TPM_PIN: return "tpm-pin";
	case CREDENTIAL_TPM_PASSWORD: return "tpm-password";
	case CREDENTIAL_SELF_HELP: return "self-help";
	default: return NULL;
	}
}

static void facts_fill(struct bootfacts *ret, const struct handoff *h, const uint8_t *bytes,
		       size_t len)
{
	uint8_t digest[32];

	ret->known = 1;
	ret->kind = h->head.kind;
	ret->target = h->head.target;
	ret->loader = h->head.loader;
	ret->processors = h->head.processors;
	ret->trust = h->head.trust;
	memcpy(ret->pcr7, h->head.pcr7, sizeof(ret->pcr7));
	ret->tpm_ms = h->head.tpm_ms;
	ret->number = h->head.number;
	memcpy(ret->user, h->head.user, sizeof(h->head.user));
	hex_encode(ret->credential, h->head.credential, sizeof(h->head.credential));
	ret->generation = h->head.generation;
	ret->memory_mib = h->head.memory_mib;
	ret->kdf_ms = h->head.kdf_ms;
	ret->overhead_ms = h->head.overhead_ms;
	ret->prompt_ms = h->head.prompt_ms;
	memcpy(ret->device, h->head.device, sizeof(ret->device));
	ret->event_count = h->head.event_count;
	memcpy(ret->events, h->events, sizeof(ret->events));
	crypto_generichash(digest, sizeof(digest), bytes, len, NULL, 0);
	hex_encode(ret->digest, digest, sizeof(digest));
}

static enum err keys_move(struct bootkeys *keys, const struct handoff *h)
{
	enum err e;

	keys->in_memory = 1;
	e = bootkeys_put(keys, BOOTKEY_UNLOCK, h->head.unlock_key);
	return e ? e : bootkeys_put(keys, BOOTKEY_USER, h->head.user_seed);
}

static enum err facts_take(struct bootfacts *ret, struct bootkeys *keys, struct handoff *h,
			   const char *folder, const char *name)
{
	uint8_t *stripped = malloc(HANDOFF_BYTES_MAX);
	int had_keys = !(h->head.flags & HANDOFF_NO_KEYS);
	size_t len = 0;
	enum err e;

	if (!stripped)
		return ERR_MEMORY;
	e = had_keys ? keys_move(keys, h) : OK;
	handoff_strip(h);
	if (!e)
		e = handoff_encode(stripped, &len, h);
	if (!e && had_keys)
		e = durable_shred(folder, name);
	if (!e && had_keys)
		e = durable_write(folder, name, stripped, len, 0400);
	if (!e)
		facts_fill(ret, h, stripped, len);
	free(stripped);
	return e;
}

enum err bootfacts_load(struct bootfacts *ret, struct bootkeys *keys, const char *folder,
			const char *name)
{
	HANDOFF h = { 0 };
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, folder, name, HANDOFF_BYTES_MAX);

	memset(ret, 0, sizeof(*ret));
	/* One that somebody else than root planted says nothing of this start. */
	if (e)
		return e == ERR_NOT_FOUND || e == ERR_DENIED ? OK : e;
	e = handoff_decode(&h, bytes, len);
	secret_wipe(bytes, len);
	free(bytes);
	return e ? e : facts_take(ret, keys, &h, folder, name);
}

enum err bootfacts_load_file(struct bootfacts *ret, struct bootkeys *keys, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[DURABLE_PATH_MAX] = ".";

	if (slash && snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path) >=
			     (int)sizeof(folder))
		return ERR_RANGE;
	keys->in_memory = 1;
	return bootfacts_load(ret, keys, folder, slash ? slash + 1 : path);
}
