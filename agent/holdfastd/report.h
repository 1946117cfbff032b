/* Report: the JSON of STATUS: volumed's own, with a member "network" of what holdfastd knows. */
#ifndef HOLDFAST_REPORT_H
#define HOLDFAST_REPORT_H

#include "site.h"

/* *ret is malloc'ed text. Without an answer of volumed the report says so in "problem".
 * Errors: ERR_MEMORY. */
MUST_CHECK enum err report_make(char **ret, struct site *s);

#endif
