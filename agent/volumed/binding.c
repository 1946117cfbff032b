#include "agent/volumed/binding.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/event.h"
#include "agent/volumed/tss.h"

static json_t *section_of(struct volumed *v)
{
	return vstate_make(&v->state, "tpm");
}

/* ---- the TPM ---- */

void binding_look(struct volumed *v)
{
	if (v->tpm_asked && !v->tpm_error && !v->tpm_seal_error)
		return;
	v->tpm = (struct tpm_facts){ 0 };
	v->tpm_error = tpm_facts_read(&v->tpm, v->options.tpm);
	v->tpm_asked = 1;
}

/* After something was changed there. */
static void look_again(struct volumed *v)
{
	v->tpm_asked = 0;
	binding_look(v);
}

const char *binding_obstacle(const struct volumed *v)
{
	static char other[160];

	if (v->tpm_asked && v->tpm_error && v->tpm_error != ERR_NOT_FOUND) {
		(void)snprintf(other, sizeof(other), "the TPM does not answer as it should: %s",
			       err_text(v->tpm_error));
		return other;
	}
	if (!v->tpm_asked || v->tpm_error)
		return "this laptop has no TPM 2.0 that the system can use (see the firmware's settings; the "
		       "libraries of tpm2-tss are needed, too)";
	if (!v->boot.known)
		return "this start did not go through Holdfast's own screen: restart";
	if (!(v->boot.trust & HANDOFF_TPM))
		return "Holdfast's own screen found no TPM 2.0 before the start: see the firmware's settings";
	if (v->tpm.no_parent)
		return "the TPM's owner hierarchy has a password that is not Holdfast's, and no storage root key is kept "
		       "there: take the password away (tpm2_changeauth -c owner -p PASSWORD), or clear the TPM in the "
		       "firmware's settings";
	return sodium_is_zero(v->boot.pcr7, sizeof(v->boot.pcr7))
		       ? "the firmware measures nothing into the TPM's PCR 7, to which keys could be sealed" : NULL;
}

int binding_has_no_tpm(const struct volumed *v)
{
	return v->tpm_asked && v->boot.known &&
	       (v->tpm_error == ERR_NOT_FOUND || !(v->boot.trust & HANDOFF_TPM) ||
		sodium_is_zero(v->boot.pcr7, sizeof(v->boot.pcr7)));
}

static int values_differ(const struct volumed *v, const struct bindings *b)
{
	return b->head.count && memcmp(b->head.pcr7, v->boot.pcr7, sizeof(b->head.pcr7));
}

/* Of what was sealed last, also where it is not there any more: a PIN that is exchanged has just been taken out. */
static int secure_boot_went_off(const struct volumed *v, const struct bindings *b)
{
	return v->boot.known && !(v->boot.trust & HANDOFF_SECURE_BOOT) &&
	       memcmp(b->head.pcr7, v->boot.pcr7, sizeof(b->head.pcr7)) &&
	       json_is_true(json_object_get(vstate_find(&v->state, "tpm"), "secure_boot"));
}

int binding_secure_boot_off(const struct volumed *v, const struct store *s)
{
	return s->bindings.head.count && secure_boot_went_off(v, &s->bindings);
}

int binding_is_due(const struct volumed *v)
{
	return v->tpm_bound && v->boot.known && (v->boot.trust & HANDOFF_TPM) &&
	       (v->tpm_error || v->tpm_seal_error);
}

/* What keeps the section up to date may fail: then it is told or done once more. */
static void note(struct volumed *v, const char *name, json_t *value)
{
	json_t *section = section_of(v);

	if (!section || json_object_set_new(section, name, value) || vstate_save(&v->state))
		volumed_log("the state of the TPM was not kept", NULL);
}

/* ---- sealing ---- */

/* What is to be sealed in one go: entries of the store, and new ones. */
struct work {
	size_t count;
	struct binding entries[BINDINGS_MAX];
	struct tpm_item items[BINDINGS_MAX];
};

static void work_drop(struct work **w)
{
	if (*w)
		secret_wipe(*w, sizeof(**w));
	free(*w);
}
#define WORK __attribute__((cleanup(work_drop))) struct work

static enum err work_add(struct work *w, const struct binding *b, const struct sealed *s)
{
	if (w->count == BINDINGS_MAX)
		return ERR_SPACE;
	w->entries[w->count] = *b;
	w->items[w->count].plain = *s;
	w->items[w->count].with_auth = b->kind == BINDING_SECRET;
	w->count++;
	return OK;
}

