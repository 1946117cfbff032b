/* holdfast.efi: asks who is there, opens the credential, checks what is to be started, and starts it
 * with the keys. The last function is the entry; docs/preboot.md tells the story. */
#include <efi.h>

#include <string.h>

#include "boot.h"
#include "change.h"
#include "clock.h"
#include "contact.h"
#include "delivery.h"
#include "events.h"
#include "files.h"
#include "firmware.h"
#include "generation.h"
#include "guard.h"
#include "kill.h"
#include "lock.h"
#include "login.h"
#include "platform.h"
#include "selftest.h"
#include "sodium_efi.h"
#include "storefile.h"
#include "ui.h"
#include "variable.h"

#define READ_S 3 /* for a warning that the next page would hide */

static struct storefile storefile;
static struct login login;
static int lock_told; /* in this start */
static int planted;   /* the store is none of this installation's: nothing is to be learnt from it */

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static enum err find_partition(void)
{
	enum err e = files_start();

	if (e)
		ui_tell(MESSAGE_NO_PARTITION, err_text(e));
	return e;
}

static enum err finish_kill(void)
{
	kill_finish();
	return OK;
}

static void explain_no_store(void)
{
	if (kill_seen())
		ui_tell(MESSAGE_ERASED_BEFORE);
	else
		ui_tell(MESSAGE_NO_STORE, err_text(storefile.problems[0]), err_text(storefile.problems[1]));
}

/* Both copies are looked at; one that works is enough. */
static enum err read_store(void)
{
	storefile_read(&storefile);
	if (!storefile.current) {
		explain_no_store();
		return ERR_NOT_FOUND;
	}
	for (unsigned i = 0; i < STOREFILE_COPIES; i++)
		if (storefile.problems[i] && storefile.problems[i] != ERR_ROLLBACK)
			events_add(PREBOOT_COPY_DAMAGED, (uint16_t)i);
	return OK;
}

static enum err check_generation(void)
{
	uint64_t have = storefile.current->head.generation, known;

	if (generation_read(&known)) {
		events_add(PREBOOT_GENERATION_MISSING, 0);
		return OK;
	}
	if (have >= known)
		return OK;
	events_add(PREBOOT_ROLLBACK_SEEN, 0);
	ui_tell(MESSAGE_ROLLED_BACK, (unsigned long long)have, (unsigned long long)known);
	return ERR_ROLLBACK;
}

static enum err show_store(void)
{
	ui_store(storefile.current);
	return OK;
}

static void lock_for(enum lock_cause cause, uint32_t days)
{
	enum err e = lock_apply(&storefile, cause);

	lock_told = 1;
	if (e)
		ui_tell(MESSAGE_LOCK_FAILED, err_text(e));
	else if (cause == LOCK_NO_CONTACT)
		ui_tell(MESSAGE_LOCKED_CONTACT, (unsigned)days);
	else
		ui_tell(MESSAGE_LOCKED_FAILURES);
}

/* Failures of earlier starts, whose end the power may have cut. */
static enum err check_failures(void)
{
	guard_start(storefile.current);
	switch (guard_check()) {
	case GUARD_KILL:
		kill_begin(storefile.current);
		break;
	case GUARD_LOCK:
		lock_for(LOCK_FAILURES, 0);
		break;
	case GUARD_GO_ON:
		break;
	}
	return OK;
}

static enum err check_contact(void)
{
	struct contact c;

	contact_check(&c, &storefile.current->rules);
	if (c.verdict == CONTACT_LOCK)
		lock_for(LOCK_NO_CONTACT, c.days);
	else if (c.verdict == CONTACT_WARN && c.left_days)
		ui_tell(MESSAGE_CONTACT_WARNING_LOCK, (unsigned)c.days, (unsigned)c.left_days);
	else if (c.verdict == CONTACT_WARN)
		ui_tell(MESSAGE_CONTACT_WARNING, (unsigned)c.days);
	return OK;
}

static enum err verify_once(const struct store *s)
{
	enum err e = store_verify(s, &login.opened.credential.store_vk);

	return e ? e : store_verify_record(s, login.record, &login.opened.credential.store_vk);
}

static enum err verify(const struct store *s)
{
	enum err e = verify_once(s);

	if (e == ERR_MEMORY) {
		boot_forget();
		e = verify_once(s);
	}
	if (!e)
		return OK;
	/* The answer was right; it is the store that was not. */
	guard_take_back();
	if (e == ERR_MEMORY) {
		ui_tell(MESSAGE_NO_MEMORY_STORE);
		return e;
	}
	events_add(PREBOOT_TAMPERED, 0);
	ui_tell(MESSAGE_STORE_CHANGED);
	return e;
}

