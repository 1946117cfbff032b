/* Wording: what the person is asked for in the words of this laptop: a password, a PIN, or either. Before
 * somebody is known it is the same for all of the laptop's users, so that no name is told by it. */
#ifndef HOLDFAST_WORDING_H
#define HOLDFAST_WORDING_H

#include "common/store.h"

struct wording {
	const char *label; /* of a field: "Password or PIN" */
	const char *name;  /* in a sentence: "password or PIN" */
};

const struct wording *wording_of_store(const struct store *s);
const struct wording *wording_of_kind(uint8_t kind);

#endif
