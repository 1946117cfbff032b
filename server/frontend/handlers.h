/* Handlers: one function a line of routes.inc. They fill answer (or jose) and status, or
 * wait_until_ms; on failure r->fault, which is completed from the error where they say nothing. */
#ifndef HOLDFAST_FRONTEND_HANDLERS_H
#define HOLDFAST_FRONTEND_HANDLERS_H

#include "request.h"

#define ROUTE(method, path, scope, permission, handler)                                            \
	MUST_CHECK enum err front_do_##handler(struct front *f, struct request *r);
#include "routes.inc"
#undef ROUTE

#endif
