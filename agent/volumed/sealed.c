#include "agent/volumed/sealed.h"

#include <sodium.h>
#include <stdio.h>

enum err sealed_record(struct record *ret, const struct credential_spec *spec,
		       const struct secret *code, const struct unlocked *u)
{
	CREDENTIAL opened = { 0 };
	struct record r;
	enum err e = credential_new(&r, spec, code, &u->vk, &u->uk);

	if (!e)
		e = credential_open(&opened, &r, code);
	if (!e && sodium_memcmp(opened.unlock_key.bytes, u->uk.bytes, UNLOCK_KEY_BYTES))
		e = ERR_INTERNAL;
	if (!e)
		*ret = r;
	return e;
}

enum err sealed_put(struct volumed *v, struct escrow *message, const char *id,
		    const struct secret *code, const struct agree_pk *escrow_key)
{
	TEXT *jws = NULL;
	enum err e;

	(void)snprintf(message->id, sizeof(message->id), "%s", id);
	(void)snprintf(message->device, sizeof(message->device), "%s", v->device);
	(void)snprintf(message->enrolment, sizeof(message->enrolment), "%s", v->trust.enrolment);
	message->created = volumed_now();
	e = escrow_seal(&jws, message, code, escrow_key, &v->attestation);
	if (!e)
		e = outbox_put(&v->outbox, IPC_OUTBOX_ESCROW, id, jws);
	if (!e)
		v->notify = 1;
	return volumed_about(v, e, "sealing a code for escrow");
}
