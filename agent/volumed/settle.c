#include "agent/volumed/settle.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/bootcare.h"
#include "agent/volumed/binding.h"
#include "agent/volumed/bootwork.h"
#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/genvar.h"
#include "agent/volumed/managed.h"
#include "agent/volumed/onetime.h"
#include "agent/volumed/recovery.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/ruleset.h"
#include "agent/volumed/selfhelp.h"
#include "agent/volumed/servertime.h"
#include "agent/volumed/statustext.h"
#include "common/escrow_host.h"

static enum err enrolment_into_store(struct volumed *v, struct unlocked *u)
{
	uint8_t enrolment[16];
	enum err e = hex_decode(enrolment, sizeof(enrolment), v->trust.enrolment);

	if (e || !memcmp(enrolment, u->store.head.enrolment, sizeof(enrolment)))
		return e;
	memcpy(u->store.head.enrolment, enrolment, sizeof(enrolment));
	/* Another server, another clock. */
	u->store.rules.head.last_contact = 0;
	return unlocked_save(u, v, 0);
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
		e = bootwork_settle(v, &u);
	if (!e)
		e = selfhelp_settle(v, &u);
	if (!e)
		e = binding_settle(v, &u);
	if (!e && v->trust.enrolled)
		e = enrolment_into_store(v, &u);
	if (!e)
		e = ruleset_settle(v, &u);
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

/* What needs no key: a laptop that was started without pre-boot has none, and needs its boot repaired most of all. */
static enum err settle_keyless(struct volumed *v)
{
	enum err e = bootwork_tell(v);

	bootcare_settle(v);
	binding_look(v);
	return e;
}

static enum err settle_keyed(struct volumed *v, enum err e)
{
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

enum err settle_run(struct volumed *v)
{
	return settle_keyed(v, settle_keyless(v));
}

enum err settle_check(struct volumed *v)
{
	enum err told = settle_keyless(v), e;
	UNLOCKED u = { 0 };

	e = unlocked_open(&u, v);
	/* That there is no key has a line of its own in STATUS. */
	if (e && e != ERR_STATE)
		volumed_unsettled(v);
	if (!e && v->trust.enrolled)
		e = recovery_check(v, &u);
	return e ? e : settle_keyed(v, told);
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

enum err settle_time(struct volumed *v, const char *jws)
{
	enum err e = servertime_take(v, jws);

	if (!e && ruleset_is_due(v) && settle_run(v))
		volumed_log("time accepted with work left", v->about);
	return e;
}
