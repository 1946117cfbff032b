#include "agent/volumed/event.h"

#include <stdio.h>
#include <string.h>

static enum err event_sign(char **ret, const struct volumed *v, const char *id, const char *kind,
			   uint64_t when, json_t *detail)
{
	JSON *payload = json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "id", id, "kind", kind,
				  "device", v->device, "enrolment", v->trust.enrolment, "time",
				  (json_int_t)when, "detail", detail);

	return payload ? jws_sign(ret, "holdfast-event", payload, &v->attestation) : ERR_MEMORY;
}

static enum err event_put_at(char *ret_id, struct volumed *v, const char *kind, uint64_t when,
			     json_t *detail)
{
	JSON *owned = detail ? detail : json_object();
	TEXT *jws = NULL;
	char id[33];
	enum err e;

	if (ret_id)
		*ret_id = '\0';
	if (!v->trust.enrolled)
		return OK;
	volumed_id(id);
	e = owned ? event_sign(&jws, v, id, kind, when, owned) : ERR_MEMORY;
	if (!e)
		e = outbox_put(&v->outbox, IPC_OUTBOX_EVENT, id, jws);
	if (e) {
		volumed_log("an event was not recorded", err_text(e));
		return e;
	}
	v->notify = 1;
	if (ret_id)
		memcpy(ret_id, id, sizeof(id));
	return OK;
}

enum err event_put(char *ret_id, struct volumed *v, const char *kind, json_t *detail)
{
	return event_put_at(ret_id, v, kind, volumed_now(), detail);
}

void event_tell(struct volumed *v, const char *kind, json_t *detail)
{
	event_tell_at(v, kind, volumed_now(), detail);
}

void event_tell_at(struct volumed *v, const char *kind, uint64_t when, json_t *detail)
{
	enum err e = event_put_at(NULL, v, kind, when, detail);

	(void)e;
}

static enum err user_cert(char **ret, const struct volumed *v, const struct record *r,
			  const char *enterprise)
{
	struct cert c = { .role = "user" };
	const char *method = bootfacts_method(r->kind);
	char id[33];

	if (!method)
		return ERR_FORMAT;
	hex_encode(id, r->id, sizeof(r->id));
	(void)snprintf(c.subject, sizeof(c.subject), "%s/%s/%s", (const char *)r->user, id, method);
	(void)snprintf(c.enterprise, sizeof(c.enterprise), "%s", enterprise);
	memcpy(c.sign.bytes, r->user_pk, KEY_BYTES);
	/* No end, and a beginning that a wrong clock cannot put into the future. */
	return cert_sign(ret, &c, &v->attestation);
}

static int booted_by(const struct volumed *v, const struct record *r)
{
	char id[33];

	hex_encode(id, r->id, sizeof(r->id));
	return !strcmp(id, v->boot.credential);
}

/* Of the one that started the laptop, or of the others. */
static enum err certs_add(json_t *certs, const struct volumed *v, const struct store *s,
			  const char *enterprise, int booted)
{
	for (uint32_t i = 0; i < s->head.record_count; i++) {
		TEXT *jws = NULL;

		if (booted_by(v, &s->records[i]) != booted ||
		    json_array_size(certs) == EVENT_CERTS_MAX ||
		    user_cert(&jws, v, &s->records[i], enterprise))
			continue;
		if (json_array_append_new(certs, json_string(jws)))
			return ERR_MEMORY;
	}
	return OK;
}

json_t *event_user_certs(const struct volumed *v, const struct store *s, const char *enterprise)
{
	JSON *certs = json_array();

	if (!certs || certs_add(certs, v, s, enterprise, 1) || certs_add(certs, v, s, enterprise, 0))
		return NULL;
	return json_incref(certs);
}

void event_more_users(struct volumed *v, const struct store *s)
{
	if (s->head.record_count <= EVENT_CERTS_MAX)
		return;
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (credential_is_login(s->records[i].kind))
			event_credential(v, "user-added", &s->records[i]);
}

void event_credential(struct volumed *v, const char *kind, const struct record *r)
{
	const char *method = bootfacts_method(r->kind);
	TEXT *cert = NULL;
	char id[33];

	if (!v->trust.enrolled || !method || user_cert(&cert, v, r, v->trust.enterprise))
		return;
	hex_encode(id, r->id, sizeof(r->id));
	event_tell(v, kind, json_pack("{s:s, s:s, s:s, s:s}", "user", (const char *)r->user,
				      "credential", id, "method", method, "cert", cert));
}
