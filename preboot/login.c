#include "login.h"

#include <string.h>

#include "clock.h"
#include "common/code.h"
#include "delay.h"
#include "events.h"
#include "guard.h"
#include "kill.h"
#include "lock.h"
#include "prompt.h"
#include "refusal.h"
#include "residue.h"
#include "selfhelp.h"
#include "sound.h"
#include "wording.h"

#define TRIES_SHOWN 5 /* so few are worth a warning */

struct attempt {
	struct login *login;
	struct storefile *file;
	struct store *store;
	void (*forget)(void);
	int count_lost; /* said already that firmware does not keep the count of failures */
	unsigned lookups; /* of names that may have questions */
};

/* What is there for a name: to be opened, or NULL for a name that nobody has. */
struct target {
	struct record *record;
	const char *user;
};

/* One try. */
static enum err open_target(struct attempt *a, const struct target *t, const struct secret *typed)
{
	struct unlock *u = &a->login->opened;
	enum err e;

	a->login->entered_ms = ui_last_key_ms();
	/* A count that firmware does not keep must lock nobody out. */
	if (guard_begin() && !a->count_lost++)
		events_add(PREBOOT_COUNT_NOT_KEPT, 0);
	ui_busy("Checking ...");
	e = t->record ? unlock_record(u, a->store, t->record, typed, a->forget)
		      : unlock_nobody(u, a->store, t->user, typed, a->forget);
	ui_idle();
	if (!e)
		a->login->record = t->record;
	return e;
}

/* The tries are used up. */
static void lock_now(struct attempt *a)
{
	enum err e = lock_apply(a->file, LOCK_FAILURES);

	if (e)
		ui_tell(MESSAGE_LOCK_FAILED, err_text(e));
	else
		ui_tell(MESSAGE_LOCKED_FAILURES);
}

/* What is nearer: what the rules do, or the TPM's lockout. */
static void tell_wrong_password(struct attempt *a)
{
	const char *word = wording_of_store(a->store)->name;
	uint32_t left = guard_left();
	uint32_t left_tpm = a->login->opened.tpm ? refusal_tries_left() : UINT32_MAX;

	if (left > TRIES_SHOWN && left_tpm > TRIES_SHOWN)
		ui_tell(MESSAGE_WRONG_PASSWORD, word);
	else if (left <= left_tpm)
		ui_tell(MESSAGE_WRONG_PASSWORD_LEFT, word, (unsigned)left,
			guard_next() == GUARD_KILL ? "erases itself" : "locks itself");
	else
		ui_tell(MESSAGE_WRONG_PASSWORD_LEFT_TPM, word, (unsigned)left_tpm);
}

static void tell_wrong(struct attempt *a, enum message_id wrong)
{
	if (wrong == MESSAGE_WRONG_PASSWORD)
		tell_wrong_password(a);
	else
		ui_tell(wrong);
}

/* wrong: what to say. */
static void fail(struct attempt *a, enum message_id wrong, enum preboot_event event)
{
	/* the count that decides is saved before anything shows that the answer was wrong */
	enum guard_verdict verdict = guard_failed();

	events_add(event, 0);
	switch (verdict) {
	case GUARD_KILL:
		kill_begin(a->store);
		break;
	case GUARD_LOCK:
		lock_now(a);
		break;
	case GUARD_GO_ON:
		tell_wrong(a, wrong);
	}
	ui_count_down(guard_delay_s());
}

static void tell_memory_short(struct attempt *a)
{
	ui_tell(MESSAGE_NO_MEMORY);
	events_add(PREBOOT_MEMORY_SHORT, (uint16_t)(a->login->opened.memory_mib > UINT16_MAX
							    ? UINT16_MAX
							    : a->login->opened.memory_mib));
}

/* The answer was right, or could not be looked at. */
static void explain_no_failure(struct attempt *a, enum err e, const char *word)
{
	guard_take_back();
	if (a->login->opened.tpm)
		refusal_tell(a->login->opened.tpm, word);
	else if (e == ERR_LOCKED)
		ui_tell(MESSAGE_USER_LOCKED);
	else if (e == ERR_SIGNATURE)
		ui_tell(MESSAGE_CREDENTIAL_CHANGED);
	else if (e == ERR_MEMORY)
		tell_memory_short(a);
	else
		ui_tell(MESSAGE_CREDENTIAL_UNUSABLE, err_text(e));
	if (e == ERR_SIGNATURE)
		events_add(PREBOOT_TAMPERED, 0);
}

/* What was typed, by what is said where it is wrong. */
static const char *word_typed(const struct store *s, enum message_id wrong)
{
	return (wrong == MESSAGE_WRONG_ANSWERS ? wording_of_kind(CREDENTIAL_SELF_HELP) : wording_of_store(s))->name;
}

static void explain(struct attempt *a, enum err e, enum message_id wrong, enum preboot_event event)
{
	if (e == ERR_DURESS && guard_duress())
		kill_begin(a->store);
	if (e == ERR_AUTH || e == ERR_DURESS)
		fail(a, wrong, event);
	else
		explain_no_failure(a, e, word_typed(a->store, wrong));
	unlock_drop(&a->login->opened); /* what the TPM has said is of this try */
}

