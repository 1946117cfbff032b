/* Event logs: every event lies inside of the log behind the one before it, replay and names stay in their bounds,
 * and a log differs from itself in nothing. */
#include "core_fuzz.h"

#include "common/eventlog_host.h"
#include "tests/unit/eventlog_sample.h"

static int try(const uint8_t *bytes, size_t len)
{
	uint8_t value[EVENTLOG_DIGEST_BYTES];
	char text[EVENTLOG_TEXT_MAX], name[EVENTLOG_NAME_MAX];
	const uint8_t *at = bytes;
	struct eventlog_event x;
	struct eventlog l;
	enum err e = eventlog_begin(&l, bytes, len);

	while (!e && !(e = eventlog_next(&x, &l))) {
		if (x.data < at || x.data + x.len > bytes + len)
			abort();
		at = x.data + x.len;
		eventlog_name(name, &x);
		for (const char *c = name; *c; c++)
			if (*c < ' ' || *c > '~')
				abort();
	}
	for (unsigned pcr = 0; pcr < EVENTLOG_PCRS; pcr++)
		if (eventlog_pcr(value, bytes, len, pcr) != (e == ERR_NOT_FOUND ? OK : e))
			abort();
	if (e != ERR_NOT_FOUND)
		return 0;
	if (at != bytes + len || eventlog_changes(text, bytes, len, bytes, len, 7) || text[0])
		abort();
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t bytes[EVENTLOG_SAMPLE_MAX];

	(void)argc;
	fuzz_begin();
	for (int i = 0; i < EVENTLOG_SAMPLES; i++) {
		size_t len = eventlog_sample(bytes, i);

		if (!try(bytes, len))
			abort();
		fuzz_seed(*argv, i ? "secure" : "plain", bytes, len);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t sample[EVENTLOG_SAMPLE_MAX];
	static size_t sample_len;
	char text[EVENTLOG_TEXT_MAX] = "";
	uint8_t *bytes = fuzz_copy(data, len);

	if (!sample_len)
		sample_len = eventlog_sample(sample, EVENTLOG_PLAIN);
	try(bytes, len);
	if (!eventlog_changes(text, sample, sample_len, bytes, len, 7) && !memchr(text, 0, sizeof(text)))
		abort();
	free(bytes);
	return 0;
}
