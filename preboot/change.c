#include "change.h"

#include <sodium.h>
#include <string.h>

#include "contact.h"
#include "entropy.h"
#include "events.h"
#include "prompt.h"
#include "residue.h"

#define READ_S 5

enum cause { CAUSE_NONE, CAUSE_WANTED, CAUSE_FORCED };

static const char title[] = "Choose a new password";

/* Days since the password was set, once it is older than the rules allow; else 0. */
static unsigned expired_days(const struct record *r, const struct rules *rules)
{
	unsigned today = contact_today(rules);

	if (!rules->head.password_days || !r->changed_day || today <= r->changed_day)
		return 0;
	today -= r->changed_day;
	return today > rules->head.password_days ? today : 0;
}

static enum cause cause_of(const struct login *l, const struct rules *rules)
{
	unsigned days;

	if (l->record->kind != CREDENTIAL_PASSWORD) {
		if (l->change_wanted)
			ui_tell(MESSAGE_CHANGE_BY_PASSWORD);
		return CAUSE_NONE;
	}
	days = expired_days(l->record, rules);
	if (days)
		ui_tell(MESSAGE_EXPIRED, days);
	else if (l->record->flags & RECORD_MUST_CHANGE)
		ui_tell(MESSAGE_MUST_CHANGE);
	else
		return l->change_wanted ? CAUSE_WANTED : CAUSE_NONE;
	return CAUSE_FORCED;
}

/* Is what was typed a new password? Says why not. */
static int acceptable(const struct line *first, const struct line *again, const struct rules *rules)
{
	if (first->chars < rules->head.password_min)
		ui_tell(MESSAGE_PASSWORD_SHORT, (unsigned)rules->head.password_min);
	else if (first->len != again->len || sodium_memcmp(first->bytes, again->bytes, first->len))
		ui_tell(MESSAGE_PASSWORDS_DIFFER);
	else
		return 1;
	return 0;
}

/* Ask until two lines are the same and good. 0: the person went back. */
static int ask(struct secret *ret, const struct rules *rules, enum cause cause)
{
	static const struct view_key back = { "Esc", "Keep the old one" };

	for (;;) {
		LINE first = { 0 };
		LINE again = { 0 };
		enum prompt_end end;
		int good;

		ui_page(title, "Type it twice. It is for this laptop, from now on.", "");
		ui_offer(&back, cause == CAUSE_WANTED);
		end = prompt_line(&first, "New password", PASSWORD_BYTES_MAX, UI_HIDDEN);
		if (end == PROMPT_ENTER)
			end = prompt_line(&again, "The same again", PASSWORD_BYTES_MAX, UI_HIDDEN);
		if (end == PROMPT_BACK && cause == CAUSE_WANTED)
			return 0;
		if (end != PROMPT_ENTER)
			continue;
		good = first.len && acceptable(&first, &again, rules);
		residue_wipe(&first);
		residue_wipe(&again);
		if (good && !secret_copy(ret, first.bytes, first.len))
			return 1;
	}
}

/* Change the record and sign, in memory. On failure everything is as it was. */
static enum err sign_changed(struct login *l, struct store *s, const struct secret *password)
{
	STORE_SK sk = { 0 };
	enum err e = store_signing_key(&sk, s, &l->credential.unlock_key);

	if (!e)
		e = credential_change(l->record, &l->credential, password, contact_today(&s->rules));
	if (e)
		return e;
	s->head.generation++;
	return store_sign_record(s, l->record, &sk);
}

/* What a failed write must give back: else the firmware's generation would get ahead of the store's. */
struct before {
	struct record record;
	uint64_t generation;
	uint8_t signature[SIGNATURE_BYTES];
};

static void undo(struct login *l, struct store *s, const struct before *before)
{
	*l->record = before->record;
	s->head.generation = before->generation;
	memcpy(s->signature, before->signature, sizeof(s->signature));
}

/* On failure *problem says which password opens at the next start. */
static enum err save(enum message_id *problem, struct login *l, struct storefile *f, const struct secret *password)
{
	struct store *s = f->current;
	struct before before = { .record = *l->record, .generation = s->head.generation };
	enum err e;

	memcpy(before.signature, s->signature, sizeof(before.signature));
	ui_busy("Saving ...");
	e = sign_changed(l, s, password);
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

		if (!ask(&password, &f->current->rules, cause))
			return ERR_STATE;
		e = save(problem, l, f, &password);
		if (e != ERR_EXISTS)
			return e;
		ui_tell(MESSAGE_PASSWORD_SAME);
	}
}

void change_run(struct login *l, struct storefile *f)
{
	uint8_t seed[32];
	enum cause cause = cause_of(l, &f->current->rules);
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
		ui_tell(problem, err_text(e));
		ui_pause(READ_S);
		return;
	}
	events_add(PREBOOT_PASSWORD_CHANGED, 0);
	ui_tell(MESSAGE_PASSWORD_CHANGED);
}
