/* A record of the store as text, for a record that waits outside the store (recovery.h). */
#ifndef HOLDFAST_RECORDTEXT_H
#define HOLDFAST_RECORDTEXT_H

#include "common/credential.h"
#include "common/json_host.h"

MUST_CHECK enum err recordtext_put(json_t *o, const char *name, const struct record *r);
/* Errors: ERR_FORMAT. */
MUST_CHECK enum err recordtext_get(struct record *ret, const json_t *o, const char *name);

#endif
