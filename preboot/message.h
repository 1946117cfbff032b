/* Message: what pre-boot can say, by name; the one list is message.inc. */
#ifndef HOLDFAST_MESSAGE_H
#define HOLDFAST_MESSAGE_H

#include "view.h"

enum message_id {
#define X(name, number, tone, text) name,
#include "message.inc"
#undef X
	MESSAGE_COUNT
};

struct message {
	unsigned number; /* shown as HF-number */
	enum view_tone tone;
	const char *text; /* format of phrase.h */
};

const struct message *message_get(enum message_id id);

#endif
