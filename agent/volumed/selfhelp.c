#include "agent/volumed/selfhelp.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "agent/volumed/binding.h"
#include "agent/volumed/enforce.h"
#include "agent/volumed/event.h"
#include "agent/volumed/present.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/servertime.h"

static int policy_has_it(const struct volumed *v)
{
	POLICY_SETTINGS settings = { 0 };

	enforce_settings(&settings, v);
	return settings.self_help != 0;
}

static enum err allowed(struct volumed *v)
{
	const char *obstacle;

	binding_look(v);
	obstacle = binding_obstacle(v);
	if (!policy_has_it(v))
		return volumed_about(v, ERR_STATE, "policy does not allow self-help (setting self_help)");
	if (!obstacle)
		return OK;
	(void)snprintf(v->about, sizeof(v->about), "self-help needs a TPM, as answers are easier to guess than "
		       "passwords: %s", obstacle);
	return ERR_STATE;
}

static enum err form_check(struct volumed *v, const struct selfhelp_form *form)
{
	if (form->count >= QUESTIONS_NEED_MIN && form->count <= QUESTIONS_MAX &&
	    form->need >= QUESTIONS_NEED_MIN && form->need <= form->count)
		return OK;
	(void)snprintf(v->about, sizeof(v->about), "self-help takes %d to %d questions, of which %d or more have to be "
		       "answered", QUESTIONS_NEED_MIN, QUESTIONS_MAX, QUESTIONS_NEED_MIN);
	return ERR_RANGE;
}

static enum err answers_take(struct secret *ret, const struct selfhelp_form *form)
{
	enum err e = OK;

	for (unsigned i = 0; !e && i < form->count; i++)
		e = *form->answers[i] ? secret_copy(&ret[i], form->answers[i], strlen(form->answers[i]))
				      : ERR_RANGE;
	return e;
}

/* The box's inside, and what is "typed" for the record. */
static enum err box_make(struct questions_box *ret, struct secret *ret_typed, struct volumed *v,
			 const struct selfhelp_form *form, const uint8_t salt[static 16])
{
	struct secret answers[QUESTIONS_MAX] = { 0 };
	enum err e = answers_take(answers, form);

	if (!e)
		e = questions_make(ret, ret_typed, form->questions, answers, form->count, form->need, salt);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&answers[i]);
	if (e == ERR_EXISTS)
		(void)snprintf(v->about, sizeof(v->about), "two answers are alike: upper and lower case, blanks and "
			       "punctuation do not count");
	else if (e == ERR_RANGE)
		(void)snprintf(v->about, sizeof(v->about), "a question has at most %d bytes, an answer at least %d "
			       "letters or digits", QUESTION_TEXT_MAX, ANSWER_CHARACTERS_MIN);
	else
		return volumed_about(v, e, "the questions");
	return e;
}

static enum err record_make(struct record *ret, uint8_t ret_auth[static KEY_BYTES], const struct volumed *v,
			    const struct unlocked *u, const struct selfhelp_form *form, const struct secret *typed,
			    const uint8_t secret[static KEY_BYTES], const uint8_t salt[static 16])
{
	POLICY_SETTINGS settings = { 0 };
	struct credential_spec spec = { .kind = CREDENTIAL_SELF_HELP, .user = form->user, .salt = salt,
					.changed_day = servertime_today(v), .kdf_lanes = KDF_PASSWORD_LANES };

	enforce_settings(&settings, v);
	spec.kdf_memory_kib = settings.kdf_memory_kib;
	spec.kdf_passes = settings.kdf_passes;
	return credential_new_bound(ret, ret_auth, &spec, typed, secret, &u->vk, &u->uk);
}

enum err selfhelp_take_out(struct store *s, const struct record *r)
{
	uint8_t id[16];

	memcpy(id, r->id, sizeof(id));
	return store_remove(s, id);
}

/* Into the store, nothing written. parts[0]: one half of the KEK; parts[1]: the box's key. */
static enum err enrol(struct record *ret, struct volumed *v, struct unlocked *u, const struct selfhelp_form *form,
		      struct binding_part parts[static 2])
{
	QUESTIONS_BOX box = { 0 };
	SECRET struct secret typed = { 0 };
	struct questions q = { 0 };
	uint8_t salt[16];
	enum err e;

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(parts[0].sealed.secret, sizeof(parts[0].sealed.secret));
	randombytes_buf(parts[1].sealed.secret, sizeof(parts[1].sealed.secret));
	e = box_make(&box, &typed, v, form, salt);
	if (!e)
		e = record_make(ret, parts[0].sealed.auth, v, u, form, &typed, parts[0].sealed.secret, salt);
	if (!e)
		e = binding_put(v, u, ret->id, parts, 2, 1);
	if (e)
		return e;
	memcpy(q.credential, ret->id, sizeof(q.credential));
	questions_close(&q, &box, parts[1].sealed.secret);
	e = store_questions_put(&u->store, &q);
	return volumed_about(v, e ? e : store_add(&u->store, ret), "keeping the questions");
}

