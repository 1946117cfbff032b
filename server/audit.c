/* Audit log in a hash chain. */
#include "audit.h"

#include <sodium.h>
#include <string.h>

#include "common/json_host.h"

static void chain(uint8_t ret[DIGEST_BYTES], const uint8_t previous[DIGEST_BYTES],
		  const char *entry)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, previous, DIGEST_BYTES);
	crypto_hash_sha256_update(&state, (const uint8_t *)entry, strlen(entry));
	crypto_hash_sha256_final(&state, ret);
}

enum err audit_head(struct audit_head *ret, struct db *db)
{
	DB_ROWS rows = { 0 };
	const void *hash;
	enum err e = db_query(&rows, db, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", "");

	if (!e)
		e = db_next(&rows);
	if (e == ERR_NOT_FOUND) {
		*ret = (struct audit_head){ 0 };
		return OK;
	}
	if (e)
		return e;
	hash = db_bytes(&rows, 1, DIGEST_BYTES);
	if (!hash)
		return ERR_CHANGED;
	ret->n = db_number(&rows, 0);
	memcpy(ret->hash, hash, DIGEST_BYTES);
	return OK;
}

enum err audit_append(struct audit_head *ret, struct db *db, const struct audit_entry *entry,
		      uint64_t now)
{
	JSON *j = NULL;
	TEXT *text = NULL;
	struct audit_head head;
	enum err e = audit_head(&head, db);

	if (e)
		return e;
	head.n++;
	j = json_pack("{s:I,s:I,s:s,s:s,s:s,s:s,s:s}", "n", (json_int_t)head.n, "time",
		      (json_int_t)now, "actor", entry->actor, "action", entry->action, "object",
		      entry->object, "outcome", entry->outcome, "detail", entry->detail);
	if (!j)
		return ERR_MEMORY;
	e = json_print(&text, j);
	if (e)
		return e;
	chain(head.hash, head.hash, text);
	e = db_run(db, "INSERT INTO audit (n, entry, hash) VALUES (?, ?, ?)", "ntb", head.n, text,
		   (const void *)head.hash, (size_t)DIGEST_BYTES);
	if (!e && ret)
		*ret = head;
	return e;
}

enum err audit_verify(uint64_t *ret_n, struct db *db)
{
	DB_ROWS rows = { 0 };
	uint8_t hash[DIGEST_BYTES] = { 0 };
	uint64_t n = 0;
	enum err e = db_query(&rows, db, "SELECT n, entry, hash FROM audit ORDER BY n", "");

	while (!e && !(e = db_next(&rows))) {
		const void *stored = db_bytes(&rows, 2, DIGEST_BYTES);

		chain(hash, hash, db_text(&rows, 1));
		if (db_number(&rows, 0) != ++n || !stored ||
		    sodium_memcmp(stored, hash, DIGEST_BYTES)) {
			*ret_n = n;
			return ERR_CHANGED;
		}
	}
	return e == ERR_NOT_FOUND ? OK : e;
}