static int try_password(struct attempt *a, const char *user, struct line *typed)
{
	SECRET struct secret password = { 0 };
	struct target t = { .user = user };
	enum err e = secret_copy(&password, typed->bytes, typed->len);

	if (!e && store_find_user(&t.record, a->store, user))
		t.record = NULL;
	if (!e)
		e = open_target(a, &t, &password);
	residue_wipe(typed);
	line_drop(typed); /* what follows may never return */
	secret_drop(&password);
	if (e)
		explain(a, e, MESSAGE_WRONG_PASSWORD, PREBOOT_WRONG_PASSWORD);
	return !e;
}

static int try_code(struct attempt *a, struct record *r, enum code_kind kind, struct line *typed)
{
	SECRET struct secret code = { 0 };
	size_t group;
	enum err e = code_canonical(&code, &group, kind, typed->bytes, typed->len);

	if (!e)
		e = open_target(a, &(struct target){ .record = r }, &code);
	residue_wipe(typed);
	line_drop(typed); /* what follows may never return */
	secret_drop(&code);
	if (e == ERR_LOCKED) {
		guard_take_back();
		ui_tell(MESSAGE_SEALS_GONE);
	} else if (e) {
		explain(a, e, kind == CODE_ONE_TIME ? MESSAGE_WRONG_CODE : MESSAGE_WRONG_RECOVERY,
			PREBOOT_WRONG_CODE);
	}
	return !e;
}

static const struct view_key key_code = { "F2", "One-time code" }, key_recovery = { "F3", "Recovery key" },
			     key_change = { "F7", "Change password" }, key_change_pin = { "F7", "Change PIN" },
			     key_questions = { "F8", "Questions" }, key_back = { "Esc", "Back" };

static int has_recovery(const struct store *s)
{
	struct record *r;

	return !store_find_code(&r, s, CREDENTIAL_RECOVERY_KEY, 0);
}

static int has_code(const struct store *s)
{
	struct record *r;

	return !store_next_code(&r, s);
}

/* The helpdesk's way. Sets *ret_end to what should be asked next when it did not unlock. */
static int ask_code(struct attempt *a, enum prompt_end *ret_end)
{
	const struct view_key keys[] = { key_back, key_recovery };
	char challenge[CODE_TEXT_MAX];
	LINE typed = { 0 };
	struct record *r;

	*ret_end = PROMPT_ENTER;
	if (store_next_code(&r, a->store)) {
		*ret_end = has_recovery(a->store) ? PROMPT_RECOVERY : PROMPT_ENTER;
		ui_tell(MESSAGE_NO_CODE_LEFT);
		return 0;
	}
	challenge_format(challenge, a->store->head.device, r->number);
	ui_page("One-time code",
		"Call your helpdesk and read out the challenge. Type the answer; hyphens come by themselves.",
		challenge);
	ui_offer(keys, 2);
	*ret_end = prompt_code(&typed, "Code", CODE_ONE_TIME);
	return typed.len ? try_code(a, r, CODE_ONE_TIME, &typed) : 0;
}

static int ask_recovery(struct attempt *a, enum prompt_end *ret_end)
{
	const struct view_key keys[] = { key_back, key_code };
	LINE typed = { 0 };
	struct record *r;

	*ret_end = PROMPT_ENTER;
	if (store_find_code(&r, a->store, CREDENTIAL_RECOVERY_KEY, 0)) {
		ui_tell(MESSAGE_NO_RECOVERY);
		return 0;
	}
	ui_page("Recovery key", "Type the recovery key; hyphens come by themselves.", "");
	ui_offer(keys, 2);
	*ret_end = prompt_code(&typed, "Recovery key", CODE_RECOVERY);
	return typed.len ? try_code(a, r, CODE_RECOVERY, &typed) : 0;
}

/* Who it must be where only one can be; NULL where the name is asked for. */
static const struct record *single_user(const struct store *s)
{
	if (!(s->rules.head.flags & RULES_SINGLE_USER) || store_user_count(s) != 1)
		return NULL;
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind))
			return &s->records[i];
	return NULL;
}

/* Name and password on one page; Esc goes back to the name. */
static enum prompt_end ask_both(struct attempt *a, struct line *user, struct line *password)
{
	const struct record *only = single_user(a->store);
	enum prompt_end end = PROMPT_ENTER;

	if (!only) {
		end = prompt_line(user, "User name", USER_NAME_MAX, UI_CLEAR);
		if (end == PROMPT_ENTER && !user->len)
			end = PROMPT_CODE;
	}
	if (end == PROMPT_ENTER)
		end = prompt_line(password, wording_of_store(a->store)->label, PASSWORD_BYTES_MAX,
				  UI_HIDDEN);
	return end;
}

