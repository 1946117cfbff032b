/* holdfast-ctl audit: prints the audit log and verifies its hash chain and the signed checkpoint on this side. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "link.h"

struct chain {
	uint8_t hash[crypto_hash_sha256_BYTES];
	uint64_t n;           /* of the last entry seen */
	uint64_t checkpoint;  /* n of the newest signed checkpoint; its hash is compared on the way */
	uint8_t checkpoint_hash[crypto_hash_sha256_BYTES];
	int checkpoint_met;
};

/* hash = SHA-256(previous hash || entry). docs/protocol.md, "Audit". */
static enum err chain_next(struct chain *c, const json_t *item, const char **ret_entry)
{
	crypto_hash_sha256_state state;
	uint8_t stated[crypto_hash_sha256_BYTES], computed[crypto_hash_sha256_BYTES];
	uint64_t n;
	enum err e = json_get_u64(&n, item, "n");

	if (!e)
		e = json_get_string(ret_entry, item, "entry");
	if (!e)
		e = json_get_b64(stated, sizeof stated, item, "hash");
	if (e)
		return e;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, c->hash, sizeof c->hash);
	crypto_hash_sha256_update(&state, (const uint8_t *)*ret_entry, strlen(*ret_entry));
	crypto_hash_sha256_final(&state, computed);
	if (n != c->n + 1 || memcmp(stated, computed, sizeof stated))
		return ERR_CHANGED;
	memcpy(c->hash, computed, sizeof c->hash);
	c->n = n;
	if (n == c->checkpoint)
		c->checkpoint_met = !memcmp(computed, c->checkpoint_hash, sizeof computed);
	return OK;
}

static enum err read_checkpoint(struct chain *c, const json_t *answer, const struct link *l)
{
	const char *jws = json_string_value(json_object_get(answer, "checkpoint"));
	JSON *payload = NULL;
	enum err e;

	if (!jws)
		return OK;
	e = jws_verify(&payload, "holdfast-checkpoint", jws, &l->profile.server);
	if (!e)
		e = json_get_u64(&c->checkpoint, payload, "n");
	return e ? e : json_get_b64(c->checkpoint_hash, sizeof c->checkpoint_hash, payload, "hash");
}

static int print_page(struct chain *c, const json_t *answer, uint64_t after)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(answer, "entries"), i, item) {
		const char *entry = "";
		enum err e = chain_next(c, item, &entry);

		if (e)
			return ctl_fail(e, "the audit log breaks after entry %llu",
					(unsigned long long)c->n);
		if (c->n > after)
			puts(entry);
	}
	return CTL_DONE;
}

static int verdict(const struct chain *c)
{
	if (c->checkpoint && !c->checkpoint_met)
		return ctl_fail(ERR_CHANGED, "the audit log does not lead to the signed checkpoint at entry %llu",
				(unsigned long long)c->checkpoint);
	fprintf(stderr, "The chain of %llu entries holds%s.\n", (unsigned long long)c->n,
		c->checkpoint ? ", and leads to the server's signed checkpoint" : "");
	return CTL_DONE;
}

/* The chain is followed from its first entry, whatever is printed: only so can it be verified. */
static int follow(struct link *l, uint64_t after)
{
	struct chain c = { 0 };
	int more = 1;

	while (more) {
		JSON *answer = NULL;
		char path[64];
		enum err e;
		int status;

		snprintf(path, sizeof path, "/v1/audit?after=%llu", (unsigned long long)c.n);
		status = link_call(&answer, l, "GET", path, NULL, LINK_TIMEOUT_MS);
		if (status)
			return status;
		e = c.n ? OK : read_checkpoint(&c, answer, l);
		if (e)
			return ctl_fail(e, "signed checkpoint of the audit log");
		status = print_page(&c, answer, after);
		if (status)
			return status;
		more = json_is_true(json_object_get(answer, "more"));
	}
	return verdict(&c);
}

int cmd_audit(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "after", required_argument, NULL, 'a' }, { 0 } };
	uint64_t after = 0;
	LINK l = { 0 };
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char *end = "";

		if (c == 'a')
			after = strtoull(optarg, &end, 10);
		if (c != 'a' || *end)
			return ctl_usage("audit", "an option is wrong: [--after N]");
	}
	if (optind != argc)
		return ctl_usage("audit", "'%s' is not understood", argv[optind]);
	status = link_open(&l, ctl);
	return status ? status : follow(&l, after);
}
