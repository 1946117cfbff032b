/* The server's time, signed for one laptop: its proof to itself that it was in touch (docs/protocol.md,
 * "Time"). The vault's own clock: a frontend that was taken over can keep it back, not change it. */
#include "ops.h"

enum err vault_op_TIME(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
		       struct fault *f)
{
	struct vault_session *s;
	struct vault_device d;
	TEXT *jws = NULL;
	JSON *o = NULL;
	enum err e = vault_session_find(&s, v, ask->value[0].text, 1, f);

	if (!e)
		e = vault_device_find(&d, v, s->device, f);
	if (e)
		return e;
	o = json_pack("{s:s, s:s, s:I}", "device", d.id, "enrolment", d.enrolment, "time",
		      (json_int_t)vault_now());
	e = o ? jws_sign(&jws, "holdfast-time", o, &v->key) : ERR_MEMORY;
	vaultmsg_add_text(reply, jws);
	return e;
}
