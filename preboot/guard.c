#include "guard.h"

#include <string.h>

#include "delay.h"
#include "events.h"
#include "generation.h"
#include "variable.h"

#define VERSION 1

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct guard_state {
#include "guard_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "preboot/guard_v1.inc"
#define FORMAT_NOUN guard_state
#define FORMAT_PREFIX GUARD_STATE
#include "common/format_codec.h"

/* One rule: so many tries, then this. */
struct limit {
	uint32_t tries; /* 0: never */
	uint8_t action; /* enum rules_action */
};

static struct guard_state state;
/* What the store at hand says, verified or not. */
static struct {
	struct limit limit;
	int duress;
} hint;
static int trying;      /* guard_begin was called, and the answer is not known */
static uint16_t before; /* failures, without that try */
static int lock_said;   /* in this start */
static int unread;      /* a variable is there and could not be read: a count of ours would overwrite it */

static int state_valid(const struct guard_state *s)
{
	return s->version == VERSION && s->told <= s->failures && s->duress <= 1 && !s->reserved && !s->reserved2 &&
	       s->failure_action <= RULES_KILL &&
	       (s->failure_action != RULES_KILL || !s->failure_limit ||
		s->failure_limit >= RULES_KILL_LIMIT_MIN);
}

static enum err state_load(struct guard_state *ret)
{
	uint8_t bytes[GUARD_STATE_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	struct guard_state s;
	enum err e = variable_read(bytes, sizeof(bytes), VARIABLE_GUARD);

	if (e)
		return e;
	guard_state_read(&c, &s);
	if (!state_valid(&s))
		return ERR_FORMAT;
	*ret = s;
	return OK;
}

static enum err state_save(void)
{
	uint8_t bytes[GUARD_STATE_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));

	if (unread)
		return ERR_IO;
	guard_state_write(&w, &state);
	return variable_write(VARIABLE_GUARD, bytes, sizeof(bytes), 0);
}

static void hint_take(const struct rules *r)
{
	hint.limit = (struct limit){ r->head.failure_limit, r->head.failure_action };
	hint.duress = (r->head.flags & RULES_DURESS) != 0;
}

/* Is the last verified store known, and is this one another? */
static int is_foreign(const struct store *s)
{
	static const uint8_t none[sizeof(state.store_vk)];

	return memcmp(state.store_vk, none, sizeof(none)) != 0 &&
	       memcmp(state.store_vk, s->head.store_vk, sizeof(state.store_vk)) != 0;
}

/* Has holdfast-activate said that this store's installation is the laptop's? */
static int is_owner(const struct store *s)
{
	uint8_t owner[sizeof(state.store_vk)] = { 0 };

	return !variable_read(owner, sizeof(owner), VARIABLE_OWNER) &&
	       !memcmp(owner, s->head.store_vk, sizeof(owner));
}

/* Whoever can only write the ESP does not get at the variables. */
static int set_up_anew(const struct store *s)
{
	uint64_t known;

	return is_foreign(s) && (is_owner(s) || generation_read(&known) || known < state.generation);
}

void guard_start(const struct store *s)
{
	static const struct guard_state empty = { .version = VERSION };

	enum err e;

	state = empty;
	trying = 0;
	lock_said = 0;
	e = state_load(&state);
	if (e && e != ERR_NOT_FOUND && e != ERR_FORMAT)
		e = state_load(&state);
	if (e == ERR_FORMAT)
		events_add(PREBOOT_TAMPERED, 0);
	unread = e && e != ERR_NOT_FOUND && e != ERR_FORMAT;
	if (set_up_anew(s))
		state = empty;
	hint_take(&s->rules);
}

static void limits_get(struct limit ret[static 2])
{
	ret[0] = (struct limit){ state.failure_limit, state.failure_action };
	ret[1] = hint.limit;
}

/* The hardest of what both rules say to so many failures. */
static enum guard_verdict verdict(uint32_t failures)
{
	static const enum guard_verdict verdicts[] = {
		[RULES_DELAY] = GUARD_GO_ON, [RULES_LOCK] = GUARD_LOCK, [RULES_KILL] = GUARD_KILL,
	};
	enum guard_verdict worst = GUARD_GO_ON;
	struct limit limits[2];

	limits_get(limits);
	for (size_t i = 0; i < 2; i++)
		if (limits[i].tries && failures >= limits[i].tries && verdicts[limits[i].action] > worst)
			worst = verdicts[limits[i].action];
	return worst;
}

/* A laptop that has just been locked is not locked again by each wrong code. */
static enum guard_verdict verdict_say(uint32_t failures)
{
	enum guard_verdict v = verdict(failures);

	if (v == GUARD_LOCK && lock_said++)
		return GUARD_GO_ON;
	return v;
}

enum guard_verdict guard_check(void)
{
	return verdict_say(state.told);
}

enum err guard_begin(void)
{
	before = state.failures;
	if (state.failures < UINT16_MAX)
		state.failures++;
	trying = 1;
	return state_save();
}

/* The answer is known. What cannot be saved is counted in memory; guard_begin has said so. */
static void close_try(void)
{
	trying = 0;
	if (state_save())
		return;
}

enum guard_verdict guard_failed(void)
{
	state.told = state.failures;
	close_try();
	return verdict_say(state.failures);
}

unsigned guard_delay_s(void)
{
	return delay_s(state.failures);
}

void guard_take_back(void)
{
	if (!trying)
		return;
	state.failures = before;
	close_try();
}

/* The nearest limit that leads to something that has not been done yet; NULL: none. */
static const struct limit *nearest(const struct limit limits[static 2])
{
	const struct limit *found = NULL;

	for (size_t i = 0; i < 2; i++) {
		if (!limits[i].tries || limits[i].action == RULES_DELAY ||
		    (limits[i].action == RULES_LOCK && lock_said))
			continue;
		if (!found || limits[i].tries < found->tries ||
		    (limits[i].tries == found->tries && limits[i].action > found->action))
			found = &limits[i];
	}
	return found;
}

uint32_t guard_left(void)
{
	struct limit limits[2];
	const struct limit *l;

	limits_get(limits);
	l = nearest(limits);
	if (!l)
		return UINT32_MAX;
	return l->tries > state.failures ? l->tries - state.failures : 0;
}

enum guard_verdict guard_next(void)
{
	struct limit limits[2];
	const struct limit *l;

	limits_get(limits);
	l = nearest(limits);
	if (!l)
		return GUARD_GO_ON;
	return l->action == RULES_KILL ? GUARD_KILL : GUARD_LOCK;
}

int guard_duress(void)
{
	return state.duress || hint.duress;
}

static void store_take(const struct store *s)
{
	const struct rules_head *r = &s->rules.head;

	memcpy(state.store_vk, s->head.store_vk, sizeof(state.store_vk));
	state.generation = s->head.generation;
	state.duress = (r->flags & RULES_DURESS) != 0;
	state.failure_action = r->failure_action;
	state.failure_limit = r->failure_limit;
	state.contact_warn_days = r->contact_warn_days;
	state.contact_lock_days = r->contact_lock_days;
	state.last_contact = r->last_contact;
}

enum err guard_verified(const struct store *s)
{
	if (is_foreign(s)) {
		events_add(PREBOOT_TAMPERED, 0);
		guard_take_back();
		return ERR_MISDIRECTED;
	}
	unread = 0;
	store_take(s);
	hint_take(&s->rules);
	state.failures = 0;
	state.told = 0;
	lock_said = 0;
	close_try();
	return OK;
}

void guard_contact(struct guard_contact *ret)
{
	*ret = (struct guard_contact){
		.warn_days = state.contact_warn_days,
		.lock_days = state.contact_lock_days,
		.last_contact = state.last_contact,
	};
}
