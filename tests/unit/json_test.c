/* Strict JSON, base64url, hex. */
#include "tests/unit/jose_fixture.h"

static void parse_is_strict(void **state)
{
	static const struct {
		const char *why, *text;
		enum err want;
	} rows[] = {
		{ "an object", "{\"a\":1}", OK },
		{ "an array", "[1,2]", OK },
		{ "brackets inside a string do not nest", "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\"}", OK },
		{ "a quote behind a backslash does not end a string", "{\"a\":\"\\\"[\"}", OK },
		{ "sixteen levels", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", OK },
		{ "seventeen levels", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", ERR_FORMAT },
		{ "nothing", "", ERR_FORMAT },
		{ "a bare string", "\"a\"", ERR_FORMAT },
		{ "a bare number", "1", ERR_FORMAT },
		{ "the same member twice", "{\"a\":1,\"a\":1}", ERR_FORMAT },
		{ "the same member twice, once escaped", "{\"a\":1,\"\\u0061\":1}", ERR_FORMAT },
		{ "text behind the end", "{\"a\":1}x", ERR_FORMAT },
		{ "a missing end", "{\"a\":1", ERR_FORMAT },
		{ "a comma too many", "{\"a\":1,}", ERR_FORMAT },
		{ "NUL inside a string", "{\"a\":\"\\u0000\"}", ERR_FORMAT },
		{ "broken UTF-8", "{\"a\":\"\xff\"}", ERR_FORMAT },
		{ "a number too large", "{\"a\":99999999999999999999}", ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *j = NULL;

		assert_err(rows[i].why, json_parse(&j, rows[i].text, strlen(rows[i].text)),
			   rows[i].want);
		assert_int_equal(j != NULL, rows[i].want == OK);
	}
}

static void parse_is_bounded(void **state)
{
	char *text = malloc(JSON_BYTES_MAX + 1);
	JSON *j = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_BYTES_MAX + 1);
	text[0] = '[';
	text[JSON_BYTES_MAX - 1] = ']';
	assert_err("exactly at the bound", json_parse(&j, text, JSON_BYTES_MAX), OK);
	assert_err("a byte more", json_parse(&j, text, JSON_BYTES_MAX + 1), ERR_FORMAT);
	free(text);
}

static void getters_check_types(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"n\":7,\"m\":-1,\"r\":1.5,\"o\":{},\"l\":[],"
				   "\"hex\":\"00ff\",\"HEX\":\"00FF\",\"b\":\"AP8\"}";
	JSON *j = NULL;
	const char *s = NULL;
	char copy[2];
	uint64_t n = 0;
	json_t *o = NULL;
	uint8_t bytes[3] = { 9, 9, 9 };

	(void)state;
	assert_ok(json_parse(&j, text, strlen(text)));
	assert_ok(json_get_string(&s, j, "s"));
	assert_string_equal(s, "x");
	assert_ok(json_get_u64(&n, j, "n"));
	assert_int_equal(n, 7);
	assert_ok(json_get_object(&o, j, "o"));
	assert_ok(json_get_array(&o, j, "l"));
	assert_err("a number is no string", json_get_string(&s, j, "n"), ERR_FORMAT);
	assert_err("absent", json_get_string(&s, j, "zz"), ERR_FORMAT);
	assert_err("negative", json_get_u64(&n, j, "m"), ERR_FORMAT);
	assert_err("a fraction", json_get_u64(&n, j, "r"), ERR_FORMAT);
	assert_err("an array is no object", json_get_object(&o, j, "l"), ERR_FORMAT);
	assert_err("an object is no array", json_get_array(&o, j, "o"), ERR_FORMAT);
	assert_int_equal(n, 7);

	assert_ok(json_copy_string(copy, sizeof copy, j, "s"));
	assert_err("does not fit", json_copy_string(copy, sizeof copy, j, "hex"), ERR_FORMAT);
	assert_string_equal(copy, "x");

	assert_err("hex too long", json_get_hex(bytes, 1, j, "hex"), ERR_FORMAT);
	assert_err("hex too short", json_get_hex(bytes, 3, j, "hex"), ERR_FORMAT);
	assert_err("upper case", json_get_hex(bytes, 2, j, "HEX"), ERR_FORMAT);
	assert_err("base64url too long", json_get_b64(bytes, 1, j, "b"), ERR_FORMAT);
	assert_err("base64url too short", json_get_b64(bytes, 3, j, "b"), ERR_FORMAT);
	assert_int_equal(bytes[0], 9);
	assert_ok(json_get_hex(bytes, 2, j, "hex"));
	assert_memory_equal(bytes, "\x00\xff", 2);
	assert_ok(json_get_b64(bytes, 2, j, "b"));
	assert_memory_equal(bytes, "\x00\xff", 2);
}

/* RFC 4648 section 10, RFC 7515 appendix C. */
static void b64_vectors(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\x03\xec\xff\xe0\xc1", "A-z_4ME" },
		{ "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
		  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TEXT *text = NULL;
		BLOB *bytes = NULL;
		size_t len = 99;

		assert_ok(b64_encode(&text, rows[i].bytes, strlen(rows[i].bytes)));
		assert_string_equal(text, rows[i].text);
		assert_ok(b64_decode(&bytes, &len, rows[i].text, strlen(rows[i].text)));
		assert_int_equal(len, strlen(rows[i].bytes));
		assert_memory_equal(bytes, rows[i].bytes, len + 1);
	}
}

static void b64_has_one_form(void **state)
{
	static const struct {
		const char *why, *text;
	} rows[] = {
		{ "padded", "Zg==" }, { "padded once", "Zm8=" }, { "trailing bits set", "Zh" },
		{ "trailing bits set", "Zm9" }, { "one character", "Z" },
		{ "five characters", "Zm9vY" }, { "the other alphabet's plus", "A+z_4ME" },
		{ "the other alphabet's slash", "A-z/4ME" }, { "a blank", "Zm 9v" },
		{ "a line end", "Zm9v\n" }, { "a full stop", "Zm.9v" },
	};
	BLOB *bytes = NULL;
	size_t len = 99;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_err(rows[i].why, b64_decode(&bytes, &len, rows[i].text, strlen(rows[i].text)),
			   ERR_FORMAT);
	assert_null(bytes);
	assert_int_equal(len, 99);
}

/* Once, a signed message could be changed without its signature noticing, because libsodium's decoder takes bytes from
 * 0x80 on for letters of the alphabet: found by fuzzing. */
static void b64_every_character(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char text[] = { 'A', 'A', 'A', (char)c };
		BLOB *bytes = NULL;
		size_t len;
		int wanted = c && strchr(alphabet, c) != NULL;

		if ((b64_decode(&bytes, &len, text, sizeof text) == OK) != wanted)
			fail_msg("character %d is %s", c, wanted ? "refused" : "accepted");
	}
}

static void b64_every_length(void **state)
{
	uint8_t bytes[70];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		TEXT *text = NULL;
		BLOB *back = NULL;
		size_t got;

		assert_ok(b64_encode(&text, bytes, len));
		assert_ok(b64_decode(&back, &got, text, strlen(text)));
		assert_int_equal(got, len);
		assert_memory_equal(back, bytes, len);
	}
}