static enum err work_all(struct work *w, const struct unlocked *u)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < u->store.bindings.head.count; i++) {
		SEALED s = { 0 };

		/* One that is damaged stays as it is: the next rotation takes it out. */
		if (!binding_open(&s, &u->store.bindings.entries[i], &u->uk))
			e = work_add(w, &u->store.bindings.entries[i], &s);
	}
	return e;
}

static enum err work_parts(struct work *w, const struct unlocked *u, const uint8_t credential[static 16],
			   const struct binding_part *parts, size_t count)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < count; i++) {
		struct binding b = { .kind = (uint8_t)parts[i].kind };

		memcpy(b.credential, credential, sizeof(b.credential));
		binding_close(&b, &parts[i].sealed, &u->uk);
		e = work_add(w, &b, &parts[i].sealed);
	}
	return e;
}

static int same_parent(const struct bindings *b, const struct tpm_parent *p)
{
	return !memcmp(b->head.parent_x, p->x, sizeof(p->x)) && !memcmp(b->head.parent_y, p->y, sizeof(p->y));
}

/* The lockout's password was another TPM's. */
static void lockout_forget(struct bindings *b)
{
	memset(b->head.nonce, 0, sizeof(b->head.nonce));
	memset(b->head.lockout, 0, sizeof(b->head.lockout));
}

static enum err work_put(const struct work *w, struct volumed *v, struct bindings *b,
			 const struct tpm_parent *parent)
{
	enum err e = OK;

	/* Another TPM, or a cleared one: with a password there, ours may be it. */
	if (!same_parent(b, parent) && !v->tpm.lockout_auth)
		lockout_forget(b);
	bindings_set_parent(b, parent);
	memcpy(b->head.pcr7, v->boot.pcr7, sizeof(b->head.pcr7));
	for (size_t i = 0; !e && i < w->count; i++) {
		struct binding entry = w->entries[i];

		binding_set_object(&entry, &w->items[i].object);
		e = bindings_put(b, &entry);
	}
	if (!e)
		note(v, "secure_boot", json_boolean(v->boot.trust & HANDOFF_SECURE_BOOT));
	return e;
}

/* Where it was made here, a kill takes it away again. */
static enum err made_note(struct volumed *v, const struct tpm_parent *parent)
{
	json_t *section = section_of(v);

	if (!section || json_object_set_new(section, "made", json_integer(parent->handle)))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

static enum err seal(struct tpm_parent *ret, struct volumed *v, struct tpm_item *items, size_t count)
{
	int made = 0;
	enum err e = tpm_seal(ret, &made, items, count, v->options.tpm, v->boot.pcr7);

	if (!e && made)
		e = made_note(v, ret);
	return e;
}

/* all: what the store has already, too. *ret_again: the TPM is another one, so all have to be. */
static enum err seal_into(int *ret_again, struct volumed *v, struct unlocked *u,
			  const uint8_t credential[static 16], const struct binding_part *parts, size_t count,
			  int all)
{
	struct tpm_parent parent;
	WORK *w = calloc(1, sizeof(*w));
	enum err e = w ? OK : ERR_MEMORY;

	if (!e && all)
		e = work_all(w, u);
	if (!e)
		e = work_parts(w, u, credential, parts, count);
	if (!e)
		e = seal(&parent, v, w->items, w->count);
	*ret_again = !e && !all && u->store.bindings.head.count && !same_parent(&u->store.bindings, &parent);
	return e || *ret_again ? e : work_put(w, v, &u->store.bindings, &parent);
}

static const char secure_boot_lost[] =
	"Secure Boot was on when keys were sealed and is off now: switch it on in the firmware's settings, or, if it shall "
	"stay off, run as root: holdfast tpm reseal";

static enum err refuse(struct volumed *v, const char *why)
{
	(void)snprintf(v->about, sizeof(v->about), "%s", why);
	return ERR_STATE;
}

/* ---- the lockout ---- */

/* The password goes into the store first: one that nobody knows would be the TPM's for ever. */
static enum err lockout_auth(uint8_t ret[static TPM_AUTH_BYTES], int *ret_fresh, struct volumed *v,
			     struct unlocked *u)
{
	*ret_fresh = bindings_open_lockout(ret, &u->store.bindings, &u->uk) != OK;
	if (!*ret_fresh)
		return OK;
	randombytes_buf(ret, TPM_AUTH_BYTES);
	/* A TPM drops zeros at the end of an authorization value. */
	ret[TPM_AUTH_BYTES - 1] |= 1;
	bindings_close_lockout(&u->store.bindings, ret, &u->uk);
	return unlocked_save(u, v, 1);
}

static enum err lockout_take(struct volumed *v, struct unlocked *u)
{
	uint8_t auth[TPM_AUTH_BYTES];
	int fresh;
	enum err taken, e = lockout_auth(auth, &fresh, v, u);

