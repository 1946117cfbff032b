#include "agent/volumed/settle.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/genvar.h"
#include "agent/volumed/managed.h"
#include "agent/volumed/onetime.h"
#include "agent/volumed/recovery.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/statustext.h"
#include "common/escrow_host.h"

/* Pre-boot's events, once for each hand-off. */
static enum err boot_tell(struct volumed *v)
{
	json_t *section = vstate_make(&v->state, "boot");
	const struct bootfacts *b = &v->boot;
	const char *seen = vstate_text(section, "handoff"), *method = bootfacts_method(b->kind);

	if (!section)
		return ERR_MEMORY;
	if (!b->known || !v->trust.enrolled || (seen && !strcmp(seen, b->digest)))
		return OK;
	for (size_t i = 0; i < b->event_count; i++) {
		const char *kind = preboot_event_text(b->events[i].kind);

		if (kind)
			event_tell(v, kind, json_pack("{s:i, s:I}", "value", (int)b->events[i].value, "age",
						      (json_int_t)b->events[i].age_s));
	}
	event_tell(v, "started",
		   json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I}", "user", b->user, "method",
			     method ? method : "?", "credential", b->credential, "target", (int)b->target,
			     "generation", (json_int_t)b->generation, "kdf_ms", (json_int_t)b->kdf_ms,
			     "overhead_ms", (json_int_t)b->overhead_ms, "memory_mib",
			     (json_int_t)b->memory_mib));
	if (json_object_set_new(section, "handoff", json_string(b->digest)))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

static enum err enrolment_into_store(struct volumed *v, struct unlocked *u)
{
	uint8_t enrolment[16];
	enum err e = hex_decode(enrolment, sizeof(enrolment), v->trust.enrolment);

	if (e || !memcmp(enrolment, u->store.head.enrolment, sizeof(enrolment)))
		return e;
	memcpy(u->store.head.enrolment, enrolment, sizeof(enrolment));
	return unlocked_save(u, v, 0);
}

/* A lock that was ordered in this start is younger than what this start has left to do. */
static int lock_is_younger(const struct volumed *v)
{
	const char *during = vstate_text(vstate_find(&v->state, "boot"), "locked");

	return during && !strcmp(during, v->boot.digest);
}

static int seals_missing(const struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (s->records[i].kind == CREDENTIAL_PASSWORD && !s->records[i].has_seal)
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
	json_t *recovery = vstate_find(&v->state, "recovery"), *boot = vstate_make(&v->state, "boot");
	const char *handled = vstate_text(boot, "recovery_used");
	struct record *r = NULL;
	enum err e = OK;

	if (v->boot.kind != CREDENTIAL_RECOVERY_KEY || !v->trust.enrolled ||
	    (handled && !strcmp(handled, v->boot.digest)) ||
	    store_find_code(&r, &u->store, CREDENTIAL_RECOVERY_KEY, 0) || !booted_by(v, r))
		return OK;
	if (!lock_is_younger(v) && ((u->store.head.flags & STORE_LOCKED) || seals_missing(&u->store)))
		e = rotation_run(v, u, ROTATION_RESEAL);
	if (!e && !json_object_get(recovery, "wanted") && !json_object_get(recovery, "next"))
		e = recovery_want(v, "used", NULL);
	if (!e && json_object_set_new(boot, "recovery_used", json_string(v->boot.digest)))
		e = ERR_MEMORY;
	return e ? e : vstate_save(&v->state);
}

static void generation_mend(struct volumed *v, const struct unlocked *u)
{
	uint64_t now = u->store.head.generation;

	if (u->found.generation_known && u->found.generation > now &&
	    v->rolled_back_told != u->found.generation) {
		v->rolled_back_told = u->found.generation;
		event_tell(v, "store-rolled-back",
			   json_pack("{s:I, s:I}", "found", (json_int_t)now, "expected",
				     (json_int_t)u->found.generation));
	}
	if (u->found.generation_known && u->found.generation >= now)
		return;
	if (!genvar_write(v->esp.efivars, now) && !u->found.generation_known)
		event_tell(v, "generation-restored", json_pack("{s:I}", "generation", (json_int_t)now));
}

