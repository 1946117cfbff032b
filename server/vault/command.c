/* Commands: an officer's are checked before they are stored (the laptop checks again); the only one
 * that the server may sign is sync. Sequences only grow, so what was refused once is refused for
 * ever. */
#include <string.h>

#include "ops.h"

static int is_kill(const struct command *c)
{
	return !strcmp(c->name, "kill");
}

static enum err sequence_set(struct vault *v, const struct command *c)
{
	if (is_kill(c))
		return db_run(v->db, "UPDATE devices SET kill_seq = ? WHERE id = ?", "nt",
			      c->sequence, c->device);
	return db_run(v->db, "UPDATE devices SET command_seq = ? WHERE id = ?", "nt", c->sequence,
		      c->device);
}

static enum err reply_command(struct vaultmsg *reply, const struct command *c, const char *jws,
			      const char *cert)
{
	JSON *certs = json_pack("[s]", cert);
	TEXT *text = NULL;
	enum err e = certs ? json_print(&text, certs) : ERR_MEMORY;

	vaultmsg_add_text(reply, c->id);
	vaultmsg_add_text(reply, c->name);
	vaultmsg_add_text(reply, jws);
	vaultmsg_add_text(reply, text);
	vaultmsg_add_number(reply, c->sequence);
	vaultmsg_add_number(reply, c->issued);
	return e;
}

static enum err explain(enum err e, const struct command *c, struct fault *f)
{
	if (e == ERR_REPLAY)
		return fault_say(f, FAULT_SEQUENCE_TAKEN, e, "sequence %llu is taken",
				 (unsigned long long)c->sequence);
	if (e == ERR_DENIED)
		return fault_say(f, FAULT_NOT_ALLOWED, e,
				 "the officer may not give this command: %s",
				 *c->name ? c->name : "unknown");
	return e ? fault_say(f, FAULT_REFUSED, e, "the command: %s", err_text(e)) : OK;
}

/* Who signs in must be who signs: nobody hands in somebody else's order. */
static enum err signer_check(const char *jws, const struct cert *officer, struct fault *f)
{
	char kid[KID_BYTES], want[KID_BYTES];
	JSON *ignored = NULL;
	enum err e = jws_peek(&ignored, kid, "holdfast-command", jws);

	if (e)
		return fault_say(f, FAULT_BAD_REQUEST, e, "the command: %s", err_text(e));
	kid_of_sign(want, &officer->sign);
	return strcmp(kid, want)
		       ? fault_say(f, FAULT_REFUSED, ERR_SIGNATURE,
				   "the command is not signed by the officer who hands it in")
		       : OK;
}

static enum err verify(struct command *ret, struct vault *v, const char *jws, const char *cert,
		       const struct vault_device *d, struct fault *f)
{
	JSON *certs = json_pack("[s]", cert);
	struct command_trust trust;

	vault_trust(&trust, v);
	memcpy(trust.device, d->id, sizeof(trust.device));
	memcpy(trust.enrolment, d->enrolment, sizeof(trust.enrolment));
	trust.command_seq = d->command_seq;
	trust.kill_seq = d->kill_seq;
	return certs ? explain(command_verify(ret, jws, certs, &trust), ret, f) : ERR_MEMORY;
}

enum err vault_op_COMMAND_CHECK(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
				struct fault *f)
{
	const char *jws = ask->value[2].text;
	struct command c = { .id = "" };
	struct vault_device d;
	struct cert officer;
	TEXT *cert = NULL;
	enum err e = vault_officer_check(&officer, &cert, v, ask->value[0].text,
				       VAULT_ANY_OFFICER, f);

	if (!e)
		e = vault_device_find(&d, v, ask->value[1].text, f);
	if (!e)
		e = signer_check(jws, &officer, f);
	if (!e)
		e = verify(&c, v, jws, cert, &d, f);
	if (!e)
		e = sequence_set(v, &c);
	if (!e)
		e = reply_command(reply, &c, jws, cert);
	command_drop(&c);
	return e;
}

enum err vault_op_COMMAND_SYNC(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			       struct fault *f)
{
	struct command c = { .name = "sync", .issued = vault_now() };
	struct vault_device d;
	struct cert officer;
	TEXT *jws = NULL, *server = NULL, *cert = NULL;
	enum err e = vault_officer_check(&officer, &cert, v, ask->value[0].text,
				       VAULT_ANY_OFFICER, f);

	if (!e)
		e = vault_device_find(&d, v, ask->value[1].text, f);
	if (e)
		return e;
	name_new_id(c.id);
	memcpy(c.device, d.id, sizeof(c.device));
	memcpy(c.enrolment, d.enrolment, sizeof(c.enrolment));
	c.sequence = d.command_seq + 1;
	e = command_sign(&jws, &c, &v->key);
	if (!e)
		e = vault_meta_get(&server, v, "server");
	if (!e)
		e = sequence_set(v, &c);
	return e ? e : reply_command(reply, &c, jws, server);
}
