/* JSON, base64url and hex: what is accepted has one meaning, here and in print. */
#include "jose_fuzz.h"

enum { MODE_JSON, MODE_SECRET, MODE_B64, MODE_HEX, MODES };

static int try_json(const char *text, size_t len)
{
	JSON *j = NULL, *again = NULL;
	TEXT *printed = NULL;

	if (json_parse(&j, text, len))
		return 0;
	sample_must(json_print(&printed, j));
	sample_must(json_parse(&again, printed, strlen(printed)));
	if (!json_equal(j, again))
		abort();
	return 1;
}

/* The scanner and jansson must mean the same member, and the scanner must change nothing else. */
static int try_secret(const char *text, size_t len)
{
	SECRET struct secret whole = { 0 }, value = { 0 };
	JSON *before = NULL, *after = NULL;
	const char *seen;

	if (!len || len > SECRET_MAX)
		return 0;
	sample_must(secret_copy(&whole, text, len));
	if (json_take_secret(&value, &whole, "secret") || json_parse(&before, text, len))
		return 0;
	if (json_get_string(&seen, before, "secret") || strlen(seen) != value.len ||
	    memcmp(seen, value.bytes, value.len))
		abort();
	sample_must(json_parse(&after, (const char *)whole.bytes, whole.len));
	sample_must(json_get_string(&seen, after, "secret"));
	if (strspn(seen, "0") != value.len)
		abort();
	json_object_del(before, "secret");
	json_object_del(after, "secret");
	if (!json_equal(before, after))
		abort();
	return 1;
}

static int try_b64(const char *text, size_t len)
{
	BLOB *bytes = NULL;
	TEXT *again = NULL;
	size_t got;

	if (b64_decode(&bytes, &got, text, len))
		return 0;
	sample_must(b64_encode(&again, bytes, got));
	if (strlen(again) != len || memcmp(again, text, len))
		abort();
	return 1;
}

static int try_hex(const char *text)
{
	uint8_t bytes[16];
	char again[33];

	if (hex_decode(bytes, sizeof bytes, text))
		return 0;
	hex_encode(again, bytes, sizeof bytes);
	if (strcmp(again, text) != 0)
		abort();
	return 1;
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_JSON:
		return try_json(text, len - 1);
	case MODE_SECRET:
		return try_secret(text, len - 1);
	case MODE_B64:
		return try_b64(text, len - 1);
	default:
		return try_hex(text);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	jose_seed(*argv, "json", MODE_JSON,
		  "{\"a\":[1,-2.5e3,true,null,{}],\"b\":\"\\u00e4\\\"\\\\\"}", try);
	jose_seed(*argv, "secret", MODE_SECRET,
		  "{ \"o\":{\"secret\":\"A\"}, \"x\":\"secret\", \"secret\" : \"BCDEF\" }", try);
	jose_seed(*argv, "b64", MODE_B64, "A-z_4ME", try);
	jose_seed(*argv, "hex", MODE_HEX, DEVICE, try);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
