/* Texts and names of the errors, from the one list in err.h. */
#include "err.h"

const char *err_text(enum err e)
{
	switch (e) {
	case OK:
		return "ok";
#define X(name, text) \
	case name:    \
		return text;
		ERR_LIST(X)
#undef X
	}
	return err_text(ERR_INTERNAL);
}

const char *err_name(enum err e)
{
	switch (e) {
	case OK:
		return "OK";
#define X(name, text) \
	case name:    \
		return #name;
		ERR_LIST(X)
#undef X
	}
	return err_name(ERR_INTERNAL);
}
