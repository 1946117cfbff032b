/* Event log: replay of real ones against what the TPM said, what differs between two, and what is no log. */
#include "core_test.h"

#include "common/eventlog_host.h"
#include "eventlog_sample.h"

static uint8_t log_bytes[EVENTLOG_SAMPLES][EVENTLOG_SAMPLE_MAX];
static size_t log_len[EVENTLOG_SAMPLES];

static void replay_is_what_the_tpm_says(void **state)
{
	uint8_t value[EVENTLOG_DIGEST_BYTES];
	char hex[2 * sizeof(value) + 1];

	(void)state;
	for (int i = 0; i < EVENTLOG_SAMPLES; i++)
		for (int j = 0; j < EVENTLOG_SAMPLE_PCRS; j++) {
			unsigned pcr = eventlog_samples[i].pcrs[j].pcr;

			expect(eventlog_samples[i].why, OK,
			       eventlog_pcr(value, log_bytes[i], log_len[i], pcr));
			sodium_bin2hex(hex, sizeof(hex), value, sizeof(value));
			if (strcmp(hex, eventlog_samples[i].pcrs[j].hex))
				fail_msg("%s: PCR %u replays to %s", eventlog_samples[i].why, pcr, hex);
		}
	expect("no such PCR", ERR_RANGE,
	       eventlog_pcr(value, log_bytes[0], log_len[0], EVENTLOG_PCRS));
}

static void names_of_pcr_7(void **state)
{
	static const char *const want[] = { "SecureBoot", "PK", "KEK", "db", "dbx", "separator" };
	char name[EVENTLOG_NAME_MAX];
	struct eventlog_event x;
	struct eventlog l;
	size_t n = 0;

	(void)state;
	expect("log", OK, eventlog_begin(&l, log_bytes[0], log_len[0]));
	while (!eventlog_next(&x, &l)) {
		eventlog_name(name, &x);
		if (x.pcr != 7)
			continue;
		assert_true(n < COUNT(want));
		assert_string_equal(name, want[n++]);
	}
	assert_int_equal(n, COUNT(want));
}

/* Its data is a variable's name and content, made here. */
static size_t variable_data(uint8_t ret[static 128], const char *name, uint64_t characters,
			    uint64_t bytes, size_t content)
{
	struct writer w = writer_over(ret, 128);

	writer_bytes(&w, "GUID of 16 bytes", 16);
	writer_u64(&w, characters);
	writer_u64(&w, bytes);
	for (; *name; name++)
		writer_u16(&w, (uint8_t)*name);
	for (; content; content--)
		writer_u8(&w, 0xcc);
	return 128 - w.left;
}

static void hostile_names(void **state)
{
	static const struct {
		const char *why;
		uint32_t type;
		const char *name;
		uint64_t characters, bytes;
		size_t content;
		const char *want;
	} rows[] = {
		{ "a variable", EVENTLOG_VARIABLE, "db", 2, 5, 5, "db" },
		{ "who vouched", EVENTLOG_VARIABLE_AUTHORITY, "db", 2, 5, 5, "signer in db" },
		{ "no name", EVENTLOG_VARIABLE, "", 0, 5, 5, "event 0x80000001" },
		{ "longer than there is", EVENTLOG_VARIABLE, "db", 40, 5, 5, "event 0x80000001" },
		{ "longer than any name", EVENTLOG_VARIABLE, "db", 64, 5, 5, "event 0x80000001" },
		{ "a length that wraps around", EVENTLOG_VARIABLE, "db", UINT64_MAX, 5, 5, "event 0x80000001" },
		{ "half of that", EVENTLOG_VARIABLE, "db", (uint64_t)1 << 63, 5, 5, "event 0x80000001" },
		{ "content longer than there is", EVENTLOG_VARIABLE, "db", 2, 6, 5, "event 0x80000001" },
		{ "content shorter", EVENTLOG_VARIABLE, "db", 2, 4, 5, "event 0x80000001" },
		{ "content without end", EVENTLOG_VARIABLE, "db", 2, UINT64_MAX, 5, "event 0x80000001" },
		{ "an escape sequence", EVENTLOG_VARIABLE, "d\x1b[2J", 5, 5, 5, "event 0x80000001" },
		{ "a signer's escape sequence", EVENTLOG_VARIABLE_AUTHORITY, "d\x1b[2J", 5, 5, 5,
		  "event 0x800000e0" },
		{ "another type", 0x0d, "db", 2, 5, 5, "event 0xd" },
		{ "a binary action", EVENTLOG_ACTION, "db", 2, 5, 5, "event 0x80000007" },
	};
	char name[EVENTLOG_NAME_MAX];
	uint8_t data[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = variable_data(data, rows[i].name, rows[i].characters, rows[i].bytes,
					   rows[i].content);
		const struct eventlog_event x = { .type = rows[i].type, .data = data, .len = (uint32_t)len };

		eventlog_name(name, &x);
		if (strcmp(name, rows[i].want))
			fail_msg("%s: \"%s\"", rows[i].why, name);
	}
	eventlog_name(name, &(struct eventlog_event){ .type = EVENTLOG_ACTION, .data = data });
	assert_string_equal(name, "event 0x80000007");
	eventlog_name(name, &(struct eventlog_event){ .type = EVENTLOG_ACTION,
						      .data = (const uint8_t *)"UEFI Debug Mode", .len = 15 });
	assert_string_equal(name, "UEFI Debug Mode");
	memset(data, 'a', sizeof(data));
	for (uint32_t len = 0; len <= sizeof(data); len++) {
		eventlog_name(name, &(struct eventlog_event){ .type = EVENTLOG_ACTION, .data = data, .len = len });
		assert_int_equal(strlen(name) == len, len > 0 && (len < EVENTLOG_NAME_MAX || len == 16));
	}
}