	if (e)
		return e;
	taken = tpm_lockout_take(v->options.tpm, auth);
	sodium_memzero(auth, sizeof(auth));
	if (!taken)
		event_tell(v, "tpm-lockout-taken", json_pack("{s:i, s:i}", "tries", TPM_TRIES_MAX, "recovery_s",
							     TPM_RECOVERY_S));
	/* It has one: somebody else's, if ours was made just now. */
	if (!taken || taken == ERR_EXISTS)
		look_again(v);
	if (taken != ERR_EXISTS || !fresh)
		return OK;
	lockout_forget(&u->store.bindings);
	return unlocked_save(u, v, 1);
}

/* u is half changed, and must not be written yet: so the store is opened once more. */
static enum err lockout_take_first(struct volumed *v, struct unlocked *u)
{
	struct bindings_head *to = &u->store.bindings.head;
	UNLOCKED own = { 0 };
	enum err e = unlocked_open(&own, v);

	if (!e)
		e = lockout_take(v, &own);
	if (e)
		return e;
	memcpy(to->nonce, own.store.bindings.head.nonce, sizeof(to->nonce));
	memcpy(to->lockout, own.store.bindings.head.lockout, sizeof(to->lockout));
	u->store.head.generation = own.store.head.generation;
	return OK;
}

/* Whose password it is does not matter, as long as it has one: without, a thief sets the count to 0. */
static int lockout_is_bounded(const struct volumed *v)
{
	const struct tpm_lockout *l = &v->tpm.lockout;

	return v->tpm.lockout_auth && l->tries_max >= 1 && l->tries_max <= TPM_BOUND_TRIES &&
	       l->recovery_s >= TPM_BOUND_RECOVERY_S;
}

static enum err lockout_ready(struct volumed *v, struct unlocked *u, int guessable)
{
	enum err e = v->tpm.lockout_auth ? OK : lockout_take_first(v, u);

	if (e || !guessable || lockout_is_bounded(v))
		return e;
	return refuse(v, v->tpm.lockout_auth
			      ? "the TPM's lockout is somebody else's, and lets anybody try too often: PINs and self-help need "
				"32 tries or less, one of them forgiven in 5 minutes or more"
			      : "the TPM's lockout could not be set, without which a PIN or answers can be guessed");
}

enum err binding_put(struct volumed *v, struct unlocked *u, const uint8_t credential[static 16],
		     const struct binding_part *parts, size_t count, int guessable)
{
	const char *obstacle;
	int again = 0;
	enum err e;

	binding_look(v);
	obstacle = binding_obstacle(v);
	if (!obstacle && secure_boot_went_off(v, &u->store.bindings))
		obstacle = secure_boot_lost;
	if (obstacle)
		return refuse(v, obstacle);
	e = lockout_ready(v, u, guessable);
	if (e)
		return e == ERR_STATE ? e : volumed_about(v, e, "keeping the password of the TPM's lockout");
	e = seal_into(&again, v, u, credential, parts, count, values_differ(v, &u->store.bindings));
	if (!e && again)
		e = seal_into(&again, v, u, credential, parts, count, 1);
	return volumed_about(v, e, e == ERR_DENIED ? "the TPM's owner hierarchy has a password that is not "
			     "Holdfast's" : "sealing to the TPM");
}

enum err binding_new(struct record *ret, struct volumed *v, struct unlocked *u,
		     const struct credential_spec *spec, const struct secret *typed)
{
	struct binding_part part = { .kind = BINDING_SECRET };
	struct record r;
	enum err e;

	randombytes_buf(part.sealed.secret, sizeof(part.sealed.secret));
	e = volumed_about(v, credential_new_bound(&r, part.sealed.auth, spec, typed, part.sealed.secret, &u->vk,
						  &u->uk), "making the credential");
	if (!e)
		e = binding_put(v, u, r.id, &part, 1, spec->kind != CREDENTIAL_TPM_PASSWORD);
	sealed_wipe(&part.sealed);
	if (!e)
		*ret = r;
	return e;
}

enum err binding_test(const struct unlocked *u, const struct record *r, const struct secret *typed)
{
	struct binding *b = NULL;
	STRETCHED stretched = { 0 };
	CREDENTIAL opened = { 0 };
	SEALED s = { 0 };
	enum err e;

