/* Login: who are you? Asks until somebody proves it with a password, a one-time code or the recovery
 * key; wrong answers lead to what the rules say (guard.h). */
#ifndef HOLDFAST_LOGIN_H
#define HOLDFAST_LOGIN_H

#include "storefile.h"

struct login {
	struct credential credential;
	struct record *record;  /* points into the store */
	int change_wanted;      /* the person asked to change the password */
	uint32_t prompt_ms;     /* clock_start to the first prompt */
	uint32_t memory_mib;    /* largest free range at the KDF */
	uint32_t kdf_ms;
	uint64_t entered_ms;    /* clock of the last key */
};

/* Returns only with an opened credential; the store is not verified yet. forget gives memory back
 * when the KDF finds too little. */
void login_run(struct login *ret, struct storefile *f, void (*forget)(void));

void login_drop(struct login *l);

#endif
