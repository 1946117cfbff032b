#include "agent/volumed/recovery.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/event.h"
#include "agent/volumed/managed.h"
#include "agent/volumed/recordtext.h"
#include "agent/volumed/sealed.h"
#include "common/code.h"

#define NO_ESCROW "00000000000000000000000000000000"

static json_t *section_of(struct volumed *v)
{
	json_t *section = vstate_make(&v->state, "recovery");

	if (section && !vstate_text(section, "current") &&
	    json_object_set_new(section, "current", json_string(NO_ESCROW)))
		return NULL;
	return section;
}

static enum err id_of(uint8_t ret[static ESCROW_ID_BYTES], const json_t *o, const char *name)
{
	return json_get_hex(ret, ESCROW_ID_BYTES, o, name);
}

enum err recovery_want(struct volumed *v, const char *reason, const struct command *command)
{
	json_t *section = section_of(v), *wanted = json_pack("{s:s}", "reason", reason);

	if (wanted && command &&
	    (json_object_set_new(wanted, "command", json_string(command->id)) ||
	     json_object_set_new(wanted, "sequence", json_integer((json_int_t)command->sequence)))) {
		json_decref(wanted);
		wanted = NULL;
	}
	return !section || !wanted || json_object_set_new(section, "wanted", wanted) ? ERR_MEMORY : OK;
}

/* On all volumes: only the keyslot with this escrow id stays. */
static enum err keyslots_keep(struct volumed *v, const struct unlocked *u,
			      const uint8_t id[static ESCROW_ID_BYTES])
{
	const struct manifest *m = &u->store.manifest;
	enum err e = OK;

	for (size_t i = 0; !e && i < m->volume_count; i++) {
		VOLUME *volume = NULL;

		e = managed_load(&volume, v, &m->volumes[i]);
		if (!e)
			e = volume_recovery_keep(volume, id);
	}
	return volumed_about(v, e, "destroying a recovery keyslot");
}

static enum err keyslots_add(json_t *prints, struct volumed *v, const struct unlocked *u,
			     const struct secret *code, const uint8_t id[static ESCROW_ID_BYTES])
{
	const struct manifest *m = &u->store.manifest;
	char uuid[37], hex[2 * DIGEST_BYTES + 1];
	struct digest print;
	enum err e = OK;

	for (size_t i = 0; !e && i < m->volume_count; i++) {
		VOLUME *volume = NULL;

		e = managed_load(&volume, v, &m->volumes[i]);
		if (!e)
			e = volume_recovery_add(volume, &u->uk, code, id);
		if (!e)
			e = volume_test_recovery(volume, code);
		if (!e)
			e = volume_recovery_fingerprint(&print, volume, id);
		if (e)
			break;
		managed_uuid(uuid, m->volumes[i].uuid);
		hex_encode(hex, print.bytes, DIGEST_BYTES);
		if (json_object_set_new(prints, uuid, json_string(hex)))
			e = ERR_MEMORY;
	}
	return volumed_about(v, e, "adding the new recovery keyslot");
}

/* "for": the wish that this key fulfils. One that comes later wants a key made after it. */
static enum err next_announce(json_t *section, const char *id)
{
	json_t *next = json_pack("{s:s, s:I, s:{}, s:O?}", "id", id, "created", (json_int_t)volumed_now(),
				 "prints", "for", json_object_get(section, "wanted"));

	return !next || json_object_set_new(section, "next", next) ? ERR_MEMORY : OK;
}

/* Keyslots, record, tests, and only then the seal: what is escrowed is known to open. */
static enum err next_make(struct volumed *v, const struct unlocked *u, json_t *next)
{
	const struct credential_spec spec = { .kind = CREDENTIAL_RECOVERY_KEY, .user = "",
					      .kdf_memory_kib = KDF_CODE_MEMORY_KIB,
					      .kdf_passes = KDF_CODE_PASSES,
					      .kdf_lanes = KDF_CODE_LANES };
	json_t *prints = json_object_get(next, "prints");
	struct escrow message = { .purpose = ESCROW_RECOVERY, .kind = ESCROW_RECOVERY_KEY,
				  .keyslots = prints };
	SECRET struct secret code = { 0 };
	uint8_t id[ESCROW_ID_BYTES];
	struct record record;
	enum err e = id_of(id, next, "id");

	if (!e)
		e = code_new(&code, CODE_RECOVERY);
	if (!e)
		e = keyslots_add(prints, v, u, &code, id);
	if (!e)
		e = sealed_record(&record, &spec, &code, u);
	if (!e)
		e = recordtext_put(next, "record", &record);
	/* The state knows the record before the server can have the key. */
	if (!e)
		e = vstate_save(&v->state);
	if (!e)
		e = sealed_put(v, &message, vstate_text(next, "id"), &code, &v->trust.escrow_recovery);
	return e;
}

static enum err next_begin(struct volumed *v, struct unlocked *u, json_t *section)
{
	char id[33];
	enum err e;

	volumed_id(id);
	e = next_announce(section, id);
	if (!e)
		e = vstate_save(&v->state);
	return e ? e : next_make(v, u, json_object_get(section, "next"));
}

static enum err next_abandon(struct volumed *v, struct unlocked *u, json_t *section)
{
	uint8_t current[ESCROW_ID_BYTES];
	enum err e = id_of(current, section, "current");

	if (!e)
		e = keyslots_keep(v, u, current);
	if (e)
		return e;
	(void)json_object_del(section, "next");
	return vstate_save(&v->state);
}

