#include "agent/volumed/accounts.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/binding.h"
#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/passwords.h"
#include "agent/volumed/present.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/selfhelp.h"
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

static enum err length_check(struct volumed *v, enum credential_kind kind, const char *password)
{
	POLICY_SETTINGS settings = { 0 };
	int is_pin = kind == CREDENTIAL_TPM_PIN;
	uint32_t least;

	enforce_settings(&settings, v);
	least = is_pin ? TPM_PIN_MIN : settings.password_min_length;
	if (characters(password) >= least)
		return OK;
	(void)snprintf(v->about, sizeof(v->about), "the %s is too short: at least %u characters",
		       is_pin ? "PIN" : "password", least);
	return ERR_RANGE;
}

static enum err store_open(struct unlocked *u, struct volumed *v, const char *user)
{
	const char *why;
	enum err e = passwords_check_user(&why, user);

	return e ? volumed_about(v, e, why) : unlocked_open(u, v);
}

/* With the keyboard layout with which it will be typed. */
static enum err typed_check(struct volumed *v, const struct unlocked *u, enum credential_kind kind,
			    const char *password)
{
	const char *why;
	enum err e = passwords_check_typed(&why, password, (const char *)u->store.rules.head.layout);

	return e ? volumed_about(v, e, why) : length_check(v, kind, password);
}

enum credential_kind accounts_kind_of_policy(const struct volumed *v)
{
	static const enum credential_kind kinds[] = {
		[SETTING_PASSWORD] = CREDENTIAL_PASSWORD, [SETTING_TPM_PASSWORD] = CREDENTIAL_TPM_PASSWORD,
		[SETTING_TPM_PIN] = CREDENTIAL_TPM_PIN,
	};
	POLICY_SETTINGS settings = { 0 };

	enforce_settings(&settings, v);
	return kinds[settings.credential];
}

/* A password where another kind is wanted; told once it is in the store. */
struct choice {
	enum credential_kind kind, wanted;
	char why[320];
};

/* What policy asks for; a user who is bound stays so where policy does not care. A laptop that really has no TPM gets
 * a password, and says so; one whose TPM fails is refused, as failing can be brought about. */
static enum err kind_choose(struct choice *ret, struct volumed *v, const struct unlocked *u, const char *user)
{
	enum credential_kind kind = accounts_kind_of_policy(v);
	struct record *present = NULL;
	const char *obstacle;

	if (kind == CREDENTIAL_PASSWORD && !store_find_user(&present, &u->store, user))
		kind = (enum credential_kind)present->kind;
	*ret = (struct choice){ .kind = kind, .wanted = kind };
	if (!credential_is_bound((uint8_t)kind))
		return OK;
	binding_look(v);
	obstacle = binding_obstacle(v);
	if (!obstacle)
		return OK;
	(void)snprintf(ret->why, sizeof(ret->why), "%s", obstacle);
	ret->kind = CREDENTIAL_PASSWORD;
	if (binding_has_no_tpm(v))
		return OK;
	(void)snprintf(v->about, sizeof(v->about), "%s", obstacle);
	return ERR_STATE;
}

static void choice_tell(struct volumed *v, const struct choice *c, const char *user)
{
	if (c->kind == c->wanted)
		return;
	volumed_log("a password that is not bound to a TPM", c->why);
	event_tell(v, "tpm-left-out", json_pack("{s:s, s:s, s:s}", "user", user, "wanted",
						bootfacts_method((uint8_t)c->wanted), "reason", c->why));
}

static enum err record_make(struct record *ret, struct volumed *v, struct unlocked *u,
			    enum credential_kind kind, const char *user, const char *password, int must_change)
{
	POLICY_SETTINGS settings = { 0 };
	struct credential_spec spec = { .kind = kind, .user = user,
					.flags = must_change ? RECORD_MUST_CHANGE : 0,
					.changed_day = servertime_today(v) };
	SECRET struct secret bytes = { 0 };
	enum err e = secret_copy(&bytes, password, strlen(password));

	enforce_settings(&settings, v);
	spec.kdf_memory_kib = settings.kdf_memory_kib;
	spec.kdf_passes = settings.kdf_passes;
	spec.kdf_lanes = KDF_PASSWORD_LANES;
	if (e)
		return volumed_about(v, e, "making the password");
	if (credential_is_bound((uint8_t)kind))
		return binding_new(ret, v, u, &spec, &bytes);
	return volumed_about(v, credential_new(ret, &spec, &bytes, &u->vk, &u->uk), "making the password");
}

enum err accounts_add(struct volumed *v, const char *user, const char *password, int must_change)
{
	struct choice choice = { .kind = CREDENTIAL_PASSWORD };
	UNLOCKED u = { 0 };
	struct record r;
	enum err e = store_open(&u, v, user);

