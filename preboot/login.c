#include "login.h"

#include <string.h>

#include "clock.h"
#include "common/code.h"
#include "console.h"
#include "delay.h"
#include "events.h"
#include "firmware.h"
#include "prompt.h"
#include "residue.h"
#include "sodium_efi.h"

struct attempt {
	struct login *login;
	struct store *store;
	void (*forget)(void);
};

static void greet(const struct store *s)
{
	char challenge[CODE_TEXT_MAX];

	/* The device tag is the challenge's first two groups: the helpdesk knows the laptop by it. */
	challenge_format(challenge, s->head.device, 0);
	challenge[2 * CODE_GROUP_LETTERS + 1] = 0;
	console_say("\nHoldfast: this laptop is encrypted. Unlock it to start.\n\n"
		    "Laptop:  %s\nDevice:  %s\n\n",
		    (const char *)s->head.name, challenge);
	console_say("F2 or Ctrl-R: one-time code from your helpdesk.  F3 or Ctrl-K: recovery key.\n\n");
	if (s->head.flags & STORE_LOCKED)
		console_say("This laptop is locked by its organisation: passwords do not open it.\n"
			    "Ask your helpdesk for a one-time code.\n\n");
}

/* Open the record, or spend the same time on a record that is not there. */
static enum err open_once(struct attempt *a, struct record *r, const char *user,
			  const struct secret *password)
{
	uint32_t memory_kib = KDF_PASSWORD_MEMORY_KIB, passes = KDF_PASSWORD_PASSES;
	enum err e;

	if (r)
		return credential_open(&a->login->credential, r, password);
	for (uint32_t i = 0; i < a->store->head.record_count; i++) {
		const struct record *model = &a->store->records[i];

		if (model->kind != CREDENTIAL_PASSWORD)
			continue;
		memory_kib = model->kdf_memory_kib;
		passes = model->kdf_passes;
		break;
	}
	e = credential_waste(user, password, memory_kib, passes);
	return e ? e : ERR_AUTH;
}

/* One try; when memory is short, once more with everything given back. */
static enum err open_record(struct attempt *a, struct record *r, const char *user,
			    const struct secret *password)
{
	uint64_t start;
	enum err e;

	a->login->entered_ms = console_last_key_ms();
	a->login->memory_mib = firmware_memory_mib();
	start = clock_ms();
	sodium_efi_widen();
	e = open_once(a, r, user, password);
	if (e == ERR_MEMORY) {
		a->forget();
		e = open_once(a, r, user, password);
	}
	sodium_efi_narrow();
	a->login->kdf_ms = (uint32_t)(clock_ms() - start);
	if (e)
		credential_drop(&a->login->credential); /* ERR_LOCKED gives a part of it */
	else
		a->login->record = r;
	return e;
}

/* Everything that can go wrong with a typed secret, in words. wrong is the answer to ERR_AUTH. */
static void explain(enum err e, const char *wrong, enum preboot_event event)
{
	switch (e) {
	case ERR_AUTH:
		events_add(event, 0);
		console_say("\n%s\n", wrong);
		console_count_down("Next try in", delay_s(events_failures()));
		break;
	case ERR_LOCKED:
		console_say("\nThis laptop is locked: your password is not enough. Ask your helpdesk for a\n"
			    "one-time code (F2).\n");
		break;
	case ERR_SIGNATURE:
		console_say("\nThis credential was changed by somebody else. It is not used. Tell your "
			    "helpdesk;\na one-time code (F2) may still work.\n");
		break;
	case ERR_MEMORY:
		console_say("\nThere is not enough free memory to check a password. Remove USB devices and\n"
			    "restart, or use a one-time code (F2): codes need little memory.\n");
		break;
	default:
		console_say("\nThis credential cannot be used: %s. Use a one-time code (F2).\n",
			    err_text(e));
	}
	console_say("\n");
}

