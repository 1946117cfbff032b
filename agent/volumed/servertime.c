#include "agent/volumed/servertime.h"

#include <string.h>

#include "common/rules.h"

#define DAY_S 86400
#define AHEAD_S (3ull * 366 * DAY_S) /* as pre-boot: a clock that is further ahead is wrong */

/* Is the message for this device in this enrolment? */
static enum err party_check(const struct trust *t, const json_t *payload)
{
	const char *device, *enrolment;
	enum err e = json_get_string(&device, payload, "device");

	if (!e)
		e = json_get_string(&enrolment, payload, "enrolment");
	if (!e && (strcmp(device, t->device) || strcmp(enrolment, t->enrolment)))
		e = ERR_MISDIRECTED;
	return e;
}

enum err servertime_take(struct volumed *v, const char *jws)
{
	JSON *payload = NULL;
	uint64_t time = 0;
	enum err e = v->trust.enrolled ? OK : ERR_STATE;

	if (!e)
		e = jws_verify(&payload, "holdfast-time", jws, &v->trust.server);
	if (!e)
		e = party_check(&v->trust, payload);
	if (!e)
		e = json_get_u64(&time, payload, "time");
	if (!e && time > RULES_CONTACT_MAX)
		e = ERR_RANGE;
	if (e)
		return volumed_about(v, e, "the server's time");
	if (time > v->server_time)
		v->server_time = time;
	return OK;
}

uint64_t servertime_known(const struct volumed *v)
{
	const json_t *enrolled = json_object_get(vstate_find(&v->state, "enrolment"), "enrolled");
	uint64_t first = v->trust.enrolled ? vstate_number(enrolled, "time") : 0;

	if (first > RULES_CONTACT_MAX)
		first = 0;
	return v->server_time > first ? v->server_time : first;
}

uint16_t servertime_today(const struct volumed *v)
{
	uint64_t now = volumed_now(), server = servertime_known(v);
	int is_believed = !server || (now > server && now - server <= AHEAD_S);
	uint64_t day = (is_believed ? now : server) / DAY_S;

	return day > UINT16_MAX ? UINT16_MAX : (uint16_t)day;
}
