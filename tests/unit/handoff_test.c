/* Hand-off: round trip, bounds, and keys that are gone when they should be. */
#include "core_test.h"

#include "common/handoff.h"
#include "core_sample.h"
#include "stack_probe.h"

#define HEAD 280
#define MANIFEST (HEAD + 2 * 8)

static void encode(uint8_t *ret, size_t *ret_len)
{
	const struct handoff h = sample_handoff();

	expect("encode", OK, handoff_encode(ret, ret_len, &h));
}

static void round_trip(void **state)
{
	uint8_t bytes[HANDOFF_BYTES_MAX], again[HANDOFF_BYTES_MAX];
	size_t len, again_len;
	HANDOFF h = { 0 };

	(void)state;
	encode(bytes, &len);
	expect("decode", OK, handoff_decode(&h, bytes, len));
	assert_int_equal(h.head.event_count, 2);
	assert_int_equal(h.events[0].kind, PREBOOT_WRONG_PASSWORD);
	assert_int_equal(h.head.unlock_key[31], 0x55);
	assert_string_equal((char *)h.head.user, "anna");
	assert_int_equal(h.manifest.volume_count, 1);
	expect("encode again", OK, handoff_encode(again, &again_len, &h));
	assert_int_equal(len, again_len);
	assert_memory_equal(bytes, again, len);
}

static void stripped(void **state)
{
	uint8_t bytes[HANDOFF_BYTES_MAX];
	size_t len;
	HANDOFF h = sample_handoff();

	(void)state;
	handoff_strip(&h);
	assert_true(sodium_is_zero(h.head.unlock_key, 32));
	assert_true(sodium_is_zero(h.head.user_seed, 32));
	expect("encode", OK, handoff_encode(bytes, &len, &h));
	expect("decode", OK, handoff_decode(&h, bytes, len));
	assert_int_equal(h.head.flags, HANDOFF_NO_KEYS);
	bytes[160] = 1;
	expect("an unlock key in spite of it", ERR_FORMAT, handoff_decode(&h, bytes, len));
	bytes[160] = 0;
	bytes[192 + 31] = 1;
	expect("a user key in spite of it", ERR_FORMAT, handoff_decode(&h, bytes, len));
	h.head.user_seed[0] = 1;
	expect("to write such a thing", ERR_RANGE, handoff_encode(bytes, &len, &h));
}

static void lengths(void **state)
{
	uint8_t bytes[HANDOFF_BYTES_MAX] = { 0 };
	struct handoff h;
	size_t full;

	(void)state;
	encode(bytes, &full);
	memset(&h, 0xa5, sizeof(h));
	for (size_t len = 0; len <= full + 1; len++)
		if (len != full)
			expect("wrong length", ERR_FORMAT, handoff_decode(&h, bytes, len));
	assert_true(untouched(&h, sizeof(h)));
}

static const struct damage damages[] = {
	{ "another magic", 7, "2", 1, ERR_FORMAT },
	{ "version 0", 8, "\0\0", 2, ERR_FORMAT },
	{ "version 2", 8, "\2\0", 2, ERR_VERSION },
	{ "an unknown flag", 10, "\2", 1, ERR_FORMAT },
	{ "flag and keys", 10, "\1", 1, ERR_FORMAT },
	{ "another total", 12, "\1", 1, ERR_FORMAT },
	{ "kind 0", 72, "\0", 1, ERR_FORMAT },
	{ "an unknown kind", 72, "\7", 1, ERR_FORMAT },
	{ "a code with a user", 72, "\2", 1, ERR_FORMAT },
	{ "TPM and PIN with a number", 72, "\4\0\1", 3, ERR_FORMAT },
	{ "TPM and PIN of nobody", 72, "\4\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "TPM and password of nobody", 72, "\5\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "self-help of nobody", 72, "\6\0\0\0\0\0\0\0", 8, ERR_FORMAT },
	{ "a fifth loader", 236, "\5", 1, ERR_RANGE },
	{ "an unknown bit of trust", 238, "\x10", 1, ERR_FORMAT },
	{ "an unknown high bit of trust", 239, "\x80", 1, ERR_FORMAT },
	{ "reserved bytes in use", 279, "\1", 1, ERR_FORMAT },
	{ "a fifth target", 73, "\4", 1, ERR_RANGE },
	{ "a password with a number", 74, "\1", 1, ERR_FORMAT },
	{ "a password of nobody", 76, "\0\0\0\0", 4, ERR_FORMAT },
	{ "a user with an escape", 76, "\x1b", 1, ERR_FORMAT },
	{ "a user's name without an end", 139, "x", 1, ERR_FORMAT },
	{ "more events than there are", 224, "\3", 1, ERR_FORMAT },
	{ "65 events", 224, "\x41", 1, ERR_RANGE },
	{ "events that overflow", 224, "\xff\xff\xff\xff", 4, ERR_RANGE },
	{ "a manifest too large", 228, "\xff\xff", 2, ERR_RANGE },
	{ "a manifest of another length", 228, "\0\0", 2, ERR_FORMAT },
	{ "another manifest magic", MANIFEST, "X", 1, ERR_FORMAT },
	{ "a manifest of version 2", MANIFEST + 8, "\2", 1, ERR_VERSION },
	{ "a target outside the folder", MANIFEST + 16, "..", 2, ERR_RANGE },
};

static void damaged(void **state)
{
	uint8_t good[HANDOFF_BYTES_MAX], bytes[HANDOFF_BYTES_MAX];
	struct handoff h;
	size_t len;

	(void)state;
	encode(good, &len);
	memset(&h, 0xa5, sizeof(h));
	for (size_t i = 0; i < COUNT(damages); i++) {
		memcpy(bytes, good, len);
		damage_apply(bytes, &damages[i]);
		expect(damages[i].why, damages[i].want, handoff_decode(&h, bytes, len));
	}
	assert_true(untouched(&h, sizeof(h)));
}

