#include "agent/volumed/onetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/event.h"
#include "agent/volumed/sealed.h"
#include "common/code.h"

#define CODES_MAX 16

/* A code between its making and its escrow message. */
struct fresh {
	uint16_t number;
	char id[33];
	struct secret code;
};

static void key_of(char ret[static 8], uint16_t number)
{
	(void)snprintf(ret, 8, "%u", (unsigned)number);
}

static int escrowed(const struct volumed *v, const json_t *section, uint16_t number)
{
	const json_t *entry;
	const char *id;
	char key[8];

	key_of(key, number);
	entry = json_object_get(section, key);
	id = vstate_text(entry, "id");
	return json_is_true(json_object_get(entry, "proven")) || (id && outbox_find(&v->outbox, id));
}

/* Records that nobody could ever be told the code of. */
static enum err orphans_remove(int *ret_changed, const struct volumed *v, const json_t *section,
			       struct store *s)
{
	for (uint32_t i = s->head.record_count; i-- > 0;) {
		const struct record *r = &s->records[i];
		uint8_t id[16];
		enum err e;

		if (r->kind != CREDENTIAL_ONE_TIME_CODE || escrowed(v, section, r->number))
			continue;
		memcpy(id, r->id, sizeof(id));
		e = store_remove(s, id);
		if (e)
			return e;
		*ret_changed = 1;
	}
	return OK;
}

static int gone_forget(json_t *section, const struct store *s)
{
	const char *key;
	json_t *entry;
	void *next;
	int n = 0;

	json_object_foreach_safe(section, next, key, entry) {
		struct record *r = NULL;

		if (!store_find_code(&r, s, CREDENTIAL_ONE_TIME_CODE, (uint16_t)atoi(key)))
			continue;
		(void)json_object_del(section, key);
		n++;
	}
	return n;
}

static uint32_t codes_in(const struct store *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->head.record_count; i++)
		n += s->records[i].kind == CREDENTIAL_ONE_TIME_CODE;
	return n;
}

static enum err fresh_make(struct fresh *f, json_t *section, struct unlocked *u)
{
	struct credential_spec spec = { .kind = CREDENTIAL_ONE_TIME_CODE, .user = "",
					.kdf_memory_kib = KDF_CODE_MEMORY_KIB,
					.kdf_passes = KDF_CODE_PASSES,
					.kdf_lanes = KDF_CODE_LANES };
	struct record r;
	char key[8];
	enum err e;

	if (u->store.head.next_code == UINT16_MAX)
		return ERR_SPACE;
	f->number = u->store.head.next_code ? u->store.head.next_code : 1;
	u->store.head.next_code = (uint16_t)(f->number + 1);
	spec.number = f->number;
	volumed_id(f->id);
	e = code_new(&f->code, CODE_ONE_TIME);
	if (!e)
		e = sealed_record(&r, &spec, &f->code, u);
	if (!e)
		e = store_add(&u->store, &r);
	key_of(key, f->number);
	if (!e && json_object_set_new(section, key,
				      json_pack("{s:s, s:I}", "id", f->id, "created",
						(json_int_t)volumed_now())))
		e = ERR_MEMORY;
	return e;
}

static enum err fresh_put(struct volumed *v, const struct unlocked *u, const struct fresh *f)
{
	struct record *r = NULL;
	struct escrow message = { .purpose = ESCROW_HELP, .kind = ESCROW_ONE_TIME_CODE,
				  .number = f->number };

	if (!store_find_code(&r, &u->store, CREDENTIAL_ONE_TIME_CODE, f->number))
		event_credential(v, "credential-changed", r);
	return sealed_put(v, &message, f->id, &f->code, &v->trust.escrow_help);
}

/* State, store, messages: in this order, so that what a power cut leaves is a record without message,
 * which the next start removes. */
static enum err codes_make(struct volumed *v, struct unlocked *u, json_t *section, uint32_t count)
{
	struct fresh fresh[CODES_MAX] = { 0 };
	uint32_t n = count < CODES_MAX ? count : CODES_MAX;
	enum err e = OK;

	for (uint32_t i = 0; !e && i < n; i++)
		e = fresh_make(&fresh[i], section, u);
	if (!e)
		e = vstate_save(&v->state);
	if (!e)
		e = unlocked_save(u, v, 0);
	for (uint32_t i = 0; !e && i < n; i++)
		e = fresh_put(v, u, &fresh[i]);
	for (uint32_t i = 0; i < n; i++)
		secret_drop(&fresh[i].code);
	return volumed_about(v, e, "making one-time codes");
}

enum err onetime_settle(struct volumed *v, struct unlocked *u)
{
	json_t *section = vstate_make(&v->state, "codes");
	POLICY_SETTINGS settings = { 0 };
	int changed = 0;
	uint32_t have;
	enum err e = section ? orphans_remove(&changed, v, section, &u->store) : ERR_MEMORY;

	if (!e && changed)
		e = unlocked_save(u, v, 1);
	if (!e && gone_forget(section, &u->store))
		e = vstate_save(&v->state);
	if (e)
		return e;
	enforce_settings(&settings, v);
	have = codes_in(&u->store);
	return have >= settings.one_time_codes
		       ? OK : codes_make(v, u, section, settings.one_time_codes - have);
}

int onetime_proven(struct volumed *v, const char *id)
{
	json_t *section = vstate_find(&v->state, "codes"), *entry;
	const char *key;

	json_object_foreach(section, key, entry) {
		const char *waited = vstate_text(entry, "id");

		if (waited && !strcmp(waited, id))
			return !json_object_set_new(entry, "proven", json_true());
	}
	return 0;
}

void onetime_progress(struct escrow_progress *ret, const struct volumed *v)
{
	json_t *section = vstate_find(&v->state, "codes"), *entry;
	const char *key;

	json_object_foreach(section, key, entry) {
		uint64_t created = vstate_number(entry, "created");

		if (json_is_true(json_object_get(entry, "proven")))
			ret->codes_proven++;
		else if (!ret->codes_since || created < ret->codes_since)
			ret->codes_since = created;
	}
}
