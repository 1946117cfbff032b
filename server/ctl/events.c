#include "events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DETAIL_MAX 160

/* One event as it is shown, from the laptop's signed message alone, but for when it arrived. */
static enum err event_read(json_t **ret, const json_t *item, const struct laptop *p)
{
	JSON *event = NULL;
	const char *jws, *kind, *device;
	json_t *detail;
	uint64_t when, received;
	enum err e = json_get_string(&jws, item, "event");

	if (!e)
		e = json_get_u64(&received, item, "received");
	if (!e)
		e = jws_verify(&event, "holdfast-event", jws, &p->attestation);
	if (!e)
		e = json_get_string(&kind, event, "kind");
	if (!e)
		e = json_get_string(&device, event, "device");
	if (!e)
		e = json_get_u64(&when, event, "time");
	if (!e)
		e = json_get_object(&detail, event, "detail");
	if (!e && strcmp(device, p->device))
		e = ERR_MISDIRECTED;
	if (e)
		return e;
	*ret = json_pack("{s:I, s:I, s:s, s:O}", "time", (json_int_t)when, "received",
			 (json_int_t)received, "kind", kind, "detail", detail);
	return *ret ? OK : ERR_MEMORY;
}

static enum err page_take(json_t *all, uint64_t *ret_before, const json_t *page, const struct laptop *p,
			  unsigned last)
{
	const json_t *item;
	enum err e = OK;
	size_t i;

	json_array_foreach(page, i, item) {
		json_t *one = NULL;

		if (json_array_size(all) == last)
			return OK;
		e = json_get_u64(ret_before, item, "n");
		if (!e)
			e = event_read(&one, item, p);
		if (!e && json_array_append_new(all, one))
			e = ERR_MEMORY;
		if (e)
			return e;
	}
	return OK;
}

static void print_event(const json_t *event)
{
	TEXT *detail = json_dumps(json_object_get(event, "detail"), JSON_COMPACT);
	time_t when = (time_t)json_integer_value(json_object_get(event, "time"));
	char shown[DETAIL_MAX], kind[48], text[32] = "at an unknown time";
	struct tm tm;

	if (gmtime_r(&when, &tm))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
	printf("%s  %-26s %s\n", text,
	       ctl_plain(kind, sizeof kind, json_string_value(json_object_get(event, "kind"))),
	       ctl_plain(shown, sizeof shown, detail ? detail : ""));
}

/* A report has a line for each test. */
static void print_tests(const json_t *event)
{
	const json_t *detail = json_object_get(event, "detail"), *result;
	const char *name, *verdict = json_string_value(json_object_get(detail, "verdict"));
	char left[48], right[DETAIL_MAX];

	printf("    %s\n", ctl_plain(right, sizeof right, verdict ? verdict : ""));
	json_object_foreach((json_t *)(uintptr_t)json_object_get(detail, "tests"), name, result) {
		const char *text = json_string_value(result);

		printf("    %-24s %s\n", ctl_plain(left, sizeof left, name),
		       ctl_plain(right, sizeof right, text ? text : ""));
	}
}

static int print_all(const struct ctl *ctl, const json_t *all)
{
	const json_t *event;
	size_t i;

	if (ctl->json) {
		if (json_dumpf(all, stdout, JSON_INDENT(2)))
			return CTL_FAILED;
		puts("");
		return CTL_DONE;
	}
	json_array_foreach(all, i, event) {
		print_event(event);
		if (!strcmp(json_string_value(json_object_get(event, "kind")), "self-test"))
			print_tests(event);
	}
	return CTL_DONE;
}

int events_show(const struct ctl *ctl, struct link *l, const struct laptop *p, unsigned last)
{
	JSON *all = json_array();
	uint64_t before = 0;
	int more = 1;

	while (more && json_array_size(all) < last) {
		JSON *answer = NULL;
		json_t *page = NULL;
		char path[96];
		enum err e;
		int status;

		snprintf(path, sizeof path, before ? "/v1/devices/%s/events?before=%" PRIu64
						   : "/v1/devices/%s/events", p->device, before);
		status = link_call(&answer, l, "GET", path, NULL, LINK_TIMEOUT_MS);
		if (status)
			return status;
		e = json_get_array(&page, answer, "events");
		if (!e)
			e = page_take(all, &before, page, p, last);
		if (e)
			return ctl_fail(e, "an event, as the server shows it, against the key of %s", p->name);
		more = json_is_true(json_object_get(answer, "more")) && json_array_size(page);
	}
	return print_all(ctl, all);
}