static enum err record_exchange(struct volumed *v, struct unlocked *u, const json_t *next)
{
	struct record fresh, *old = NULL;
	enum err e = recordtext_get(&fresh, next, "record");

	if (!e)
		e = record_seal(&fresh, &u->uk);
	if (e)
		return e;
	if (!store_find_code(&old, &u->store, CREDENTIAL_RECOVERY_KEY, 0)) {
		if (!memcmp(old->id, fresh.id, sizeof(fresh.id)))
			return OK;
		e = store_remove(&u->store, old->id);
	}
	if (!e)
		e = store_add(&u->store, &fresh);
	if (!e)
		e = unlocked_save(u, v, 1);
	if (!e)
		event_credential(v, "credential-changed", &fresh);
	return e;
}

static void done_tell(struct volumed *v, const json_t *section)
{
	const json_t *wanted = json_object_get(json_object_get(section, "next"), "for");
	const char *command = vstate_text(wanted, "command"), *reason = vstate_text(wanted, "reason");

	event_tell(v, "recovery-rotated",
		   json_pack("{s:s, s:s}", "escrow", vstate_text(section, "current"), "reason",
			     reason ? reason : "enrolment"));
	if (command)
		event_tell(v, "command-done",
			   json_pack("{s:s, s:s, s:I}", "command", "rotate-recovery", "id", command,
				     "sequence", (json_int_t)vstate_number(wanted, "sequence")));
}

/* The server has it: the old keyslots go, then the old record in both copies, then the note of it. Each
 * step can be done twice, so a power cut anywhere only means doing it again. */
static enum err next_finish(struct volumed *v, struct unlocked *u, json_t *section)
{
	json_t *next = json_object_get(section, "next");
	uint8_t id[ESCROW_ID_BYTES];
	enum err e = id_of(id, next, "id");

	if (!e)
		e = keyslots_keep(v, u, id);
	if (!e)
		e = record_exchange(v, u, next);
	if (!e && (json_object_set(section, "current", json_object_get(next, "id")) ||
		   json_object_set(section, "prints", json_object_get(next, "prints")) ||
		   json_object_set_new(section, "proven", json_true())))
		e = ERR_MEMORY;
	if (e)
		return e;
	done_tell(v, section);
	if (json_equal(json_object_get(section, "wanted"), json_object_get(next, "for")))
		(void)json_object_del(section, "wanted");
	(void)json_object_del(section, "next");
	return vstate_save(&v->state);
}

static enum err next_step(struct volumed *v, struct unlocked *u, json_t *section)
{
	json_t *next = json_object_get(section, "next");

	if (!next)
		return OK;
	if (json_is_true(json_object_get(next, "proven")))
		return next_finish(v, u, section);
	if (outbox_find(&v->outbox, vstate_text(next, "id")))
		return OK;
	return next_abandon(v, u, section);
}

enum err recovery_settle(struct volumed *v, struct unlocked *u)
{
	json_t *section = section_of(v);
	enum err e = section ? next_step(v, u, section) : ERR_MEMORY;

	if (e || json_object_get(section, "next"))
		return e;
	if (json_is_true(json_object_get(section, "proven")) && !json_object_get(section, "wanted"))
		return OK;
	return next_begin(v, u, section);
}

int recovery_proven(struct volumed *v, const char *id)
{
	json_t *next = json_object_get(vstate_find(&v->state, "recovery"), "next");
	const char *waited = vstate_text(next, "id");

	return waited && !strcmp(waited, id) && !json_object_set_new(next, "proven", json_true());
}

static int print_differs(struct volumed *v, const struct manifest_volume *m, const json_t *section,
			 const uint8_t id[static ESCROW_ID_BYTES])
{
	char uuid[37], hex[2 * DIGEST_BYTES + 1];
	const char *escrowed;
	struct digest print;
	VOLUME *volume = NULL;

	managed_uuid(uuid, m->uuid);
	escrowed = vstate_text(json_object_get(section, "prints"), uuid);
	if (managed_load(&volume, v, m))
		return 0; /* not there is not stale; managed_check reports it */
	if (!escrowed || volume_recovery_fingerprint(&print, volume, id))
		return 1;
	hex_encode(hex, print.bytes, DIGEST_BYTES);
	return strcmp(hex, escrowed) != 0;
}

enum err recovery_check(struct volumed *v, struct unlocked *u)
{
	json_t *section = section_of(v);
	const struct manifest *m = &u->store.manifest;
	uint8_t id[ESCROW_ID_BYTES];
	enum err e = section ? id_of(id, section, "current") : ERR_MEMORY;

	if (e || !json_is_true(json_object_get(section, "proven")) ||
	    json_object_get(section, "next") || json_object_get(section, "wanted"))
		return e;
	for (size_t i = 0; i < m->volume_count; i++) {
		if (!print_differs(v, &m->volumes[i], section, id))
			continue;
		event_tell(v, "escrow-stale", json_pack("{s:s}", "name",
							(const char *)m->volumes[i].name));
		return recovery_want(v, "stale", NULL);
	}
	return OK;
}

void recovery_progress(struct escrow_progress *ret, const struct volumed *v)
{
	const json_t *section = vstate_find(&v->state, "recovery");
	const json_t *next = json_object_get(section, "next");

	ret->recovery_proven = json_is_true(json_object_get(section, "proven"));
	ret->recovery_since = next ? vstate_number(next, "created") : 0;
}
