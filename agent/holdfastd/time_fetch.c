#include "time_fetch.h"

#include "link.h"

#define GET_TIMEOUT_MS 20000

enum err time_fetch(struct channel *c)
{
	struct link l = { .path = c->site->volumed_path };
	CHANNEL_ANSWER a = { 0 };
	const char *jws;
	enum err e = channel_call(&a, c, "GET", "/v1/time", NULL, GET_TIMEOUT_MS);

	if (e)
		return e;
	if (a.status / 100 != 2)
		return ERR_NETWORK;
	e = json_get_string(&jws, a.body, "time");
	return e ? e : link_time(&l, jws);
}
