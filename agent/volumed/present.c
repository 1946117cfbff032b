#include "agent/volumed/present.h"

#include <string.h>

#include "agent/volumed/binding.h"

static int is_paused(struct volumed *v)
{
	uint64_t now = volumed_now();

	if (v->wrong_present > now || now - v->wrong_present >= PRESENT_PAUSE_S)
		v->wrong_presents = 0;
	return v->wrong_presents >= PRESENT_TRIES_MAX;
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

	if (!by_root && is_paused(v))
		return volumed_about(v, ERR_LOCKED_OUT, "too many wrong passwords, wait ten minutes");
	e = test(u, user, present);
	if (e == ERR_AUTH && !by_root) {
		v->wrong_presents++;
		v->wrong_present = volumed_now();
	} else if (!e && !by_root) {
		v->wrong_presents = 0;
	}
	return volumed_about(v, e, e == ERR_NOT_FOUND ? "this user" : "the present password");
}
