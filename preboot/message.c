#include "message.h"

static const struct message messages[MESSAGE_COUNT] = {
#define X(name, number, tone, text) [name] = { number, tone, text },
#include "message.inc"
#undef X
};

const struct message *message_get(enum message_id id)
{
	return &messages[id];
}
