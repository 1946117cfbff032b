#include "agent/volumed/bootwork.h"

#include <string.h>
#include <time.h>

#include "agent/volumed/event.h"
#include "agent/volumed/passnote.h"
#include "agent/volumed/recovery.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/tpmtext.h"

static json_t *boot_section(struct volumed *v)
{
	return vstate_make(&v->state, "boot");
}

/* Has this hand-off been worked through under this name? */
static int was_done(struct volumed *v, const char *name)
{
	const char *digest = vstate_text(boot_section(v), name);

	return digest && !strcmp(digest, v->boot.digest);
}

static enum err done_note(struct volumed *v, const char *name)
{
	if (json_object_set_new(boot_section(v), name, json_string(v->boot.digest)))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

/* When the kernel was started: pre-boot's ages count from there. */
static uint64_t kernel_started(void)
{
	uint64_t now = volumed_now();
	struct timespec up = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	return now > (uint64_t)up.tv_sec ? now - (uint64_t)up.tv_sec : 0;
}

/* The value of PREBOOT_LOCKED says what locked it. */
static json_t *event_detail(const struct handoff_event *e)
{
	static const char *const causes[] = { "?", "failures", "no contact" };
	size_t cause = e->value < sizeof(causes) / sizeof(*causes) ? e->value : 0;
	json_t *o = json_pack("{s:i, s:I}", "value", (int)e->value, "age", (json_int_t)e->age_s);

	if (o && e->kind == PREBOOT_LOCKED)
		(void)json_object_set_new(o, "cause", json_string(causes[cause]));
	return o;
}

static void events_tell(struct volumed *v)
{
	uint64_t started = kernel_started();

	for (size_t i = 0; i < v->boot.event_count; i++) {
		const struct handoff_event *e = &v->boot.events[i];
		const char *kind = preboot_event_text(e->kind);

		if (kind)
			event_tell_at(v, kind, started > e->age_s ? started - e->age_s : 0,
				      event_detail(e));
	}
}

enum err bootwork_tell(struct volumed *v)
{
	const struct bootfacts *b = &v->boot;
	const char *method = bootfacts_method(b->kind);

	if (!boot_section(v))
		return ERR_MEMORY;
	if (!b->known || !v->trust.enrolled || was_done(v, "handoff"))
		return OK;
	events_tell(v);
	event_tell(v, "started",
		   json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "user", b->user,
			     "method", method ? method : "?", "credential", b->credential, "target",
			     (int)b->target, "generation", (json_int_t)b->generation, "kdf_ms",
			     (json_int_t)b->kdf_ms, "overhead_ms", (json_int_t)b->overhead_ms, "memory_mib",
			     (json_int_t)b->memory_mib, "prompt_ms", (json_int_t)b->prompt_ms, "tpm_ms",
			     (json_int_t)b->tpm_ms, "processors", (int)b->processors, "firmware",
			     tpmtext_firmware(v)));
	return done_note(v, "handoff");
}

/* A lock that was ordered in this start is younger than what this start has left to do. */
static int lock_is_younger(struct volumed *v)
{
	return was_done(v, "locked");
}

/* Locked by the organisation, or by pre-boot, which can only take seals away. */
static int seals_missing(const struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind) && !s->records[i].has_seal)
			return 1;
	return 0;
}

static int booted_by(const struct volumed *v, const struct record *r)
{
	char id[33];

	hex_encode(id, r->id, sizeof(r->id));
	return !strcmp(id, v->boot.credential);
}

/* The code that started this laptop is burnt: its record goes, the key that it gave is rotated, and with
 * it an earlier lock ends. */
static enum err code_used(struct volumed *v, struct unlocked *u)
{
	struct record *r = NULL;
	uint8_t id[16];
	enum err e;

	if (v->boot.kind != CREDENTIAL_ONE_TIME_CODE ||
	    store_find_code(&r, &u->store, CREDENTIAL_ONE_TIME_CODE, v->boot.number) ||
	    !booted_by(v, r))
		return OK;
	memcpy(id, r->id, sizeof(id));
	e = store_remove(&u->store, id);
	if (!e)
		e = rotation_run(v, u, lock_is_younger(v) ? ROTATION_LOCK : ROTATION_RESEAL);
	if (e)
		return e;
	event_tell(v, "code-used", json_pack("{s:i}", "number", (int)v->boot.number));
	return OK;
}

/* Somebody has been told the recovery key: it must not open tomorrow's disk, and it ends a lock. Once for
 * each start: a lock that is ordered later stays. */
static enum err recovery_used(struct volumed *v, struct unlocked *u)
{
	json_t *recovery = vstate_find(&v->state, "recovery");
	struct record *r = NULL;
	enum err e = OK;

	if (v->boot.kind != CREDENTIAL_RECOVERY_KEY || was_done(v, "recovery_used") ||
	    store_find_code(&r, &u->store, CREDENTIAL_RECOVERY_KEY, 0) || !booted_by(v, r))
		return OK;
	if (!lock_is_younger(v) && ((u->store.head.flags & STORE_LOCKED) || seals_missing(&u->store)))
		e = rotation_run(v, u, ROTATION_RESEAL);
	/* Before enrolment there is nobody to escrow another one: enrolment makes one. */
	if (!e && v->trust.enrolled && !json_object_get(recovery, "wanted") &&
	    !json_object_get(recovery, "next"))
		e = recovery_want(v, "used", NULL);
	return e ? e : done_note(v, "recovery_used");
}

static int change_was_told(const struct bootfacts *b)
{
	for (size_t i = 0; i < b->event_count; i++)
		if (b->events[i].kind == PREBOOT_PASSWORD_CHANGED)
			return 1;
	return 0;
}

/* Marks in changed[] whose passwords pre-boot has changed; 1 when there is work: the hand-off tells of a
 * change, too, for records that were never noted. */
static int changes_find(uint8_t changed[static STORE_RECORDS_MAX], struct volumed *v,
			const struct store *s)
{
	int told = v->boot.known && change_was_told(&v->boot) && !was_done(v, "password_changed");
	int found = told;

	for (uint32_t i = 0; i < s->head.record_count; i++) {
		changed[i] = passnote_differs(v, &s->records[i]) ||
			     (told && credential_is_login(s->records[i].kind) &&
			      booted_by(v, &s->records[i]));
		found |= changed[i];
	}
	return found;
}

/* A password was changed at pre-boot, which can't touch a volume: with the unlock key rotated, an earlier
 * copy of the ESP and the old password open nothing on today's disk. */
static enum err passwords_changed(struct volumed *v, struct unlocked *u)
{
	uint8_t changed[STORE_RECORDS_MAX] = { 0 };
	enum err e;

	if (!changes_find(changed, v, &u->store))
		return passnote_update(v, &u->store);
	e = rotation_run(v, u, ROTATION_KEEP);
	if (e)
		return e;
	for (uint32_t i = 0; i < u->store.head.record_count; i++)
		if (changed[i])
			event_credential(v, "credential-changed", &u->store.records[i]);
	e = passnote_update(v, &u->store);
	return e ? e : done_note(v, "password_changed");
}

enum err bootwork_settle(struct volumed *v, struct unlocked *u)
{
	enum err e = code_used(v, u);

	if (!e)
		e = recovery_used(v, u);
	return e ? e : passwords_changed(v, u);
}