static void every_length(void **state)
{
	uint8_t value[EVENTLOG_DIGEST_BYTES];
	struct eventlog_event x;
	struct eventlog l;
	size_t whole = 0, ends = 1;

	(void)state;
	expect("log", OK, eventlog_begin(&l, log_bytes[0], log_len[0]));
	while (!eventlog_next(&x, &l))
		ends++;
	for (size_t len = 0; len <= log_len[0]; len++) {
		uint8_t *bytes = malloc(len ? len : 1);
		enum err e;

		memcpy(bytes, log_bytes[0], len);
		e = eventlog_pcr(value, bytes, len, 7);
		free(bytes);
		if (e && e != ERR_FORMAT)
			fail_msg("%zu bytes: %s", len, err_name(e));
		whole += !e;
	}
	/* A log may be cut between two events, nowhere else. */
	assert_int_equal(whole, ends);
}

/* Places in the log: head 0 to 31, then the spec ID: banks' number at 56, banks from 60, vendor's length at 76;
 * the first event at 77: its number of digests at 85, the first algorithm at 89. */
static void damaged(void **state)
{
	static const struct damage rows[] = {
		{ "PCR of the first event", 0, "\1", 1, ERR_FORMAT },
		{ "type of the first event", 4, "\1", 1, ERR_FORMAT },
		{ "size of the first event", 28, "\x2c", 1, ERR_FORMAT },
		{ "a size beyond the end", 28, "\xff\xff\xff\xff", 4, ERR_FORMAT },
		{ "signature of the old format", 32, "Spec ID Event02", 15, ERR_FORMAT },
		{ "no banks", 56, "\0", 1, ERR_FORMAT },
		{ "four milliards of banks", 56, "\xff\xff\xff\xff", 4, ERR_FORMAT },
		{ "one bank more than there are", 56, "\5", 1, ERR_FORMAT },
		{ "SHA-256 with another length", 66, "\x21", 1, ERR_FORMAT },
		{ "a bank twice", 64, "\4\0\x14\0", 4, ERR_FORMAT },
		{ "no SHA-256", 64, "\x12\0\x20\0", 4, ERR_UNSUPPORTED },
		{ "unknown algorithm without length", 64, "\x77\x77\0\0", 4, ERR_FORMAT },
		{ "unknown algorithm that is too long", 64, "\x77\x77\x41\0", 4, ERR_FORMAT },
		{ "vendor's bytes that are not there", 76, "\1", 1, ERR_FORMAT },
		{ "PCR 24", 77, "\x18", 1, ERR_FORMAT },
		{ "three digests of four", 85, "\3", 1, ERR_FORMAT },
		{ "a digest of an unknown algorithm", 89, "\x77", 1, ERR_FORMAT },
		{ "the same algorithm twice", 89, "\xb", 1, ERR_FORMAT },
	};
	uint8_t bytes[EVENTLOG_SAMPLE_MAX], value[EVENTLOG_DIGEST_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(bytes, log_bytes[0], log_len[0]);
		damage_apply(bytes, &rows[i]);
		memset(value, 0xa5, sizeof(value));
		expect(rows[i].why, rows[i].want, eventlog_pcr(value, bytes, log_len[0], 7));
		for (size_t j = 0; j < sizeof(value); j++)
			assert_int_equal(value[j], 0xa5);
	}
	expect("a log that is too long", ERR_RANGE,
	       eventlog_pcr(value, log_bytes[0], EVENTLOG_BYTES_MAX + 1, 7));
}