	if (!credential_is_bound(r->kind))
		return credential_open(&opened, r, typed);
	e = bindings_find(&b, &u->store.bindings, r->id, BINDING_SECRET);
	if (!e)
		e = binding_open(&s, b, &u->uk);
	if (!e)
		e = credential_stretch(&stretched, r, typed);
	return e ? e : credential_open_stretched(&opened, r, &stretched, s.secret);
}

/* ---- settling ---- */

static const char *user_of(const struct store *s, const struct binding *b)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (!memcmp(s->records[i].id, b->credential, sizeof(b->credential)))
			return (const char *)s->records[i].user;
	return "";
}

unsigned binding_count(const struct store *s, int self_help)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < s->head.record_count; i++)
		n += credential_is_bound(s->records[i].kind) &&
		     (s->records[i].kind == CREDENTIAL_SELF_HELP) == !!self_help;
	return n;
}

static json_t *users_of(const struct store *s)
{
	json_t *users = json_array();

	for (size_t i = 0; users && i < s->bindings.head.count; i++)
		if (s->bindings.entries[i].kind == BINDING_SECRET)
			(void)json_array_append_new(users, json_string(user_of(s, &s->bindings.entries[i])));
	return users;
}

/* Once for each state: the text stays in the section. Before enrolment there is nobody to tell. */
static int is_news(struct volumed *v, const char *name, const char *state)
{
	json_t *section = section_of(v);
	const char *told = vstate_text(section, name);

	if (!v->trust.enrolled || !section || (told && !strcmp(told, state)) || json_object_set_new(section, name, json_string(state)))
		return 0;
	return !vstate_save(&v->state);
}

/* Bound users cannot sign in at the next start. */
static void missing_tell(struct volumed *v, const struct store *s, const char *why)
{
	if (is_news(v, "told", why))
		event_tell(v, "tpm-missing", json_pack("{s:s, s:o}", "reason", why, "users", users_of(s)));
}

static const char *reason_of(int values, int parent)
{
	if (values && parent)
		return "tpm-and-pcr7";
	return values ? "pcr7" : "tpm";
}

static enum err reseal(struct volumed *v, struct unlocked *u, const char *reason)
{
	struct bindings *b = &u->store.bindings;
	struct tpm_parent parent;
	WORK *w = calloc(1, sizeof(*w));
	enum err e = w ? work_all(w, u) : ERR_MEMORY;

	if (!e)
		e = seal(&parent, v, w->items, w->count);
	if (!e)
		e = work_put(w, v, b, &parent);
	if (!e)
		e = unlocked_save(u, v, 1);
	if (!e)
		event_tell(v, "tpm-resealed", json_pack("{s:s, s:i, s:o}", "reason", reason, "bindings",
							(int)b->head.count, "users", users_of(&u->store)));
	return e;
}

static enum err reseal_what_differs(struct volumed *v, struct unlocked *u)
{
	struct bindings *b = &u->store.bindings;
	struct tpm_parent parent;
	int values = values_differ(v, b);
	/* The key alone: sealing takes a TPM some tenths of a second for each object. */
	enum err e = seal(&parent, v, NULL, 0);

	if (e)
		return e;
	if (values || !same_parent(b, &parent))
		return reseal(v, u, reason_of(values, !same_parent(b, &parent)));
	if (parent.handle == b->head.parent)
		return OK;
	bindings_set_parent(b, &parent);
	return unlocked_save(u, v, 1);
}

/* Once a start, until it has worked. */
static enum err reseal_if_due(struct volumed *v, struct unlocked *u)
{
	const char *obstacle = binding_obstacle(v);
	enum err e;

	if (obstacle) {
		if (v->boot.known)
			missing_tell(v, &u->store, obstacle);
		return OK;
	}
	if (v->tpm_settled)
		return OK;
	if (binding_secure_boot_off(v, &u->store)) {
		if (is_news(v, "told", "secure boot off"))
			event_tell(v, "secure-boot-off", json_pack("{s:o}", "users", users_of(&u->store)));
		return OK;
	}
	e = reseal_what_differs(v, u);
	v->tpm_seal_error = e;
	if (e) {
		volumed_log("sealing to the TPM failed", err_text(e));
		missing_tell(v, &u->store, err_text(e));
		return OK;
	}
	v->tpm_settled = 1;
	if (vstate_text(vstate_find(&v->state, "tpm"), "told"))
		note(v, "told", json_string(""));
	return OK;
}

static int was_helped(const struct volumed *v)
{
	return v->boot.kind == CREDENTIAL_ONE_TIME_CODE || v->boot.kind == CREDENTIAL_RECOVERY_KEY;
}

