/* Faults of the REST interface. */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *code;
	int status;
	const char *hint;
} table[FAULT_COUNT] = {
#define FAULT(name, code, status, hint) [FAULT_##name] = { code, status, hint },
#include "fault.inc"
#undef FAULT
};

enum err fault_say(struct fault *f, enum fault_code code, enum err e, const char *format, ...)
{
	va_list args;

	if (f->code)
		return e;
	f->code = code;
	va_start(args, format);
	vsnprintf(f->message, sizeof(f->message), format, args);
	va_end(args);
	return e;
}

static enum fault_code code_of(enum err e)
{
	switch (e) {
	case OK:
		return FAULT_NONE;
	case ERR_FORMAT:
	case ERR_VERSION:
	case ERR_RANGE:
		return FAULT_BAD_REQUEST;
	case ERR_NOT_FOUND:
		return FAULT_NOT_FOUND;
	case ERR_EXISTS:
		return FAULT_EXISTS;
	case ERR_DENIED:
		return FAULT_NOT_ALLOWED;
	case ERR_AUTH:
	case ERR_SIGNATURE:
	case ERR_MISDIRECTED:
	case ERR_EXPIRED:
	case ERR_REPLAY:
	case ERR_ROLLBACK:
	case ERR_CHANGED:
		return FAULT_REFUSED;
	case ERR_BUSY:
	case ERR_SPACE:
		return FAULT_BUSY;
	default:
		return FAULT_INTERNAL;
	}
}

void fault_complete(struct fault *f, enum err e)
{
	if (e && !f->code)
		(void)fault_say(f, code_of(e), e, "%s", err_text(e));
}

int fault_status(enum fault_code code)
{
	return code < FAULT_COUNT ? table[code].status : 500;
}

const char *fault_text(enum fault_code code)
{
	return code < FAULT_COUNT ? table[code].code : "internal";
}

json_t *fault_json(const struct fault *f)
{
	enum fault_code code = f->code < FAULT_COUNT ? f->code : FAULT_INTERNAL;

	return json_pack("{s:s,s:s,s:s}", "code", table[code].code, "message", f->message, "hint",
			 table[code].hint);
}
