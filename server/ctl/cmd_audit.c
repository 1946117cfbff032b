/* holdfast-ctl audit: prints the audit log and verifies its hash chain and the signed checkpoint on this side. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "file.h"
#include "link.h"

/* The newest checkpoint that this officer has verified: a log that is cut off later does not lead to it, whoever
 * signs for it then. */
#define KNOWN_FILE "audit-checkpoint.jws"

/* A signed checkpoint; its hash is compared on the way. */
struct point {
	uint64_t n; /* 0: there is none */
	uint8_t hash[crypto_hash_sha256_BYTES];
	int met;
};

struct chain {
	uint8_t hash[crypto_hash_sha256_BYTES];
	uint64_t n;                  /* of the last entry seen */
	struct point known, offered; /* from KNOWN_FILE; by the server now */
	char *offered_jws;
};

static void chain_drop(struct chain *c)
{
	text_drop(&c->offered_jws);
}

static void point_pass(struct point *p, const struct chain *c)
{
	if (c->n == p->n)
		p->met = !memcmp(c->hash, p->hash, sizeof p->hash);
}

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
	point_pass(&c->known, c);
	point_pass(&c->offered, c);
	return OK;
}

static enum err point_read(struct point *ret, const char *jws, const struct link *l)
{
	JSON *payload = NULL;
	const char *enterprise;
	enum err e = jws_verify(&payload, "holdfast-checkpoint", jws, &l->profile.server);

	if (!e)
		e = json_get_string(&enterprise, payload, "enterprise");
	if (!e && strcmp(enterprise, l->profile.enterprise))
		e = ERR_MISDIRECTED;
	if (!e)
		e = json_get_u64(&ret->n, payload, "n");
	return e ? e : json_get_b64(ret->hash, sizeof ret->hash, payload, "hash");
}

static enum err read_offered(struct chain *c, const json_t *answer, const struct link *l)
{
	const char *jws = json_string_value(json_object_get(answer, "checkpoint"));

	if (!jws)
		return OK;
	c->offered_jws = strdup(jws);
	return c->offered_jws ? point_read(&c->offered, jws, l) : ERR_MEMORY;
}

static int read_known(struct chain *c, const struct link *l, const char *dir)
{
	SECRET struct secret text = { 0 };
	enum err e = file_read(&text, dir, KNOWN_FILE);

	if (e == ERR_NOT_FOUND)
		return CTL_DONE;
	if (!e)
		e = point_read(&c->known, (const char *)text.bytes, l);
	return e ? ctl_fail(e, "checkpoint of the last audit, %s/%s", dir, KNOWN_FILE) : CTL_DONE;
}

/* JSON text, so what a terminal would obey can be escaped without changing what it says. */
static void print_entry(const char *entry)
{
	for (; *entry; entry++) {
		unsigned char c = (unsigned char)*entry;

		/* C1 controls are U+0080 to U+009F: 0xc2 and a byte below 0xa0. */
		if (c == 0xc2 && (unsigned char)entry[1] >= 0x80 && (unsigned char)entry[1] < 0xa0)
			printf("\\u%04x", (unsigned char)*++entry);
		else if (c < ' ' || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('\n');
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
			print_entry(entry);
	}
	return CTL_DONE;
}

static int verdict(const struct chain *c, const char *dir)
{
	enum err e;

	if (c->known.n && !c->known.met)
		return ctl_fail(ERR_ROLLBACK, "the audit log was cut off or changed since the last audit, which ended at "
				"entry %llu (if the server was restored from an older backup, delete %s/%s)",
				(unsigned long long)c->known.n, dir, KNOWN_FILE);
	if (!c->offered.n)
		return ctl_fail(ERR_SIGNATURE, "the server has signed no checkpoint of its audit log: its own log tells "
					       "why");
	if (!c->offered.met)
		return ctl_fail(ERR_CHANGED, "the audit log does not lead to the signed checkpoint at entry %llu",
				(unsigned long long)c->offered.n);
	e = file_write(dir, KNOWN_FILE, c->offered_jws, strlen(c->offered_jws), 1);
	if (e)
		return ctl_fail(e, "keeping the checkpoint as %s/%s", dir, KNOWN_FILE);
	fprintf(stderr, "The chain of %llu entries holds, and leads to the server's signed checkpoint at entry %llu.\n",
		(unsigned long long)c->n, (unsigned long long)c->offered.n);
	return CTL_DONE;
}

/* The chain is followed from its first entry, whatever is printed: only so can it be verified. */
static int follow(struct link *l, const char *dir, uint64_t after)
{
	__attribute__((cleanup(chain_drop))) struct chain c = { 0 };
	int more = 1, known = read_known(&c, l, dir);

	if (known)
		return known;
	while (more) {
		JSON *answer = NULL;
		char path[64];
		uint64_t before = c.n;
		enum err e;
		int status;

		snprintf(path, sizeof path, "/v1/audit?after=%llu", (unsigned long long)c.n);
		status = link_call(&answer, l, "GET", path, NULL, LINK_TIMEOUT_MS);
		if (status)
			return status;
		e = c.n ? OK : read_offered(&c, answer, l);
		if (e)
			return ctl_fail(e, "signed checkpoint of the audit log");
		status = print_page(&c, answer, after);
		if (status)
			return status;
		more = json_is_true(json_object_get(answer, "more")) && c.n > before;
	}
	return verdict(&c, dir);
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
	return status ? status : follow(&l, ctl->dir, after);
}
