/* holdfast.efi: asks who is there, opens the credential, checks what is to be started, and starts it
 * with the keys. The last function is the entry; docs/preboot.md tells the story. */
#include <efi.h>

#include <string.h>

#include "boot.h"
#include "clock.h"
#include "console.h"
#include "delivery.h"
#include "events.h"
#include "files.h"
#include "firmware.h"
#include "generation.h"
#include "kill.h"
#include "login.h"
#include "sodium_efi.h"
#include "storefile.h"
#include "variable.h"

static struct storefile storefile;
static struct login login;

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static enum err find_partition(void)
{
	enum err e = files_start();

	if (e)
		console_say("\nHoldfast was not started from an EFI system partition: %s.\n"
			    "Choose the boot entry 'Holdfast' in the firmware's boot menu.\n", err_text(e));
	return e;
}

static enum err finish_kill(void)
{
	kill_finish();
	return OK;
}

static void explain_no_store(void)
{
	if (kill_seen()) {
		console_say("\nThis laptop has been erased by its organisation.\n");
		return;
	}
	for (unsigned i = 0; i < STOREFILE_COPIES; i++)
		console_say("\nCopy %u of the credential store (store.%u): %s.", i + 1, i,
			    err_text(storefile.problems[i]));
	console_say("\n\nThis laptop cannot be unlocked here, because no copy of its credential store can be\n"
		    "used. The data is still there. Ask your helpdesk for the recovery key: it opens the\n"
		    "disk from any Linux live system.\n");
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
	console_say("\nThe credential store is older than the one this laptop last used (generation %llu,\n"
		    "expected %llu): somebody copied it back. It is not used. Ask your helpdesk: the\n"
		    "recovery key opens the disk from any Linux live system.\n",
		    (unsigned long long)have, (unsigned long long)known);
	return ERR_ROLLBACK;
}

static enum err unlock(void)
{
	struct store *s = storefile.current;
	enum err e;

	variable_request_memory_overwrite();
	if (s->manifest.target_count) {
		boot_load(&s->manifest.targets[0]);
		console_while_idle(boot_load_slice);
	}
	login_run(&login, s, boot_forget);
	e = store_verify(s, &login.credential.store_vk);
	if (e)
		console_say("\nThe credential store was changed by somebody else. Nothing is started. Tell your\n"
			    "helpdesk; the recovery key opens the disk from any Linux live system.\n");
	return e;
}

/* The store is verified: bring variable and copies up to it. None of this keeps anybody out. */
static enum err keep_up(void)
{
	enum err e = generation_raise(storefile.current->head.generation);

	if (e)
		console_say("\nThe firmware does not keep the store's generation: %s.\n", err_text(e));
	if (storefile_repair(&storefile))
		console_say("\nA copy of the credential store is damaged and could not be rewritten.\n");
	events_add(PREBOOT_UNLOCKED, 0);
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
		console_say("\nThe used code could not be crossed out: %s. Nothing is started.\n",
			    err_text(e));
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
			console_say("\nNo boot target is left that may be started. Tell your helpdesk; the "
				    "recovery key\nopens the disk from any Linux live system.\n");
			return e;
		}
		e = boot_prepare(&m->targets[d->target]);
		if (!e)
			return OK;
		if (e == ERR_DENIED)
			console_say("\nThe firmware refuses the kernel of boot target '%s' (Secure Boot): its "
				    "signature is\nnot accepted.\n",
				    (const char *)m->targets[d->target].name);
		else
			console_say("\nThe kernel of boot target '%s' could not be loaded: %s.\n",
				    (const char *)m->targets[d->target].name, err_text(e));
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
	struct key key;

	login_drop(&login);
	boot_forget();
	console_say("\nR: restart   P: power off\n");
	for (;;) {
		console_key(&key);
		if (key.unicode == 'r' || key.unicode == 'R')
			firmware_restart();
		if (key.unicode == 'p' || key.unicode == 'P')
			firmware_power_off();
	}
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	static enum err (*const steps[])(void) = {
		find_partition, finish_kill,  read_store, check_generation,
		unlock,         burn_code,    keep_up,    start_kernel,
	};

	firmware_start(image, table);
	sodium_efi_start();
	clock_start();
	console_start();
	events_start();
	/* Each step has told the person what is wrong, and what to do. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i]())
			break;
	give_up();
	return EFI_ABORTED;
}