static enum err exchange(struct record *ret, struct volumed *v, struct unlocked *u, const struct selfhelp_form *form)
{
	struct binding_part parts[2] = { { .kind = BINDING_SECRET }, { .kind = BINDING_SHARES } };
	struct record *old = NULL;
	int had_some = !store_find_self_help(&old, &u->store, form->user);
	enum err e = had_some ? selfhelp_take_out(&u->store, old) : OK;

	if (!e)
		e = enrol(ret, v, u, form, parts);
	sealed_wipe(&parts[0].sealed);
	sealed_wipe(&parts[1].sealed);
	if (e)
		return e;
	/* Answers that were given up must open nothing with an old copy of the ESP. */
	return had_some ? rotation_run(v, u, ROTATION_KEEP) : unlocked_save(u, v, 0);
}

static enum err user_check(struct volumed *v, const struct unlocked *u, int by_root, const char *user,
			   const char *present)
{
	struct record *login = NULL;
	enum err e = volumed_about(v, store_find_user(&login, &u->store, user), "this user");

	if (!e && !login->has_seal)
		e = volumed_about(v, ERR_STATE, "this user is locked out: a one-time code has to end that first");
	if (!e && !(by_root && !*present))
		e = present_check(v, u, by_root, user, present);
	return e;
}

enum err selfhelp_set(struct volumed *v, int by_root, const struct selfhelp_form *form)
{
	UNLOCKED u = { 0 };
	struct record r;
	enum err e = allowed(v);

	if (!e)
		e = form_check(v, form);
	if (!e)
		e = unlocked_open(&u, v);
	if (!e)
		e = user_check(v, &u, by_root, form->user, form->present);
	if (!e)
		e = exchange(&r, v, &u, form);
	if (!e) {
		event_credential(v, "credential-changed", &r);
		event_tell(v, "self-help-enrolled", json_pack("{s:s, s:i, s:i}", "user", form->user, "questions",
							      (int)form->count, "needed", (int)form->need));
	}
	return e;
}

static enum err remove_all(struct volumed *v, struct unlocked *u, const char *user, const char *reason)
{
	struct store *s = &u->store;
	JSON *users = json_array();
	enum err e = users ? OK : ERR_MEMORY;

	for (uint32_t i = s->head.record_count; !e && i-- > 0;) {
		const struct record *r = &s->records[i];

		if (r->kind != CREDENTIAL_SELF_HELP || (user && strcmp(user, (const char *)r->user)))
			continue;
		if (json_array_append_new(users, json_string((const char *)r->user)))
			e = ERR_MEMORY;
		else
			e = selfhelp_take_out(s, r);
	}
	if (!e && !json_array_size(users))
		return user ? volumed_about(v, ERR_NOT_FOUND, "self-help of this user") : OK;
	if (!e)
		e = rotation_run(v, u, ROTATION_KEEP);
	if (!e)
		event_tell(v, "self-help-removed", json_pack("{s:O, s:s}", "users", users, "reason", reason));
	return e;
}

enum err selfhelp_remove(struct volumed *v, int by_root, const char *user, const char *present)
{
	UNLOCKED u = { 0 };
	enum err e = unlocked_open(&u, v);

	if (!e)
		e = user_check(v, &u, by_root, user, present);
	return e ? e : remove_all(v, &u, user, "asked");
}

/* Pre-boot may have asked for another password at once. */
static int was_changed(const struct volumed *v)
{
	for (size_t i = 0; i < v->boot.event_count; i++)
		if (v->boot.events[i].kind == PREBOOT_PASSWORD_CHANGED)
			return 1;
	return 0;
}

/* Once for each start. */
static enum err used(struct volumed *v, struct unlocked *u)
{
	json_t *section = vstate_make(&v->state, "boot");
	const char *done = vstate_text(section, "self_help_used");
	struct record *login = NULL;
	enum err e = OK;

	if (v->boot.kind != CREDENTIAL_SELF_HELP || (done && !strcmp(done, v->boot.digest)))
		return OK;
	if (!was_changed(v) && !store_find_user(&login, &u->store, v->boot.user) &&
	    !(login->flags & RECORD_MUST_CHANGE)) {
		login->flags |= RECORD_MUST_CHANGE;
		e = unlocked_save(u, v, 1);
	}
	if (e)
		return e;
	if (!section || json_object_set_new(section, "self_help_used", json_string(v->boot.digest)))
		return ERR_MEMORY;
	e = vstate_save(&v->state);
	if (!e)
		event_tell(v, "self-help-used", json_pack("{s:s}", "user", v->boot.user));
	return e;
}

enum err selfhelp_settle(struct volumed *v, struct unlocked *u)
{
	enum err e = used(v, u);

	if (e || policy_has_it(v))
		return e;
	return remove_all(v, u, NULL, "policy");
}
