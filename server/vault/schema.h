/* Tables of vault.db, one migration a version. */
#ifndef HOLDFAST_VAULT_SCHEMA_H
#define HOLDFAST_VAULT_SCHEMA_H

static const char *const vault_migrations[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE officers (name TEXT PRIMARY KEY, kid TEXT NOT NULL UNIQUE, cert TEXT NOT NULL,"
	" seal_cert TEXT NOT NULL, sign_in_cert TEXT NOT NULL, salt TEXT NOT NULL,"
	" kdf_memory_kib INTEGER NOT NULL, kdf_passes INTEGER NOT NULL, wrapped_keys TEXT NOT NULL,"
	" wrapped_escrow_keys TEXT NOT NULL, added INTEGER NOT NULL);"
	"CREATE TABLE policies (version INTEGER PRIMARY KEY, jws TEXT NOT NULL, certs TEXT NOT NULL,"
	" settings TEXT NOT NULL);"
	"CREATE TABLE tokens (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, uses INTEGER NOT NULL,"
	" officer TEXT NOT NULL);"
	"CREATE TABLE devices (id TEXT PRIMARY KEY, tag TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
	" enrolment TEXT NOT NULL, attestation BLOB NOT NULL, request BLOB NOT NULL, answer TEXT NOT NULL,"
	" command_seq INTEGER NOT NULL DEFAULT 0, kill_seq INTEGER NOT NULL DEFAULT 0,"
	" enrolled INTEGER NOT NULL);"
	"CREATE TABLE users (device TEXT NOT NULL REFERENCES devices (id), user TEXT NOT NULL,"
	" credential TEXT NOT NULL, method TEXT NOT NULL, cert TEXT NOT NULL, added INTEGER NOT NULL,"
	" PRIMARY KEY (device, credential));"
	/* Events that changed users: each is obeyed once, whoever sends it again. */
	"CREATE TABLE user_events (device TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (device, id));"
	"CREATE TABLE escrow (id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES devices (id),"
	" purpose TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, created INTEGER NOT NULL,"
	" received INTEGER NOT NULL, keyslots TEXT NOT NULL, jws TEXT NOT NULL);"
	"CREATE INDEX escrow_device ON escrow (device);"
	"CREATE TABLE releases (n INTEGER PRIMARY KEY, record TEXT NOT NULL REFERENCES escrow (id),"
	" officer TEXT NOT NULL, reason TEXT NOT NULL, time INTEGER NOT NULL);"
	"CREATE INDEX releases_record ON releases (record);",
};

#endif
