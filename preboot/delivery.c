#include "delivery.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "clock.h"
#include "common/handoff.h"
#include "common/registers.h"
#include "cpio.h"
#include "events.h"
#include "firmware.h"
#include "heap.h"
#include "initrd.h"
#include "measure.h"
#include "platform.h"
#include "ui.h"

#define ARCHIVE_BYTES (HANDOFF_BYTES_MAX + CPIO_EXTRA)

static struct secret archive;

static void describe(struct handoff *h, const struct delivery *d)
{
	const struct store_head *s = &d->store->head;
	const struct record *r = d->login->record;
	const struct credential *c = &d->login->opened.credential;
	struct uk_id id;

	memcpy(h->head.device, s->device, sizeof(h->head.device));
	memcpy(h->head.enrolment, s->enrolment, sizeof(h->head.enrolment));
	h->head.generation = s->generation;
	memcpy(h->head.credential, r->id, sizeof(h->head.credential));
	h->head.kind = r->kind;
	h->head.target = (uint8_t)d->target;
	h->head.number = r->number;
	memcpy(h->head.user, r->user, sizeof(h->head.user));
	unlock_key_id(&id, &c->unlock_key);
	memcpy(h->head.uk_id, id.bytes, sizeof(h->head.uk_id));
	memcpy(h->head.unlock_key, c->unlock_key.bytes, sizeof(h->head.unlock_key));
	memcpy(h->head.user_seed, c->user_key.seed, sizeof(h->head.user_seed));
	h->manifest = d->store->manifest;
	platform_describe(&h->head);
	h->head.trust |= boot_vouched() ? HANDOFF_VOUCHED : 0;
}

/* Nothing is unsealed from here on. Where that fails it is told, and the laptop starts all the same. */
static void cap(struct handoff *h, const struct delivery *d)
{
	enum err e = measure_start((enum credential_kind)d->login->record->kind,
				   &d->store->manifest.targets[d->target]);

	if (!e)
		h->head.trust |= HANDOFF_CAPPED;
	else if (e != ERR_NOT_FOUND)
		events_add(PREBOOT_NOT_CAPPED, 0);
}

/* Last of all, so that it counts everything. */
static void measure(struct handoff *h, const struct delivery *d)
{
	const struct login *l = d->login;
	uint64_t whole = clock_ms() - l->entered_ms, known = l->opened.kdf_ms + d->load_ms;

	h->head.prompt_ms = l->prompt_ms;
	h->head.memory_mib = l->opened.memory_mib;
	h->head.kdf_ms = l->opened.kdf_ms;
	h->head.tpm_ms = l->opened.tpm_ms;
	h->head.processors = (uint8_t)(l->opened.processors > UINT8_MAX ? UINT8_MAX : l->opened.processors);
	h->head.overhead_ms = (uint32_t)(whole > known ? whole - known : 0);
}

/* Not inlined: its frame is to be among what is wiped. */
static __attribute__((noinline)) enum err pack(size_t *ret_len, const struct delivery *d)
{
	SECRET struct secret encoded = { 0 };
	HANDOFF h = { 0 };
	size_t len;
	enum err e = secret_new(&encoded, HANDOFF_BYTES_MAX);

	if (!e)
		e = secret_new(&archive, ARCHIVE_BYTES);
	if (e)
		return e;
	cap(&h, d);
	events_deliver(&h);
	measure(&h, d);
	describe(&h, d); /* last: no firmware is called with keys in registers */
	e = handoff_encode(encoded.bytes, &len, &h);
	if (!e)
		e = cpio_handoff(archive.bytes, ret_len, archive.len, encoded.bytes, len);
	registers_wipe(); /* before memory is given back to the firmware */
	return e;
}

/* What was there of keys, but for what is kept on purpose. */
static void wipe(void)
{
	registers_wipe();
	sodium_stackzero(DELIVERY_STACK_WIPED);
}

/* The kernel has its copy. */
static void delivered(void)
{
	secret_drop(&archive);
	events_forget();
	sodium_stackzero(8192);
}

static void EFIAPI leaving(EFI_EVENT event, void *context)
{
	(void)event;
	(void)context;
	heap_wipe();
}

/* From here on no return to a frame that still holds keys: they are dropped, and what calls have left
 * on the stack below is overwritten. */
static enum err start(struct login *l)
{
	EFI_EVENT event;
	enum err e = firmware_err(BOOT->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, leaving,
						    NULL, &event));

	if (e)
		return e;
	login_drop(l);
	ui_stop();
	wipe();
	e = boot_start();
	ui_start(); /* the kernel gave up: there is something to tell */
	BOOT->CloseEvent(event);
	return e;
}

enum err delivery_start(const struct delivery *d)
{
	size_t len, initrd_len;
	const uint8_t *initrd = boot_bytes(BOOT_INITRD, &initrd_len);
	enum err e = pack(&len, d);

	wipe();
	if (!e)
		e = initrd_serve(archive.bytes, len, initrd, initrd_len, delivered);
	if (!e)
		e = start(d->login);
	initrd_withdraw();
	secret_drop(&archive);
	login_drop(d->login);
	ui_tell(MESSAGE_NOT_STARTED, err_text(e));
	return e;
}
