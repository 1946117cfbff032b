#include "agent/volumed/accounts.h"

#include <string.h>

#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/passwords.h"
#include "agent/volumed/rotation.h"

static enum err input_check(struct volumed *v, const char *user, const char *password)
{
	const char *why;
	enum err e = passwords_check_user(&why, user);

	if (!e && password)
		e = passwords_check(&why, password);
	return e ? volumed_about(v, e, why) : OK;
}

static enum err record_make(struct record *ret, const struct volumed *v, const struct unlocked *u,
			    const char *user, const char *password)
{
	struct policy_settings settings;
	struct credential_spec spec = { .kind = CREDENTIAL_PASSWORD, .user = user };
	SECRET struct secret bytes = { 0 };
	enum err e = secret_copy(&bytes, password, strlen(password));

	enforce_settings(&settings, v);
	spec.kdf_memory_kib = settings.kdf_memory_kib;
	spec.kdf_passes = settings.kdf_passes;
	return e ? e : credential_new(ret, &spec, &bytes, &u->vk, &u->uk);
}

enum err accounts_add(struct volumed *v, const char *user, const char *password)
{
	UNLOCKED u = { 0 };
	struct record r;
	enum err e = input_check(v, user, password);

	if (!e)
		e = unlocked_open(&u, v);
	if (!e && (u.store.head.flags & STORE_LOCKED))
		e = volumed_about(v, ERR_STATE, "this laptop is locked: a one-time code has to end that first");
	if (!e)
		e = volumed_about(v, record_make(&r, v, &u, user, password), "making the user");
	if (!e)
		e = volumed_about(v, store_add(&u.store, &r), "adding the user");
	if (!e)
		e = unlocked_save(&u, v, 0);
	if (!e)
		event_credential(v, "user-added", &r);
	return e;
}

static enum err record_take_out(struct volumed *v, struct unlocked *u, const char *user)
{
	struct record *r = NULL;
	uint8_t id[16];
	enum err e = store_find_user(&r, &u->store, user);

	if (e)
		return volumed_about(v, e, "this user");
	memcpy(id, r->id, sizeof(id));
	return store_remove(&u->store, id);
}

enum err accounts_password(struct volumed *v, const char *user, const char *password)
{
	UNLOCKED u = { 0 };
	struct record r;
	enum err e = input_check(v, user, password);

	if (!e)
		e = unlocked_open(&u, v);
	if (!e)
		e = record_take_out(v, &u, user);
	if (!e)
		e = volumed_about(v, record_make(&r, v, &u, user, password), "making the password");
	if (!e)
		e = store_add(&u.store, &r);
	if (!e)
		e = rotation_run(v, &u, ROTATION_KEEP);
	if (!e)
		event_credential(v, "credential-changed", &r);
	return e;
}

unsigned accounts_count(const struct store *s)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < s->head.record_count; i++)
		n += s->records[i].kind == CREDENTIAL_PASSWORD;
	return n;
}

enum err accounts_remove(struct volumed *v, const char *user)
{
	UNLOCKED u = { 0 };
	enum err e = input_check(v, user, NULL);

	if (!e)
		e = unlocked_open(&u, v);
	if (!e)
		e = record_take_out(v, &u, user);
	if (!e && !accounts_count(&u.store))
		e = volumed_about(v, ERR_STATE, "the last user stays; add another one first");
	if (!e)
		e = rotation_run(v, &u, ROTATION_KEEP);
	if (!e)
		event_tell(v, "user-removed", json_pack("{s:s}", "user", user));
	return e;
}

static enum err list_add(json_t *users, const struct record *r)
{
	json_t *one = json_pack("{s:s, s:b, s:b}", "name", (const char *)r->user, "locked",
				!r->has_seal, "must_change", r->flags & RECORD_MUST_CHANGE);

	return !one || json_array_append_new(users, one) ? ERR_MEMORY : OK;
}

enum err accounts_list(char **ret, struct volumed *v)
{
	struct espstore_found found;
	STORE s = { 0 };
	JSON *users = json_array(), *list = NULL;
	enum err e = users ? espstore_load(&s, &found, &v->esp) : ERR_MEMORY;

	for (uint32_t i = 0; !e && i < s.head.record_count; i++)
		if (s.records[i].kind == CREDENTIAL_PASSWORD)
			e = list_add(users, &s.records[i]);
	if (e)
		return volumed_about(v, e, "listing the users");
	list = json_pack("{s:O}", "users", users);
	return list ? json_print(ret, list) : ERR_MEMORY;
}