static void take_secret_moves_the_value(void **state)
{
	static const struct {
		const char *why, *text, *value, *left;
	} rows[] = {
		{ "first member", "{\"secret\":\"ABC\",\"id\":\"1\"}", "ABC",
		  "{\"secret\":\"000\",\"id\":\"1\"}" },
		{ "white space", "{ \"id\" : \"1\" , \"secret\" : \"ABC\" }", "ABC",
		  "{ \"id\" : \"1\" , \"secret\" : \"000\" }" },
		{ "the same word as a value", "{\"a\":\"secret\",\"secret\":\"B\"}", "B",
		  "{\"a\":\"secret\",\"secret\":\"0\"}" },
		{ "deeper ones are others'", "{\"o\":{\"secret\":\"A\"},\"secret\":\"B\"}", "B",
		  "{\"o\":{\"secret\":\"A\"},\"secret\":\"0\"}" },
		{ "absent", "{\"id\":\"1\"}", NULL, NULL },
		{ "only deeper", "{\"o\":{\"secret\":\"A\"}}", NULL, NULL },
		{ "a number", "{\"secret\":1}", NULL, NULL },
		{ "empty", "{\"secret\":\"\"}", NULL, NULL },
		{ "an escape", "{\"secret\":\"A\\u0042\"}", NULL, NULL },
		{ "not ended", "{\"secret\":\"A", NULL, NULL },
		{ "cut behind the colon", "{\"secret\":", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		SECRET struct secret text = { 0 }, value = { 0 };

		assert_ok(secret_copy(&text, rows[i].text, strlen(rows[i].text)));
		assert_err(rows[i].why, json_take_secret(&value, &text, "secret"),
			   rows[i].value ? OK : ERR_FORMAT);
		if (!rows[i].value)
			continue;
		assert_int_equal(value.len, strlen(rows[i].value));
		assert_memory_equal(value.bytes, rows[i].value, value.len);
		assert_memory_equal(text.bytes, rows[i].left, text.len);
	}
}

static void print_is_compact_and_ordered(void **state)
{
	JSON *j = json_pack("{s:i, s:[i,i], s:s}", "z", 1, "a", 2, 3, "m", "x");
	TEXT *text = NULL;

	(void)state;
	assert_ok(json_print(&text, j));
	assert_string_equal(text, "{\"z\":1,\"a\":[2,3],\"m\":\"x\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_is_strict),
		cmocka_unit_test(parse_is_bounded),
		cmocka_unit_test(getters_check_types),
		cmocka_unit_test(b64_vectors),
		cmocka_unit_test(b64_has_one_form),
		cmocka_unit_test(b64_every_character),
		cmocka_unit_test(b64_every_length),
		cmocka_unit_test(take_secret_moves_the_value),
		cmocka_unit_test(print_is_compact_and_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