static void changes(const char *want, int before, int after, unsigned pcr)
{
	char text[EVENTLOG_TEXT_MAX];

	expect(want, OK, eventlog_changes(text, log_bytes[before], log_len[before], log_bytes[after],
					  log_len[after], pcr));
	assert_string_equal(text, want);
}

static void what_changed(void **state)
{
	char text[EVENTLOG_TEXT_MAX] = "untouched";

	(void)state;
	changes("", EVENTLOG_PLAIN, EVENTLOG_PLAIN, 7);
	changes("SecureBoot changed, PK changed, KEK changed, db changed, dbx changed", EVENTLOG_PLAIN,
		EVENTLOG_SECURE, 7);
	changes("", EVENTLOG_PLAIN, EVENTLOG_SECURE, 6);
	expect("no log", ERR_FORMAT, eventlog_changes(text, log_bytes[0], log_len[0], log_bytes[1], 40, 7));
	assert_string_equal(text, "untouched");
}

/* Appends an event with a digest of each bank to the plain log. */
static void append(uint8_t *bytes, size_t *len, uint32_t type, const char *name, uint8_t content)
{
	static const uint16_t banks[4][2] = { { 4, 20 }, { 0xb, 32 }, { 0xc, 48 }, { 0xd, 64 } };
	struct writer w = writer_over(bytes + *len, 512);
	uint8_t data[128], digest[64] = { content };
	size_t n = variable_data(data, name, strlen(name), 1, 1);

	writer_u32(&w, 7);
	writer_u32(&w, type);
	writer_u32(&w, 4);
	for (int i = 0; i < 4; i++) {
		writer_u16(&w, banks[i][0]);
		writer_bytes(&w, digest, banks[i][1]);
	}
	writer_u32(&w, (uint32_t)n);
	writer_bytes(&w, data, n);
	*len += 512 - w.left;
}

static void added_and_gone(void **state)
{
	static uint8_t bytes[EVENTLOG_SAMPLE_MAX + 200 * 512];
	char text[EVENTLOG_TEXT_MAX], name[16];
	size_t len = log_len[0];

	(void)state;
	memcpy(bytes, log_bytes[0], len);
	append(bytes, &len, EVENTLOG_VARIABLE_AUTHORITY, "db", 1);
	expect("added", OK, eventlog_changes(text, log_bytes[0], log_len[0], bytes, len, 7));
	assert_string_equal(text, "signer in db added");
	expect("gone", OK, eventlog_changes(text, bytes, len, log_bytes[0], log_len[0], 7));
	assert_string_equal(text, "signer in db gone");
	append(bytes, &len, EVENTLOG_VARIABLE, "db", 2);
	expect("a second db", OK, eventlog_changes(text, log_bytes[0], log_len[0], bytes, len, 7));
	assert_string_equal(text, "db changed, signer in db added");
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		append(bytes, &len, EVENTLOG_VARIABLE, name, 3);
	}
	expect("hundreds", OK, eventlog_changes(text, log_bytes[0], log_len[0], bytes, len, 7));
	assert_true(strlen(text) < EVENTLOG_TEXT_MAX);
	assert_non_null(strstr(text, "v9 added, "));
	assert_string_equal(text + strlen(text) - 3, "\xe2\x80\xa6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_is_what_the_tpm_says),
		cmocka_unit_test(names_of_pcr_7),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(every_length),
		cmocka_unit_test(damaged),
		cmocka_unit_test(what_changed),
		cmocka_unit_test(added_and_gone),
	};

	for (int i = 0; i < EVENTLOG_SAMPLES; i++)
		log_len[i] = eventlog_sample(log_bytes[i], i);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
