/* Fault: why a request is refused, in the words of the REST interface. Made by the vault or the
 * frontend, carried over the socket pair by its number, answered as {"error":{…}}. */
#ifndef HOLDFAST_SERVER_FAULT_H
#define HOLDFAST_SERVER_FAULT_H

#include <jansson.h>

#include "common/err.h"

enum fault_code {
#define FAULT(name, code, status, hint) FAULT_##name,
#include "fault.inc"
#undef FAULT
	FAULT_COUNT,
};

/* Never holds a secret: message is shown to whoever asked. */
struct fault {
	enum fault_code code;
	char message[200];
};

/* Say what is wrong, and give e back, for return statements. The first one said stays. */
enum err fault_say(struct fault *f, enum fault_code code, enum err e, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A code for an error that nobody put into words: by the error itself. */
void fault_complete(struct fault *f, enum err e);

int fault_status(enum fault_code code);
const char *fault_text(enum fault_code code);
/* {"code","message","hint"}, a new reference; NULL when out of memory. */
json_t *fault_json(const struct fault *f);

#endif
