#include "change.h"

#include <sodium.h>
#include <string.h>

#include "common/registers.h"
#include "contact.h"
#include "entropy.h"
#include "events.h"
#include "prompt.h"
#include "residue.h"
#include "tpm.h"
#include "wording.h"

#define READ_S 5
#define PIN_CHARACTERS_MIN 6 /* the TPM's lockout stands behind it */

enum cause { CAUSE_NONE, CAUSE_WANTED, CAUSE_FORCED };

/* Days since the password was set, once it is older than the rules allow; else 0. */
static unsigned expired_days(const struct record *r, const struct rules *rules)
{
	unsigned today = contact_today(rules);

	if (!rules->head.password_days || !r->changed_day || today <= r->changed_day)
		return 0;
	today -= r->changed_day;
	return today > rules->head.password_days ? today : 0;
}

/* Who has not typed the old one proves nothing about it, and its record stays. */
static void tell_no_change(const struct login *l)
{
	if (l->record->kind == CREDENTIAL_SELF_HELP) {
		ui_tell(MESSAGE_CHOOSE_AFTERWARDS);
		ui_pause(READ_S);
	} else if (l->change_wanted) {
		ui_tell(MESSAGE_CHANGE_BY_PASSWORD);
	}
}

static enum cause cause_of(const struct login *l, const struct rules *rules)
{
	const char *word = wording_of_kind(l->record->kind)->name;
	unsigned days;

	if (!credential_is_login(l->record->kind)) {
		tell_no_change(l);
		return CAUSE_NONE;
	}
	days = expired_days(l->record, rules);
	if (days)
		ui_tell(MESSAGE_EXPIRED, word, days);
	else if (l->record->flags & RECORD_MUST_CHANGE)
		ui_tell(MESSAGE_MUST_CHANGE, word);
	else
		return l->change_wanted ? CAUSE_WANTED : CAUSE_NONE;
	return CAUSE_FORCED;
}

static unsigned least_characters(const struct record *r, const struct rules *rules)
{
	return r->kind == CREDENTIAL_TPM_PIN ? PIN_CHARACTERS_MIN : rules->head.password_min;
}

/* Is what was typed a new password? Says why not. */
static int acceptable(const struct line *first, const struct line *again, const struct record *r,
		      const struct rules *rules)
{
	unsigned least = least_characters(r, rules);

	if (first->chars < least)
		ui_tell(MESSAGE_PASSWORD_SHORT, wording_of_kind(r->kind)->name, least);
	else if (first->len != again->len || sodium_memcmp(first->bytes, again->bytes, first->len))
		ui_tell(MESSAGE_PASSWORDS_DIFFER);
	else
		return 1;
	return 0;
}

/* Ask until two lines are the same and good. 0: the person went back. */
static int ask(struct secret *ret, const struct record *r, const struct rules *rules, enum cause cause)
{
	static const struct view_key back = { "Esc", "Keep the old one" };
	const int is_pin = r->kind == CREDENTIAL_TPM_PIN;

	for (;;) {
		LINE first = { 0 };
		LINE again = { 0 };
		enum prompt_end end;
		int good;

		ui_page(is_pin ? "Choose a new PIN" : "Choose a new password",
			"Type it twice. It is for this laptop, from now on.", "");
		ui_offer(&back, cause == CAUSE_WANTED);
		end = prompt_line(&first, is_pin ? "New PIN" : "New password", PASSWORD_BYTES_MAX, UI_HIDDEN);
		if (end == PROMPT_ENTER)
			end = prompt_line(&again, "The same again", PASSWORD_BYTES_MAX, UI_HIDDEN);
		if (end == PROMPT_BACK && cause == CAUSE_WANTED)
			return 0;
		if (end != PROMPT_ENTER)
			continue;
		good = first.len && acceptable(&first, &again, r, rules);
		residue_wipe(&first);
		residue_wipe(&again);
		if (good && !secret_copy(ret, first.bytes, first.len))
			return 1;
	}
}

/* The TPM's object, too. It is the same object with the same secret, so that a copy of the store from before
 * still opens with the old password until the agent has changed the unlock key, as with any other record. */