	if (!e)
		e = kind_choose(&choice, v, &u, "");
	if (!e)
		e = typed_check(v, &u, choice.kind, password);
	if (!e && ((u.store.head.flags & STORE_LOCKED) || store_is_locked(&u.store)))
		e = volumed_about(v, ERR_STATE, "this laptop is locked: a one-time code has to end that first");
	if (!e)
		e = record_make(&r, v, &u, choice.kind, user, password, must_change);
	if (!e)
		e = volumed_about(v, store_add(&u.store, &r), "adding the user");
	if (!e)
		e = unlocked_save(&u, v, 0);
	if (e)
		return e;
	event_credential(v, "user-added", &r);
	choice_tell(v, &choice, user);
	return OK;
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

/* Copies of the old record can be guessed at without the TPM: what they give must not be what it then asks for. */
static enum err secret_is_other(struct volumed *v, const struct unlocked *u, enum credential_kind kind,
				const char *user, const char *password)
{
	SECRET struct secret typed = { 0 };
	struct record *old = NULL;
	enum err e = store_find_user(&old, &u->store, user);

	if (e || !credential_is_bound((uint8_t)kind) || credential_is_bound(old->kind))
		return OK;
	e = secret_copy(&typed, password, strlen(password));
	if (!e)
		e = binding_test(u, old, &typed);
	if (e && e != ERR_LOCKED)
		return e == ERR_MEMORY ? e : OK;
	return volumed_about(v, ERR_EXISTS, "the new one has to be another than the present password: from an old copy of "
			     "the disk that one can be guessed without the TPM");
}

/* The old record goes in the same write, so nothing of it is left that a password alone opens; and the key that
 * it had sealed is rotated, so that an old copy of the ESP opens nothing. */
static enum err record_exchange(struct volumed *v, struct unlocked *u, enum credential_kind kind,
				const char *user, const char *password, int must_change)
{
	struct record r;
	int was_sealed = 0;
	enum err e = secret_is_other(v, u, kind, user, password);

	if (!e)
		e = record_take_out(&was_sealed, v, u, user);
	if (!e)
		e = record_make(&r, v, u, kind, user, password, must_change);
	/* Who was locked out stays out: the rotation seals anew only what is sealed. */
	if (!e && !was_sealed)
		record_unseal(&r);
	if (!e)
		e = store_add(&u->store, &r);
	if (!e)
		e = rotation_run(v, u, ROTATION_KEEP);
	if (!e)
		event_credential(v, "credential-changed", &r);
	return e;
}

enum err accounts_password(struct volumed *v, const char *user, const char *password,
			   int must_change)
{
	struct choice choice = { .kind = CREDENTIAL_PASSWORD };
	UNLOCKED u = { 0 };
	enum err e = store_open(&u, v, user);

	if (!e)
		e = kind_choose(&choice, v, &u, user);
	if (!e)
		e = typed_check(v, &u, choice.kind, password);
	if (!e)
		e = record_exchange(v, &u, choice.kind, user, password, must_change);
	if (!e)
		choice_tell(v, &choice, user);
	return e;
}

/* Of the bound ones. */
static enum credential_kind kind_preferred(const struct volumed *v)
{
	enum credential_kind policy = accounts_kind_of_policy(v);

	return credential_is_bound((uint8_t)policy) ? policy : CREDENTIAL_TPM_PASSWORD;
}

static enum err kind_allowed(struct volumed *v, enum credential_kind kind)
{
	enum credential_kind policy = accounts_kind_of_policy(v);
	const char *obstacle;

	if (policy != CREDENTIAL_PASSWORD && kind != policy) {
		(void)snprintf(v->about, sizeof(v->about), "policy asks for %s (setting credential)",
			       bootfacts_method((uint8_t)policy));
		return ERR_STATE;
	}
	binding_look(v);
	obstacle = credential_is_bound((uint8_t)kind) ? binding_obstacle(v) : NULL;
	if (obstacle)
		(void)snprintf(v->about, sizeof(v->about), "%s", obstacle);
	return obstacle ? ERR_STATE : OK;
}

enum err accounts_bind(struct volumed *v, int by_root, const char *user, const char *present,
		       const char *password, enum credential_kind kind)
{
	UNLOCKED u = { 0 };
	enum err e;

	if (!kind)
		kind = kind_preferred(v);
	e = credential_is_login((uint8_t)kind) ? kind_allowed(v, kind) : ERR_RANGE;
	if (!e)
		e = store_open(&u, v, user);
	if (!e)
		e = present_check(v, &u, by_root, user, present);
	if (!e)
		e = typed_check(v, &u, kind, password);
	if (!e)
		e = record_exchange(v, &u, kind, user, password, 0);
	if (!e && credential_is_bound((uint8_t)kind))
		event_tell(v, "tpm-bound", json_pack("{s:s, s:s}", "user", user, "method",
						     bootfacts_method((uint8_t)kind)));
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
		e = store_open(&u, v, user);
	if (!e)
		e = volumed_about(v, store_find_user(&r, &u.store, user), "this user");
	if (!e && *password)
		e = typed_check(v, &u, (enum credential_kind)r->kind, password);
	if (!e)
		e = duress_set(v, r, password);
	/* Both copies: a duress password that was taken away must not kill by the older one. */
	return e ? e : unlocked_save(&u, v, 1);
}

enum err accounts_remove(struct volumed *v, const char *user)
{
	UNLOCKED u = { 0 };
	struct record *questions = NULL;
	int was_sealed;
	enum err e = store_open(&u, v, user);

	if (!e)
		e = record_take_out(&was_sealed, v, &u, user);
	if (!e && !store_find_self_help(&questions, &u.store, user))
		e = selfhelp_take_out(&u.store, questions);
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

static enum err list_add(json_t *users, const struct store *s, const struct record *r, uint32_t password_days)
{
	uint64_t expires = accounts_expiry(r, password_days);
	struct record *questions = NULL;
	json_t *one = json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "name", (const char *)r->user, "kind",
				bootfacts_method(r->kind), "self_help",
				!store_find_self_help(&questions, s, (const char *)r->user), "locked",
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
			e = list_add(users, &s, &s.records[i], settings.password_days);
	if (e)
		return volumed_about(v, e, "listing the users");
	list = json_pack("{s:O}", "users", users);
	return list ? json_print(ret, list) : ERR_MEMORY;
}