static int ask_password(struct attempt *a, enum prompt_end *ret_end)
{
	const struct view_key keys[] = {
		key_code,
		key_recovery,
		wording_of_store(a->store) == wording_of_kind(CREDENTIAL_TPM_PIN) ? key_change_pin : key_change,
		key_questions,
	};
	const struct record *only = single_user(a->store);
	LINE user = { 0 };
	LINE password = { 0 };

	ui_page("Unlock this laptop", "This laptop is encrypted. Unlock it to start.", "");
	ui_offer(keys, selfhelp_offered(a->store) ? 4 : 3);
	*ret_end = ask_both(a, &user, &password);
	return password.len ? try_password(a, only ? (const char *)only->user : user.bytes, &password) : 0;
}

static int ask_for_self_help_name(struct attempt *a, struct line *user, enum prompt_end *ret_end)
{
	const struct view_key keys[] = { key_back, key_code };
	const struct record *only = single_user(a->store);
	size_t len = only ? strlen((const char *)only->user) : 0;

	if (only) {
		memcpy(user->bytes, only->user, len + 1);
		user->len = len;
		return 1;
	}
	ui_page("Your questions", "Answer your own questions to unlock this laptop. Whose are they?", "");
	ui_offer(keys, 2);
	*ret_end = prompt_line(user, "User name", USER_NAME_MAX, UI_CLEAR);
	return *ret_end == PROMPT_ENTER && user->len;
}

static void explain_no_questions(const struct selfhelp *h, enum err e)
{
	if (h->tpm) {
		refusal_tell(h->tpm, wording_of_kind(CREDENTIAL_SELF_HELP)->name);
	} else if (e == ERR_SIGNATURE) {
		ui_tell(MESSAGE_CREDENTIAL_CHANGED);
		events_add(PREBOOT_TAMPERED, 0);
	} else {
		ui_tell(MESSAGE_NO_QUESTIONS);
	}
}

static int ask_answers(struct attempt *a, const struct selfhelp *h, enum prompt_end *ret_end)
{
	SECRET struct secret answers = { 0 };
	enum err e;

	*ret_end = selfhelp_ask(&answers, h);
	if (!answers.len)
		return 0;
	e = open_target(a, &(struct target){ .record = h->record }, &answers);
	secret_drop(&answers); /* what follows may never return */
	if (e)
		explain(a, e, MESSAGE_WRONG_ANSWERS, PREBOOT_WRONG_SELF_HELP);
	return !e;
}

/* A name that has questions is told by them: who asks for one after the other waits longer each time. The
 * answers are what locks, so nothing is counted. */
static void wait_for_lookup(struct attempt *a)
{
	if (!single_user(a->store) && a->lookups++)
		ui_count_down(delay_s(a->lookups - 1));
}

/* The person's own way, without anybody's help. */
static int ask_questions(struct attempt *a, enum prompt_end *ret_end)
{
	SELFHELP h = { 0 };
	LINE user = { 0 };
	enum err e;

	*ret_end = PROMPT_ENTER;
	if (!ask_for_self_help_name(a, &user, ret_end))
		return 0;
	wait_for_lookup(a);
	ui_busy("Looking ...");
	e = selfhelp_open(&h, a->store, user.bytes);
	ui_idle();
	if (!e)
		return ask_answers(a, &h, ret_end);
	explain_no_questions(&h, e);
	return 0;
}

/* What to ask next, after a page that did not unlock. A locked laptop asks for a code, if it has one. */
static enum prompt_end next_page(struct attempt *a, enum prompt_end end)
{
	if (end != PROMPT_ENTER)
		ui_quiet();
	if (end == PROMPT_CHANGE) {
		a->login->change_wanted = 1;
		ui_tell(MESSAGE_CHANGE_LATER, wording_of_store(a->store)->name);
	}
	if (end == PROMPT_CODE || end == PROMPT_RECOVERY ||
	    (end == PROMPT_QUESTIONS && selfhelp_offered(a->store)))
		return end;
	if (!store_is_locked(a->store) || (!has_code(a->store) && !has_recovery(a->store)))
		return PROMPT_ENTER;
	return PROMPT_CODE;
}

void login_run(struct login *ret, struct storefile *f, void (*forget)(void))
{
	static int (*const ways[])(struct attempt *, enum prompt_end *) = {
		[PROMPT_ENTER] = ask_password,
		[PROMPT_CODE] = ask_code,
		[PROMPT_RECOVERY] = ask_recovery,
		[PROMPT_QUESTIONS] = ask_questions,
	};
	struct attempt a = { .login = ret, .file = f, .store = f->current, .forget = forget };
	enum prompt_end next = next_page(&a, PROMPT_ENTER);

	ret->prompt_ms = (uint32_t)clock_ms();
	while (!ways[next](&a, &next))
		next = next_page(&a, next);
	if (a.store->rules.head.flags & RULES_BEEP)
		sound_play(SOUND_OPENED);
}

void login_drop(struct login *l)
{
	unlock_drop(&l->opened);
	*l = (struct login){ 0 };
}
