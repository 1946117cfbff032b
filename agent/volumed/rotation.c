#include "agent/volumed/rotation.h"

#include <sodium.h>
#include <string.h>

#include "agent/volumed/binding.h"
#include "agent/volumed/event.h"
#include "agent/volumed/managed.h"

static enum err keyslot_add(struct volumed *v, struct manifest_volume *m,
			    const struct unlock_key *present, const struct unlock_key *fresh)
{
	struct digest print;
	VOLUME *volume = NULL;
	enum err e = managed_load(&volume, v, m);

	if (!e)
		e = volume_unlock_add(volume, present, fresh);
	if (!e)
		e = volume_test_unlock(volume, fresh);
	if (!e)
		e = volume_unlock_fingerprint(&print, volume, fresh);
	if (!e)
		e = manifest_keyslot_accept(m, &print);
	return volumed_about(v, e, "adding the new unlock keyslot");
}

static enum err keyslot_only(int *ret_changed, struct volumed *v, struct manifest_volume *m,
			     const struct unlock_key *uk)
{
	struct manifest_volume was = *m;
	struct digest print;
	VOLUME *volume = NULL;
	enum err e = managed_load(&volume, v, m);

	if (!e)
		e = volume_unlock_keep(volume, uk);
	if (!e)
		e = volume_unlock_fingerprint(&print, volume, uk);
	if (e)
		return volumed_about(v, e, "destroying the old unlock keyslot");
	memset(m->keyslots, 0, sizeof(m->keyslots));
	e = manifest_keyslot_accept(m, &print);
	if (!e && memcmp(&was, m, sizeof(was)))
		*ret_changed = 1;
	return e;
}

/* A header that is not the one vouched for is left alone: it is reported by managed_check. */
static int vouched(struct volumed *v, const struct manifest_volume *m, const struct unlock_key *uk)
{
	const char *what;
	VOLUME *volume = NULL;

	return !managed_load(&volume, v, m) && !volume_check(volume, m, uk, &what);
}

enum err rotation_settle(struct volumed *v, struct unlocked *u)
{
	struct manifest *m = &u->store.manifest;
	int damaged = u->found.copy[0] || u->found.copy[1], changed = 0;
	enum err e = OK;

	/* The copies first: as long as one of them gives the other key, that key's keyslot stays. */
	if (damaged || !u->found.same_key)
		e = unlocked_save(u, v, 1);
	for (size_t i = 0; !e && i < m->volume_count; i++)
		if (vouched(v, &m->volumes[i], &u->uk))
			e = keyslot_only(&changed, v, &m->volumes[i], &u->uk);
	if (!e && changed)
		e = unlocked_save(u, v, 0);
	if (!e)
		e = bootkeys_put(&v->keys, BOOTKEY_UNLOCK, u->uk.bytes);
	if (e)
		return e;
	bootkeys_forget(&v->keys, BOOTKEY_UNLOCK_NEXT);
	if (damaged)
		event_tell(v, "store-copy-repaired", NULL);
	u->found.copy[0] = u->found.copy[1] = OK;
	u->found.same_key = 1;
	return OK;
}

static enum err keyslots_add(struct volumed *v, struct unlocked *u, const struct unlock_key *fresh)
{
	struct manifest *m = &u->store.manifest;
	enum err e = OK;

	for (size_t i = 0; !e && i < m->volume_count; i++)
		e = keyslot_add(v, &m->volumes[i], &u->uk, fresh);
	return e;
}

/* Nothing was written to the store: the new keyslots go again. */
static void take_back(struct volumed *v, const struct unlocked *u)
{
	const struct manifest *m = &u->store.manifest;
	char about[sizeof(v->about)];

	memcpy(about, v->about, sizeof(about));
	for (size_t i = 0; i < m->volume_count; i++) {
		VOLUME *volume = NULL;

		if (managed_load(&volume, v, &m->volumes[i]) || volume_unlock_keep(volume, &u->uk))
			volumed_log("a new keyslot could not be taken back yet", NULL);
	}
	bootkeys_forget(&v->keys, BOOTKEY_UNLOCK_NEXT);
	memcpy(v->about, about, sizeof(about));
}

static enum err rekey(struct unlocked *u, const struct unlock_key *fresh, enum rotation_seals seals)
{
	struct store *s = &u->store;
	uint8_t had_seal[STORE_RECORDS_MAX] = { 0 };
	int locked = seals == ROTATION_LOCK ||
		     (seals == ROTATION_KEEP && (s->head.flags & STORE_LOCKED));
	enum err e;

	for (uint32_t i = 0; i < s->head.record_count; i++)
		had_seal[i] = s->records[i].has_seal;
	e = store_rekey(s, &u->uk, fresh, locked);
	if (e || seals != ROTATION_KEEP)
		return e;
	/* Pre-boot takes seals away too (after too many failures): those do not come back by chance. */
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (!had_seal[i])
			record_unseal(&s->records[i]);
	return OK;
}

enum err rotation_run(struct volumed *v, struct unlocked *u, enum rotation_seals seals)
{
	UNLOCK_KEY fresh = { 0 };
	JSON *unreadable = binding_drop_unreadable(u);
	enum err e;

	randombytes_buf(fresh.bytes, sizeof(fresh.bytes));
	e = bootkeys_put(&v->keys, BOOTKEY_UNLOCK_NEXT, fresh.bytes);
	if (!e)
		e = keyslots_add(v, u, &fresh);
	if (!e)
		e = rekey(u, &fresh, seals);
	if (e) {
		take_back(v, u);
		return e;
	}
	u->uk = fresh;
	e = unlocked_save(u, v, 1);
	if (!e && json_array_size(unreadable))
		event_tell(v, "binding-unreadable", json_pack("{s:O}", "users", unreadable));
	if (!e) {
		u->found.copy[0] = u->found.copy[1] = OK;
		u->found.same_key = 1;
		e = rotation_settle(v, u);
	}
	/* The old key may still open: settling goes on each minute. */
	if (e)
		volumed_unsettled(v);
	return e;
}