/* A user who has been helped in begins with a clean count. Once for each start. */
static enum err lockout_reset(struct volumed *v, struct unlocked *u, const uint8_t auth[static TPM_AUTH_BYTES])
{
	const char *done = vstate_text(vstate_find(&v->state, "tpm"), "reset");
	enum err e;

	if (!was_helped(v) || (done && !strcmp(done, v->boot.digest)))
		return OK;
	e = tpm_lockout_reset(v->options.tpm, auth);
	look_again(v);
	if (!e || e == ERR_AUTH)
		note(v, "reset", json_string(v->boot.digest));
	if (e)
		volumed_log("the TPM's lockout was not reset", err_text(e));
	if (e != ERR_AUTH)
		return OK;
	/* A second wrong one would lock the hierarchy for another day. */
	lockout_forget(&u->store.bindings);
	return unlocked_save(u, v, 1);
}

static enum err lockout_settle(struct volumed *v, struct unlocked *u)
{
	uint8_t auth[TPM_AUTH_BYTES];
	enum err e;

	if (!v->tpm.lockout_auth)
		return lockout_take(v, u);
	if (bindings_open_lockout(auth, &u->store.bindings, &u->uk)) {
		if (is_news(v, "lockout_told", "not ours"))
			event_tell(v, "tpm-lockout-not-ours", NULL);
		return OK;
	}
	e = lockout_reset(v, u, auth);
	sodium_memzero(auth, sizeof(auth));
	return e;
}

enum err binding_settle(struct volumed *v, struct unlocked *u)
{
	enum err e;

	v->tpm_bound = u->store.bindings.head.count > 0;
	if (!v->tpm_bound)
		return OK;
	e = reseal_if_due(v, u);
	if (e || binding_obstacle(v))
		return e;
	return lockout_settle(v, u);
}

enum err binding_reseal(struct volumed *v)
{
	UNLOCKED u = { 0 };
	const char *obstacle;
	enum err e = unlocked_open(&u, v);

	if (e)
		return e;
	/* What is sealed next may be sealed to this start. */
	if (!u.store.bindings.head.count) {
		note(v, "secure_boot", json_false());
		return OK;
	}
	binding_look(v);
	obstacle = binding_obstacle(v);
	if (obstacle)
		return refuse(v, obstacle);
	e = reseal(v, &u, "asked");
	v->tpm_seal_error = e;
	v->tpm_settled = !e;
	return volumed_about(v, e, "sealing to the TPM");
}

json_t *binding_drop_unreadable(struct unlocked *u)
{
	struct bindings *b = &u->store.bindings;
	uint8_t lockout[TPM_AUTH_BYTES];
	json_t *users = json_array();

	for (size_t i = b->head.count; i-- > 0;) {
		uint8_t id[16];
		SEALED s = { 0 };

		/* More than one of a credential's may have gone. */
		if (i >= b->head.count || !binding_open(&s, &b->entries[i], &u->uk))
			continue;
		(void)json_array_append_new(users, json_string(user_of(&u->store, &b->entries[i])));
		memcpy(id, b->entries[i].credential, sizeof(id));
		for (uint32_t r = 0; r < u->store.head.record_count; r++)
			if (!memcmp(u->store.records[r].id, id, sizeof(id)))
				record_unseal(&u->store.records[r]);
		bindings_remove(b, id);
	}
	if (bindings_open_lockout(lockout, b, &u->uk) == ERR_AUTH)
		lockout_forget(b);
	sodium_memzero(lockout, sizeof(lockout));
	return users;
}

/* ---- kill ---- */

void binding_end_take(struct binding_end *ret, struct volumed *v)
{
	uint64_t made = vstate_number(vstate_find(&v->state, "tpm"), "made");
	UNLOCKED u = { 0 };

	if (unlocked_open(&u, v))
		return;
	ret->has_lockout = !bindings_open_lockout(ret->lockout, &u.store.bindings, &u.uk);
	bindings_parent(&ret->parent, &u.store.bindings);
	ret->has_parent = made && made == ret->parent.handle;
}

void binding_end(struct volumed *v, struct binding_end *end)
{
	int cleared;

	/* A TPM that hung before gets one more chance: the laptop does nothing else any more. */
	tss_resume();
	cleared = end->has_lockout && !tpm_clear(v->options.tpm, end->lockout);
	if (!cleared && end->has_parent && tpm_evict(v->options.tpm, &end->parent))
		volumed_log("the TPM's storage root key was not taken away", NULL);
	sodium_memzero(end, sizeof(*end));
}
