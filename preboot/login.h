/* Login: who are you? Asks until somebody proves it with a password or PIN, a one-time code, the recovery
 * key, or answers to questions; wrong answers lead to what the rules say (guard.h). */
#ifndef HOLDFAST_LOGIN_H
#define HOLDFAST_LOGIN_H

#include "storefile.h"
#include "unlock.h"

struct login {
	struct unlock opened;
	struct record *record;  /* points into the store */
	int change_wanted;      /* the person asked to change the password */
	uint32_t prompt_ms;     /* clock_start to the first prompt */
	uint64_t entered_ms;    /* clock of the last key */
};

/* Returns only with an opened credential; the store is not verified yet. forget gives memory back
 * when the KDF finds too little. */
void login_run(struct login *ret, struct storefile *f, void (*forget)(void));

void login_drop(struct login *l);

#endif
