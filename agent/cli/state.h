/* State: the JSON of STATUS from holdfastd, or from volumed alone when holdfastd isn't running. */
#ifndef HOLDFAST_STATE_H
#define HOLDFAST_STATE_H

#include <jansson.h>

#include "cli.h"

/* *ret_text is the JSON text, *ret its value; both must be dropped. Says on standard error what went wrong.
 * Returns an exit status. */
int state_get(json_t **ret, char **ret_text, const struct cli *cli);

#endif