static enum err bound_change(struct record *r, struct store *s, const struct credential *c,
			     const struct secret *password)
{
	SEALED sealed = { 0 };
	SEALED changed = { 0 };
	const struct tpm *tpm = tpm_efi();
	struct tpm_parent parent;
	struct tpm_object object;
	struct binding *b;
	enum err e = tpm ? bindings_find(&b, &s->bindings, r->id, BINDING_SECRET) : ERR_NOT_FOUND;

	if (!e)
		e = binding_open(&sealed, b, &c->unlock_key);
	if (e)
		return e;
	memcpy(changed.secret, sealed.secret, sizeof(changed.secret));
	e = credential_change_bound(r, changed.auth, c, password, sealed.secret, contact_today(&s->rules));
	if (e)
		return e;
	bindings_parent(&parent, &s->bindings);
	binding_object(&object, b);
	e = tpm_change_auth(&object, tpm, &parent, sealed.auth, changed.auth);
	if (e)
		return e;
	binding_set_object(b, &object);
	binding_close(b, &changed, &c->unlock_key);
	return OK;
}

/* Change the record, its binding, and sign, in memory. */
static enum err sign_changed(struct login *l, struct store *s, const struct secret *password)
{
	const struct credential *c = &l->opened.credential;
	STORE_SK sk = { 0 };
	enum err e = store_signing_key(&sk, s, &c->unlock_key);

	if (!e)
		e = credential_is_bound(l->record->kind)
			    ? bound_change(l->record, s, c, password)
			    : credential_change(l->record, c, password, contact_today(&s->rules));
	if (e)
		return e;
	s->head.generation++;
	return store_sign_record(s, l->record, &sk);
}

/* What a failed write must give back: else the firmware's generation would get ahead of the store's. */
struct before {
	struct record record;
	struct binding binding; /* of a bound record */
	uint64_t generation;
	uint8_t signature[SIGNATURE_BYTES];
};

static void undo(struct login *l, struct store *s, const struct before *before)
{
	struct binding *b;

	if (!bindings_find(&b, &s->bindings, before->record.id, BINDING_SECRET))
		*b = before->binding;
	*l->record = before->record;
	s->head.generation = before->generation;
	memcpy(s->signature, before->signature, sizeof(s->signature));
}

/* On failure *problem says which password opens at the next start. */
static enum err save(enum message_id *problem, struct login *l, struct storefile *f, const struct secret *password)
{
	struct store *s = f->current;
	struct before before = { .record = *l->record, .generation = s->head.generation };
	struct binding *b;
	enum err e;

	if (!bindings_find(&b, &s->bindings, l->record->id, BINDING_SECRET))
		before.binding = *b;
	memcpy(before.signature, s->signature, sizeof(before.signature));
	ui_busy("Saving ...");
	e = sign_changed(l, s, password);
	registers_wipe();
	if (!e)
		e = storefile_write_new(f);
	if (e) {
		undo(l, s, &before);
		*problem = storefile_put_back(f) ? MESSAGE_CHANGE_UNCERTAIN : MESSAGE_CHANGE_FAILED;
	}
	ui_idle();
	return e;
}

/* Until a new password is saved, the person goes back, or it fails. ERR_EXISTS: the present password, or
 * the duress password, which must not be told apart. */
static enum err renew(enum message_id *problem, struct login *l, struct storefile *f, enum cause cause)
{
	for (;;) {
		SECRET struct secret password = { 0 };
		enum err e;

		if (!ask(&password, l->record, &f->current->rules, cause))
			return ERR_STATE;
		e = save(problem, l, f, &password);
		if (e != ERR_EXISTS)
			return e;
		ui_tell(MESSAGE_PASSWORD_SAME, wording_of_kind(l->record->kind)->name);
	}
}

void change_run(struct login *l, struct storefile *f)
{
	uint8_t seed[32];
	enum cause cause = cause_of(l, &f->current->rules);
	const char *word = wording_of_kind(l->record->kind)->name;
	enum message_id problem = MESSAGE_CHANGE_FAILED;
	enum err e;

	if (cause == CAUSE_NONE)
		return;
	e = entropy_seed(seed);
	sodium_memzero(seed, sizeof(seed));
	if (e) {
		ui_tell(MESSAGE_NO_ENTROPY);
		ui_pause(READ_S);
		return;
	}
	e = renew(&problem, l, f, cause);
	if (e == ERR_STATE)
		return;
	if (e) {
		ui_tell(problem, word, err_text(e));
		ui_pause(READ_S);
		return;
	}
	events_add(PREBOOT_PASSWORD_CHANGED, 0);
	ui_tell(MESSAGE_PASSWORD_CHANGED, word);
}
