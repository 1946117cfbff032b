#include "release.h"

#include <stdio.h>
#include <string.h>

#include "common/escrow_host.h"

static const json_t *records(const struct laptop *p)
{
	return json_object_get(p->detail, "escrow");
}

static int has_text(const json_t *o, const char *name, const char *text)
{
	const char *found = json_string_value(json_object_get(o, name));

	return found && !strcmp(found, text);
}

const json_t *release_find(const struct laptop *p, const char *kind, uint16_t number)
{
	const json_t *record;
	size_t i;

	json_array_foreach(records(p), i, record)
		if (has_text(record, "kind", kind) && json_is_true(json_object_get(record, "current")) &&
		    json_integer_value(json_object_get(record, "number")) == number)
			return record;
	return NULL;
}

const json_t *release_by_id(const struct laptop *p, const char *id)
{
	const json_t *record;
	size_t i;

	json_array_foreach(records(p), i, record)
		if (has_text(record, "id", id))
			return record;
	return NULL;
}

/* The server says which record this is; the signed message inside must say the same. */
static enum err check_record(const struct escrow *opened, const struct laptop *p, const json_t *asked)
{
	if (strcmp(opened->device, p->device))
		return ERR_MISDIRECTED;
	if (!has_text(asked, "id", opened->id) || !has_text(asked, "purpose", opened->purpose) ||
	    !has_text(asked, "kind", opened->kind) ||
	    json_integer_value(json_object_get(asked, "number")) != opened->number)
		return ERR_CHANGED;
	return OK;
}

static enum err open_record(struct secret *ret, struct link *l, const struct laptop *p, const json_t *asked,
			    const json_t *answer)
{
	SECRET struct secret code = { 0 };
	AGREE_SK key = { 0 };
	struct escrow opened = { 0 };
	const char *jws, *purpose = json_string_value(json_object_get(asked, "purpose"));
	enum err e = json_get_string(&jws, answer, "record");

	if (!e)
		e = link_escrow_key(&key, l, purpose ? purpose : "");
	if (!e)
		e = escrow_open(&code, &opened, jws, &p->attestation, &key);
	if (!e)
		e = check_record(&opened, p, asked);
	if (!e && strcmp(opened.enrolment, p->enrolment))
		fprintf(stderr, "holdfast-ctl: note: %s made this record in an earlier enrolment: it may open nothing "
				"today\n", p->name);
	escrow_drop(&opened);
	if (e)
		return e;
	*ret = code;
	code = (struct secret){ 0 };
	return OK;
}

int release_open(struct secret *ret_code, struct link *l, const struct laptop *p, const json_t *record,
		 const char *reason)
{
	const char *id = json_string_value(json_object_get(record, "id"));
	JSON *body = json_pack("{s:s}", "reason", reason);
	JSON *answer = NULL;
	char path[160];
	enum err e;
	int status;

	if (!id || !body)
		return ctl_fail(ERR_FORMAT, "escrow record of %s", p->name);
	snprintf(path, sizeof path, "/v1/devices/%s/escrow/%.64s/release", p->device, id);
	status = link_call(&answer, l, "POST", path, body, LINK_TIMEOUT_MS);
	if (status)
		return status;
	e = open_record(ret_code, l, p, record, answer);
	return e ? ctl_fail(e, "opening escrow record %s of %s", id, p->name) : CTL_DONE;
}
