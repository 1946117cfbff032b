#include "agent/volumed/statustext.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/volumed/accounts.h"
#include "agent/volumed/enforce.h"

static json_t *volumes_of(const struct volumed *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->volume_count; i++) {
		const struct volume_state *s = &v->volumes[i];

		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:i}", "uuid", s->uuid,
							    "name", s->name, "unlock", s->opens,
							    "header", s->header, "foreign_keyslots",
							    (int)s->foreign));
	}
	return list;
}

static json_t *escrow_of(const struct volumed *v, const struct escrow_progress *p)
{
	const char *recovery = p->recovery_proven ? "proven" : v->trust.enrolled ? "waiting" : "none";

	return json_pack("{s:s, s:I, s:I, s:I}", "recovery", recovery, "recovery_since",
			 (json_int_t)p->recovery_since, "codes_proven", (json_int_t)p->codes_proven,
			 "codes_wanted", (json_int_t)p->codes_wanted);
}

static void setting_put(json_t *o, const char *name, uint32_t value, const char *state)
{
	(void)json_object_set_new(o, name, json_pack("{s:I, s:s}", "value", (json_int_t)value, "state",
						     state));
}

/* Argon2id's cost is set when a password is: an older record keeps its own. */
static const char *cost_state(const struct store *s, const struct policy_settings *p)
{
	for (uint32_t i = 0; i < s->head.record_count; i++) {
		const struct record *r = &s->records[i];

		if (r->kind == CREDENTIAL_PASSWORD &&
		    (r->kdf_memory_kib != p->kdf_memory_kib || r->kdf_passes != p->kdf_passes))
			return "waiting for the next change of password";
	}
	return "enforced";
}

static json_t *policy_of(const struct volumed *v, const struct store *s,
			 const struct escrow_progress *p)
{
	json_t *settings = json_object();
	struct policy_settings have;

	enforce_settings(&have, v);
	setting_put(settings, "one_time_codes", have.one_time_codes,
		    p->codes_proven >= p->codes_wanted ? "enforced" : "waiting for receipts");
	setting_put(settings, "kdf_memory_kib", have.kdf_memory_kib, cost_state(s, &have));
	setting_put(settings, "kdf_passes", have.kdf_passes, cost_state(s, &have));
	setting_put(settings, "sync_interval_s", have.sync_interval_s, "enforced");
	return json_pack("{s:I, s:s, s:o}", "version", (json_int_t)enforce_version(v), "state",
			 enforce_state(v), "settings", settings);
}

static void wait_put(json_t *list, const char *what, uint64_t since, const char *advice)
{
	(void)json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "for", what, "since",
						    (json_int_t)since, "do", advice));
}

/* Does the firmware know today's generation? A copy of the ESP from before can be told by it alone. */
static int generation_kept(const struct espstore_found *found, const struct store *s)
{
	return found->generation_known && found->generation >= s->head.generation;
}

static json_t *waiting_of(const struct volumed *v, const struct store *s, int generation,
			  const struct escrow_progress *p)
{
	static const char *const receipt = "nothing, if the server can be reached; it is sent again by itself";
	json_t *list = json_array();
	uint8_t key[KEY_BYTES];

	if (v->killed)
		return list;
	if (bootkeys_get(key, &v->keys, BOOTKEY_UNLOCK) &&
	    bootkeys_get(key, &v->keys, BOOTKEY_UNLOCK_NEXT))
		wait_put(list, "a start through Holdfast's own screen: the unlock key is not here",
			 v->started, "restart, and sign in before the system starts");
	secret_wipe(key, sizeof(key));
	if (!v->trust.enrolled)
		wait_put(list, "enrolment", v->started, "run: holdfast enroll TOKEN");
	if (*v->unsettled)
		wait_put(list, v->unsettled, v->unsettled_since, "nothing: tried again each minute");
	if (p->recovery_since)
		wait_put(list, "the receipt of the recovery key", p->recovery_since, receipt);
	if (v->trust.enrolled && p->codes_since)
		wait_put(list, "the receipts of one-time codes", p->codes_since, receipt);
	if (s->head.flags & STORE_LOCKED)
		wait_put(list, "a one-time code: this laptop is locked", v->started,
			 "restart, and ask the helpdesk for a code");
	if (!generation && s->head.generation && !access(v->esp.efivars, X_OK))
		wait_put(list, "the firmware: it did not keep the store's generation", v->started,
			 "nothing, if it was full for a moment; else update the firmware or clear its variables");
	for (size_t i = 0; i < v->volume_count; i++)
		if (strcmp(v->volumes[i].header, "as vouched"))
			wait_put(list, "a volume whose header is not the one vouched for", v->started,
				 "ask the helpdesk: somebody else may have changed the disk");
	return list;
}

enum err statustext_make(char **ret, const struct volumed *v)
{
	struct escrow_progress p;
	struct espstore_found found = { 0 };
	const char *method = bootfacts_method(v->boot.kind);
	char tag[9] = { 0 };
	STORE s = { 0 };
	JSON *status = NULL;

	if (espstore_load(&s, &found, &v->esp))
		memset(&s.head, 0, sizeof(s.head));
	enforce_progress(&p, v);
	memcpy(tag, v->device, 8);
	status = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:I, s:b, s:b, s:i, s:b, s:o, s:o, s:o, s:o, s:I}",
			   "device", v->device, "tag", tag, "name", v->name, "enrolled",
			   v->trust.enrolled, "enrolment", v->trust.enrolment, "enterprise",
			   v->trust.enterprise, "generation", (json_int_t)s.head.generation, "locked",
			   (s.head.flags & STORE_LOCKED) != 0, "killed", v->killed, "users",
			   (int)accounts_count(&s), "generation_variable", generation_kept(&found, &s),
			   "volumes", volumes_of(v), "escrow", escrow_of(v, &p), "policy",
			   policy_of(v, &s, &p), "waiting", waiting_of(v, &s, generation_kept(&found, &s),
				      &p), "events_pending",
			   (json_int_t)outbox_events(&v->outbox));
	if (!status ||
	    json_object_set_new(status, "booted_by",
				v->boot.known && method
					? json_pack("{s:s, s:s}", "user", v->boot.user, "method", method)
					: json_null()))
		return ERR_MEMORY;
	return json_print(ret, status);
}

void statustext_summary(char *ret, size_t size, const struct volumed *v)
{
	const char *volumes = "sound";
	struct espstore_found found = { 0 };
	STORE s = { 0 };

	if (espstore_load(&s, &found, &v->esp))
		memset(&s.head, 0, sizeof(s.head));
	for (size_t i = 0; i < v->volume_count; i++)
		if (strcmp(v->volumes[i].header, "as vouched") || v->volumes[i].foreign)
			volumes = v->volumes[i].header;
	(void)snprintf(ret, size, "%d %s %llu %d %s %d", v->trust.enrolled, enforce_state(v),
		       (unsigned long long)enforce_version(v), s.head.flags & STORE_LOCKED, volumes,
		       generation_kept(&found, &s));
}