/* What the firmware vouched for, and who got in by which way. */
static void trust(void **state)
{
	static const struct damage rows[] = {
		{ "TPM and PIN", 72, "\4", 1, OK },
		{ "TPM and password", 72, "\5", 1, OK },
		{ "self-help", 72, "\6", 1, OK },
		{ "all that can be said", 236, "\4\4\xf", 3, OK },
		{ "a PCR and a time", 240, "01234567890123456789012345678901\x84\3", 34, OK },
	};
	uint8_t bytes[HANDOFF_BYTES_MAX], again[HANDOFF_BYTES_MAX];
	HANDOFF h = { 0 };
	size_t len, again_len;

	(void)state;
	encode(bytes, &len);
	for (size_t i = 0; i < COUNT(rows); i++) {
		damage_apply(bytes, &rows[i]);
		expect(rows[i].why, rows[i].want, handoff_decode(&h, bytes, len));
		expect(rows[i].why, OK, handoff_encode(again, &again_len, &h));
		assert_int_equal(len, again_len);
		assert_memory_equal(bytes, again, len);
	}
	assert_int_equal(h.head.kind, CREDENTIAL_SELF_HELP);
	assert_int_equal(h.head.loader, HANDOFF_LOADER_REMOVABLE);
	assert_int_equal(h.head.processors, 4);
	assert_int_equal(h.head.trust, HANDOFF_SECURE_BOOT | HANDOFF_TPM | HANDOFF_CAPPED | HANDOFF_VOUCHED);
	assert_int_equal(h.head.pcr7[31], '1');
	assert_int_equal(h.head.tpm_ms, 900);
}

static void largest(void **state)
{
	uint8_t bytes[HANDOFF_BYTES_MAX];
	HANDOFF h = sample_handoff();
	size_t len;

	(void)state;
	h.head.event_count = HANDOFF_EVENTS_MAX;
	h.manifest.target_count = 0;
	h.manifest.volume_count = MANIFEST_VOLUMES_MAX;
	for (size_t i = 1; i < MANIFEST_VOLUMES_MAX; i++)
		h.manifest.volumes[i] = h.manifest.volumes[0];
	expect("full", OK, handoff_encode(bytes, &len, &h));
	expect("full", OK, handoff_decode(&h, bytes, len));
	h.head.event_count++;
	expect("one event too many", ERR_RANGE, handoff_encode(bytes, &len, &h));
	h.head.event_count = 0;
	h.manifest.volume_count++;
	expect("one volume too many", ERR_RANGE, handoff_encode(bytes, &len, &h));
}

/* An event keeps its number for ever; its text is its kind at the server. */
static void event_texts(void **state)
{
	static const char *const texts[] = {
#define X(name, number, text) text,
		PREBOOT_EVENT_LIST(X)
#undef X
	};
	size_t known = 0;

	(void)state;
	for (uint32_t kind = 0; kind <= UINT16_MAX; kind++)
		known += preboot_event_text((uint16_t)kind) != NULL;
	assert_int_equal(known, COUNT(texts));
	for (size_t a = 0; a < COUNT(texts); a++)
		for (size_t b = 0; b < a; b++)
			assert_string_not_equal(texts[a], texts[b]);
	assert_null(preboot_event_text(0));
	assert_string_equal(preboot_event_text(1), "preboot-unlocked");
	assert_string_equal(preboot_event_text(8), "preboot-target-refused");
	assert_string_equal(preboot_event_text(9), "preboot-locked");
	assert_string_equal(preboot_event_text(13), "preboot-contact-overdue");
}

struct decoding {
	uint8_t bytes[HANDOFF_BYTES_MAX];
	size_t len;
	struct handoff h;
	enum err e;
};

static void run_decode(void *p)
{
	struct decoding *d = p;

	d->e = handoff_decode(&d->h, d->bytes, d->len);
}

static void run_encode(void *p)
{
	struct decoding *d = p;

	d->e = handoff_encode(d->bytes, &d->len, &d->h);
}

static void leaves_nothing(void **state)
{
	static const struct {
		const char *why;
		void (*run)(void *);
		uint8_t flip; /* in the manifest, behind the keys */
		enum err want;
	} rows[] = {
		{ "after success", run_decode, 0, OK },
		{ "after a refusal", run_decode, 1, ERR_FORMAT },
		{ "after encoding", run_encode, 0, OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct decoding d;
		struct stack_probe probe;
		const struct handoff sample = sample_handoff();

		d.h = sample;
		encode(d.bytes, &d.len);
		d.bytes[MANIFEST] ^= rows[i].flip;
		stack_probe_run(&probe, rows[i].run, &d);
		expect(rows[i].why, rows[i].want, d.e);
		if (stack_probe_holds(&probe, sample.head.unlock_key) ||
		    stack_probe_holds(&probe, sample.head.user_seed))
			fail_msg("%s a key is left on the stack", rows[i].why);
		stack_probe_drop(&probe);
		handoff_drop(&d.h);
		assert_true(sodium_is_zero((uint8_t *)&d.h, sizeof(d.h)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(stripped),
		cmocka_unit_test(lengths),    cmocka_unit_test(damaged),
		cmocka_unit_test(trust),
		cmocka_unit_test(largest),    cmocka_unit_test(event_texts),
		cmocka_unit_test(leaves_nothing),
	};

	return RUN(tests);
}
