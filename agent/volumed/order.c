#include "agent/volumed/order.h"

#include <string.h>

#include "agent/volumed/erasure.h"
#include "agent/volumed/event.h"
#include "agent/volumed/recovery.h"
#include "agent/volumed/rotation.h"
#include "agent/volumed/settle.h"

/* The server may sign "sync": a number far ahead would use up those of the officers' orders. */
#define SYNC_JUMP_MAX (1u << 20)

static enum err done_put(char *ret_id, struct volumed *v, const struct command *c)
{
	return event_put(ret_id, v, "command-done",
			 json_pack("{s:s, s:s, s:I}", "command", c->name, "id", c->id, "sequence",
				   (json_int_t)c->sequence));
}

static enum err refused_put(struct volumed *v, const struct command *c, enum err reason,
			    const char *text)
{
	return event_put(NULL, v, "command-refused",
			 json_pack("{s:s, s:s, s:I, s:s, s:s}", "command", c->name, "id", c->id, "sequence",
				   (json_int_t)(c->sequence & INT64_MAX), "reason", err_name(reason),
				   "text", text));
}

/* In the state, and where there is a key in the signed store too, which outlives a new installation. */
static enum err carried_out(struct volumed *v, const struct command *c)
{
	UNLOCKED u = { 0 };
	enum err e = trust_carried_out(&v->state, 0, c->sequence);

	if (!e)
		e = vstate_save(&v->state);
	if (e || unlocked_open(&u, v))
		return e;
	u.store.head.command_seq = c->sequence;
	return unlocked_save(&u, v, 0);
}

/* The event first: a power cut between the two has the order carried out twice, which changes nothing. The
 * other way round it would be refused as a replay, though it was done. */
static enum err done(struct volumed *v, const struct command *c, enum power_action then)
{
	char event[33];
	enum err e = done_put(event, v, c);

	if (!e && carried_out(v, c))
		volumed_log("the number of a command was not saved", NULL);
	if (!e && then != POWER_NONE)
		power_after(&v->power, then, event);
	return e;
}

/* Without a key, or when a keyslot cannot be changed: what needs none is done, and that keeps every
 * password out of both copies. */
static enum err seals_drop(struct volumed *v)
{
	struct espstore_found found;
	STORE s = { 0 };
	enum err e = espstore_load(&s, &found, &v->esp);

	if (e)
		return e;
	store_lock(&s);
	return espstore_write(&v->esp, &s, 1);
}

static enum err order_lock(struct volumed *v, const struct command *c, const char *jws)
{
	const json_t *restart = json_object_get(c->args, "restart");
	UNLOCKED u = { 0 };
	enum err e;

	(void)jws;
	/* Saved with the number: without it, work that this start left over would end the lock. */
	if (json_object_set_new(vstate_make(&v->state, "boot"), "locked", json_string(v->boot.digest)))
		return ERR_MEMORY;
	e = unlocked_open(&u, v);
	if (!e)
		e = rotation_run(v, &u, ROTATION_LOCK);
	if (e)
		e = volumed_about(v, seals_drop(v), "locking");
	if (!e)
		e = done(v, c, json_is_false(restart) ? POWER_NONE : POWER_RESTART);
	/* The server is told the new status. */
	if (!e && settle_run(v))
		volumed_log("locked with work left", v->about);
	return e;
}

static enum err order_reset(struct volumed *v, const struct command *c, const char *jws)
{
	(void)jws;
	return done(v, c, POWER_RESTART);
}

static enum err order_sync(struct volumed *v, const struct command *c, const char *jws)
{
	(void)jws;
	return done(v, c, POWER_NONE);
}

static enum err order_rotate_recovery(struct volumed *v, const struct command *c, const char *jws)
{
	const json_t *wanted = json_object_get(vstate_find(&v->state, "recovery"), "wanted");
	enum err e;

	(void)jws;
	if (vstate_text(wanted, "command"))
		return volumed_about(v, ERR_BUSY, "a new recovery key is already being made");
	e = recovery_want(v, "command", c);
	if (!e)
		e = carried_out(v, c);
	/* What cannot be done at once is tried again; command-done comes when the old key is destroyed. */
	if (!e && settle_run(v))
		volumed_log("the new recovery key has to wait", v->about);
	return e;
}

static enum err order_kill(struct volumed *v, const struct command *c, const char *jws)
{
	return erasure_run(v, c, jws);
}

static const struct order {
	const char *name;
	enum err (*run)(struct volumed *v, const struct command *c, const char *jws);
} orders[] = {
	{ "kill", order_kill },
	{ "lock", order_lock },
	{ "reset", order_reset },
	{ "sync", order_sync },
	{ "rotate-recovery", order_rotate_recovery },
};

static enum err verify(struct command *ret, struct volumed *v, const char *jws, const char *certs)
{
	struct command_trust trust;
	UNLOCKED u = { 0 };
	JSON *list = NULL;
	enum err e = v->trust.enrolled ? json_parse(&list, certs, strlen(certs)) : ERR_STATE;

	if (e)
		return e;
	if (unlocked_open(&u, v))
		memset(&u.store.head, 0, sizeof(u.store.head));
	trust_for_command(&trust, &v->trust, &v->state, u.store.head.command_seq,
			  u.store.head.kill_seq, volumed_now());
	e = command_verify(ret, jws, list, &trust);
	if (!e && !strcmp(ret->name, "sync") && ret->sequence - trust.command_seq > SYNC_JUMP_MAX)
		e = ERR_RANGE;
	return e;
}

static enum err carry_out(struct volumed *v, const struct command *c, const char *jws)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (!strcmp(orders[i].name, c->name))
			return orders[i].run(v, c, jws);
	return volumed_about(v, ERR_DENIED, "unknown command");
}

enum err order_run(struct volumed *v, const char *jws, const char *certs)
{
	struct command c = { 0 };
	const char *text;
	enum err e = verify(&c, v, jws, certs);

	text = err_text(e);
	if (!e) {
		e = carry_out(v, &c, jws);
		text = v->about;
	}
	if (e) {
		volumed_log("command refused", text);
		e = refused_put(v, &c, e, text);
	}
	command_drop(&c);
	return e;
}
