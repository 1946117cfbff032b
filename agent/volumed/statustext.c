#include "agent/volumed/statustext.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/volumed/accounts.h"
#include "agent/volumed/bootcare.h"
#include "agent/volumed/enforce.h"
#include "agent/volumed/ruleset.h"
#include "agent/volumed/servertime.h"
#include "agent/volumed/tpmtext.h"

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

/* Argon2id's cost is set when a password is: an older record keeps its own. */
static const char *cost_state(const struct store *s, const struct policy_settings *p)
{
	for (uint32_t i = 0; i < s->head.record_count; i++) {
		const struct record *r = &s->records[i];

		if (credential_is_login(r->kind) &&
		    (r->kdf_memory_kib != p->kdf_memory_kib || r->kdf_passes != p->kdf_passes))
			return "waiting for the next change of password";
	}
	return "enforced";
}

/* Without an unlock key the store cannot be changed. */
static int key_is_here(const struct volumed *v)
{
	uint8_t key[KEY_BYTES];
	int here = !bootkeys_get(key, &v->keys, BOOTKEY_UNLOCK) ||
		   !bootkeys_get(key, &v->keys, BOOTKEY_UNLOCK_NEXT);

	secret_wipe(key, sizeof(key));
	return here;
}

static const char *rules_state(const struct volumed *v, const struct store *s)
{
	if (ruleset_holds(v, s))
		return "enforced";
	return key_is_here(v) ? "waiting for the credential store to be written"
			      : "waiting for a start through Holdfast's own screen";
}

struct states {
	const char *codes, *cost, *rules, *kind;
};

static const char *setting_state(const struct setting *known, const struct states *states)
{
	if (known->is_pre_boot)
		return states->rules;
	if (!strcmp(known->name, "one_time_codes"))
		return states->codes;
	if (!strcmp(known->name, "credential"))
		return states->kind;
	return strncmp(known->name, "kdf_", 4) ? "enforced" : states->cost;
}

static json_t *policy_of(const struct volumed *v, const struct store *s,
			 const struct escrow_progress *p)
{
	struct states states = { .codes = p->codes_proven >= p->codes_wanted ? "enforced"
									     : "waiting for receipts" };
	POLICY_SETTINGS have = { 0 };
	json_t *settings = json_object();
	size_t count;
	const struct setting *table = settings_table(&count);

	enforce_settings(&have, v);
	states.cost = cost_state(s, &have);
	states.rules = rules_state(v, s);
	states.kind = tpmtext_kind_state(v, s);
	for (size_t i = 0; i < count; i++)
		(void)json_object_set_new(settings, table[i].name,
					  json_pack("{s:o, s:s}", "value", setting_json(&table[i], &have),
						    "state", setting_state(&table[i], &states)));
	return json_pack("{s:I, s:s, s:o}", "version", (json_int_t)enforce_version(v), "state",
			 enforce_state(v), "settings", settings);
}

/* Whoever locked it: "organisation", "pre-boot" (failures, no contact); NULL: it is not locked. */
static const char *locked_by(const struct store *s)
{
	if (s->head.flags & STORE_LOCKED)
		return "organisation";
	return store_is_locked(s) ? "pre-boot" : NULL;
}

/* The latest time of the server that this laptop knows, here or in the store. */
static uint64_t last_contact(const struct volumed *v, const struct store *s)
{
	uint64_t here = servertime_known(v), there = s->rules.head.last_contact;

	return here > there ? here : there;
}

static uint32_t contact_days(const struct volumed *v, const struct store *s)
{
	uint64_t last = last_contact(v, s), now = volumed_now();

	return last && now > last ? (uint32_t)((now - last) / 86400) : 0;
}

static json_t *contact_of(const struct volumed *v, const struct store *s)
{
	uint64_t last = last_contact(v, s);

	return json_pack("{s:o, s:I, s:i, s:i}", "last",
			 last ? json_integer((json_int_t)last) : json_null(), "days",
			 (json_int_t)contact_days(v, s), "warn_days",
			 (int)s->rules.head.contact_warn_days, "lock_days",
			 (int)s->rules.head.contact_lock_days);
}

static const struct record *booted_record(const struct volumed *v, const struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++) {
		char id[33];

		hex_encode(id, s->records[i].id, sizeof(s->records[i].id));
		if (!strcmp(id, v->boot.credential))
			return &s->records[i];
	}
	return NULL;
}

/* Who started the laptop, how, and when that password has to be changed. */
static json_t *booted_of(const struct volumed *v, const struct store *s)
{
	const char *method = bootfacts_method(v->boot.kind);
	const struct record *r = booted_record(v, s);
	uint64_t expires = r ? accounts_expiry(r, s->rules.head.password_days) : 0;

	if (!v->boot.known || !method)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "user", v->boot.user, "method", method, "password_expires",
			 expires ? json_integer((json_int_t)expires) : json_null());
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

