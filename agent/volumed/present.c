#include "agent/volumed/present.h"

#include <stdio.h>
#include <string.h>

#include "agent/volumed/binding.h"

/* Of this user, else a place that is free, else the one that is longest ago. */
static struct wrong_present *place_of(struct volumed *v, const char *user)
{
	struct wrong_present *oldest = v->wrong_presents;

	for (size_t i = 0; i < STORE_RECORDS_MAX; i++) {
		struct wrong_present *w = &v->wrong_presents[i];

		if (!strcmp(w->user, user))
			return w;
		if (w->last < oldest->last)
			oldest = w;
	}
	return oldest;
}

static int is_paused(struct volumed *v, const char *user)
{
	struct wrong_present *w = place_of(v, user);
	uint64_t now = volumed_now();

	if (strcmp(w->user, user))
		return 0;
	if (w->last > now || now - w->last >= PRESENT_PAUSE_S)
		*w = (struct wrong_present){ 0 };
	return w->count >= PRESENT_TRIES_MAX;
}

static void wrong_note(struct volumed *v, const char *user)
{
	struct wrong_present *w = place_of(v, user);

	if (strcmp(w->user, user))
		*w = (struct wrong_present){ 0 };
	(void)snprintf(w->user, sizeof(w->user), "%s", user);
	w->count++;
	w->last = volumed_now();
}

static void wrong_forget(struct volumed *v, const char *user)
{
	struct wrong_present *w = place_of(v, user);

	if (!strcmp(w->user, user))
		*w = (struct wrong_present){ 0 };
}

static enum err test(const struct unlocked *u, const char *user, const char *present)
{
	SECRET struct secret typed = { 0 };
	struct record *r = NULL;
	enum err e = store_find_user(&r, &u->store, user);

	if (!e && !*present)
		e = ERR_AUTH;
	if (!e)
		e = secret_copy(&typed, present, strlen(present));
	if (!e)
		e = binding_test(u, r, &typed);
	/* Nothing is killed here: a system that runs is beyond what a duress password is for. */
	return e == ERR_DURESS ? ERR_AUTH : e;
}

enum err present_check(struct volumed *v, const struct unlocked *u, int by_root, const char *user,
		       const char *present)
{
	enum err e;

	if (!by_root && is_paused(v, user))
		return volumed_about(v, ERR_LOCKED_OUT, "too many wrong passwords, wait ten minutes");
	e = test(u, user, present);
	if (e == ERR_AUTH && !by_root) {
		wrong_note(v, user);
	} else if (!e && !by_root) {
		wrong_forget(v, user);
	}
	return volumed_about(v, e, e == ERR_NOT_FOUND ? "this user" : "the present password");
}
