/* Server time: which messages count, and which clock is believed. */
#include "tests/unit/jose_fixture.h"

#include "agent/volumed/servertime.h"

#define DAY_S 86400
#define AHEAD_DAYS (3 * 366)

static struct volumed laptop(void)
{
	struct volumed v = { .trust = { .enrolled = 1, .server = signer_pk(2), .device = DEVICE,
					.enrolment = ENROLMENT } };

	return v;
}

static char *said(const char *payload, uint8_t signer_number)
{
	struct sign_sk sk = signer(signer_number);
	JSON *o = NULL;
	char *jws = NULL;

	assert_ok(json_parse(&o, payload, strlen(payload)));
	assert_ok(jws_sign(&jws, "holdfast-time", o, &sk));
	return jws;
}

#define FOR(device, enrolment, time) \
	"{\"device\":\"" device "\",\"enrolment\":\"" enrolment "\",\"time\":" time "}"

static void test_messages(void **state)
{
	static const struct {
		const char *why, *payload;
		uint8_t signer;
		enum err want;
		uint64_t known; /* after it; 500 before */
	} rows[] = {
		{ "later", FOR(DEVICE, ENROLMENT, "501"), 2, OK, 501 },
		{ "the same", FOR(DEVICE, ENROLMENT, "500"), 2, OK, 500 },
		{ "earlier", FOR(DEVICE, ENROLMENT, "499"), 2, OK, 500 },
		{ "by the root", FOR(DEVICE, ENROLMENT, "501"), 1, ERR_SIGNATURE, 500 },
		{ "for another enrolment", FOR(DEVICE, DEVICE, "501"), 2, ERR_MISDIRECTED, 500 },
		{ "for another device", FOR(ENROLMENT, ENROLMENT, "501"), 2, ERR_MISDIRECTED, 500 },
		{ "the end of the year 9999", FOR(DEVICE, ENROLMENT, "253402300799"), 2, OK, 253402300799 },
		{ "a second later", FOR(DEVICE, ENROLMENT, "253402300800"), 2, ERR_RANGE, 500 },
		{ "negative", FOR(DEVICE, ENROLMENT, "-1"), 2, ERR_FORMAT, 500 },
		{ "text", FOR(DEVICE, ENROLMENT, "\"501\""), 2, ERR_FORMAT, 500 },
		{ "no device", "{\"enrolment\":\"" ENROLMENT "\",\"time\":501}", 2, ERR_FORMAT, 500 },
		{ "no time", "{\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\"}", 2, ERR_FORMAT, 500 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct volumed v = laptop();
		TEXT *jws = said(rows[i].payload, rows[i].signer);

		v.server_time = 500;
		assert_err(rows[i].why, servertime_take(&v, jws), rows[i].want);
		assert_int_equal(servertime_known(&v), rows[i].known);
	}
}

static void test_not_enrolled(void **state)
{
	struct volumed v = laptop();
	TEXT *jws = said(FOR(DEVICE, ENROLMENT, "501"), 2);

	(void)state;
	v.trust.enrolled = 0;
	assert_err("nobody's server", servertime_take(&v, jws), ERR_STATE);
	assert_int_equal(servertime_known(&v), 0);
}

static void test_today(void **state)
{
	static const struct {
		const char *why;
		int server_days; /* before the laptop's clock; 0 with no server */
		int believed;
	} rows[] = {
		{ "no server's time", 0, 1 },
		{ "ten days ago", 10, 1 },
		{ "nearly three years ago", AHEAD_DAYS - 1, 1 },
		{ "more than three years ago: the laptop's clock is ahead", AHEAD_DAYS + 1, 0 },
		{ "the laptop's clock is behind", -5, 0 },
	};
	uint64_t now = volumed_now();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct volumed v = laptop();
		uint64_t server = now - (uint64_t)((int64_t)rows[i].server_days * DAY_S);
		uint16_t want = (uint16_t)((rows[i].believed ? now : server) / DAY_S), today;

		v.server_time = rows[i].server_days ? server : 0;
		today = servertime_today(&v);
		/* midnight may come in between */
		if (today != want && today != want + 1)
			fail_msg("%s: day %u instead of %u", rows[i].why, today, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages), cmocka_unit_test(test_not_enrolled),
		cmocka_unit_test(test_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
