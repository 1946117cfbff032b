/* Tables of holdfast.db, one migration a version. */
#ifndef HOLDFAST_FRONTEND_SCHEMA_H
#define HOLDFAST_FRONTEND_SCHEMA_H

#include "server/audit.h"

static const char *const front_migrations[] = {
	AUDIT_TABLE
	"CREATE TABLE devices (id TEXT PRIMARY KEY, tag TEXT NOT NULL, name TEXT NOT NULL,"
	" enrolment TEXT NOT NULL, attestation TEXT NOT NULL, state TEXT NOT NULL,"
	" enrolled INTEGER NOT NULL, last_contact INTEGER NOT NULL,"
	" policy_version INTEGER NOT NULL DEFAULT 0, scope TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX devices_tag ON devices (tag); CREATE INDEX devices_name ON devices (name);"
	"CREATE TABLE commands (id TEXT PRIMARY KEY, device TEXT NOT NULL REFERENCES devices (id),"
	" sequence INTEGER NOT NULL, is_kill INTEGER NOT NULL, name TEXT NOT NULL, jws TEXT NOT NULL,"
	" certs TEXT NOT NULL, officer TEXT NOT NULL, issued INTEGER NOT NULL, state TEXT NOT NULL,"
	" result TEXT, UNIQUE (device, is_kill, sequence));"
	"CREATE INDEX commands_open ON commands (device, state);"
	"CREATE TABLE events (n INTEGER PRIMARY KEY, id TEXT NOT NULL, device TEXT NOT NULL REFERENCES"
	" devices (id), kind TEXT NOT NULL, time INTEGER NOT NULL, received INTEGER NOT NULL,"
	" jws TEXT NOT NULL, UNIQUE (device, id));"
	"CREATE INDEX events_kind ON events (device, kind, n);",
	"CREATE INDEX events_device ON events (device, n);",
};

#endif