static int contact_is_overdue(const struct volumed *v, const struct store *s)
{
	const struct rules_head *h = &s->rules.head;
	uint32_t days = contact_days(v, s);

	return (h->contact_warn_days && days >= h->contact_warn_days) ||
	       (h->contact_lock_days && days >= h->contact_lock_days);
}

static json_t *waiting_of(const struct volumed *v, const struct store *s, int generation,
			  const struct escrow_progress *p)
{
	static const char *const receipt = "nothing, if the server can be reached; it is sent again by itself";
	json_t *list = json_array();

	if (v->killed)
		return list;
	if (!key_is_here(v))
		wait_put(list, "a start through Holdfast's own screen: the unlock key is not here",
			 v->started, "restart, and sign in before the system starts");
	if (!v->trust.enrolled)
		wait_put(list, "enrolment", v->started, "run: holdfast enroll TOKEN");
	if (*v->unsettled)
		wait_put(list, v->unsettled, v->unsettled_since, "nothing: tried again each minute");
	if (p->recovery_since)
		wait_put(list, "the receipt of the recovery key", p->recovery_since, receipt);
	if (v->trust.enrolled && p->codes_since)
		wait_put(list, "the receipts of one-time codes", p->codes_since, receipt);
	tpmtext_wait(list, v, s);
	if (locked_by(s))
		wait_put(list, "a one-time code: this laptop is locked", v->started,
			 "restart, and ask the helpdesk for a code");
	if (contact_is_overdue(v, s))
		wait_put(list, "the server, which was not reached for days: this laptop may lock itself",
			 last_contact(v, s), "connect to a network from which the server can be reached");
	if (!generation && s->head.generation && !access(v->esp.efivars, X_OK))
		wait_put(list, "the firmware: it did not keep the store's generation", v->started,
			 "nothing, if it was full for a moment; else update the firmware or clear its variables");
	for (size_t i = 0; i < v->volume_count; i++)
		if (strcmp(v->volumes[i].header, "as vouched"))
			wait_put(list, "a volume whose header is not the one vouched for", v->started,
				 "ask the helpdesk: somebody else may have changed the disk");
	return list;
}

/* What Linux is configured to, where pre-boot has only something near to it; else NULL. */
static const char *keyboard_meant(const struct volumed *v, const struct store *s)
{
	return !v->keyboard.exact && !strcmp((const char *)s->rules.head.layout, v->keyboard.layout) &&
			       *v->keyboard.configured ? v->keyboard.configured : NULL;
}

/* What the store and its firmware variable say. */
static json_t *store_of(const struct volumed *v, const struct store *s, int generation)
{
	return json_pack("{s:I, s:b, s:b, s:s?, s:i, s:s, s:s?, s:o, s:o}", "generation",
			 (json_int_t)s->head.generation, "generation_variable", generation, "locked",
			 locked_by(s) != NULL, "locked_by", locked_by(s), "users",
			 (int)store_user_count(s), "keyboard_layout", (const char *)s->rules.head.layout,
			 "keyboard_configured", keyboard_meant(v, s), "contact", contact_of(v, s),
			 "booted_by", booted_of(v, s));
}

enum err statustext_make(char **ret, const struct volumed *v)
{
	struct escrow_progress p;
	struct espstore_found found = { 0 };
	char tag[9] = { 0 };
	STORE s = { 0 };
	JSON *status = NULL, *store = NULL;
	int generation;

	if (espstore_load(&s, &found, &v->esp))
		memset(&s.head, 0, sizeof(s.head));
	generation = generation_kept(&found, &s);
	enforce_progress(&p, v);
	memcpy(tag, v->device, 8);
	status = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I}", "device",
			   v->device, "tag", tag, "name", v->name, "enrolled", v->trust.enrolled,
			   "enrolment", v->trust.enrolment, "enterprise", v->trust.enterprise, "killed",
			   v->killed, "volumes", volumes_of(v), "escrow", escrow_of(v, &p), "policy",
			   policy_of(v, &s, &p), "waiting", waiting_of(v, &s, generation, &p),
			   "events_pending", (json_int_t)outbox_events(&v->outbox));
	store = store_of(v, &s, generation);
	if (!status || !store || json_object_update(status, store) ||
	    json_object_set_new(status, "loader", bootcare_status(v)) ||
	    json_object_set_new(status, "tpm", tpmtext_tpm(v, &s)) ||
	    json_object_set_new(status, "firmware", tpmtext_firmware(v)))
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
	(void)snprintf(ret, size, "%d %s %llu %s %s %d %s %s", v->trust.enrolled, enforce_state(v),
		       (unsigned long long)enforce_version(v), locked_by(&s) ? locked_by(&s) : "open",
		       volumes, generation_kept(&found, &s), (const char *)s.rules.head.layout,
		       tpmtext_summary(v, &s));
}
