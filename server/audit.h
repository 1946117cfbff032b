/* Audit log: entries in a hash chain in the frontend's database. Its head is signed by the vault
 * from time to time, so that entries cannot be changed or cut off afterwards without being noticed.
 * docs/protocol.md, "Audit". */
#ifndef HOLDFAST_SERVER_AUDIT_H
#define HOLDFAST_SERVER_AUDIT_H

#include "common/key.h"
#include "db.h"

#define AUDIT_TABLE                                                                                \
	"CREATE TABLE audit (n INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash BLOB NOT NULL);"

struct audit_entry {
	const char *actor;   /* "officer:ada", "device:…", "address:…", "server" */
	const char *action;  /* "sign-in", "escrow-release", … */
	const char *object;  /* what it was done to; "" for nothing */
	const char *outcome; /* "ok", or the code of a fault */
	const char *detail;  /* for people; no secrets */
};

struct audit_head {
	uint64_t n; /* 0: no entry yet */
	uint8_t hash[DIGEST_BYTES];
};

/* Append; ret may be NULL. Errors: as db_run, ERR_MEMORY. */
MUST_CHECK enum err audit_append(struct audit_head *ret, struct db *db,
				 const struct audit_entry *entry, uint64_t now);
MUST_CHECK enum err audit_head(struct audit_head *ret, struct db *db);

/* Walk the whole chain. Errors: ERR_CHANGED with *ret_n the first wrong entry. */
MUST_CHECK enum err audit_verify(uint64_t *ret_n, struct db *db);

#endif