static int try_password(struct attempt *a, const char *user, const struct line *typed)
{
	SECRET struct secret password = { 0 };
	struct record *r = NULL;
	enum err e;

	e = secret_copy(&password, typed->bytes, typed->len);
	if (!e && store_find_user(&r, a->store, user))
		r = NULL;
	if (!e) {
		console_say("Checking ...");
		e = open_record(a, r, user, &password);
		console_say("\r            \r");
	}
	residue_wipe(typed);
	if (e)
		explain(e, "Wrong user name or password.", PREBOOT_WRONG_PASSWORD);
	return !e;
}

static int try_code(struct attempt *a, struct record *r, enum code_kind kind, const struct line *typed)
{
	SECRET struct secret code = { 0 };
	size_t group;
	enum err e = code_canonical(&code, &group, kind, typed->bytes, typed->len);

	if (!e) {
		console_say("Checking ...");
		e = open_record(a, r, "", &code);
		console_say("\r            \r");
	}
	residue_wipe(typed);
	if (e == ERR_LOCKED)
		console_say("\nThis is the right key, but the store on this laptop no longer opens with it. With the\n"
			    "recovery key the disk opens from any Linux live system.\n\n");
	else if (e)
		explain(e, kind == CODE_ONE_TIME ? "Wrong code: it is not the one for this challenge."
						 : "Wrong recovery key: it is not the one of this laptop.",
			PREBOOT_WRONG_CODE);
	return !e;
}

/* The helpdesk's way. Sets *ret_end to what should be asked next when it did not unlock. */
static int ask_code(struct attempt *a, enum prompt_end *ret_end)
{
	char challenge[CODE_TEXT_MAX];
	LINE typed = { 0 };
	struct record *r;

	*ret_end = PROMPT_ENTER;
	if (store_next_code(&r, a->store)) {
		console_say("\nNo unused one-time code is left on this laptop. Use the recovery key (F3).\n\n");
		return 0;
	}
	challenge_format(challenge, a->store->head.device, r->number);
	console_say("\nOne-time code number %u. Call your helpdesk and read this out:\n\n"
		    "  Challenge: %s\n\nType the answer; hyphens come by themselves. Enter alone goes back.\n",
		    (unsigned)r->number, challenge);
	*ret_end = prompt_code(&typed, "Code: ", CODE_ONE_TIME);
	return typed.len ? try_code(a, r, CODE_ONE_TIME, &typed) : 0;
}

static int ask_recovery(struct attempt *a, enum prompt_end *ret_end)
{
	LINE typed = { 0 };
	struct record *r;

	*ret_end = PROMPT_ENTER;
	if (store_find_code(&r, a->store, CREDENTIAL_RECOVERY_KEY, 0)) {
		console_say("\nThis laptop has no recovery key of Holdfast. Use a one-time code (F2).\n\n");
		return 0;
	}
	console_say("\nType the recovery key; hyphens come by themselves. Enter alone goes back.\n");
	*ret_end = prompt_code(&typed, "Recovery key: ", CODE_RECOVERY);
	return typed.len ? try_code(a, r, CODE_RECOVERY, &typed) : 0;
}

static int ask_password(struct attempt *a, enum prompt_end *ret_end)
{
	LINE user = { 0 };
	LINE password = { 0 };

	*ret_end = prompt_line(&user, "User: ", USER_NAME_MAX, 0);
	if (*ret_end == PROMPT_ENTER && !user.len)
		*ret_end = PROMPT_CODE;
	if (*ret_end == PROMPT_ENTER)
		*ret_end = prompt_line(&password, "Password: ", PASSWORD_BYTES_MAX, 1);
	return password.len ? try_password(a, user.bytes, &password) : 0;
}

void login_run(struct login *ret, struct store *s, void (*forget)(void))
{
	static int (*const ways[])(struct attempt *, enum prompt_end *) = {
		[PROMPT_ENTER] = ask_password,
		[PROMPT_CODE] = ask_code,
		[PROMPT_RECOVERY] = ask_recovery,
	};
	struct attempt a = { ret, s, forget };
	enum prompt_end next = s->head.flags & STORE_LOCKED ? PROMPT_CODE : PROMPT_ENTER;

	greet(s);
	for (;;) {
		enum prompt_end end;

		if (ways[next](&a, &end))
			return;
		next = end;
	}
}

void login_drop(struct login *l)
{
	credential_drop(&l->credential);
	*l = (struct login){ 0 };
}