static enum err look_at_platform(void)
{
	platform_look();
	return OK;
}

static enum err unlock(void)
{
	struct store *s = storefile.current;
	enum err e;

	variable_request_memory_overwrite();
	/* Why it has just been locked says more. */
	if (store_is_locked(s) && !lock_told)
		ui_tell(MESSAGE_LOCKED);
	if (s->manifest.target_count) {
		boot_load(&s->manifest.targets[0]);
		ui_while_idle(boot_load_slice);
	}
	login_run(&login, &storefile, boot_forget);
	e = verify(s);
	if (e)
		return e;
	planted = guard_verified(s) != OK;
	/* Who has a code or the recovery key has it from the organisation. */
	if (!planted && (login.record->kind == CREDENTIAL_ONE_TIME_CODE ||
			 login.record->kind == CREDENTIAL_RECOVERY_KEY))
		contact_now();
	return OK;
}

static enum err renew_password(void)
{
	change_run(&login, &storefile);
	return OK;
}

/* The store is verified: bring variable and copies up to it. None of this keeps anybody out. */
static enum err keep_up(void)
{
	enum err e;

	events_add(PREBOOT_UNLOCKED, 0);
	if (planted)
		return OK;
	e = generation_raise(storefile_generation(&storefile));
	if (e) {
		ui_tell(MESSAGE_GENERATION_NOT_KEPT, err_text(e));
		ui_pause(READ_S);
	}
	if (storefile_repair(&storefile)) {
		ui_tell(MESSAGE_COPY_NOT_MENDED);
		ui_pause(READ_S);
	}
	return OK;
}

/* A code opens once: it is gone from both copies before anything is started. */
static enum err burn_code(void)
{
	enum err e;

	if (login.record->kind != CREDENTIAL_ONE_TIME_CODE)
		return OK;
	store_drop_seal(storefile.current, login.record);
	e = storefile_write(&storefile);
	if (e) {
		ui_tell(MESSAGE_CODE_NOT_BURNT, err_text(e));
		return e;
	}
	events_add(PREBOOT_CODE_USED, login.record->number);
	return OK;
}

/* Load the kernel of the first target, from an index on, that matches and that the firmware takes. */
static enum err choose_target(struct delivery *d, const struct manifest *m)
{
	for (unsigned first = 0;; first = d->target + 1) {
		enum err e = boot_select(&d->target, &d->load_ms, m, first);

		if (e) {
			ui_tell(MESSAGE_NO_TARGET);
			return e;
		}
		e = boot_prepare(&m->targets[d->target]);
		if (!e)
			return OK;
		if (e == ERR_DENIED)
			ui_tell(MESSAGE_TARGET_DENIED, (const char *)m->targets[d->target].name);
		else
			ui_tell(MESSAGE_TARGET_UNLOADABLE, (const char *)m->targets[d->target].name,
				err_text(e));
		events_add(PREBOOT_TARGET_REFUSED, (uint16_t)d->target);
	}
}

static enum err start_kernel(void)
{
	struct delivery d = { .store = storefile.current, .login = &login };
	enum err e = choose_target(&d, &storefile.current->manifest);

	return e ? e : delivery_start(&d);
}

/* Nothing leads on: wipe, and let the person read. */
static void give_up(void)
{
	static const struct view_key keys[] = { { "R", "Restart" }, { "P", "Power off" } };
	struct typed t;

	login_drop(&login);
	boot_forget();
	ui_page("This laptop does not start", "", "");
	ui_offer(keys, 2);
	do
		ui_key(&t);
	while (!t.key.unicode || t.key.unicode > 0x7f || !strchr("rRpP", t.key.unicode));
	ui_stop();
	if (t.key.unicode == 'r' || t.key.unicode == 'R')
		firmware_restart();
	firmware_power_off();
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	static enum err (*const steps[])(void) = {
		find_partition, finish_kill,      selftest_run_if_asked, read_store, check_generation, show_store,
		check_failures, check_contact,    look_at_platform, unlock,     burn_code,
		renew_password, keep_up,          start_kernel,
	};

	firmware_start(image, table);
	sodium_efi_start();
	clock_start();
	events_start();
	ui_start();
	/* Each step has told the person what is wrong, and what to do. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i]())
			break;
	give_up();
	return EFI_ABORTED;
}