static enum err settle_steps(struct volumed *v)
{
	UNLOCKED u = { 0 };
	enum err e = unlocked_open(&u, v);

	if (e)
		return e;
	generation_mend(v, &u);
	e = rotation_settle(v, &u);
	if (!e)
		e = code_used(v, &u);
	if (!e)
		e = recovery_used(v, &u);
	if (!e && v->trust.enrolled)
		e = enrolment_into_store(v, &u);
	if (!e && v->trust.enrolled)
		e = recovery_settle(v, &u);
	if (!e && v->trust.enrolled)
		e = onetime_settle(v, &u);
	if (!e)
		managed_check(v, &u);
	return e;
}

/* The server shows the last status that it was told: a new one when something changed that people act on. */
static void status_tell(struct volumed *v)
{
	TEXT *text = NULL;
	json_t *status = NULL;
	char summary[sizeof(v->told)];

	statustext_summary(summary, sizeof(summary), v);
	if (!strcmp(summary, v->told) || statustext_make(&text, v) ||
	    json_parse(&status, text, strlen(text)))
		return;
	if (!event_put(NULL, v, "status", status))
		memcpy(v->told, summary, sizeof(v->told));
}

enum err settle_run(struct volumed *v)
{
	enum err e = boot_tell(v);

	if (!e)
		e = settle_steps(v);
	if (!e) {
		v->unsettled[0] = '\0';
		v->unsettled_since = 0;
		enforce_report(v);
		status_tell(v);
		return OK;
	}
	volumed_unsettled(v);
	return e;
}

enum err settle_check(struct volumed *v)
{
	UNLOCKED u = { 0 };
	enum err e = unlocked_open(&u, v);

	if (!e && v->trust.enrolled)
		e = recovery_check(v, &u);
	return e ? e : settle_run(v);
}

static enum err receipt_take(int *ret_news, struct volumed *v, const char *receipt)
{
	enum err e = ERR_NOT_FOUND;

	for (size_t i = 0; i < v->outbox.count; i++) {
		const struct outbox_entry *entry = &v->outbox.entries[i];

		if (entry->class != IPC_OUTBOX_ESCROW)
			continue;
		e = receipt_verify(receipt, v->trust.device, v->trust.enrolment, entry->id,
				   entry->message, &v->trust.server);
		if (e == ERR_NOT_FOUND)
			continue;
		if (e)
			return e;
		if (recovery_proven(v, entry->id) || onetime_proven(v, entry->id))
			*ret_news = 1;
	}
	return OK;
}

/* Only after the proof is saved: else a power cut would make the code an orphan. */
static enum err proven_drop(struct volumed *v, const char *receipt)
{
	enum err e = OK;

	for (size_t i = v->outbox.count; !e && i-- > 0;) {
		const struct outbox_entry *entry = &v->outbox.entries[i];
		char id[OUTBOX_ID_BYTES];

		memcpy(id, entry->id, sizeof(id));
		if (entry->class == IPC_OUTBOX_ESCROW &&
		    !receipt_verify(receipt, v->trust.device, v->trust.enrolment, id, entry->message,
				    &v->trust.server))
			e = outbox_remove(&v->outbox, id);
	}
	return e;
}

enum err settle_receipt(struct volumed *v, const char *receipt)
{
	int news = 0;
	enum err e = v->trust.enrolled ? OK : ERR_STATE;

	if (!e)
		e = receipt_take(&news, v, receipt);
	if (!e && news)
		e = vstate_save(&v->state);
	if (!e)
		e = proven_drop(v, receipt);
	if (e)
		return volumed_about(v, e, "receipt");
	if (news && settle_run(v))
		volumed_log("receipt accepted with work left", v->about);
	return OK;
}
