#include "agent/volumed/passnote.h"

#include <string.h>

struct names {
	char id[33], key[2 * KEY_BYTES + 1];
};

static void names_of(struct names *ret, const struct record *r)
{
	hex_encode(ret->id, r->id, sizeof(r->id));
	hex_encode(ret->key, r->cred_pk, sizeof(r->cred_pk));
}

int passnote_differs(const struct volumed *v, const struct record *r)
{
	struct names names;
	const char *noted;

	names_of(&names, r);
	noted = vstate_text(vstate_find(&v->state, "passwords"), names.id);
	return credential_is_login(r->kind) && noted && strcmp(noted, names.key);
}

static json_t *notes_of(const struct store *s)
{
	json_t *notes = json_object();

	for (uint32_t i = 0; notes && i < s->head.record_count; i++) {
		struct names names;

		if (!credential_is_login(s->records[i].kind))
			continue;
		names_of(&names, &s->records[i]);
		if (json_object_set_new(notes, names.id, json_string(names.key))) {
			json_decref(notes);
			return NULL;
		}
	}
	return notes;
}

enum err passnote_update(struct volumed *v, const struct store *s)
{
	JSON *notes = notes_of(s);

	if (!notes)
		return ERR_MEMORY;
	if (json_equal(notes, vstate_find(&v->state, "passwords")))
		return OK;
	return vstate_commit(&v->state, "passwords", json_incref(notes));
}
