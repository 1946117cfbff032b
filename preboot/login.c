#include "login.h"

#include <sodium.h>
#include <string.h>

#include "clock.h"
#include "common/code.h"
#include "events.h"
#include "firmware.h"
#include "guard.h"
#include "kill.h"
#include "lock.h"
#include "prompt.h"
#include "residue.h"
#include "sound.h"

#define TRIES_SHOWN 5 /* so few are worth a warning */

struct attempt {
	struct login *login;
	struct storefile *file;
	struct store *store;
	void (*forget)(void);
	int count_lost; /* said already that firmware does not keep the count of failures */
};

static const struct record *nth_user(const struct store *s, uint32_t n)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind) && !n--)
			return &s->records[i];
	return NULL;
}

/* What a user who is not there costs: as much as one who is. Where records cost differently, the same
 * name always costs the same, and what no name tells. */
static const struct record *model_for(const struct store *s, const char *user)
{
	uint32_t count = store_user_count(s);
	uint8_t hash[crypto_generichash_BYTES_MIN];

	if (!count)
		return NULL;
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)user, strlen(user), s->head.device,
			   sizeof(s->head.device));
	return nth_user(s, (hash[0] | (uint32_t)hash[1] << 8) % count);
}

/* Open the record, or spend the same time on a record that is not there. */
static enum err open_once(struct attempt *a, struct record *r, const char *user,
			  const struct secret *password)
{
	const struct record *model = model_for(a->store, user);
	enum err e;

	if (r)
		return credential_open(&a->login->credential, r, password);
	e = credential_waste(user, password, model ? model->kdf_memory_kib : KDF_PASSWORD_MEMORY_KIB,
			     model ? model->kdf_passes : KDF_PASSWORD_PASSES,
			     model ? model->kdf_lanes : KDF_PASSWORD_LANES);
	return e ? e : ERR_AUTH;
}

/* One try; when memory is short, once more with everything given back. */
static enum err open_record(struct attempt *a, struct record *r, const char *user,
			    const struct secret *password)
{
	uint64_t start;
	enum err e;

	a->login->entered_ms = ui_last_key_ms();
	a->login->memory_mib = firmware_memory_mib();
	/* A count that firmware does not keep must lock nobody out. */
	if (guard_begin() && !a->count_lost++)
		events_add(PREBOOT_COUNT_NOT_KEPT, 0);
	ui_busy("Checking ...");
	start = clock_ms();
	e = open_once(a, r, user, password);
	if (e == ERR_MEMORY) {
		a->forget();
		e = open_once(a, r, user, password);
	}
	a->login->kdf_ms = (uint32_t)(clock_ms() - start);
	ui_idle();
	if (e)
		credential_drop(&a->login->credential); /* ERR_LOCKED gives a part of it */
	else
		a->login->record = r;
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

static void tell_wrong(enum message_id wrong)
{
	uint32_t left = guard_left();

	if (wrong != MESSAGE_WRONG_PASSWORD || left > TRIES_SHOWN)
		ui_tell(wrong);
	else
		ui_tell(MESSAGE_WRONG_PASSWORD_LEFT, (unsigned)left,
			guard_next() == GUARD_KILL ? "erases itself" : "locks itself");
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
		tell_wrong(wrong);
	}
	ui_count_down(guard_delay_s());
}

static void explain(struct attempt *a, enum err e, enum message_id wrong, enum preboot_event event)
{
	if (e == ERR_DURESS && guard_duress())
		kill_begin(a->store);
	if (e == ERR_AUTH || e == ERR_DURESS) {
		fail(a, wrong, event);
		return;
	}
	/* The answer was right, or could not be looked at: that is no failure. */
	guard_take_back();
	if (e == ERR_LOCKED)
		ui_tell(MESSAGE_USER_LOCKED);
	else if (e == ERR_SIGNATURE)
		ui_tell(MESSAGE_CREDENTIAL_CHANGED);
	else if (e == ERR_MEMORY)
		ui_tell(MESSAGE_NO_MEMORY);
	else
		ui_tell(MESSAGE_CREDENTIAL_UNUSABLE, err_text(e));
	if (e == ERR_SIGNATURE)
		events_add(PREBOOT_TAMPERED, 0);
}

static int try_password(struct attempt *a, const char *user, struct line *typed)
{
	SECRET struct secret password = { 0 };
	struct record *r = NULL;
	enum err e = secret_copy(&password, typed->bytes, typed->len);

	if (!e && store_find_user(&r, a->store, user))
		r = NULL;
	if (!e)
		e = open_record(a, r, user, &password);
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
		e = open_record(a, r, "", &code);
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
			     key_change = { "F7", "Change password" }, key_back = { "Esc", "Back" };

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
		end = prompt_line(password, "Password", PASSWORD_BYTES_MAX, UI_HIDDEN);
	return end;
}

static int ask_password(struct attempt *a, enum prompt_end *ret_end)
{
	const struct view_key keys[] = { key_code, key_recovery, key_change };
	const struct record *only = single_user(a->store);
	LINE user = { 0 };
	LINE password = { 0 };

	ui_page("Unlock this laptop", "This laptop is encrypted. Unlock it to start.", "");
	ui_offer(keys, 3);
	*ret_end = ask_both(a, &user, &password);
	return password.len ? try_password(a, only ? (const char *)only->user : user.bytes, &password) : 0;
}

/* What to ask next, after a page that did not unlock. A locked laptop asks for a code, if it has one. */
static enum prompt_end next_page(struct attempt *a, enum prompt_end end)
{
	if (end != PROMPT_ENTER)
		ui_quiet();
	if (end == PROMPT_CHANGE) {
		a->login->change_wanted = 1;
		ui_tell(MESSAGE_CHANGE_LATER);
	}
	if (end == PROMPT_CODE || end == PROMPT_RECOVERY)
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
	credential_drop(&l->credential);
	*l = (struct login){ 0 };
}
