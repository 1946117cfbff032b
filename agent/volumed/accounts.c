#include "agent/volumed/accounts.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/passwords.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/servertime.h"

#define DAY_S 86400

/* UTF-8: bytes that continue a character do not count. */
static uint32_t characters(const char *text)
{
	uint32_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static enum err length_check(struct volumed *v, const char *password)
{
	POLICY_SETTINGS settings = { 0 };

	enforce_settings(&settings, v);
	if (characters(password) >= settings.password_min_length)
		return OK;
	(void)snprintf(v->about, sizeof(v->about), "the password is too short: at least %u characters",
		       settings.password_min_length);
	return ERR_RANGE;
}

/* Open the store, where the keyboard layout is with which the password will be typed. */
static enum err input_open(struct unlocked *u, struct volumed *v, const char *user, const char *password)
{
	const char *why;
	enum err e = passwords_check_user(&why, user);

	if (e)
		return volumed_about(v, e, why);
	e = unlocked_open(u, v);
	if (e || !password)
		return e;
	e = passwords_check_typed(&why, password, (const char *)u->store.rules.head.layout);
	return e ? volumed_about(v, e, why) : length_check(v, password);
}

static enum err record_make(struct record *ret, const struct volumed *v, const struct unlocked *u,
			    const char *user, const char *password, int must_change)
{
	POLICY_SETTINGS settings = { 0 };
	struct credential_spec spec = { .kind = CREDENTIAL_PASSWORD, .user = user,
					.flags = must_change ? RECORD_MUST_CHANGE : 0,
					.changed_day = servertime_today(v) };
	SECRET struct secret bytes = { 0 };
	enum err e = secret_copy(&bytes, password, strlen(password));

	enforce_settings(&settings, v);
	spec.kdf_memory_kib = settings.kdf_memory_kib;
	spec.kdf_passes = settings.kdf_passes;
	spec.kdf_lanes = KDF_PASSWORD_LANES;
	return e ? e : credential_new(ret, &spec, &bytes, &u->vk, &u->uk);
}

enum err accounts_add(struct volumed *v, const char *user, const char *password, int must_change)
{
	UNLOCKED u = { 0 };
	struct record r;
	enum err e = input_open(&u, v, user, password);

	if (!e && ((u.store.head.flags & STORE_LOCKED) || store_is_locked(&u.store)))
		e = volumed_about(v, ERR_STATE, "this laptop is locked: a one-time code has to end that first");
	if (!e)
		e = volumed_about(v, record_make(&r, v, &u, user, password, must_change),
				  "making the user");
	if (!e)
		e = volumed_about(v, store_add(&u.store, &r), "adding the user");
	if (!e)
		e = unlocked_save(&u, v, 0);
	if (!e)
		event_credential(v, "user-added", &r);
	return e;
}

static enum err record_take_out(int *ret_sealed, struct volumed *v, struct unlocked *u,
				const char *user)
{
	struct record *r = NULL;
	uint8_t id[16];
	enum err e = store_find_user(&r, &u->store, user);

	if (e)
		return volumed_about(v, e, "this user");
	memcpy(id, r->id, sizeof(id));
	*ret_sealed = r->has_seal;
	return store_remove(&u->store, id);
}

enum err accounts_password(struct volumed *v, const char *user, const char *password,
			   int must_change)
{
	UNLOCKED u = { 0 };
	struct record r;
	int was_sealed = 0;
	enum err e = input_open(&u, v, user, password);

	if (!e)
		e = record_take_out(&was_sealed, v, &u, user);
	if (!e)
		e = volumed_about(v, record_make(&r, v, &u, user, password, must_change),
				  "making the password");
	/* Who was locked out stays out: the rotation seals anew only what is sealed. */
	if (!e && !was_sealed)
		record_unseal(&r);
	if (!e)
		e = store_add(&u.store, &r);
	if (!e)
		e = rotation_run(v, &u, ROTATION_KEEP);
	if (!e)
		event_credential(v, "credential-changed", &r);
	return e;
}

static enum err duress_set(struct volumed *v, struct record *r, const char *password)
{
	SECRET struct secret bytes = { 0 };
	enum err e;

	if (!*password)
		return credential_set_duress(r, NULL);
	e = secret_copy(&bytes, password, strlen(password));
	if (!e)
		e = credential_set_duress(r, &bytes);
	if (e == ERR_EXISTS)
		(void)snprintf(v->about, sizeof(v->about), "a duress password is another one than the "
			       "user's own, which has to go on opening the laptop");
	return e == ERR_EXISTS ? e : volumed_about(v, e, "making the duress password");
}

static enum err duress_allowed(struct volumed *v)
{
	POLICY_SETTINGS settings = { 0 };

	enforce_settings(&settings, v);
	return settings.duress ? OK : volumed_about(v, ERR_STATE, "policy does not allow duress passwords "
						    "(setting duress)");
}

enum err accounts_duress(struct volumed *v, const char *user, const char *password)
{
	UNLOCKED u = { 0 };
	struct record *r = NULL;
	enum err e = *password ? duress_allowed(v) : OK;

	if (!e)
		e = input_open(&u, v, user, *password ? password : NULL);
	if (!e)
		e = volumed_about(v, store_find_user(&r, &u.store, user), "this user");
	if (!e)
		e = duress_set(v, r, password);
	/* Both copies: a duress password that was taken away must not kill by the older one. */
	return e ? e : unlocked_save(&u, v, 1);
}

enum err accounts_remove(struct volumed *v, const char *user)
{
	UNLOCKED u = { 0 };
	int was_sealed;
	enum err e = input_open(&u, v, user, NULL);

	if (!e)
		e = record_take_out(&was_sealed, v, &u, user);
	if (!e && !store_user_count(&u.store))
		e = volumed_about(v, ERR_STATE, "the last user stays; add another one first");
	if (!e)
		e = rotation_run(v, &u, ROTATION_KEEP);
	if (!e)
		event_tell(v, "user-removed", json_pack("{s:s}", "user", user));
	return e;
}

uint64_t accounts_expiry(const struct record *r, uint32_t password_days)
{
	if (!password_days || !r->changed_day)
		return 0;
	return ((uint64_t)r->changed_day + password_days + 1) * DAY_S;
}

static enum err list_add(json_t *users, const struct record *r, uint32_t password_days)
{
	uint64_t expires = accounts_expiry(r, password_days);
	json_t *one = json_pack("{s:s, s:b, s:b, s:o}", "name", (const char *)r->user, "locked",
				!r->has_seal, "must_change", r->flags & RECORD_MUST_CHANGE, "expires",
				expires ? json_integer((json_int_t)expires) : json_null());

	return !one || json_array_append_new(users, one) ? ERR_MEMORY : OK;
}

enum err accounts_list(char **ret, struct volumed *v)
{
	struct espstore_found found;
	POLICY_SETTINGS settings = { 0 };
	STORE s = { 0 };
	JSON *users = json_array(), *list = NULL;
	enum err e = users ? espstore_load(&s, &found, &v->esp) : ERR_MEMORY;

	enforce_settings(&settings, v);
	for (uint32_t i = 0; !e && i < s.head.record_count; i++)
		if (credential_is_login(s.records[i].kind))
			e = list_add(users, &s.records[i], settings.password_days);
	if (e)
		return volumed_about(v, e, "listing the users");
	list = json_pack("{s:O}", "users", users);
	return list ? json_print(ret, list) : ERR_MEMORY;
}
