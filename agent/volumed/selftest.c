#include "agent/volumed/selftest.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/volumed/bootentry.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/event.h"
#include "agent/volumed/loader.h"

enum err selftest_load(struct selftest *ret, const char *folder, int sent)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, folder, SELFTEST_REPORT, SELFTEST_BYTES_MAX);

	if (e == ERR_NOT_FOUND && sent)
		e = durable_read(&bytes, &len, folder, SELFTEST_SENT, SELFTEST_BYTES_MAX);
	if (e)
		return e == ERR_SPACE ? ERR_FORMAT : e;
	e = selftest_decode(ret, bytes, len);
	free(bytes);
	return e;
}

enum err selftest_tidy(const char *efivars, const char *folder)
{
	struct bootentry_place place;
	enum err e = durable_remove(folder, SELFTEST_REQUEST);

	if (!e)
		e = durable_remove(folder, SELFTEST_PROGRAM);
	if (e || bootentry_place(&place, efivars, folder))
		return e;
	e = bootentry_next_drop(&place, BOOTENTRY_SELFTEST, SELFTEST_PROGRAM);
	return e ? e : bootentry_remove(&place, BOOTENTRY_SELFTEST, SELFTEST_PROGRAM);
}

static json_t *tests_of(const struct selftest *s)
{
	json_t *tests = json_object();

	for (unsigned i = 0; tests && i < s->head.test_count; i++) {
		const char *key = selftest_key(s->tests[i].kind);
		char text[SELFTEST_TEXT_MAX];

		selftest_text(text, &s->tests[i]);
		if (key)
			(void)json_object_set_new(tests, key, json_string(text));
	}
	return tests;
}

static json_t *detail_of(const struct selftest *s)
{
	static const char *const totals[SELFTEST_RESULT_COUNT] = { "not all tested", "ok", "failed" };

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "result", totals[selftest_total(s)],
			 "verdict", selftest_verdict(s), "vendor", (const char *)s->head.vendor, "firmware",
			 (json_int_t)s->head.firmware, "time", (json_int_t)s->head.time, "program",
			 (const char *)s->head.program, "layout", (const char *)s->head.layout, "tests",
			 tests_of(s));
}

/* Under its other name it is not sent again. Renamed, not copied: that needs no room on a full partition. */
static enum err sent_note(const char *folder)
{
	char from[DURABLE_PATH_MAX], to[DURABLE_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, folder, SELFTEST_REPORT, SELFTEST_BYTES_MAX);

	free(bytes);
	/* Longer than any report: nothing that could be kept. */
	if (e == ERR_SPACE)
		return durable_remove(folder, SELFTEST_REPORT);
	if (!e)
		e = durable_path(from, folder, SELFTEST_REPORT);
	if (!e)
		e = durable_path(to, folder, SELFTEST_SENT);
	return e ? e : rename(from, to) ? ERR_IO : OK;
}

static enum err report_send(struct volumed *v)
{
	struct selftest s;
	LOADER_LOCK lock = -1;
	enum err e = loader_lock(&lock, v->esp.folder);

	if (!e)
		e = selftest_load(&s, v->esp.folder, 0);
	if (e == ERR_NOT_FOUND || e == ERR_IO || e == ERR_MEMORY)
		return e == ERR_NOT_FOUND ? OK : e;
	/* One that cannot be understood never will be: it is put aside all the same. */
	if (e)
		volumed_log("self-test report", err_text(e));
	e = e ? OK : event_put(NULL, v, "self-test", detail_of(&s));
	if (!e)
		e = sent_note(v->esp.folder);
	return e ? e : selftest_tidy(v->esp.efivars, v->esp.folder);
}

void selftest_settle(struct volumed *v)
{
	enum err e = v->trust.enrolled ? report_send(v) : OK;

	if (e)
		volumed_log("self-test report", err_text(e));
}
